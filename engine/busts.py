"""Executions that the venue takes back (a bust, a correction to fewer shares): whose they were, as a fact.

Three ways tell of them: the stream's own word, any later message or reading of the order that shows fewer shares
executed, and the status ``filled`` of an order that has executed less than its size. Each is counted once, whoever
tells it first. What a message or a reading from before an execution shows is no bust: the broker's stamps tell them
apart, and where they do not, a second look has to show the same.
"""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Final

import msgspec

from engine.alpaca import wire
from engine.book import Book
from engine.clock import Clock
from engine.model import events as ev
from engine.model.order import Evidence, Order, OrderReport, taken_back
from engine.model.words import OrderStatus
from engine.recorder import Recorder
from engine.reports import report_from

log = logging.getLogger(__name__)

CONFIRM_AFTER_S: Final = 2.0
"""A reading without a newer stamp that shows fewer shares executed is believed when it does so for this long."""


class Busts:
    def __init__(self, recorder: Recorder, book: Book, clock: Clock) -> None:
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._suspects: dict[str, tuple[Decimal, float]] = {}
        """Order id -> shares that seem to be executed no more, and since when in the loop's seconds."""

    @property
    def suspects(self) -> tuple[str, ...]:
        """Orders that a second look is owed to."""
        return tuple(self._suspects)

    def forget(self, order_id: str) -> None:
        """It has executed what the book says."""
        self._suspects.pop(order_id, None)

    @property
    def doubtful(self) -> set[str]:
        """Symbols that a second look is owed to, soon."""
        return {self._book.orders[order_id].symbol for order_id in self._suspects}

    def told(self, order_id: str, update: wire.TradeUpdate, proof: Evidence) -> bool:
        """The stream's own word of it; returns whether it was news."""
        order = self._book.orders[order_id]
        if update.execution_id is not None and update.execution_id in order.busted_ids:
            return False
        report = report_from(update.order, proof, update)
        if _is_older(report, order):
            return False  # more has happened since: what stands now is read
        return self._take(order, msgspec.structs.replace(report, execution_id=update.execution_id))

    def report(self, order_id: str, report: OrderReport) -> bool:
        """The way of every report about an order into the book; returns whether it said something new.

        Raises:
            IllegalTransition, InvariantViolated: it cannot be true of this order; nothing was recorded.
        """
        return self._shows_fewer(order_id, report) or self._recorder.report(order_id, report)

    def _shows_fewer(self, order_id: str, shown: OrderReport) -> bool:
        """Whether a report told of executions taken back, now as a fact."""
        order = self._book.orders[order_id]
        if taken_back(order, shown) == 0 or _is_older(shown, order):
            self.forget(order_id)
            return False
        if not _proves(shown, order) and not self._is_confirmed(order_id, shown.filled_qty):
            return False
        return self._take(order, shown)

    def _is_confirmed(self, order_id: str, filled_qty: Decimal) -> bool:
        now_s = self._clock.monotonic_s()
        known = self._suspects.get(order_id)
        if known is None or known[0] != filled_qty:
            self._suspects[order_id] = (filled_qty, now_s)
            return False
        return now_s - known[1] >= CONFIRM_AFTER_S

    def _take(self, order: Order, shown: OrderReport) -> bool:
        self.forget(order.id)
        qty = taken_back(order, shown)
        if qty == 0:
            return False
        log.info("the venue took back executions of %s: %s shares, %s stand", order.id, qty, shown.filled_qty)
        self._recorder.record(ev.ExecutionsTakenBack(order_id=order.id, qty=qty, report=shown))
        return True


def _is_older(shown: OrderReport, order: Order) -> bool:
    return shown.updated_at is not None and order.updated_at is not None and shown.updated_at < order.updated_at


def _proves(shown: OrderReport, order: Order) -> bool:
    """Nothing from before the executions can look like this."""
    if shown.status is OrderStatus.FILLED and shown.qty is not None and shown.filled_qty < shown.qty:
        return True
    return shown.updated_at is not None and order.updated_at is not None and shown.updated_at > order.updated_at
