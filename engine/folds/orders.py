"""Folds of the facts about orders: intended, answered, reported, of unknown fate, and the legs that live with them.

Part of the book (``engine/book.py`` is the door): each fact changes one order's record and refolds its trade.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from engine.errors import InvariantViolated
from engine.long_table import LongTable
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.order import Order, OrderReport, apply_report, take_back
from engine.model.signal import SignalRecord
from engine.model.words import OrderRole, OrderStatus

TAKEN_BACK_KEPT: Final = 20
"""Orders with executions taken back, the newest, for the operator to be told of."""


class OrderFolds(ABC):
    signals: LongTable[SignalRecord]
    orders: LongTable[Order]
    brackets: LongTable[Bracket]
    order_of_broker_id: dict[str, str]
    former_broker_ids: dict[str, str]
    order_of_client_id: dict[str, str]
    open_orders: dict[str, None]
    taken_back: dict[str, datetime]
    _entries_at: deque[datetime]

    @property
    @abstractmethod
    def counts_entries(self) -> bool:
        """A mandate or a prop firm's day asks what the broker made of an entry."""

    @abstractmethod
    def orders_of(self, bracket_id: str) -> list[Order]:
        """Oldest first."""

    @abstractmethod
    def _touch(self, kind: str, key: str) -> None: ...

    @abstractmethod
    def _refold_bracket(self, bracket_id: str, at: datetime) -> None: ...

    @abstractmethod
    def _note_entry_status(self, before: Order, after: Order) -> None: ...

    @abstractmethod
    def _note_rejection(self, order_id: str, symbol: str, text: str, at: datetime) -> None: ...

    @abstractmethod
    def _note_exposed(self) -> None: ...

    @abstractmethod
    def _note_report(self, record: SignalRecord | None, entries: Iterable[Order]) -> None: ...

    @abstractmethod
    def _note_attested(self, record: SignalRecord | None) -> None: ...

    @abstractmethod
    def _note_unsent(self, record: SignalRecord | None) -> None: ...

    def _on_order_intended(self, event: ev.OrderIntended, at: datetime) -> None:
        trade = self.brackets.get(event.order.bracket_id or "")
        if event.order.role is OrderRole.ENTRY and not (trade is not None and trade.order_ids):
            self._entries_at.append(at)  # several requests of one approval are one entry
        self._add_order(event.order, at)
        for leg in event.legs:
            self._add_order(leg, at)

    def _on_replace_intended(self, event: ev.ReplaceIntended, at: datetime) -> None:
        self._add_order(event.order, at)

    def _on_order_adopted(self, event: ev.OrderAdopted, at: datetime) -> None:
        self._add_order(event.order, at)

    def _add_order(self, order: Order, at: datetime) -> None:
        if order.id in self.orders:
            raise InvariantViolated(f"order {order.id} was made twice")
        if order.bracket_id is not None:
            bracket = self.brackets[order.bracket_id]
            self.brackets[bracket.id] = replace(bracket, order_ids=(*bracket.order_ids, order.id))
        self._put_order(order, at)

    def _put_order(self, order: Order, at: datetime, *, was: Order | None = None) -> None:
        """``was`` is how it stood, where that is known."""
        before = was if was is not None else self.orders.get(order.id, order)
        self._note_entry_status(before, order)
        if order.status is OrderStatus.REJECTED and before.status is not OrderStatus.REJECTED:
            self._note_rejection(order.id, order.symbol, order.last_error or "rejected by the broker", at)
        self.orders[order.id] = order
        if before is order or before.broker_id != order.broker_id or before.client_order_id != order.client_order_id:
            self._note_names(before, order)
        if order.is_open:
            self.open_orders[order.id] = None
            self._note_exposed()
        else:
            self.open_orders.pop(order.id, None)
        self._touch("order", order.id)
        self._touch("position", order.symbol)
        if order.bracket_id is not None:
            self._refold_bracket(order.bracket_id, at)

    def _note_names(self, before: Order, order: Order) -> None:
        if order.broker_id is not None:
            self.order_of_broker_id[order.broker_id] = order.id
            self.former_broker_ids.pop(order.broker_id, None)
            if before.broker_id is not None and before.broker_id != order.broker_id:
                self.former_broker_ids[before.broker_id] = order.id
        if order.client_order_id is not None:
            self.order_of_client_id[order.client_order_id] = order.id

    def _on_order_reported(self, event: ev.OrderReported, at: datetime) -> None:
        order = self.orders[event.order_id]
        reported = apply_report(order, event.report, at)
        if reported is not order:
            self._put_reported(order, reported, event.report, at)

    def _put_reported(self, order: Order, reported: Order, report: OrderReport, at: datetime) -> None:
        if report.replaces is not None or report.replaced_by is not None:
            replaces = self.order_of_broker_id.get(report.replaces or "")
            replaced_by = self.order_of_broker_id.get(report.replaced_by or "")
            reported = replace(
                reported, replaces=reported.replaces or replaces, replaced_by=reported.replaced_by or replaced_by
            )
        self._put_order(reported, at, was=order)
        if reported.revived_at is not None and order.revived_at is None:
            self._revive_legs(reported, at)
        if order.asleep_since is not None and reported.asleep_since is None:
            self._wake_siblings(reported, at)
        if order.role is OrderRole.ENTRY and self.counts_entries:
            self._note_report(self._signal_of(order), self._entries_of(order))
        if order.role is OrderRole.ENTRY and reported.is_terminal and reported.filled_qty == 0:
            self._end_unborn_legs(reported, at)

    def _on_executions_taken_back(self, event: ev.ExecutionsTakenBack, at: datetime) -> None:
        order = self.orders[event.order_id]
        changed = take_back(order, event.report, event.qty, at)
        self.taken_back.pop(order.id, None)
        self.taken_back[order.id] = at
        if len(self.taken_back) > TAKEN_BACK_KEPT:
            del self.taken_back[next(iter(self.taken_back))]
        self._put_reported(order, changed, event.report, at)

    def _on_order_refused(self, event: ev.OrderRefused, at: datetime) -> None:
        order = self.orders[event.order_id]
        if order.broker_id is not None:
            # The broker itself has shown it meanwhile: the answer was wrong, as Alpaca's have been about replacements.
            self._put_order(replace(order, last_error=event.text, unresolved_since=None, refused_at=at), at)
            return
        self._end_unsent(event.order_id, OrderStatus.REJECTED, event.text, at, refused_at=at)

    def _on_order_never_reached(self, event: ev.OrderNeverReached, at: datetime) -> None:
        self._end_unsent(event.order_id, OrderStatus.NEVER_REACHED, event.why, at)
        order = self.orders[event.order_id]
        if order.role is OrderRole.ENTRY and event.actor != "desk":
            self._note_attested(self._signal_of(order))
        elif all(entry.status is OrderStatus.NEVER_REACHED for entry in self._entries_of(order)):
            self._note_unsent(self._signal_of(order))

    def _entries_of(self, order: Order) -> list[Order]:
        """All entries of the trade that an order belongs to."""
        known = self.orders_of(order.bracket_id) if order.bracket_id is not None else []
        return [entry for entry in known if entry.role is OrderRole.ENTRY]

    def _signal_of(self, order: Order) -> SignalRecord | None:
        bracket = self.brackets.get(order.bracket_id or "")
        record = self.signals.get(bracket.signal_id) if bracket is not None else None
        return record if record is not None and record.bracket_id == order.bracket_id else None

    def _end_unsent(
        self, order_id: str, status: OrderStatus, why: str, at: datetime, *, refused_at: datetime | None = None
    ) -> None:
        order = self.orders[order_id]
        ended = replace(
            order, status=status, status_since=at, unresolved_since=None, last_error=why, refused_at=refused_at
        )
        self._put_order(ended, at)
        self._end_unborn_legs(ended, at)

    def _end_unborn_legs(self, parent: Order, at: datetime) -> None:
        """Legs the broker never created, or that died with an entry that bought nothing, end with their parent."""
        if parent.bracket_id is None:
            return
        for order in self.orders_of(parent.bracket_id):
            if order.parent_id == parent.id and order.is_open and order.broker_id is None:
                self._put_order(replace(order, status=OrderStatus.NEVER_REACHED, status_since=at), at)

    def _revive_legs(self, parent: Order, at: datetime) -> None:
        """What ended here with a parent that the broker has all the same is there too, under ids yet unknown."""
        for order in self.orders_of(parent.bracket_id) if parent.bracket_id is not None else ():
            unborn = order.status is OrderStatus.NEVER_REACHED and order.broker_id is None
            if order.parent_id == parent.id and unborn:
                self._put_order(replace(order, status=OrderStatus.SENDING, status_since=at), at)

    def _on_order_unresolved(self, event: ev.OrderUnresolved, at: datetime) -> None:
        order = self.orders[event.order_id]
        if order.broker_id is not None:
            return  # the stream knew it before its answer was lost
        self._put_order(
            replace(
                order,
                status=OrderStatus.SENDING,
                unresolved_since=order.unresolved_since or at,
                last_error=event.text,
            ),
            at,
        )

    def _on_cancel_intended(self, event: ev.CancelIntended, at: datetime) -> None:
        order = self.orders[event.order_id]
        since = order.cancel_since or at
        is_repeated = order.cancel_requested_at is not None and event.actor == "desk"
        actor = (order.cancel_actor if is_repeated else None) or event.actor  # a person's wish stays a person's
        self._put_order(replace(order, cancel_requested_at=at, cancel_since=since, cancel_actor=actor), at)

    def _on_cancel_refused(self, event: ev.CancelRefused, at: datetime) -> None:
        order = self.orders[event.order_id]
        self._put_order(replace(order, cancel_requested_at=None, cancel_since=None, last_error=event.text), at)

    def _wake_siblings(self, order: Order, at: datetime) -> None:
        """One leg that acts after all proves that its group was armed."""
        for other in self.orders_of(order.bracket_id) if order.bracket_id is not None else ():
            if other.asleep_since is not None and other.parent_id == order.parent_id:
                self._put_order(replace(other, asleep_since=None), at)
