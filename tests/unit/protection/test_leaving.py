"""What a preview says of leaving a trade is what the supervisor will send."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.model.order import Order
from engine.model.words import OrderStatus
from engine.protection.case import Case
from engine.protection.leaving import requests_to_leave
from engine.protection.ledger import cover_of
from tests.unit.builders import DESK_ID, after, filled, legs_of, make_bracket, make_order, replace

S = OrderStatus
ENTRY = make_order()
TARGET, STOP = legs_of(ENTRY)


def sent_for(*orders: Order) -> list[str]:
    trade = make_bracket()
    case = Case(
        bracket=trade,
        orders=orders,
        cover=cover_of(trade, orders),
        mark=Decimal("187.00"),
        now=after(0.02),
    )
    return [f"{request.method} {request.path}" for request in requests_to_leave(case, DESK_ID)]


@pytest.mark.parametrize("status", [S.NEW, S.HELD])
def test_leaving_moves_the_target_even_in_the_moment_in_which_it_is_being_armed(status: OrderStatus) -> None:
    """The entry filled 20 ms ago; the broker's ``new`` for the target is on its way, and the supervisor waits."""
    target = replace(TARGET, status=status)
    assert sent_for(filled(ENTRY), target, STOP) == [f"PATCH /v2/orders/{TARGET.broker_id}"]


def test_without_a_target_the_stop_goes_first() -> None:
    trade = filled(ENTRY), replace(TARGET, status=S.CANCELED), STOP
    assert sent_for(*trade) == [f"DELETE /v2/orders/{STOP.broker_id}", "POST /v2/orders"]
