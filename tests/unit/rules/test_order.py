"""The order against the market: collar, spread, a stop too near, what it may win."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.signal import EntrySpec, ExitSpec, SizeSpec
from engine.model.words import OrderType, Side
from engine.rules import market, order
from engine.rules.facts import Case
from tests.unit.builders import TRADABLE, make_quote, make_signal, price_exit, replace
from tests.unit.rules.judging import levels, make_case, make_plan, told


def limit_case(limit: str | None, side: Side = Side.BUY, **limits: Any) -> Case:
    """Against a market of 186.90 bid and 187.10 offered."""
    return make_case(
        config={"limits": {"price_collar_pct": 2.0} | limits},
        signal=make_signal(side=side),
        plan=make_plan(limit_price=None if limit is None else Decimal(limit)),
        quote=make_quote(bid=Decimal("186.90"), ask=Decimal("187.10")),
    )


@pytest.mark.parametrize(
    ("limit", "side", "verdict", "measured"),
    [
        ("187.10", Side.BUY, "pass", "0.00 %"),
        ("180.00", Side.BUY, "pass", "0.00 %"),  # it waits below the market
        # 187.10 * 1.02 = 190.842: 190.84 is 1.9989 % through the offer, 190.85 is 2.0043 %
        ("190.84", Side.BUY, "pass", "2.00 %"),
        ("190.85", Side.BUY, "deny", "2.01 %"),
        ("1872.00", Side.BUY, "deny", "900.53 %"),
        # 186.90 * 0.98 = 183.162: 183.17 is 1.9957 % through the bid, 183.16 is 2.0011 %
        ("183.17", Side.SELL, "pass", "2.00 %"),
        ("183.16", Side.SELL, "deny", "2.01 %"),
    ],
)
def test_a_limit_stays_near_the_market(limit: str, side: Side, verdict: str, measured: str) -> None:
    assert told(order.price_collar(limit_case(limit, side))) == ("PRICE_COLLAR", verdict, measured, "2.0 %")


def test_no_collar_without_a_limit_a_quote_or_the_setting() -> None:
    assert order.price_collar(limit_case(None)) is None
    assert order.price_collar(make_case(quote=None)) is None
    assert order.price_collar(limit_case("500", price_collar_pct=5.0)) is not None


@pytest.mark.parametrize(
    ("bid", "ask", "verdict", "measured"),
    [
        # middle 100.00: 0.50 apart is 0.50 %
        ("99.75", "100.25", "pass", "0.50 %"),
        ("99.74", "100.26", "deny", "0.52 %"),
    ],
)
def test_a_market_that_is_wide_apart_is_not_entered(bid: str, ask: str, verdict: str, measured: str) -> None:
    case = make_case(config={"limits": {"max_spread_pct": 0.5}}, quote=make_quote(bid=Decimal(bid), ask=Decimal(ask)))
    assert told(order.spread(case)) == ("SPREAD", verdict, measured, "0.5 %")


def test_the_spread_is_not_asked_unless_it_is_limited() -> None:
    assert order.spread(make_case()) is None


@pytest.mark.parametrize(
    ("stop", "verdict", "measured"),
    [
        # entry 200: a stop at 199 is 0.50 % away
        ("199.00", "pass", "0.50 %"),
        ("199.01", "deny", "0.50 %"),  # 0.495 %, judged exactly
        ("199.20", "deny", "0.40 %"),
    ],
)
def test_a_stop_within_the_noise_is_denied(stop: str, verdict: str, measured: str) -> None:
    plan = make_plan(basis=Decimal(200), levels=levels(stop))
    case = make_case(config={"limits": {"min_stop_distance_pct": 0.5}}, plan=plan)
    found = told(order.stop_not_too_near(case))
    assert found[:2] == ("STOP_TOO_NEAR", verdict)
    assert found[3] == "0.5 %"
    if verdict == "pass" or stop == "199.20":
        assert found[2] == measured


@pytest.mark.parametrize(
    ("target", "verdict", "measured"),
    [
        # entry 187.20, stop 184.90: risk 2.30; 1.5 times is 3.45, so the target must be at 190.65
        ("190.65", "pass", "1.5"),
        ("190.64", "deny", "1.49"),
        ("191.80", "pass", "2.0"),
    ],
)
def test_reward_must_be_worth_the_risk_where_that_is_asked(target: str, verdict: str, measured: str) -> None:
    plan = make_plan(levels=levels("184.90", target))
    case = make_case(config={"limits": {"min_reward_risk": 1.5}}, plan=plan)
    assert told(market.target(case)) == ("REWARD_RISK", verdict, measured, "1.5")


@pytest.mark.parametrize(("bid", "ask", "missing"), [(None, "100.26", "bid"), ("99.74", None, "offer")])
def test_a_spread_that_nobody_knows_is_not_within_its_limit(bid: str | None, ask: str | None, missing: str) -> None:
    case = make_case(config={"limits": {"max_spread_pct": 0.5}}, quote=make_quote(bid=bid, ask=ask))
    found = order.spread(case)
    assert told(found) == ("SPREAD", "deny", None, "0.5 %")
    assert found is not None
    assert found.text == f"The spread is not known: there is no {missing}."


def test_prices_between_two_ticks_are_told_with_what_is_sent() -> None:
    signal = make_signal(
        entry=EntrySpec(type=OrderType.LIMIT, limit_price=Decimal("187.205")),
        stop_loss=price_exit("184.903"),
        take_profit=price_exit("191.80"),
    )
    # Buying: the limit down to 187.20, the stop up towards the entry to 184.91; the target is on the grid.
    plan = make_plan(limit_price=Decimal("187.20"), levels=levels("184.91", "191.80"))
    found = order.tick(make_case(signal=signal, plan=plan))
    assert found.text == "Between two ticks: limit 187.205 → 187.20, stop 184.903 → 184.91."
    assert told(found) == ("TICK", "pass", "187.205, 184.903", "0.01")


def test_prices_on_the_grid_and_distances_are_nothing_to_tell() -> None:
    assert told(order.tick(make_case())) == ("TICK", "pass", None, "0.01")
    distance = make_signal(stop_loss=ExitSpec(unit="percent", value=Decimal("1.23")))
    assert told(order.tick(make_case(signal=distance))) == ("TICK", "pass", None, "0.01")
    below_a_dollar = make_plan(limit_price=Decimal("0.8123"), basis=Decimal("0.8123"))
    signal = make_signal(entry=EntrySpec(type=OrderType.LIMIT, limit_price=Decimal("0.8123")), stop_loss=None)
    assert told(order.tick(make_case(signal=signal, plan=below_a_dollar))) == ("TICK", "pass", None, "0.0001")


@pytest.mark.parametrize(
    ("asked", "fractionable", "measured", "text"),
    [
        ("10", True, "10", "10 shares are whole ones."),
        ("10.7", True, "10.7", "10.7 were asked for, 10 would be sent: exits stand on whole shares only."),
        ("10.7", False, "10.7", "10.7 were asked for, 10 would be sent: AAPL is not sold in parts."),
    ],
)
def test_parts_of_a_share_are_told(asked: str, fractionable: bool, measured: str, text: str) -> None:
    signal = make_signal(size=SizeSpec(unit="qty", value=Decimal(asked)))
    found = order.lot(make_case(signal=signal, asset=replace(TRADABLE, fractionable=fractionable)))
    assert found is not None
    assert found.text == text
    assert told(found) == ("LOT", "pass", measured, "1")


def test_a_size_that_the_desk_decides_has_no_parts() -> None:
    assert order.lot(make_case(signal=make_signal(size=None))) is None
