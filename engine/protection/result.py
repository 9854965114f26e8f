"""What a trade has won or lost with the shares that have left it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.words import OrderRole
from engine.protection.ledger import executed


def realized_pl(orders: Iterable[Order], entry: Decimal | None, sign: int) -> Decimal:
    """In account currency, without fees; ``entry`` is the average entry price, ``sign`` +1 of a long trade.

    An exit on the entry's side closes what had been closed beyond the position. Where the venue took the whole entry
    back, what its exits had closed is closed again by such ones, and the two of them are the result.
    """
    closed = gained = ZERO
    for order in executed(orders):
        if order.role is OrderRole.ENTRY or order.filled_avg_price is None:
            continue
        qty = order.filled_qty if order.side.sign != sign else -order.filled_qty
        closed += qty
        gained += order.filled_avg_price * qty * sign
    if entry is None:
        return gained if closed == 0 else ZERO
    return gained - entry * closed * sign
