"""What a trade needs next: each row of the decision on its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest

from engine.model.bracket import Bracket
from engine.model.order import Order
from engine.model.words import OrderClass, OrderRole, OrderStatus, Session, Side
from engine.protection.ledger import cover_of
from engine.protection.steps import (
    AttachExits,
    Cancel,
    Close,
    DoubtExits,
    MoveTarget,
    ReadAgain,
    Rest,
    Step,
    Truth,
    Watch,
    next_step,
)
from tests.unit.builders import (
    ENTRY_ID,
    T0,
    after,
    filled,
    legs_of,
    make_bracket,
    make_exit,
    make_order,
    oco_of,
    replace,
    working,
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


# --- nothing to do ---------------------------------------------------------------------------------------------------


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


# --- exits that the broker does not wake -----------------------------------------------------------------------------

ASLEEP = replace(TARGET, status=S.HELD), STOP
READ_SINCE = Truth(qty=Decimal(10), available=Decimal(10), read_at=after(6))


def test_a_group_whose_exits_all_stay_held_after_the_fill_is_read_and_then_doubted() -> None:
    """The entry filled at second 0; its exits have until second 5."""
    assert step(filled(ENTRY), *ASLEEP, now_s=4.9) == Rest("covered")
    assert isinstance(step(filled(ENTRY), *ASLEEP), ReadAgain)
    too_early = replace(READ_SINCE, read_at=after(4))
    assert isinstance(step(filled(ENTRY), *ASLEEP, truth=too_early), ReadAgain)
    doubt = step(filled(ENTRY), *ASLEEP, truth=READ_SINCE)
    assert isinstance(doubt, DoubtExits)
    assert doubt.order_ids == (TARGET.id, STOP.id)


def test_the_only_stop_of_an_oto_is_doubted_too() -> None:
    entry = replace(filled(ENTRY), order_class=OrderClass.OTO)
    assert isinstance(step(entry, STOP, truth=READ_SINCE, take_profit_price=None), DoubtExits)


def test_a_held_stop_beside_an_armed_or_a_gone_target_is_believed() -> None:
    gone = replace(TARGET, status=S.CANCELED)
    assert step(filled(ENTRY), TARGET, STOP, truth=READ_SINCE) == Rest("covered")
    assert not isinstance(step(filled(ENTRY), gone, STOP, truth=READ_SINCE), DoubtExits | ReadAgain)


def test_what_waits_for_the_opening_is_not_doubted() -> None:
    assert step(filled(ENTRY), *ASLEEP, truth=READ_SINCE, session=Session.CLOSED) == Rest("covered")
    assert step(filled(ENTRY), *ASLEEP, truth=READ_SINCE, halted=True) == Rest("covered")


def test_a_group_that_was_changed_is_doubted_only_when_nothing_is_reserved_for_it() -> None:
    """A PATCH of one leg shows the other as held again for a while."""
    old = replace(STOP, status=S.REPLACED)
    moved = replace(STOP, id="moved", broker_id="moved", replaces=old.id, parent_id=ENTRY.id)
    orders = (filled(ENTRY), ASLEEP[0], old, moved)
    reserved = replace(READ_SINCE, available=Decimal(0))
    assert step(*orders, truth=reserved) == Rest("covered")
    assert isinstance(step(*orders, truth=READ_SINCE), DoubtExits)


def test_doubted_exits_are_cleared_before_others_come() -> None:
    target, stop = (replace(order, asleep_since=after(7)) for order in ASLEEP)
    assert canceled_by(step(filled(ENTRY), target, stop, truth=READ_SINCE)) == (target.id,)
    ended = [replace(order, status=S.CANCELED) for order in (target, stop)]
    assert step(filled(ENTRY), *ended, truth=READ_SINCE) == AttachExits(Decimal(10))


# --- a partial entry -------------------------------------------------------------------------------------------------


def test_a_partial_entry_may_still_complete_for_a_while() -> None:
    # Naked since second 8, now 10: 2 of 5 seconds have passed.
    assert rest_of(step(filled(ENTRY, 4), TARGET, STOP, naked_since=after(8))) == 3.0


def test_after_that_its_rest_is_canceled() -> None:
    assert canceled_by(step(filled(ENTRY, 4), TARGET, STOP, naked_since=after(5))) == (ENTRY_ID,)


def test_a_cancel_under_way_is_not_asked_for_again_before_three_seconds() -> None:
    entry = replace(filled(ENTRY, 4), cancel_requested_at=after(8))
    assert rest_of(step(entry, TARGET, STOP, naked_since=T0)) == 3.0
    assert canceled_by(step(entry, TARGET, STOP, naked_since=T0, now_s=11.5)) == (ENTRY_ID,)


def test_sleeping_legs_of_a_canceled_partial_entry_are_removed_before_new_exits_come() -> None:
    entry = replace(filled(ENTRY, 4), status=S.CANCELED)
    assert isinstance(step(entry, TARGET, STOP, naked_since=T0), Cancel)


def test_once_everything_of_a_partial_entry_is_gone_what_is_held_gets_exits() -> None:
    entry = replace(filled(ENTRY, 4), status=S.CANCELED)
    gone = (replace(TARGET, status=S.CANCELED), replace(STOP, status=S.CANCELED))
    assert step(entry, *gone, naked_since=T0) == AttachExits(Decimal(4))


def test_a_late_fill_gets_exits_of_its_own_and_the_live_ones_stay() -> None:
    entry = replace(filled(ENTRY, 7), status=S.CANCELED)
    assert step(entry, *oco_of(qty=4), naked_since=T0) == AttachExits(Decimal(3))


# --- one leg gone ----------------------------------------------------------------------------------------------------


def test_a_live_stop_without_a_target_is_left_as_it_is() -> None:
    """It stays, and the target's price is waited for here; at first its end may still take the stop along."""
    gone = replace(TARGET, status=S.CANCELED, status_since=after(9))
    assert rest_of(step(filled(ENTRY), gone, STOP)) == 1.0
    found = step(filled(ENTRY), gone, STOP, now_s=12)
    assert found == Watch(target=True, why="no target stands at the broker beside the stop")
    assert step(filled(ENTRY), gone, STOP, now_s=12, watch_target_since=after(11)) == Rest("covered")


def test_a_live_target_without_a_stop_is_canceled_first() -> None:
    found = step(filled(ENTRY), TARGET, replace(STOP, status=S.REJECTED), naked_since=T0)
    assert canceled_by(found) == (TARGET.id,)


def test_new_exits_wait_until_the_old_target_is_gone() -> None:
    asked = replace(TARGET, cancel_requested_at=after(9))
    found = step(filled(ENTRY), asked, replace(STOP, status=S.REJECTED), naked_since=T0)
    assert rest_of(found) == 3.0


def test_after_a_refusal_the_broker_has_a_moment_to_show_the_exit_all_the_same() -> None:
    refused = {"status": S.REJECTED, "broker_id": None, "refused_at": after(10)}
    legs = (replace(TARGET, **refused), replace(STOP, **refused))
    found = step(filled(ENTRY), *legs, now_s=10.1, naked_since=T0)
    assert isinstance(found, Rest)
    assert "may have it all the same" in found.why
    assert isinstance(step(filled(ENTRY), *legs, now_s=10.3, naked_since=T0), AttachExits)


def test_when_both_legs_are_gone_new_exits_are_placed() -> None:
    gone = (replace(TARGET, status=S.CANCELED), replace(STOP, status=S.CANCELED))
    assert step(filled(ENTRY), *gone, naked_since=T0) == AttachExits(Decimal(10))


@pytest.mark.parametrize("promised", [S.PENDING_NEW, S.ACCEPTED_FOR_BIDDING])
def test_a_stop_that_the_broker_has_only_promised_is_waited_for_and_not_canceled(promised: OrderStatus) -> None:
    """``pending_new`` is how Alpaca usually answers a plain order in session."""
    stop = make_exit(OrderRole.STOP_LOSS, "gl-7f3a2c-000001-stop-1", status=promised, created_at=after(9.9))
    assert isinstance(step(filled(ENTRY), stop, naked_since=after(9)), Rest)


@pytest.mark.parametrize(("born_s", "expected"), [(9.5, Rest), (5.0, ReadAgain)])
def test_legs_whose_answer_the_fill_has_overtaken_are_waited_for_and_then_read(born_s: float, expected: type) -> None:
    unborn = {"status": S.SENDING, "broker_id": None, "created_at": after(born_s)}
    found = step(filled(ENTRY), replace(TARGET, **unborn), replace(STOP, **unborn), naked_since=T0)
    assert isinstance(found, expected)


# --- giving up and coming back ---------------------------------------------------------------------------------------


def test_exits_whose_names_only_a_lost_answer_told_are_looked_up_and_not_replaced() -> None:
    parent = make_exit(OrderRole.TAKE_PROFIT, "gl-7f3a2c-000001-oco-1", created_at=after(9.5))
    nameless = make_exit(
        OrderRole.STOP_LOSS, "gl-7f3a2c-000001-oco-1.sl", parent_id=parent.id, broker_id=None, created_at=after(9.5)
    )
    assert isinstance(step(filled(ENTRY), parent, nameless, naked_since=after(9)), Rest)


@pytest.mark.parametrize(("since_s", "expected"), [(9.9, Rest), (2.0, AttachExits)])
def test_the_shares_of_an_exit_that_another_hand_replaced_are_its_successors(
    since_s: float, expected: type[Step]
) -> None:
    """The successor is told a moment later. One that nobody ever tells holds nothing up for long."""
    moved = replace(filled(STOP), status=S.REPLACED, filled_qty=Decimal(0), status_since=after(since_s))
    gone = replace(TARGET, status=S.CANCELED, status_since=after(since_s))
    assert isinstance(step(filled(ENTRY), gone, moved, naked_since=after(since_s)), expected)


def test_a_target_that_closes_more_than_its_stop_covers_is_read_again_before_anything_is_added() -> None:
    """The stop was reduced by a fill of the target that nobody told: one more exit would close more than is held."""
    target, stop = legs_of(filled(ENTRY))
    reduced = replace(stop, qty=stop.qty - 1)
    assert isinstance(step(filled(ENTRY), target, reduced, naked_since=after(9)), ReadAgain)


def test_a_desk_that_gave_up_waits_for_the_operator() -> None:
    """Meanwhile it holds the stop against live quotes itself."""
    found = step(filled(ENTRY), gave_up_at=T0, naked_since=T0)
    assert found == Watch(target=False, why="the broker does not take the exits")
    found = step(filled(ENTRY), gave_up_at=T0, naked_since=T0, watch_stop_since=after(9))
    assert found == Rest("waits for Retry")


def test_a_desk_that_gave_up_still_leaves_when_the_price_passes_the_stop() -> None:
    found = step(filled(ENTRY), gave_up_at=T0, naked_since=T0, mark=Decimal("184.90"))
    assert found == Close(Decimal(10), "the price is beyond the stop")


# --- a stop already passed -------------------------------------------------------------------------------------------


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


# --- flatten ---------------------------------------------------------------------------------------------------------


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


# --- cancels ---------------------------------------------------------------------------------------------------------


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
