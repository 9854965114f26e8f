"""Shares without a stop: a part-filled entry, a leg that is gone, a desk that gave up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.model.words import OrderRole, OrderStatus
from engine.protection.steps import (
    AttachExits,
    Cancel,
    Close,
    ReadAgain,
    Rest,
    Step,
    Watch,
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
)
from tests.unit.protection.deciding import ENTRY, STOP, TARGET, S, canceled_by, rest_of, step


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
