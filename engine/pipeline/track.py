"""Stage *track*: what the order stream says becomes facts about orders and positions.

The stream doubles messages, loses some, and may overtake the answer of the very request that made an order. What cannot
be placed yet waits a moment for that answer; what cannot be true is kept, told, and read again at the broker.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.adoption import Adopter
from engine.alpaca import wire
from engine.book import Book
from engine.busts import Busts
from engine.clock import Clock
from engine.errors import IllegalTransition, InvariantViolated
from engine.model import events as ev
from engine.model.money import ZERO
from engine.model.order import Evidence
from engine.model.position import Position
from engine.model.words import OrderStatus, Source
from engine.recorder import Recorder
from engine.reports import report_from

log = logging.getLogger(__name__)

BUST: Final = "trade_bust"
TAKEN_BACK: Final = frozenset({BUST, "trade_correct"})
WAITING_MAX: Final = 10_000


class Tracker:
    def __init__(
        self,
        recorder: Recorder,
        book: Book,
        clock: Clock,
        adopter: Adopter,
        *,
        surprised: Callable[[str], None],
        busts: Busts,
    ) -> None:
        """``surprised`` gets the symbol whose truth at the broker should be read again."""
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._adopter = adopter
        self._surprised = surprised
        self._busts = busts
        self._waiting: deque[wire.TradeUpdate] = deque(maxlen=WAITING_MAX)

    def take(self, update: wire.TradeUpdate) -> None:
        """Fold one message of the stream into the book."""
        order_id = self._find(update.order)
        if order_id is None:
            if self._may_be_ours(update.order):
                self._waiting.append(update)
            else:
                self._surprised(update.order.symbol)
            return
        self._report(order_id, update)
        for leg in update.order.legs:
            leg_id = self._find(leg)
            if leg_id is not None:
                self._report_leg(leg_id, leg)

    def retry_waiting(self) -> None:
        """Called when an answer made new broker ids known."""
        waiting, self._waiting = self._waiting, deque(maxlen=WAITING_MAX)
        for update in waiting:
            self.take(update)

    def _find(self, order: wire.Order) -> str | None:
        by_client = self._book.order_of_client_id.get(order.client_order_id)
        known = by_client or self._book.order_of_broker_id.get(order.id)
        return known or self._adopter.adopt(order)

    def _may_be_ours(self, order: wire.Order) -> bool:
        """A leg whose id only the answer still under way will tell."""
        return any(
            self._book.orders[order_id].symbol == order.symbol
            and self._book.orders[order_id].status is OrderStatus.SENDING
            for order_id in self._book.open_orders
        )

    def _report(self, order_id: str, update: wire.TradeUpdate) -> None:
        proof = Evidence(
            source=Source.STREAM, id=update.execution_id or update.event_id or update.order.id, at=self._clock.now()
        )
        if update.event in TAKEN_BACK:
            self._surprised(update.order.symbol)  # whatever else it changed
            is_news = self._busts.told(order_id, update, proof)
            if is_news and update.position_qty is not None:
                self._report_position(update, update.position_qty, proof)
            if is_news or update.event == BUST:
                return
        try:
            news = self._busts.report(order_id, report_from(update.order, proof, update))
        except (IllegalTransition, InvariantViolated) as surprise:
            log.warning("the stream said %s of %s, which cannot be true: %s", update.event, order_id, surprise)
            self._surprised(update.order.symbol)
            return
        if news and update.position_qty is not None:
            self._report_position(update, update.position_qty, proof)
        if update.order.replaced_by is not None and not self._is_followed(order_id, update.order.replaced_by):
            self._surprised(update.order.symbol)  # by another hand, and the word about its successor may be lost

    def _is_followed(self, order_id: str, successor: str) -> bool:
        bracket_id = self._book.orders[order_id].bracket_id
        others = self._book.orders_of(bracket_id) if bracket_id is not None else ()
        return successor in self._book.order_of_broker_id or any(other.replaces == order_id for other in others)

    def _report_leg(self, leg_id: str, leg: wire.Order) -> None:
        proof = Evidence(source=Source.STREAM, id=leg.id, at=self._clock.now())
        try:
            self._busts.report(leg_id, report_from(leg, proof))
        except (IllegalTransition, InvariantViolated) as surprise:
            log.warning("the stream showed leg %s as %s: %s", leg_id, leg.status, surprise)
            self._surprised(leg.symbol)

    def _report_position(self, update: wire.TradeUpdate, qty: Decimal, proof: Evidence) -> None:
        symbol = update.order.symbol
        before = self._book.positions.get(symbol)
        average = _average_price(before, qty, update.qty, update.price)
        position = Position(symbol=symbol, qty=qty, avg_entry_price=average, evidence=proof)
        self._recorder.record(ev.PositionReported(position=position))


def _average_price(
    before: Position | None, qty: Decimal, last_qty: Decimal | None, last_price: Decimal | None
) -> Decimal | None:
    """The broker's average after an execution: it moves when the position grows, and stays when it shrinks."""
    held = before.qty if before is not None else ZERO
    known = before.avg_entry_price if before is not None else None
    if qty == 0:
        return None
    if abs(qty) <= abs(held) and (qty > 0) is (held > 0):
        return known
    if last_qty is None or last_price is None:
        return known
    if held == 0 or known is None or (qty > 0) is not (held > 0):
        return last_price
    return ((abs(held) * known + abs(last_qty) * last_price) / (abs(held) + abs(last_qty))).quantize(Decimal("0.0001"))
