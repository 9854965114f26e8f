"""Rows of the decision for exits that somebody wants elsewhere: one PATCH after the other, the stop first.

The trade's record keeps its old prices until the broker has confirmed the new ones, and a refusal leaves the exits that
stand. Where none stands, the new prices hold for the next placement and for what the desk watches itself.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from engine.model.bracket import Bracket
from engine.model.money import ceil_to_tick, floor_to_tick, tick_of
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus, Side
from engine.protection.case import BreakEven, Case, ExitsMoved, MoveExit, MoveRefused, Rest, Step
from engine.protection.ledger import Cover

MOVING_MAX_S: Final = 10.0
"""A move that cannot even be sent for longer is given back."""
LOOK_S: Final = 0.1
REFUSED: Final = frozenset({OrderStatus.REJECTED, OrderStatus.NEVER_REACHED})
MOVABLE: Final = frozenset({OrderStatus.NEW, OrderStatus.HELD, OrderStatus.PARTIALLY_FILLED})


def move_exits(case: Case) -> Step | None:
    bracket = case.bracket
    asked_at = bracket.moves_asked_at
    if asked_at is None:
        return None
    refused = [o for o in case.exits if o.replaces and o.status in REFUSED and o.created_at >= asked_at]
    if refused:
        return MoveRefused(refused[-1].last_error or "the order filled or ended before it could be replaced")
    if case.cover.naked > 0 and case.cover.covered == 0:
        return _moved(bracket)
    for role in (OrderRole.STOP_LOSS, OrderRole.TAKE_PROFIT):
        for order in case.open_exits:
            wanted = _wanted(order, bracket)
            if wanted is None or order.role is not role or _price_of(order) == wanted or not case.is_armed(order):
                continue
            if order.status in MOVABLE and order.cancel_requested_at is None and not _is_being_replaced(order, case):
                return _patch(order, wanted)
            if case.age_s(asked_at) > MOVING_MAX_S:
                return MoveRefused(f"the broker does not replace an order that is {order.status.value}")
            return Rest("the exit cannot be moved yet", LOOK_S)
    return _moved(bracket)


def _wanted(order: Order, bracket: Bracket) -> Decimal | None:
    """Where this exit is to stand. Of several targets each belongs to the entry whose group it is in."""
    if order.role is OrderRole.STOP_LOSS:
        return bracket.wanted_stop_price
    if not bracket.wanted_targets:
        return bracket.wanted_take_profit_price
    for number, part in enumerate(bracket.wanted_targets, start=1):
        if order.parent_id is not None and order.parent_id.endswith(f"-entry-{number}"):
            return part.price
    return None


def _price_of(order: Order) -> Decimal | None:
    return order.stop_price if order.role is OrderRole.STOP_LOSS else order.limit_price


def _is_being_replaced(order: Order, case: Case) -> bool:
    return any(other.replaces == order.id and other.is_open for other in case.orders)


def _patch(order: Order, wanted: Decimal) -> MoveExit:
    if order.role is OrderRole.STOP_LOSS:
        return MoveExit(order.id, stop_price=wanted)
    return MoveExit(order.id, limit_price=wanted)


def _moved(bracket: Bracket) -> ExitsMoved:
    return ExitsMoved(
        bracket.wanted_stop_price or bracket.stop_price,
        bracket.wanted_targets[0].price
        if bracket.wanted_targets
        else bracket.wanted_take_profit_price or bracket.take_profit_price,
    )


def break_even(case: Case) -> Step | None:
    """The rule ``breakeven_at_r``: once a trade, when it has earned so many times what it risked."""
    bracket, cover = case.bracket, case.cover
    if case.breakeven_at_r is None or bracket.breakeven_at is not None or case.mark is None or cover.naked > 0:
        return None
    price = breakeven_price(bracket, cover)
    entry = cover.avg_entry_price
    if price is None or entry is None or entry == bracket.stop_price or not improves(bracket, price):
        return None
    earned_r = (case.mark - entry) * bracket.side.sign / abs(entry - bracket.stop_price)
    if earned_r < Decimal(str(case.breakeven_at_r)) or not leaves_room(bracket.side, price, case.mark):
        return None
    return BreakEven(price)


def breakeven_price(bracket: Bracket, cover: Cover) -> Decimal | None:
    """The stop at which the trade ends without a loss: the average entry plus a tick for its costs."""
    average = cover.avg_entry_price
    if average is None:
        return None
    if bracket.side is Side.BUY:
        return ceil_to_tick(average) + tick_of(average)
    return floor_to_tick(average) - tick_of(average)


def improves(bracket: Bracket, stop_price: Decimal) -> bool:
    """Whether this stop risks less than the present one."""
    return (stop_price - bracket.stop_price) * bracket.side.sign > 0


def leaves_room(side: Side, stop_price: Decimal, mark: Decimal) -> bool:
    """Whether the broker would take a stop there: at least a tick on the losing side of the market."""
    return (mark - stop_price) * side.sign >= tick_of(mark)
