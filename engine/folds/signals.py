"""Folds of the facts about signals: decided, held, and followed through the trade that they made.

Part of the book (``engine/book.py`` is the door).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from engine.long_table import LongTable
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.money import ZERO, plain
from engine.model.order import Order
from engine.model.signal import HeldEntry, SignalRecord
from engine.model.words import OrderRole, OrderStatus, SignalStatus
from engine.protection.ledger import Cover


class SignalFolds(ABC):
    signals: LongTable[SignalRecord]
    pending: dict[str, None]
    approved: dict[str, None]
    held_entries: dict[str, None]

    @abstractmethod
    def orders_of(self, bracket_id: str) -> list[Order]:
        """Oldest first."""

    @abstractmethod
    def _touch(self, kind: str, key: str) -> None: ...

    @abstractmethod
    def _note_approved(self, event: ev.SignalApproved, at: datetime) -> None: ...

    @abstractmethod
    def _note_unsent(self, record: SignalRecord | None) -> None: ...

    def _on_signal_approved(self, event: ev.SignalApproved, at: datetime) -> None:
        self._decide(
            event.signal_id,
            SignalStatus.APPROVED,
            at,
            event.approval.actor,
            approval=event.approval,
            reasons=event.reasons,
            bracket_id=event.bracket_id,
        )
        self.approved[event.signal_id] = None
        self._note_approved(event, at)

    def _on_signal_rejected(self, event: ev.SignalRejected, at: datetime) -> None:
        self._note_unsent(self.signals[event.signal_id])  # of an approval only while it waits to be sent
        self._decide(
            event.signal_id,
            SignalStatus.REJECTED,
            at,
            event.actor,
            decision_note=event.reason,
            decision_code=event.code,
        )

    def _on_signal_expired(self, event: ev.SignalExpired, at: datetime) -> None:
        self._decide(event.signal_id, SignalStatus.EXPIRED, at, None)

    def _on_signal_denied(self, event: ev.SignalDenied, at: datetime) -> None:
        note = event.reasons[0].text if event.reasons else ""
        self._note_unsent(self.signals[event.signal_id])
        self._decide(
            event.signal_id, SignalStatus.DENIED, at, "gate", reasons=event.reasons, decision_note=note, bracket_id=None
        )

    def _on_signal_returned(self, event: ev.SignalReturned, at: datetime) -> None:
        record = self.signals[event.signal_id]
        self._note_unsent(record)
        self.approved.pop(event.signal_id, None)
        self.held_entries.pop(event.signal_id, None)
        self.pending[event.signal_id] = None
        signal = record.signal
        if event.expires_at is not None:
            signal = replace(signal, expires_at=event.expires_at)
        self.signals[event.signal_id] = replace(
            record,
            signal=signal,
            held=None,
            status=SignalStatus.PENDING,
            approval=None,
            bracket_id=None,
            decided_at=None,
            decided_by=None,
            decision_note=event.why,
        )
        self._touch("signal", event.signal_id)

    def _decide(self, signal_id: str, status: SignalStatus, at: datetime, by: str | None, **changes: object) -> None:
        self.pending.pop(signal_id, None)
        self.approved.pop(signal_id, None)
        if signal_id in self.held_entries:  # given up before anything was sent
            del self.held_entries[signal_id]
            self._note_unsent(self.signals[signal_id])
        self.signals[signal_id] = replace(
            self.signals[signal_id], status=status, decided_at=at, decided_by=by, **changes
        )
        self._touch("signal", signal_id)
        self._touch("desk", "")

    def _advance_signal(self, bracket: Bracket, cover: Cover, orders: Sequence[Order]) -> None:
        record = self.signals.get(bracket.signal_id)
        if record is None or record.bracket_id != bracket.id:
            return
        status, note, is_answered = follow_entry(record, bracket, cover, orders)
        if is_answered:
            self.approved.pop(bracket.signal_id, None)
        if status is not record.status or note != record.decision_note:
            self.signals[bracket.signal_id] = replace(record, status=status, decision_note=note)
            self._touch("signal", bracket.signal_id)

    def _on_entry_held(self, event: ev.EntryHeld, at: datetime) -> None:
        self.approved.pop(event.signal_id, None)
        self.held_entries[event.signal_id] = None
        self._change_signal(
            event.signal_id, status=SignalStatus.WORKING, held=event.held, decision_note=waits(event.held)
        )

    def _on_entry_released(self, event: ev.EntryReleased, at: datetime) -> None:
        """From here on it is as any approved entry."""
        held = self.signals[event.signal_id].held
        assert held is not None
        self.held_entries.pop(event.signal_id, None)
        self.approved[event.signal_id] = None
        released = replace(held, released_at=at)
        self._change_signal(event.signal_id, status=SignalStatus.APPROVED, held=released, decision_note=event.why)

    def _change_signal(self, signal_id: str, **changes: object) -> None:
        self.signals[signal_id] = replace(self.signals[signal_id], **changes)
        self._touch("signal", signal_id)
        self._touch("desk", "")

    def _set_signal_status(self, signal_id: str, status: SignalStatus) -> None:
        self.approved.pop(signal_id, None)
        self.signals[signal_id] = replace(self.signals[signal_id], status=status)
        self._touch("signal", signal_id)


def waits(held: HeldEntry) -> str:
    """What a held entry waits for, for the person who looks at the signal."""
    if held.kind == "reverse":
        return "the position is closed first; the entry follows when the broker shows nothing left"
    assert held.trigger_price is not None
    return f"the desk waits for {plain(held.trigger_price)}; nothing triggers while it is down"


class Followed(NamedTuple):
    status: SignalStatus
    note: str
    is_answered: bool
    """The broker has the entry, or will never have it: the approval is no longer on its way."""


def follow_entry(record: SignalRecord, bracket: Bracket, cover: Cover, orders: Sequence[Order]) -> Followed:
    """The signal follows its entries: working, filled, closed, failed."""
    entries = [order for order in orders if order.role is OrderRole.ENTRY]
    is_known, is_over = False, True
    for order in entries:
        is_known = is_known or order.broker_id is not None
        is_over = is_over and order.is_terminal
    note = _part_of_entry(bracket, entries) or record.decision_note
    status = record.status
    if bracket.closed_at is not None:
        refused = {OrderStatus.REJECTED, OrderStatus.NEVER_REACHED}
        failed = cover.entry_filled == 0 and any(order.status in refused for order in entries)
        status = SignalStatus.FAILED if failed else SignalStatus.CLOSED
        if cover.entry_filled == 0:
            last = entries[-1]
            note = last.last_error or f"entry {last.status.value} without a fill"
            if any(order.busted_qty > 0 for order in entries):
                note = "the venue took the executions of its entry back"
    elif not cover.entry_open and cover.entry_filled > 0:
        status = SignalStatus.FILLED
    elif is_known:
        status = SignalStatus.WORKING
    return Followed(status, note, is_known or is_over)


def _part_of_entry(bracket: Bracket, entries: Sequence[Order]) -> str:
    """A sentence when only some of several entries reached the broker, else nothing."""
    if len(entries) < 2:
        return ""
    reached = [order for order in entries if not (order.is_terminal and order.was_unknown_to_broker)]
    if not reached or len(reached) == len(entries):
        return ""
    sent = sum((order.qty for order in reached), ZERO)
    return f"{plain(sent)} of {plain(bracket.qty)} reached the broker; the rest was not sent again"
