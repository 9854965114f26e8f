"""Which report may follow which status: the whole table, and what the table does not say."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from engine.errors import IllegalTransition, InvariantViolated
from engine.model.order import ORDER_TRANSITIONS, REFUSED_IN_ITS_ANSWER, Order, apply_report
from engine.model.words import TERMINAL, OrderStatus
from tests.unit.builders import T0, after, make_order, make_report, proof, replace

S = OrderStatus
REPORTABLE = [status for status in S if status not in (S.SENDING, S.NEVER_REACHED)]
"""Words that the broker can say; the other two are the desk's own."""
LATE = {S.CANCELED, S.EXPIRED, S.REPLACED}


def order_in(status: OrderStatus) -> Order:
    done = {S.FILLED: Decimal(10), S.PARTIALLY_FILLED: Decimal(4)}.get(status, Decimal(0))
    return make_order(status=status, filled_qty=done, broker_id=None if status is S.SENDING else "broker-entry")


def expected_after(known: OrderStatus, reported: OrderStatus) -> OrderStatus:
    """What becomes of an order in ``known`` with more shares filled than before, by the table."""
    if reported is S.UNRECOGNISED:
        return known if known in TERMINAL - {S.NEVER_REACHED} else S.UNRECOGNISED
    if known in LATE and reported is S.PARTIALLY_FILLED:
        return known
    if reported in (S.NEW, S.ACCEPTED) and known is not S.FILLED:
        return S.PARTIALLY_FILLED
    return reported


@pytest.mark.parametrize(("known", "reported"), list(product(S, REPORTABLE)))
def test_a_report_moves_an_order_as_the_table_says_or_raises_and_nothing_moves(
    known: OrderStatus, reported: OrderStatus
) -> None:
    order = order_in(known)
    before = replace(order)
    # One share more than known, so that no report is merely late; a fill says the whole.
    done = Decimal(10) if S.FILLED in (known, reported) else order.filled_qty + 1
    report = make_report(reported, filled_qty=done, updated_at=after(5))
    allowed = reported is S.UNRECOGNISED or reported in ORDER_TRANSITIONS[known]
    late_word = known is S.FILLED and reported not in TERMINAL
    if late_word:
        assert apply_report(order, report, after(5)) is order
    elif allowed:
        moved = apply_report(order, report, after(5))
        assert moved.status is expected_after(known, reported)
        assert moved.filled_qty == done
        assert moved.broker_id == "broker-entry"
    else:
        with pytest.raises(IllegalTransition) as raised:
            apply_report(order, report, after(5))
        assert (raised.value.status, raised.value.event) == (known, reported)
    assert order == before


@pytest.mark.parametrize(
    ("known", "reported"),
    [(known, said) for known, said in product(sorted(TERMINAL - {S.NEVER_REACHED}), S) if said not in TERMINAL],
)
def test_an_order_that_is_over_does_not_come_back_to_life_by_a_repeated_sequence(
    known: OrderStatus, reported: OrderStatus
) -> None:
    order = order_in(known)
    assert apply_report(order, make_report(reported), after(5)) is order


def test_every_status_has_its_row_and_no_row_leads_to_a_word_of_the_desks_own() -> None:
    assert set(ORDER_TRANSITIONS) == set(S)
    reachable = frozenset().union(*ORDER_TRANSITIONS.values())
    assert not reachable & {S.SENDING, S.NEVER_REACHED, S.UNRECOGNISED}


@pytest.mark.parametrize("status", sorted(set(S) - TERMINAL))
def test_every_open_order_can_end_in_each_of_the_brokers_ways(status: OrderStatus) -> None:
    assert ORDER_TRANSITIONS[status] >= {S.FILLED, S.CANCELED, S.EXPIRED, S.REPLACED, S.REJECTED}


def test_an_execution_delivered_twice_is_counted_once() -> None:
    report = make_report(S.PARTIALLY_FILLED, filled_qty=Decimal(4), execution_id="x1", updated_at=after(1))
    once = apply_report(make_order(), report, after(1))
    again = replace(report, evidence=proof(after(9)), updated_at=after(9))
    assert apply_report(once, again, after(9)) is once
    assert once.execution_ids == ("x1",)


def test_each_execution_is_remembered_by_its_id() -> None:
    order = apply_report(
        make_order(), make_report(S.PARTIALLY_FILLED, filled_qty=Decimal(4), execution_id="x1"), after(1)
    )
    order = apply_report(order, make_report(S.FILLED, filled_qty=Decimal(10), execution_id="x2"), after(2))
    assert order.execution_ids == ("x1", "x2")
    assert order.leaves_qty == 0


def test_a_report_older_than_what_is_known_changes_nothing() -> None:
    order = apply_report(make_order(), make_report(S.NEW, updated_at=after(5)), after(5))
    assert apply_report(order, make_report(S.PENDING_CANCEL, updated_at=after(4)), after(6)) is order


def test_a_late_report_that_knows_of_more_shares_is_not_stale() -> None:
    order = apply_report(make_order(), make_report(S.NEW, updated_at=after(5)), after(5))
    late = make_report(S.PARTIALLY_FILLED, filled_qty=Decimal(3), updated_at=after(4))
    moved = apply_report(order, late, after(6))
    assert moved.filled_qty == 3
    assert moved.updated_at == after(5), "the broker's newest stamp stays"


def test_filled_qty_never_falls() -> None:
    order = apply_report(make_order(), make_report(S.PARTIALLY_FILLED, filled_qty=Decimal(6)), after(1))
    moved = apply_report(order, make_report(S.PENDING_CANCEL, filled_qty=Decimal(2)), after(2))
    assert (moved.status, moved.filled_qty) == (S.PENDING_CANCEL, 6)


def test_a_working_word_after_a_partial_fill_leaves_it_partially_filled() -> None:
    order = apply_report(make_order(), make_report(S.PARTIALLY_FILLED, filled_qty=Decimal(6)), after(1))
    assert apply_report(order, make_report(S.NEW), after(2)).status is S.PARTIALLY_FILLED


@pytest.mark.parametrize("status", sorted(LATE))
def test_a_partial_fill_that_raced_the_end_is_counted_and_the_order_stays_over(status: OrderStatus) -> None:
    order = make_order(status=status, broker_id="broker-entry")
    moved = apply_report(order, make_report(S.PARTIALLY_FILLED, filled_qty=Decimal(3), execution_id="x1"), after(5))
    assert (moved.status, moved.filled_qty, moved.is_terminal) == (status, 3, True)


def test_a_fill_that_won_its_race_against_our_cancel_fills_the_order() -> None:
    order = make_order(status=S.CANCELED, broker_id="broker-entry", filled_qty=Decimal(3))
    moved = apply_report(order, make_report(S.FILLED, filled_qty=Decimal(10), execution_id="x2"), after(5))
    assert (moved.status, moved.filled_qty) == (S.FILLED, 10)


def test_more_filled_than_ordered_raises_and_nothing_moves() -> None:
    order = make_order(status=S.NEW)
    before = replace(order)
    with pytest.raises(InvariantViolated, match="11 filled of 10 ordered"):
        apply_report(order, make_report(S.FILLED, filled_qty=Decimal(11)), after(5))
    assert order == before


def test_a_fill_that_leaves_shares_open_is_no_fill() -> None:
    with pytest.raises(IllegalTransition, match="9 of 10 filled"):
        apply_report(make_order(), make_report(S.FILLED, filled_qty=Decimal(9)), after(5))


def test_a_leg_cut_to_what_is_left_may_be_filled_with_less_than_was_intended() -> None:
    """Alpaca reduces the sibling of a part-filled exit; its later fill is of the reduced size."""
    order = make_order(status=S.HELD)
    moved = apply_report(order, make_report(S.FILLED, filled_qty=Decimal(6), qty=Decimal(6)), after(5))
    assert (moved.qty, moved.filled_qty, moved.status) == (6, 6, S.FILLED)


def test_a_word_nobody_knows_is_kept_beside_the_status_and_counts_as_open() -> None:
    moved = apply_report(make_order(), make_report(S.UNRECOGNISED, raw_status="pending_review"), after(5))
    assert (moved.status, moved.raw_status, moved.is_open) == (S.UNRECOGNISED, "pending_review", True)
    back = apply_report(moved, make_report(S.NEW), after(6))
    assert (back.status, back.raw_status) == (S.NEW, None)


def test_an_order_thought_lost_that_the_broker_shows_in_an_unknown_word_is_open_again() -> None:
    order = make_order(status=S.NEVER_REACHED)
    moved = apply_report(order, make_report(S.UNRECOGNISED, raw_status="pending_review"), after(5))
    assert moved.is_open, "the broker has it after all: it may fill"


@pytest.mark.parametrize("reported", [S.NEW, S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED])
def test_an_order_thought_lost_lives_again_when_the_broker_had_it(reported: OrderStatus) -> None:
    done = {S.FILLED: Decimal(10), S.PARTIALLY_FILLED: Decimal(4)}.get(reported, Decimal(0))
    moved = apply_report(make_order(status=S.NEVER_REACHED), make_report(reported, filled_qty=done), after(5))
    assert (moved.status, moved.broker_id) == (reported, "broker-entry")


def test_any_word_of_the_broker_settles_an_order_of_unknown_fate() -> None:
    order = make_order(unresolved_since=after(1))
    assert apply_report(order, make_report(S.ACCEPTED), after(2)).unresolved_since is None


def test_status_since_moves_only_with_the_status() -> None:
    order = apply_report(make_order(), make_report(S.NEW), after(1))
    same = apply_report(order, make_report(S.NEW, limit_price=Decimal("187.25")), after(2))
    assert (same.status_since, same.limit_price) == (after(1), Decimal("187.25"))
    assert apply_report(same, make_report(S.CANCELED), after(3)).status_since == after(3)


def test_a_wish_to_cancel_ends_with_the_order() -> None:
    order = make_order(status=S.NEW, cancel_requested_at=T0)
    assert apply_report(order, make_report(S.PENDING_CANCEL), after(1)).cancel_requested_at == T0
    assert apply_report(order, make_report(S.CANCELED), after(1)).cancel_requested_at is None


def test_the_newest_evidence_is_kept_with_the_order() -> None:
    report = make_report(S.NEW, evidence=proof(after(3), evidence_id="request-7"))
    assert apply_report(make_order(), report, after(3)).evidence == report.evidence


def test_what_may_still_execute_is_nothing_once_the_order_is_over() -> None:
    working = make_order(status=S.PARTIALLY_FILLED, filled_qty=Decimal(4))
    assert (working.leaves_qty, working.is_open) == (6, True)
    assert replace(working, status=S.CANCELED).leaves_qty == 0


@pytest.mark.parametrize("reported", sorted(REFUSED_IN_ITS_ANSWER))
def test_the_broker_s_books_win_over_a_refusal_in_an_answer(reported: OrderStatus) -> None:
    refused = replace(order_in(S.REJECTED), broker_id=None, refused_at=after(1), filled_qty=Decimal(0))
    done = Decimal(10) if reported is S.FILLED else Decimal(0)
    shown = apply_report(refused, make_report(reported, filled_qty=done, updated_at=after(5)), after(5))
    assert shown.status is reported
    assert shown.was_refused_in_vain is (reported is not S.REJECTED)


def test_a_rejection_that_the_broker_itself_reported_is_final() -> None:
    rejected = replace(order_in(S.REJECTED), broker_id="broker-entry", refused_at=after(1), filled_qty=Decimal(0))
    with pytest.raises(IllegalTransition):
        apply_report(rejected, make_report(S.FILLED, filled_qty=Decimal(10), updated_at=after(5)), after(5))
    assert not rejected.was_refused_in_vain
