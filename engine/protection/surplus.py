"""Rows of the decision for exits that reach further than the position: left over, too large, or already flipped.

All of them read the broker's truth first. A stop for more than is held, left alone, opens a position the other way; a
cancel by mistake strips one that is held.
"""

from __future__ import annotations

from typing import Final

from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.words import OrderClass, OrderRole, OrderStatus
from engine.protection.case import (
    CANCEL_STUCK_S,
    Cancel,
    Case,
    Close,
    MoveExit,
    ReadAgain,
    Rest,
    Step,
    cancel_due,
    refused_pause_s,
)

GRACE_S: Final = 2.0
"""The broker cancels or reduces the sibling of a filled exit by itself a moment later."""
FLIP_WHY: Final = "close what was sold beyond the position"


def close_flip(case: Case) -> Step | None:
    """More was closed than was held: nothing may work on, and exactly the flipped shares are closed again."""
    cover = case.cover
    if cover.flipped == 0:
        return None
    if not case.is_read or case.truth is None:
        return ReadAgain("the position has flipped: the broker's own count decides how far")
    wrong = max(ZERO, -case.truth.qty * case.bracket.side.sign)
    if wrong == 0:
        return Rest("the broker shows no flipped shares: reconciliation compares", after_s=GRACE_S)
    closers = [order for order in case.open_exits if order.side is case.bracket.side]
    others = [order for order in case.orders if order.is_open and order not in closers]
    if others:
        return cancel_due(others, case.now, "the position has flipped") or Rest("cancels are under way", CANCEL_STUCK_S)
    if closers:
        return Rest("the order that closes the flip is under way", after_s=GRACE_S)
    if case.halted:
        return Rest(f"trading in {case.bracket.symbol} is halted", after_s=GRACE_S)
    pause_s = refused_pause_s(case)
    if pause_s > 0:
        return Rest("the broker refused the close", after_s=pause_s)
    return Close(min(cover.flipped, wrong), FLIP_WHY, is_flip=True)


def clear_flat(case: Case) -> Step | None:
    """Nothing is held and nothing can be bought any more: exits that still work would open a position."""
    if case.cover.held > 0:
        return None
    if case.cover.entry_open or not case.cover.orders_open:
        return Rest("nothing uncovered")
    left_s = GRACE_S - case.age_s(case.changed_at)
    if left_s > 0 and _may_shrink_by_itself(case):
        return Rest("the exits end with their sibling", left_s)
    why = "the trade is flat: its exits would open a position"
    return cancel_due(case.open_exits, case.now, why) or Rest("cancels are under way", CANCEL_STUCK_S)


def trim(case: Case) -> Step | None:
    """Stops for more than is held: whole groups that are not needed go; one that is needed in part is replaced."""
    cover = case.cover
    if cover.over == 0:
        return None
    left_s = GRACE_S - case.age_s(case.changed_at)
    if left_s > 0 and _may_shrink_by_itself(case):
        return Rest("the broker reduces the stop by itself", left_s)
    if not case.is_read:
        return ReadAgain("stops for more than is held: read before anything is canceled")
    stops = sorted(_armed_stops(case), key=lambda order: order.leaves_qty)
    if any(order.cancel_requested_at is not None for order in stops):
        return cancel_due([o for o in stops if o.cancel_requested_at is not None], case.now, "surplus") or Rest(
            "the surplus exits' cancel is under way", CANCEL_STUCK_S
        )
    unneeded = next((order for order in stops if order.leaves_qty <= cover.over), None)
    if unneeded is not None:
        return Cancel((unneeded.id,), "its shares are covered by another stop")
    largest = stops[-1]
    needed = largest.leaves_qty - cover.over
    if largest.order_class is OrderClass.SIMPLE and largest.status is OrderStatus.NEW and needed % 1 == 0:
        return MoveExit(largest.id, qty=largest.filled_qty + needed)
    return Cancel((largest.id,), "it closes more than is held: replace it by one that fits")


def _may_shrink_by_itself(case: Case) -> bool:
    """The broker cuts or ends an exit with its sibling's executions.

    Of shares that another trade, another hand or the venue took away it knows nothing, and a price that jumps would
    sell what is not held.
    """
    went_otherwise = case.bracket.adjusted_qty != 0 or any(order.busted_qty > 0 for order in case.orders)
    return not went_otherwise or any(order.filled_qty > 0 for order in case.exits)


def _armed_stops(case: Case) -> list[Order]:
    return [order for order in case.open_exits if order.role is OrderRole.STOP_LOSS and case.is_armed(order)]
