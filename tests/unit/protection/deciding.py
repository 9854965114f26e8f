"""One decision about a trade of ten shares, in one line: ``step(order, ..., what is different)``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from engine.model.bracket import Bracket
from engine.model.order import Order
from engine.model.words import OrderStatus, Session
from engine.protection.ledger import cover_of
from engine.protection.steps import (
    Cancel,
    Rest,
    Step,
    Truth,
    next_step,
)
from tests.unit.builders import (
    T0,
    after,
    legs_of,
    make_bracket,
    make_order,
    replace,
)

S = OrderStatus
ENTRY = make_order()
TARGET, STOP = legs_of(ENTRY)
LEAVING = {"exit_requested_at": T0, "exit_reason": "flatten asked by the operator"}
ABOVE_STOP = Decimal("187.00")


def step(
    *orders: Order,
    bracket: Bracket | None = None,
    mark: Decimal | None = ABOVE_STOP,
    now_s: float = 10.0,
    stop_through: Literal["exit", "ask"] = "exit",
    breakeven_at_r: float | None = None,
    session: Session = Session.CORE,
    halted: bool = False,
    truth: Truth | None = None,
    **changes: Any,
) -> Step:
    trade = replace(bracket or make_bracket(), **changes)
    return next_step(
        trade,
        orders,
        cover_of(trade, orders),
        mark=mark,
        now=after(now_s),
        partial_rescue_after_s=5.0,
        stop_through=stop_through,
        breakeven_at_r=breakeven_at_r,
        session=session,
        halted=halted,
        truth=truth,
    )


def rest_of(found: Step) -> float | None:
    assert isinstance(found, Rest), found
    return found.after_s


def canceled_by(found: Step) -> tuple[str, ...]:
    assert isinstance(found, Cancel), found
    return found.order_ids
