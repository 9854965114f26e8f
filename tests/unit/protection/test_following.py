"""Exits that follow the fill or the best price: where they go, and when they stay."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.bracket import Bracket
from engine.model.follow import Follow, Trail
from engine.model.order import Order
from engine.model.signal import ExitSpec
from engine.model.targets import TargetPart
from engine.model.words import Side
from engine.protection.case import AskMove, Case
from engine.protection.following import follow_fill
from engine.protection.ledger import cover_of
from engine.protection.trailing import trail_stop
from tests.unit.builders import after, filled, legs_of, make_bracket, make_order, replace


def D(number: object) -> Decimal:
    return Decimal(str(number))


def case_of(bracket: Bracket, entry: Order, mark: object = "187.20", at_s: float = 10, **more: Any) -> Case:
    orders = (entry, *legs_of(entry))
    cover = cover_of(bracket, orders)
    return Case(bracket=bracket, orders=orders, cover=cover, mark=D(mark), now=after(at_s), **more)


PCT = Follow(stop=ExitSpec(unit="percent", value=D(1)), target=ExitSpec(unit="r", value=D(2)))


def test_the_exits_go_to_where_the_fill_puts_them() -> None:
    # Filled at 188.00: 1 % below is 186.12; two times that distance of 1.88 above is 191.76.
    step = follow_fill(case_of(make_bracket(follow=PCT), filled(make_order(), price="188.00")))
    assert step == AskMove(stop_price=D("186.12"), take_profit_price=D("191.76"), reason="the exits follow the fill")


def test_an_exit_that_is_a_price_stays() -> None:
    only_stop = Follow(stop=PCT.stop, target=None)
    step = follow_fill(case_of(make_bracket(follow=only_stop), filled(make_order(), price="188.00")))
    assert isinstance(step, AskMove)
    assert (step.stop_price, step.take_profit_price) == (D("186.12"), None)


def test_a_target_that_was_taken_away_is_not_put_back() -> None:
    step = follow_fill(case_of(make_bracket(follow=PCT, take_profit_price=None), filled(make_order(), price="188.00")))
    assert isinstance(step, AskMove)
    assert (step.stop_price, step.take_profit_price) == (D("186.12"), None), "the stop goes where the fill puts it"


@pytest.mark.parametrize(
    "changes",
    [
        {"follow": None},
        {"followed_at": after(1)},
        {"moves_asked_at": after(1)},
        {"stop_price": D("186.12"), "take_profit_price": D("191.76")},  # less than a tick is no move
        {"stop_price": D("186.125"), "take_profit_price": D("191.76")},
    ],
)
def test_nothing_is_asked_twice_or_for_less_than_a_tick(changes: dict[str, Any]) -> None:
    bracket = replace(make_bracket(follow=PCT), **changes)
    assert follow_fill(case_of(bracket, filled(make_order(), price="188.00"))) is None


def test_an_entry_that_is_not_whole_is_not_followed() -> None:
    assert follow_fill(case_of(make_bracket(follow=PCT), filled(make_order(), qty=4, price="188.00"))) is None


def test_several_targets_follow_each_for_itself() -> None:
    exits = (ExitSpec(unit="r", value=D(1)), ExitSpec(unit="r", value=D(3)))
    parts = (TargetPart(price=D("189.00"), qty=D(5)), TargetPart(price=D("193.00"), qty=D(5)))
    bracket = make_bracket(follow=Follow(stop=PCT.stop, target=None, targets=exits), targets=parts)
    step = follow_fill(case_of(bracket, filled(make_order(), price="188.00")))
    assert isinstance(step, AskMove)
    # R is 1.88: 188 + 1.88, and 188 + 5.64.
    assert [(part.price, part.qty) for part in step.targets] == [(D("189.88"), 5), (D("193.64"), 5)]


# --- trailing --------------------------------------------------------------------------------------------------------

TRAIL = Trail(unit="amount", value=D("2.00"))


def trailed(mark: object, *, at_s: float = 10, side: Side = Side.BUY, **changes: Any) -> Decimal | None:
    """Entered at 187.20, with a stop 2.00 behind it."""
    stop = D("185.20") if side is Side.BUY else D("189.20")
    bracket = replace(make_bracket(trail=TRAIL, stop_price=stop, side=side), **changes)
    entry = filled(make_order(side=side), price="187.20")
    orders = (entry, *legs_of(entry, side=side.opposite))
    case = Case(bracket=bracket, orders=orders, cover=cover_of(bracket, orders), mark=D(mark), now=after(at_s))
    step = trail_stop(case)
    assert step is None or (isinstance(step, AskMove) and step.high_water == D(mark))
    return step.stop_price if isinstance(step, AskMove) else None


@pytest.mark.parametrize(
    ("mark", "stop"),
    [
        ("187.20", None),
        ("187.39", None),  # 0.19 gained: less than a tenth of the distance
        ("187.40", "185.40"),
        ("190.00", "188.00"),
        ("180.00", None),  # down never
    ],
)
def test_a_long_stop_steps_up_and_never_down(mark: str, stop: str | None) -> None:
    assert trailed(mark) == (None if stop is None else D(stop))


def test_a_short_stop_steps_down_and_never_up() -> None:
    assert trailed("185.00", side=Side.SELL) == D("187.00")
    assert trailed("190.00", side=Side.SELL) is None


def test_steps_wait_for_one_another() -> None:
    assert trailed("190.00", trailed_at=after(6), high_water=D(188), at_s=10) is None
    assert trailed("190.00", trailed_at=after(6), high_water=D(188), at_s=11.1) == D("188.00")


def test_a_mark_below_the_best_one_moves_nothing_even_if_somebody_loosened_the_stop() -> None:
    assert trailed("189.00", high_water=D("190.00")) is None


def test_a_percentage_is_taken_of_the_best_price() -> None:
    assert trailed("190.00", trail=Trail(unit="percent", value=D(1)), stop_price=D("185.32")) == D("188.10")
