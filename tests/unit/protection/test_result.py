"""What a trade has won or lost with the shares that have left it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus, Side
from engine.protection.result import realized_pl
from tests.unit.builders import filled, make_exit, make_order, replace

ENTRY = filled(make_order(), price="187.00")


def sold(order_id: str, qty: int, price: str, **changes: Any) -> Order:
    return replace(filled(make_exit(OrderRole.EXIT, order_id), qty, price), **changes)


def test_what_left_against_what_it_cost() -> None:
    assert realized_pl([ENTRY, sold("x1", 10, "189.00")], Decimal("187.00"), 1) == 20


def test_a_replacement_carries_on_what_its_predecessor_had_sold() -> None:
    part = sold("x1", 4, "189.00", status=OrderStatus.REPLACED)
    whole = sold("x2", 10, "189.00", replaces="x1")
    assert realized_pl([ENTRY, part, whole], Decimal("187.00"), 1) == 20


def test_what_was_sold_beyond_the_position_is_bought_back() -> None:
    target, stop = sold("x1", 10, "189.00"), sold("x2", 10, "185.00")
    back = sold("x3", 10, "186.00", side=Side.BUY)
    assert realized_pl([ENTRY, target, stop, back], Decimal("187.00"), 1) == 10


def test_an_entry_that_was_wholly_taken_back_leaves_the_two_prices_of_its_exits() -> None:
    never = replace(ENTRY, filled_qty=Decimal(0), filled_avg_price=None, busted_qty=Decimal(10))
    out = sold("x1", 10, "189.00")
    assert realized_pl([never, out], None, 1) == 0
    back = sold("x2", 10, "190.50", side=Side.BUY)
    assert realized_pl([never, out, back], None, 1) == -15
