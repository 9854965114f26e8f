"""What a trade needs next: rows of the decision that come before all others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.words import OrderRole, OrderStatus
from engine.protection.steps import (
    Rest,
)
from tests.unit.builders import (
    T0,
    filled,
    make_exit,
    working,
)
from tests.unit.protection.deciding import ENTRY, LEAVING, STOP, TARGET, S, rest_of, step


def test_a_closed_trade_needs_nothing() -> None:
    assert step(filled(ENTRY), closed_at=T0) == Rest("closed")


def test_a_working_entry_needs_nothing() -> None:
    assert rest_of(step(working(ENTRY), TARGET, STOP)) is None


def test_a_covered_trade_needs_nothing_even_beyond_its_stop() -> None:
    """The live stop is the broker's to trigger; a second order would sell the shares twice."""
    assert step(filled(ENTRY), TARGET, STOP, mark=Decimal("180.00")) == Rest("covered")


def test_a_request_under_way_is_waited_for() -> None:
    sending = make_exit(OrderRole.STOP_LOSS, "stop-1", status=S.SENDING, broker_id=None)
    assert step(filled(ENTRY), sending) == Rest("a request is under way")


def test_a_closing_order_at_work_is_left_alone() -> None:
    assert isinstance(step(filled(ENTRY), make_exit(OrderRole.EXIT, "close-1")), Rest)


@pytest.mark.parametrize("role", [OrderRole.EXIT, OrderRole.STOP_LOSS, OrderRole.TAKE_PROFIT])
@pytest.mark.parametrize("leaving", [{}, LEAVING])
@pytest.mark.parametrize("status", [S.SENDING, S.NEW])
def test_an_exit_of_unknown_fate_blocks_every_further_one(
    role: OrderRole, leaving: dict[str, Any], status: OrderStatus
) -> None:
    """It may be live: whatever else went out could sell the same shares twice."""
    unknown = make_exit(role, "unknown-1", status=status, unresolved_since=T0)
    found = step(filled(ENTRY), unknown, mark=Decimal("180.00"), **leaving)
    assert rest_of(found) == 1.0
