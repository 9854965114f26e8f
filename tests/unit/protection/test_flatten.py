"""The way out: asked for by a person, or because the price has passed the stop of uncovered shares."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus, Side
from engine.protection.steps import (
    AttachExits,
    Cancel,
    Close,
    MoveTarget,
    Rest,
)
from tests.unit.builders import (
    ENTRY_ID,
    T0,
    after,
    filled,
    legs_of,
    make_exit,
    oco_of,
    replace,
    working,
)
from tests.unit.protection.deciding import ENTRY, LEAVING, STOP, TARGET, S, canceled_by, rest_of, step


@pytest.mark.parametrize(
    ("side", "mark", "passed"),
    [
        (Side.BUY, "184.91", False),
        (Side.BUY, "184.90", True),
        (Side.BUY, "180.00", True),
        (Side.SELL, "184.89", False),
        (Side.SELL, "184.90", True),
        (Side.SELL, "190.00", True),
    ],
)
def test_uncovered_shares_beyond_their_stop_are_closed_at_once(side: Side, mark: str, passed: bool) -> None:
    entry = filled(replace(ENTRY, side=side))
    found = step(entry, mark=Decimal(mark), side=side, naked_since=T0)
    assert isinstance(found, Close if passed else AttachExits)
    assert found.qty == 10


def test_what_reserves_the_shares_is_canceled_before_the_close() -> None:
    found = step(filled(ENTRY), TARGET, replace(STOP, status=S.CANCELED), mark=Decimal("184.00"), naked_since=T0)
    assert canceled_by(found) == (TARGET.id,)


def test_a_partial_entry_beyond_the_stop_is_canceled_at_once_and_then_closed() -> None:
    assert ENTRY_ID in canceled_by(step(filled(ENTRY, 4), mark=Decimal("184.00"), naked_since=after(10)))
    over = replace(filled(ENTRY, 4), status=S.CANCELED)
    found = step(over, mark=Decimal("184.00"), naked_since=after(10))
    assert found == Close(Decimal(4), "the price is beyond the stop")


def test_with_the_policy_ask_exits_are_placed_even_beyond_the_stop() -> None:
    found = step(filled(ENTRY), mark=Decimal("184.00"), naked_since=T0, stop_through="ask")
    assert found == AttachExits(Decimal(10))


def test_without_a_live_price_nobody_claims_that_the_stop_was_passed() -> None:
    assert step(filled(ENTRY), mark=None, naked_since=T0) == AttachExits(Decimal(10))


def test_leaving_before_any_fill_cancels_the_entry() -> None:
    assert canceled_by(step(working(ENTRY), TARGET, STOP, **LEAVING)) == (ENTRY_ID,)


def test_leaving_a_partial_entry_cancels_it_first() -> None:
    assert canceled_by(step(filled(ENTRY, 4), TARGET, STOP, **LEAVING)) == (ENTRY_ID,)


def test_leaving_with_a_live_target_moves_it_through_the_market_and_keeps_the_stop() -> None:
    # 187.00 less half a percent is 186.065, down to the cent.
    assert step(filled(ENTRY), TARGET, STOP, **LEAVING) == MoveTarget(TARGET.id, Decimal("186.06"))


def test_leaving_a_short_moves_the_target_above_the_market() -> None:
    entry = replace(ENTRY, side=Side.SELL)
    legs = legs_of(entry, side=Side.BUY)
    found = step(filled(entry), *legs, side=Side.SELL, stop_price=Decimal("190.00"), **LEAVING)
    # 187.00 and half a percent is 187.935, up to the cent.
    assert found == MoveTarget(legs[0].id, Decimal("187.94"))


def moved_target(at_s: float, **changes: Any) -> tuple[Order, Order]:
    old = replace(TARGET, status=S.REPLACED)
    new = replace(TARGET, id="gl-7f3a2c-000001-patch-1", broker_id="b9", replaces=TARGET.id, created_at=after(at_s))
    return old, replace(new, **changes)


def test_a_moved_target_is_given_two_seconds() -> None:
    assert rest_of(step(filled(ENTRY), *moved_target(9.5), STOP, **LEAVING)) == 1.5


def test_a_moved_target_that_does_not_fill_makes_way_for_cancel_and_close() -> None:
    found = step(filled(ENTRY), *moved_target(7.9), STOP, **LEAVING)
    assert isinstance(found, Cancel)
    assert found.why == "the moved target did not fill"


def test_a_move_under_way_is_not_asked_for_twice() -> None:
    """A crash may lie between the intent and its answer: the old target still looks live then."""
    new = moved_target(9.9, status=S.SENDING, broker_id=None)[1]
    assert isinstance(step(filled(ENTRY), TARGET, new, STOP, **LEAVING), Rest)


def test_when_the_exits_are_gone_exactly_what_is_held_is_closed() -> None:
    gone = (replace(TARGET, status=S.CANCELED), replace(STOP, status=S.CANCELED))
    found = step(filled(ENTRY), *gone, **LEAVING)
    assert found == Close(Decimal(10), "flatten asked by the operator")


def test_a_target_that_sold_a_part_leaves_the_rest_to_close() -> None:
    gone = (replace(filled(TARGET, 4), status=S.CANCELED), replace(STOP, status=S.CANCELED))
    found = step(filled(ENTRY), *gone, **LEAVING)
    assert isinstance(found, Close)
    assert found.qty == 6


@pytest.mark.parametrize(
    "target",
    [
        replace(TARGET, status=S.HELD),
        replace(TARGET, status=S.ACCEPTED),
        replace(TARGET, status=S.PENDING_REPLACE),
    ],
)
def test_a_target_that_alpaca_will_not_patch_is_canceled_instead(target: Order) -> None:
    assert isinstance(step(filled(ENTRY), target, STOP, **LEAVING), Cancel)


def test_a_refused_move_is_not_repeated() -> None:
    refused = moved_target(9, status=S.REJECTED, broker_id=None)[1]
    assert isinstance(step(filled(ENTRY), TARGET, refused, STOP, **LEAVING), Cancel)


def test_without_a_live_price_the_way_out_is_cancel_and_close() -> None:
    assert isinstance(step(filled(ENTRY), TARGET, STOP, mark=None, **LEAVING), Cancel)


def test_a_closing_order_under_way_is_waited_for() -> None:
    close = make_exit(OrderRole.EXIT, "close-1", status=S.PENDING_NEW)
    assert rest_of(step(filled(ENTRY), close, **LEAVING)) == 2.0


def test_a_closing_order_that_sold_a_part_and_died_is_followed_by_one_for_the_rest() -> None:
    close = replace(filled(make_exit(OrderRole.EXIT, "close-1"), 4), status=S.CANCELED)
    found = step(filled(ENTRY), close, **LEAVING)
    assert isinstance(found, Close)
    assert found.qty == 6


def test_a_refused_close_is_asked_again_at_growing_distances() -> None:
    """0.5 s after the first refusal, 1 s after the second: a halt must not eat the whole request budget."""
    first = make_exit(OrderRole.EXIT, "gl-7f3a2c-000001-close-1", status=OrderStatus.REJECTED, status_since=after(20))
    second = make_exit(OrderRole.EXIT, "gl-7f3a2c-000001-close-2", status=OrderStatus.REJECTED, status_since=after(21))
    leaving = {"naked_since": after(9), "exit_requested_at": after(19)}
    assert rest_of(step(filled(ENTRY), first, now_s=20.4, **leaving)) == pytest.approx(0.1)
    assert isinstance(step(filled(ENTRY), first, now_s=20.6, **leaving), Close)
    assert rest_of(step(filled(ENTRY), first, second, now_s=21.9, **leaving)) == pytest.approx(0.1)
    assert isinstance(step(filled(ENTRY), first, second, now_s=22.1, **leaving), Close)


def test_exits_left_after_the_last_share_is_gone_are_canceled() -> None:
    assert canceled_by(step(filled(ENTRY), filled(TARGET), STOP, **LEAVING)) == (STOP.id,)


def test_leaving_goes_on_although_placements_were_given_up() -> None:
    assert isinstance(step(filled(ENTRY), gave_up_at=T0, **LEAVING), Close)


def test_of_an_oco_only_the_parent_is_named_since_it_takes_its_stop_along() -> None:
    target, stop = oco_of()
    assert canceled_by(step(filled(ENTRY), target, stop, mark=None, **LEAVING)) == (target.id,)


def test_of_two_sibling_legs_only_one_is_named_since_it_takes_the_other_along() -> None:
    assert len(canceled_by(step(filled(ENTRY), TARGET, STOP, mark=None, **LEAVING))) == 1


def test_two_ocos_are_both_named() -> None:
    first, second = oco_of(1, qty=4), oco_of(2, qty=6)
    found = step(filled(ENTRY), *first, *second, mark=None, **LEAVING)
    assert canceled_by(found) == (first[0].id, second[0].id)


def test_an_order_whose_broker_id_is_not_known_yet_is_not_named() -> None:
    found = step(filled(ENTRY), replace(TARGET, status=S.NEW, broker_id=None), STOP, mark=None, **LEAVING)
    assert canceled_by(found) == (STOP.id,)
