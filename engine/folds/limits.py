"""The book's fold of what bounds the desk: the prop firm's ledger, trips of its state, mandates and what they burned.

A mandate's burn goes back only when it is proved that nothing was sent: the approval returned or was denied before its
intent, or the desk itself found that the broker never had the order. A person's word is no proof, and a rejected order
was sent. Should such an order turn up at the broker after all, its burn counts again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from engine.long_table import LongTable
from engine.model import events as ev
from engine.model.mandate import MANDATE_ACTOR, MandateRecord, MandateUse
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.signal import SignalRecord
from engine.model.trip import Trip
from engine.prop import ledger as prop_ledger
from engine.prop.ledger import PropLedger

replace = msgspec.structs.replace


class LimitFolds(ABC):
    def __init__(self) -> None:
        self.run = 0
        """Starts of the desk so far."""
        self.prop = PropLedger()
        self.trips: dict[str, Trip] = {}
        """By code: those not released, and those released while their cause stood."""
        self.mandates = LongTable(MandateRecord)
        self.standing_mandates: dict[str, datetime] = {}
        """Id -> its end, of those not revoked; one that is over is dropped when the next is granted."""

    @abstractmethod
    def _touch(self, kind: str, key: str) -> None:
        """A view is out of date."""

    def live_mandates(self, now: datetime) -> list[MandateRecord]:
        """Neither revoked nor over, oldest first."""
        return self.mandates.of(key for key, until in self.standing_mandates.items() if until > now)

    def is_in_force(self, mandate_id: str, now: datetime) -> bool:
        """Neither revoked nor over; what was over once stays so, wherever the clock is set."""
        until = self.standing_mandates.get(mandate_id)
        return until is not None and until > now

    # The prop firm's ledger

    def _on_prop_day_opened(self, event: ev.PropDayOpened, at: datetime) -> None:
        self.prop = prop_ledger.opened(
            self.prop,
            event.preset,
            event.size,
            event.day,
            event.began_at,
            event.balance,
            event.equity,
            event.is_late,
        )
        self._touch("desk", "")

    def _on_prop_marked(self, event: ev.PropMarked, at: datetime) -> None:
        self.prop = prop_ledger.marked(self.prop, event.balance, event.equity)
        self._touch("desk", "")

    def _on_prop_day_closed(self, event: ev.PropDayClosed, at: datetime) -> None:
        self.prop = prop_ledger.closed(self.prop, event.day, event.balance, event.equity)
        self._touch("desk", "")

    def _on_prop_day_corrected(self, event: ev.PropDayCorrected, at: datetime) -> None:
        self.prop = prop_ledger.corrected(
            self.prop, event.actor, event.start_balance, event.start_equity, event.high_equity, event.high_close
        )
        self._touch("desk", "")

    def _on_prop_breached(self, event: ev.PropBreached, at: datetime) -> None:
        self.prop = prop_ledger.breached(self.prop, event.rule, event.text, at)
        self._touch("desk", "")

    # Trips

    def _on_desk_tripped(self, event: ev.DeskTripped, at: datetime) -> None:
        self.trips = {**self.trips, event.trip.code: event.trip}
        self._touch("desk", "")

    def _on_trip_released(self, event: ev.TripReleased, at: datetime) -> None:
        trip = self.trips.get(event.code)
        if trip is not None and event.is_forced:
            self.trips = {**self.trips, event.code: replace(trip, overridden_by=event.actor)}
        else:
            self._drop_trip(event.code)
        self._touch("desk", "")

    def _on_trip_rearmed(self, event: ev.TripRearmed, at: datetime) -> None:
        self._drop_trip(event.code)
        self._touch("desk", "")

    def _drop_trip(self, code: str) -> None:
        self.trips = {known: trip for known, trip in self.trips.items() if known != code}

    # Mandates

    def _on_mandate_granted(self, event: ev.MandateGranted, at: datetime) -> None:
        for key in [key for key, until in self.standing_mandates.items() if until <= at]:
            del self.standing_mandates[key]
        self.mandates[event.mandate.id] = MandateRecord(mandate=event.mandate, run=self.run)
        self.standing_mandates[event.mandate.id] = event.mandate.until
        self._touch("mandate", event.mandate.id)

    def _on_mandate_confirmed(self, event: ev.MandateConfirmed, at: datetime) -> None:
        self._change_mandate(event.mandate_id, run=self.run)

    def _on_mandate_revoked(self, event: ev.MandateRevoked, at: datetime) -> None:
        self.standing_mandates.pop(event.mandate_id, None)
        self._change_mandate(event.mandate_id, revoked_at=at, revoked_by=event.actor)

    def _change_mandate(self, mandate_id: str, **changes: object) -> None:
        self.mandates[mandate_id] = replace(self.mandates[mandate_id], **changes)
        self._touch("mandate", mandate_id)

    # What the rest of the fold tells

    def _note_started(self) -> None:
        self.run += 1

    def _note_approved(self, event: ev.SignalApproved, at: datetime) -> None:
        mandate_id = _mandate_of(event.approval.actor)
        if mandate_id in self.mandates and event.bracket_id is not None:
            notional = event.approval.notional or ZERO
            use = MandateUse(signal_id=event.signal_id, bracket_id=event.bracket_id, notional=notional, at=at)
            self._change_mandate(mandate_id, uses=(*self.mandates[mandate_id].uses, use))

    def _note_unsent(self, record: SignalRecord | None) -> None:
        """Nothing of this approval ever left, proved."""
        self._change_use(record, lambda use: use if use.is_attested else replace(use, is_returned=True))

    def _note_attested(self, record: SignalRecord | None) -> None:
        self._change_use(record, lambda use: replace(use, is_attested=True))

    @property
    def counts_entries(self) -> bool:
        """A mandate or a prop firm's day asks what the broker made of an entry."""
        return bool(self.mandates) or self.prop.day is not None

    def _note_report(self, record: SignalRecord | None, entries: Iterable[Order]) -> None:
        """The broker has an entry of it: it counts, with what all of them really cost when that is more."""
        filled = sum((entry.filled_qty * (entry.filled_avg_price or ZERO) for entry in entries), ZERO)
        if filled > 0:
            self.prop = prop_ledger.filled(self.prop)
        self._change_use(record, lambda use: replace(use, is_returned=False, notional=max(use.notional, filled)))

    def _change_use(self, record: SignalRecord | None, changed: Callable[[MandateUse], MandateUse]) -> None:
        if record is None or record.approval is None:
            return
        mandate_id = _mandate_of(record.approval.actor)
        if mandate_id not in self.mandates:
            return
        uses = self.mandates[mandate_id].uses
        new = tuple(changed(use) if use.bracket_id == record.bracket_id else use for use in uses)
        if new != uses:
            self._change_mandate(mandate_id, uses=new)


def _mandate_of(actor: str) -> str:
    return actor.removeprefix(MANDATE_ACTOR) if actor.startswith(MANDATE_ACTOR) else ""
