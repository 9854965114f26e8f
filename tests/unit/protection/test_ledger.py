"""Cover, share by share: what live, confirmed stops would really close."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.model.bracket import Bracket
from engine.model.order import Order
from engine.model.words import COVERING, BracketStatus, CoverKind, OrderClass, OrderRole, OrderStatus, OrderType, Side
from engine.protection.ledger import Cover, cover_of, is_armed, is_finished, plan_of, status_of
from tests.unit.builders import (
    T0,
    after,
    filled,
    legs_of,
    make_bracket,
    make_exit,
    make_order,
    oco_of,
    proof,
    replace,
    working,
)

S = OrderStatus
ENTRY = make_order()


def cover(*orders: Order, bracket: Bracket | None = None) -> Cover:
    return cover_of(bracket or make_bracket(), orders)


def counts(found: Cover) -> tuple[Decimal, Decimal, Decimal]:
    return found.held, found.covered, found.naked


# --- a native bracket: held means two things -------------------------------------------------------------------------


def test_the_held_stop_of_a_filled_entry_covers_every_share() -> None:
    found = cover(filled(ENTRY), *legs_of(ENTRY))
    assert counts(found) == (10, 10, 0)
    assert found.kind is CoverKind.HARD


def test_the_held_stop_of_a_working_entry_covers_nothing() -> None:
    found = cover(working(ENTRY), *legs_of(ENTRY))
    assert counts(found) == (0, 0, 0)
    assert found.over == 0
    assert found.kind is CoverKind.NONE


def test_a_partial_entry_is_naked_although_its_stop_is_held() -> None:
    found = cover(filled(ENTRY, 4), *legs_of(ENTRY))
    assert counts(found) == (4, 0, 4)
    assert found.entry_open


def test_an_entry_canceled_in_the_middle_never_arms_its_legs() -> None:
    entry = replace(filled(ENTRY, 4), status=S.CANCELED)
    assert counts(cover(entry, *legs_of(ENTRY))) == (4, 0, 4)


def test_a_late_fill_that_completes_a_canceled_entry_arms_them() -> None:
    assert counts(cover(replace(filled(ENTRY), status=S.FILLED), *legs_of(ENTRY))) == (10, 10, 0)


@pytest.mark.parametrize("status", list(S))
def test_only_a_stop_that_the_broker_itself_confirms_covers(status: OrderStatus) -> None:
    stop = legs_of(ENTRY, status=status)[1]
    expected = 10 if status in COVERING else 0
    assert cover(filled(ENTRY), stop).covered == expected


def test_a_stop_of_unknown_fate_or_without_a_broker_id_covers_nothing() -> None:
    stop = legs_of(ENTRY)[1]
    assert cover(filled(ENTRY), replace(stop, unresolved_since=T0)).covered == 0
    assert cover(filled(ENTRY), replace(stop, broker_id=None)).covered == 0


@pytest.mark.parametrize("role", [OrderRole.ENTRY, OrderRole.EXIT])
def test_an_entry_or_a_closing_order_is_never_armed(role: OrderRole) -> None:
    assert not is_armed(working(make_order(role=role)), None)


# --- other shapes ----------------------------------------------------------------------------------------------------


def test_an_oto_group_covers_with_its_stop_alone() -> None:
    entry = replace(ENTRY, order_class=OrderClass.OTO)
    stop = legs_of(entry)[1]
    found = cover(filled(entry), stop)
    assert counts(found) == (10, 10, 0)
    assert found.target is None
    assert plan_of(found, (entry, stop)) == "oto"


def test_an_oco_placed_after_the_fill_covers_what_it_was_placed_for() -> None:
    entry = replace(filled(ENTRY, 4), status=S.CANCELED)
    target, stop = oco_of(qty=4)
    found = cover(entry, target, stop)
    assert counts(found) == (4, 4, 0)
    assert plan_of(found, (entry, target, stop)) == "oco"
    assert found.target == target


def test_a_plain_stop_covers() -> None:
    stop = make_exit(OrderRole.STOP_LOSS, "stop-1")
    found = cover(filled(ENTRY), stop)
    assert (counts(found), plan_of(found, (stop,))) == ((10, 10, 0), "stop")


def test_two_ocos_cover_together() -> None:
    first, second = oco_of(1, qty=4), oco_of(2, qty=6)
    assert counts(cover(filled(ENTRY), *first, *second)) == (10, 10, 0)


def test_a_partly_filled_target_takes_as_many_shares_from_its_stop_before_the_stop_itself_says_so() -> None:
    # 10 held from a filled entry; an OCO for 4, whose target has sold 1: its stop closes 3 from now on, 9 are held.
    target, stop = oco_of(qty=4)
    sold = replace(target, status=OrderStatus.PARTIALLY_FILLED, filled_qty=Decimal(1))
    assert counts(cover(filled(ENTRY), sold, stop)) == (Decimal(9), Decimal(3), Decimal(6))
    # Once the stop tells its own size, nothing is taken twice.
    assert counts(cover(filled(ENTRY), sold, replace(stop, qty=Decimal(3)))) == (Decimal(9), Decimal(3), Decimal(6))


def test_an_oco_for_fewer_shares_covers_those_only() -> None:
    found = cover(filled(ENTRY), *oco_of(qty=4))
    assert counts(found) == (10, 4, 6)


def test_stops_for_more_than_is_held_cover_no_more_than_is_held() -> None:
    found = cover(filled(ENTRY), *oco_of(1, qty=10), *oco_of(2, qty=3))
    assert counts(found) == (10, 10, 0)
    assert found.over == 3


def test_a_part_filled_target_leaves_its_reduced_stop_covering_the_rest() -> None:
    """Alpaca cuts the sibling to the remainder: 4 of 10 left by the target, the stop stands for 6."""
    target, stop = legs_of(ENTRY)
    found = cover(filled(ENTRY), filled(target, 4, "191.80"), replace(stop, qty=Decimal(6)))
    assert (counts(found), found.over) == ((6, 6, 0), 0)


def test_a_part_filled_stop_covers_what_it_has_not_sold_yet() -> None:
    target, stop = legs_of(ENTRY)
    found = cover(filled(ENTRY), target, filled(stop, 3, "184.88"))
    assert counts(found) == (7, 7, 0)


def test_a_replaced_stop_hands_its_cover_to_its_successor() -> None:
    stop = legs_of(ENTRY)[1]
    successor = replace(stop, id="patch", broker_id="b2", status=S.NEW, replaces=stop.id, stop_price=Decimal("186.00"))
    found = cover(filled(ENTRY), replace(stop, status=S.REPLACED), successor)
    assert counts(found) == (10, 10, 0)
    assert found.stop == successor


def test_a_stop_whose_replacement_is_under_way_still_covers_and_is_not_counted_twice() -> None:
    stop = legs_of(ENTRY)[1]
    successor = replace(stop, id="patch", broker_id=None, status=S.SENDING, replaces=stop.id)
    found = cover(filled(ENTRY), replace(stop, status=S.PENDING_REPLACE), successor)
    assert (counts(found), found.over) == ((10, 10, 0), 0)
    assert found.stop is not None
    assert found.stop.id == stop.id


@pytest.mark.parametrize(
    ("side", "kind", "expected"),
    [
        (Side.SELL, OrderType.STOP, CoverKind.HARD),
        (Side.SELL, OrderType.STOP_LIMIT, CoverKind.LIMITED),
        (Side.BUY, OrderType.STOP, CoverKind.LIMITED),  # Alpaca turns every buy stop into a stop-limit
        (Side.BUY, OrderType.STOP_LIMIT, CoverKind.LIMITED),
    ],
)
def test_only_a_sell_stop_at_the_market_is_hard_cover(side: Side, kind: OrderType, expected: CoverKind) -> None:
    entry = make_order(side=side.opposite)
    stop = legs_of(entry, side=side, type=kind)[1]
    assert cover(filled(entry), stop, bracket=make_bracket(side=side.opposite)).kind is expected


def test_one_limited_stop_among_hard_ones_makes_the_cover_limited() -> None:
    hard, limited = oco_of(1, qty=4)[1], replace(oco_of(2, qty=6)[1], type=OrderType.STOP_LIMIT)
    assert cover(filled(ENTRY), hard, limited).kind is CoverKind.LIMITED


def test_a_closing_order_counts_as_closing_and_not_as_cover() -> None:
    close = make_exit(OrderRole.EXIT, "close-1", created_at=after(3))
    found = cover(filled(ENTRY), close)
    assert (found.closing, found.closing_since, found.covered) == (True, after(3), 0)
    assert plan_of(found, (close,)) == "closing"


def test_a_closing_order_that_filled_ends_the_trade() -> None:
    found = cover(filled(ENTRY), filled(make_exit(OrderRole.EXIT, "close-1"), price="188.00"))
    assert (found.held, found.closing, is_finished(found)) == (0, False, True)


def test_shares_that_another_hand_sold_are_not_held() -> None:
    found = cover(filled(ENTRY), *legs_of(ENTRY), bracket=make_bracket(adjusted_qty=Decimal(-4)))
    assert (counts(found), found.over) == ((6, 6, 0), 4)


def test_held_is_never_negative() -> None:
    found = cover(filled(ENTRY), bracket=make_bracket(adjusted_qty=Decimal(-15)))
    assert found.held == 0


# --- finished --------------------------------------------------------------------------------------------------------


def test_a_trade_is_not_finished_while_an_order_of_it_may_still_execute() -> None:
    target, stop = legs_of(ENTRY)
    sold = filled(target, price="191.80")
    assert not is_finished(cover(filled(ENTRY), sold, stop))
    assert is_finished(cover(filled(ENTRY), sold, replace(stop, status=S.CANCELED)))


def test_a_trade_whose_entry_died_without_a_fill_is_finished() -> None:
    assert is_finished(cover(working(ENTRY, S.REJECTED)))


def test_a_trade_without_any_order_yet_is_not_finished() -> None:
    assert not is_finished(cover())


# --- evidence --------------------------------------------------------------------------------------------------------


def test_the_fill_that_armed_a_held_stop_is_the_evidence_of_its_cover() -> None:
    entry = replace(filled(ENTRY), evidence=proof(after(5), evidence_id="execution-1"))
    stop = replace(legs_of(ENTRY)[1], evidence=proof(after(1), evidence_id="request-1"))
    found = cover(entry, stop).evidence
    assert found is not None
    assert (found.id, found.at) == ("execution-1", after(5))


def test_of_an_oco_only_a_word_about_its_stop_is_evidence() -> None:
    entry = replace(filled(ENTRY), evidence=proof(after(9), evidence_id="execution-1"))
    target, stop = oco_of()
    found = cover(entry, target, replace(stop, evidence=proof(after(3), evidence_id="request-2"))).evidence
    assert found is not None
    assert found.id == "request-2"


# --- the word for the whole trade ------------------------------------------------------------------------------------

LEGS = legs_of(ENTRY)
CLOSE = make_exit(OrderRole.EXIT, "close-1", created_at=after(10))


@pytest.mark.parametrize(
    ("orders", "bracket", "now_s", "verified_s", "expected"),
    [
        ((working(ENTRY), *LEGS), {}, 10, None, BracketStatus.ARMING),
        ((filled(ENTRY), *LEGS), {}, 10, 5, BracketStatus.PROTECTED),
        ((filled(ENTRY), *LEGS), {}, 65.5, 5, BracketStatus.UNVERIFIED),
        ((filled(ENTRY), *LEGS), {}, 65, 5, BracketStatus.PROTECTED),
        ((filled(ENTRY), *oco_of(qty=4)), {}, 10, 5, BracketStatus.PART_PROTECTED),
        ((filled(ENTRY), *oco_of(1), *oco_of(2)), {}, 10, 5, BracketStatus.OVER_PROTECTED),
        ((filled(ENTRY),), {}, 10, 5, BracketStatus.NAKED),
        ((filled(ENTRY, 4), *LEGS), {}, 10, 5, BracketStatus.NAKED),
        ((filled(ENTRY), *LEGS), {"exit_requested_at": T0}, 10, 5, BracketStatus.EXITING),
        ((filled(ENTRY), CLOSE), {}, 12, 5, BracketStatus.EXITING),
        ((filled(ENTRY), CLOSE), {}, 12.1, 5, BracketStatus.EXIT_STALLED),
        ((filled(ENTRY), filled(LEGS[0])), {"closed_at": T0}, 10, 5, BracketStatus.CLOSED),
    ],
)
def test_the_status_follows_from_legs_and_position(
    orders: tuple[Order, ...],
    bracket: dict[str, object],
    now_s: float,
    verified_s: float | None,
    expected: BracketStatus,
) -> None:
    trade = make_bracket(**bracket)
    verified_at = None if verified_s is None else after(verified_s)
    assert status_of(trade, cover(*orders, bracket=trade), after(now_s), verified_at) is expected


def test_a_trade_whose_target_filled_is_not_called_arming_while_its_stop_goes() -> None:
    target, stop = legs_of(ENTRY)
    trade = make_bracket()
    found = status_of(trade, cover(filled(ENTRY), filled(target), stop), after(1), T0)
    assert found is not BracketStatus.ARMING


def test_the_plan_is_named_by_the_class_of_the_newest_stop() -> None:
    orders = (filled(ENTRY), *LEGS)
    assert plan_of(cover(*orders), orders) == "bracket"
    assert plan_of(cover(filled(ENTRY)), (filled(ENTRY),)) == "none"
