"""Parts of repair plans: a draft, its requests, what it may cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from engine.model import events as ev
from engine.model.money import ZERO, plain
from engine.model.order import Order
from engine.protection.flatten import MARKETABLE_BY
from engine.protection.repair_states import Look
from engine.views import RequestView

CENT: Final = Decimal("0.01")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A plan before its id."""

    sentence: str
    requests: tuple[RequestView, ...] = ()
    naked_s: float | None = 0.0
    """Expected seconds without a stop from now on; None: for as long as it lasts."""
    worst_loss_usd: Decimal | None = None
    if_step_two_fails: str = "There is no second step."


def post(intent: ev.OrderIntended) -> RequestView:
    return RequestView(method="POST", path="/v2/orders", body=intent.body)


def delete(order: Order) -> RequestView:
    return RequestView(method="DELETE", path=f"/v2/orders/{order.broker_id}", body={})


def read_position(look: Look) -> RequestView:
    return RequestView(method="GET", path=f"/v2/positions/{look.case.bracket.symbol}", body={})


def carriers(orders: list[Order]) -> list[Order]:
    """One order of each group: its cancel takes the other along."""
    named: dict[str, Order] = {}
    for order in orders:
        if order.broker_id is not None:
            named.setdefault(order.parent_id or order.id, order)
    return list(named.values())


def to_stop(look: Look, qty: Decimal) -> Decimal | None:
    """What a stop-out from the live price costs, without slippage."""
    case = look.case
    if case.mark is None:
        return None
    return max(ZERO, (case.mark - case.bracket.stop_price) * case.bracket.side.sign * qty).quantize(CENT)


def slippage(look: Look, qty: Decimal) -> Decimal | None:
    """What leaving at the market may cost: half a percent of it."""
    mark = look.case.mark
    return None if mark is None else (mark * MARKETABLE_BY * qty).quantize(CENT)


def whole_value(look: Look) -> Decimal | None:
    """Without a stop a long position can lose all of its worth, and a short one more."""
    case = look.case
    if case.mark is None or not case.is_long:
        return None
    return (case.mark * case.cover.held).quantize(CENT)


def naked_now(look: Look, after_s: float) -> float:
    """Uncovered shares stay so until the last request is answered; covered ones never are."""
    return after_s if look.case.cover.naked > 0 else 0.0


def shares_of(look: Look, qty: Decimal) -> str:
    return f"{plain(qty)} {look.case.bracket.symbol}"
