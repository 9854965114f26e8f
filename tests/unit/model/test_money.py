from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from engine.model.money import (
    ceil_to_tick,
    decimal_from_text,
    floor_to_tick,
    is_on_tick,
    plain,
    round_to_tick,
    tick_of,
    usd,
    whole_shares,
)

prices = st.decimals(min_value="0.0001", max_value="100000", places=6)


@pytest.mark.parametrize(
    ("price", "tick"), [("187.2", "0.01"), ("1", "0.01"), ("1.00", "0.01"), ("0.9999", "0.0001"), ("0.02", "0.0001")]
)
def test_the_tick_is_a_cent_from_one_dollar_upward_and_a_hundredth_of_it_below(price: str, tick: str) -> None:
    assert tick_of(Decimal(price)) == Decimal(tick)


@pytest.mark.parametrize(
    ("price", "on"), [("187.20", True), ("187.205", False), ("0.1234", True), ("0.12345", False), ("1.0001", False)]
)
def test_a_price_is_on_the_grid_of_its_own_level(price: str, on: bool) -> None:
    assert is_on_tick(Decimal(price)) is on


@pytest.mark.parametrize(
    ("price", "floor", "ceiling", "nearest"),
    [
        ("187.204", "187.20", "187.21", "187.20"),
        ("187.206", "187.20", "187.21", "187.21"),
        ("187.205", "187.20", "187.21", "187.20"),  # half goes to the even cent
        ("187.215", "187.21", "187.22", "187.22"),
        ("187.20", "187.20", "187.20", "187.20"),
        ("0.12345", "0.1234", "0.1235", "0.1234"),
    ],
)
def test_rounding_goes_the_way_it_is_named(price: str, floor: str, ceiling: str, nearest: str) -> None:
    value = Decimal(price)
    assert plain(floor_to_tick(value)) == floor
    assert plain(ceil_to_tick(value)) == ceiling
    assert plain(round_to_tick(value)) == nearest


@given(prices)
def test_a_rounded_price_is_on_the_grid_and_less_than_a_tick_away(price: Decimal) -> None:
    for rounded in (floor_to_tick(price), ceil_to_tick(price), round_to_tick(price)):
        assert is_on_tick(rounded)
        assert abs(rounded - price) < tick_of(price)
    assert floor_to_tick(price) <= price <= ceil_to_tick(price)


@pytest.mark.parametrize(("qty", "whole"), [("10.999", "10"), ("0.5", "0"), ("10", "10"), ("1E+2", "100")])
def test_shares_are_cut_down_to_whole_ones(qty: str, whole: str) -> None:
    assert plain(whole_shares(Decimal(qty))) == whole


def test_plain_writes_no_exponent() -> None:
    assert plain(Decimal("1E-9")) == "0.000000001"
    assert plain(Decimal("1E+3")) == "1000"
    assert plain(Decimal("187.20")) == "187.20"


def test_dollars_have_separators_two_places_and_a_true_minus() -> None:
    assert usd(Decimal("1234.5")) == "$1,234.50"
    assert usd(Decimal("-0.4")) == "−$0.40"


@pytest.mark.parametrize("text", [" 187.20 ", "187.20", "+187.20"])
def test_a_number_is_read_with_all_its_digits(text: str) -> None:
    assert plain(decimal_from_text(text)) == "187.20"


def test_an_exponent_is_written_out() -> None:
    assert plain(decimal_from_text("1E+3")) == "1000"
    assert str(decimal_from_text("12E2")) == "1200"


def test_the_limits_themselves_are_still_of_this_world() -> None:
    assert decimal_from_text("1e12") == Decimal(10) ** 12
    assert decimal_from_text("-1e12") == -(Decimal(10) ** 12)
    assert decimal_from_text("0.123456789") == Decimal("0.123456789")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a number"),
        ("ten", "is not a number"),
        ("1,000", "is not a number"),
        ("0x10", "is not a number"),
        ("NaN", "is not a finite number"),
        ("sNaN", "is not a finite number"),
        ("Infinity", "is not a finite number"),
        ("-inf", "is not a finite number"),
        ("1e999", "is larger than anything traded"),
        ("1000000000000.01", "is larger than anything traded"),
        ("0.1234567891", "has more than 9 decimal places"),
        ("1e-999999", "has more than 9 decimal places"),
    ],
)
def test_what_is_no_amount_of_this_world_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decimal_from_text(text)


def test_a_refusal_quotes_only_the_beginning_of_a_long_text() -> None:
    with pytest.raises(ValueError, match="is not a number") as raised:
        decimal_from_text("x" * 100_000)
    assert len(str(raised.value)) < 80


@given(st.text(max_size=40))
def test_any_text_is_an_amount_or_a_value_error(text: str) -> None:
    try:
        value = decimal_from_text(text)
    except ValueError:
        return
    assert "E" not in str(value).upper() or value.as_tuple().exponent < 0  # type: ignore[operator]
    assert Decimal(plain(value)) == value
