"""What a trade has won or lost with the shares that have left it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.words import OrderRole


def realized_pl(orders: Iterable[Order], entry: Decimal | None, sign: int) -> Decimal:
    """In account currency, without fees; ``entry`` is the average entry price, ``sign`` +1 of a long trade."""
    if entry is None:
        return ZERO
    exits = (o for o in orders if o.role is not OrderRole.ENTRY and o.filled_avg_price is not None)
    return sum((((o.filled_avg_price or ZERO) - entry) * sign * o.filled_qty for o in exits), ZERO)
