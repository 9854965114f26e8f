"""Takes orders into the book that the broker has and the journal lacks, when they provably belong to a trade of ours.

Two ways lead there: an exit that went out before its line was on disk (its client id tells its trade), and a leg
that the broker itself replaced (it names the order it replaces). Anything else is another hand's, and never guessed.
"""

from __future__ import annotations

import logging
from typing import Final

import msgspec

from engine.alpaca import wire
from engine.alpaca.vocabulary import SIDES
from engine.book import Book
from engine.clock import Clock
from engine.model import events as ev
from engine.model.ids import leg_id, parts_of
from engine.model.order import Order
from engine.model.words import OrderClass, OrderRole
from engine.recorder import Recorder
from engine.reports import STOP_TYPES, order_from

log = logging.getLogger(__name__)

ROLE_OF_PURPOSE: Final = {
    "entry": OrderRole.ENTRY,
    "oco": OrderRole.TAKE_PROFIT,
    "stop": OrderRole.STOP_LOSS,
    "close": OrderRole.EXIT,
    "patch": OrderRole.TAKE_PROFIT,
    "flip": OrderRole.EXIT,
    "reprice": OrderRole.ENTRY,
}
"""What an order of ours is for, by the word in its client id."""


def _role_of(purpose: str, found: wire.Order) -> OrderRole:
    """A moved exit (``move``) may be either one: its type tells."""
    if purpose == "move":
        return OrderRole.STOP_LOSS if found.type in STOP_TYPES else OrderRole.TAKE_PROFIT
    return ROLE_OF_PURPOSE.get(purpose, OrderRole.EXIT)


class Adopter:
    def __init__(self, recorder: Recorder, book: Book, clock: Clock) -> None:
        self._recorder = recorder
        self._book = book
        self._clock = clock

    def adopt(self, found: wire.Order) -> str | None:
        """Our id of the order, now in the book; None when it is no order of ours, or one of an unknown side."""
        if found.side not in SIDES:
            return None
        replaced = self._book.orders.get(self._book.order_of_broker_id.get(found.replaces or "", ""))
        parts = parts_of(found.client_order_id, self._book.desk_id)
        if parts is not None and parts.bracket_id in self._book.brackets:
            role = replaced.role if replaced is not None else _role_of(parts.purpose, found)
            return self._take_in(found, found.client_order_id, role, parts.bracket_id, replaced)
        if replaced is not None and replaced.bracket_id is not None:
            order_id = f"{replaced.id}.{found.id[:8]}"
            return self._take_in(found, order_id, replaced.role, replaced.bracket_id, replaced)
        return None

    def _take_in(
        self, found: wire.Order, order_id: str, role: OrderRole, bracket_id: str, replaced: Order | None
    ) -> str:
        parent_id = None
        if replaced is not None:
            # The target of an OCO is its group's parent: what replaced it stays in the group of its stop.
            parent_id = replaced.parent_id or (replaced.id if replaced.order_class is OrderClass.OCO else None)
        self._record(found, order_id, role, bracket_id, parent_id)
        for leg in found.legs:
            if leg.id in self._book.order_of_broker_id:
                continue  # it followed the order that was replaced
            leg_role = OrderRole.STOP_LOSS if leg.type in STOP_TYPES else OrderRole.TAKE_PROFIT
            suffix = "sl" if leg_role is OrderRole.STOP_LOSS else "tp"
            self._record(leg, leg_id(order_id, suffix), leg_role, bracket_id, order_id)
        log.info("%s was not in the journal: adopted from the broker", order_id)
        return order_id

    def _record(
        self, found: wire.Order, order_id: str, role: OrderRole, bracket_id: str, parent_id: str | None
    ) -> None:
        adopted = order_from(found, order_id, role, bracket_id, self._clock.now())
        self._recorder.record(ev.OrderAdopted(order=msgspec.structs.replace(adopted, parent_id=parent_id)))
        gone = -self._book.brackets[bracket_id].adjusted_qty
        explained = min(found.filled_qty, gone)
        if role is not OrderRole.ENTRY and explained > 0:
            # Shares that seemed to have gone by another hand were this order's executions: count them once.
            why = f"{explained} of them were {order_id}'s own executions."
            self._recorder.record(ev.BracketAdjusted(bracket_id=bracket_id, qty=explained, why=why))
