"""Exit prices of a signal in each unit, worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.model.money import is_on_tick
from engine.model.signal import ExitSpec, ExitUnit, resolve_exits
from engine.model.words import Side
from tests.unit.builders import make_signal, price_exit


def exit_in(unit: ExitUnit, value: str) -> ExitSpec:
    return ExitSpec(unit=unit, value=Decimal(value))


def levels(side: Side, basis: str, stop: ExitSpec | None, target: ExitSpec | None) -> tuple[str | None, str | None]:
    found = resolve_exits(make_signal(side=side, stop_loss=stop, take_profit=target), Decimal(basis))
    return (
        None if found.stop_price is None else str(found.stop_price),
        None if found.take_profit_price is None else str(found.take_profit_price),
    )


@pytest.mark.parametrize(
    ("stop", "at"),
    [
        (exit_in("price", "184.90"), "184.90"),
        (exit_in("price", "184.905"), "184.91"),  # toward the entry: a tighter stop risks less
        (exit_in("amount", "2.30"), "184.90"),  # 187.20 - 2.30
        (exit_in("percent", "1.2"), "184.96"),  # 187.20 x 0.988 = 184.9536, up
        (exit_in("percent", "100"), None),  # nothing is left to stop at
        (exit_in("amount", "200"), None),
        (exit_in("r", "1"), None),  # R is the stop distance itself
        (None, None),
    ],
)
def test_the_stop_of_a_buy_lies_below_and_is_rounded_up(stop: ExitSpec | None, at: str | None) -> None:
    assert levels(Side.BUY, "187.20", stop, None)[0] == at


@pytest.mark.parametrize(
    ("stop", "at"),
    [
        (exit_in("price", "50.605"), "50.60"),
        (exit_in("amount", "0.605"), "50.60"),  # 50 + 0.605, down
        (exit_in("percent", "1.2"), "50.60"),
    ],
)
def test_the_stop_of_a_short_lies_above_and_is_rounded_down(stop: ExitSpec, at: str) -> None:
    assert levels(Side.SELL, "50", stop, None)[0] == at


@pytest.mark.parametrize(
    ("target", "at"),
    [
        (exit_in("price", "191.804"), "191.80"),
        (exit_in("amount", "4.60"), "191.80"),
        (exit_in("percent", "2.5"), "191.88"),  # 187.20 x 1.025
        (exit_in("r", "2"), "191.80"),  # 187.20 + 2 x (187.20 - 184.90)
        (exit_in("r", "0.5"), "188.35"),
    ],
)
def test_the_target_of_a_buy_lies_above(target: ExitSpec, at: str) -> None:
    assert levels(Side.BUY, "187.20", price_exit("184.90"), target) == ("184.90", at)


@pytest.mark.parametrize(
    ("target", "at"),
    [
        (exit_in("amount", "1.20"), "48.80"),
        (exit_in("percent", "2.4"), "48.80"),
        (exit_in("r", "2"), "48.80"),  # 50 - 2 x 0.60
        (exit_in("percent", "100"), None),  # a price of nothing
    ],
)
def test_the_target_of_a_short_lies_below(target: ExitSpec, at: str | None) -> None:
    assert levels(Side.SELL, "50", exit_in("percent", "1.2"), target) == ("50.60", at)


def test_r_is_measured_from_the_stop_as_it_will_be_placed() -> None:
    # Stop 184.9536 becomes 184.96: R is 2.24, two of them 4.48.
    assert levels(Side.BUY, "187.20", exit_in("percent", "1.2"), exit_in("r", "2")) == ("184.96", "191.68")


def test_a_target_in_r_without_a_stop_stays_open() -> None:
    assert levels(Side.BUY, "187.20", None, exit_in("r", "2")) == (None, None)


def test_below_a_dollar_the_grid_is_finer() -> None:
    # 0.50 x (1 - 0.01333) = 0.493335, up to the next hundredth of a cent.
    assert levels(Side.BUY, "0.50", exit_in("percent", "1.333"), exit_in("amount", "0.01233")) == ("0.4934", "0.5123")


def test_a_stop_limit_keeps_its_limit() -> None:
    found = resolve_exits(make_signal(stop_loss=price_exit("184.90", "184.50")), Decimal("187.20"))
    assert found.stop_limit_price == Decimal("184.50")


def test_the_limit_of_a_stop_limit_lies_on_the_tick_grid_like_every_price_that_is_sent() -> None:
    found = resolve_exits(make_signal(stop_loss=price_exit("184.90", "184.505")), Decimal("187.20"))
    assert found.stop_limit_price is not None
    assert is_on_tick(found.stop_limit_price)
