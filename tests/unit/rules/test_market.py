"""Market, instrument, and whether the signal is still true."""

from __future__ import annotations

from typing import Any

import pytest

from engine.model.signal import EntrySpec
from engine.model.words import OrderType, Side
from engine.rules import market
from engine.rules.facts import AssetFacts
from tests.unit.builders import TRADABLE, after, make_account, make_quote, make_signal, replace
from tests.unit.rules.judging import levels, make_case, make_plan, told

SHORT = make_signal(side=Side.SELL)


def asset(**changes: Any) -> AssetFacts:
    return replace(TRADABLE, **changes)


@pytest.mark.parametrize(("now_s", "verdict"), [(59, "pass"), (60, "deny"), (75, "deny")])
def test_a_signal_lives_for_its_time_and_not_a_second_longer(now_s: float, verdict: str) -> None:
    found = told(market.time_to_live(make_case(now=after(now_s))))
    assert found[:2] == ("EXPIRED", verdict)
    assert found[2] == ("1 s left" if verdict == "pass" else f"{60 - now_s:.0f} s")


@pytest.mark.parametrize(
    ("entries", "core", "extended", "verdict"),
    [
        ("core", True, False, "pass"),
        ("core", False, False, "deny"),
        ("core", False, True, "deny"),
        ("core", None, False, "deny"),
        ("extended", True, False, "pass"),
        ("extended", False, True, "warn"),  # it waits at the broker for the open
        ("extended", False, False, "deny"),
        ("any", True, False, "pass"),
        ("any", False, False, "warn"),
        ("any", None, False, "warn"),
    ],
)
def test_entries_go_out_in_the_sessions_that_are_allowed(
    entries: str, core: bool | None, extended: bool, verdict: str
) -> None:
    case = make_case(config={"session": {"entries": entries}}, session_open=core, extended_open=extended)
    assert told(market.session(case))[:2] == ("SESSION", verdict)


def test_a_closed_session_says_what_is_and_what_is_allowed() -> None:
    assert told(market.session(make_case(session_open=False)))[2:] == ("closed", "core")


def test_a_known_tradable_asset_passes() -> None:
    assert told(market.asset(make_case()))[:2] == ("ASSET", "pass")


@pytest.mark.parametrize(
    ("unreachable", "why"), [(False, "it is being looked up"), (True, "the broker cannot be reached")]
)
def test_an_asset_not_confirmed_yet_denies_and_says_why(unreachable: bool, why: str) -> None:
    reason = market.asset(make_case(asset=None, broker_unreachable=unreachable))
    assert told(reason)[:2] == ("ASSET", "deny")
    assert why in reason.text


def test_an_asset_that_is_not_tradable_denies() -> None:
    assert told(market.asset(make_case(asset=asset(tradable=False))))[:2] == ("NOT_TRADABLE", "deny")


def test_a_short_needs_shares_to_borrow_and_an_account_that_may() -> None:
    not_shortable = make_case(signal=SHORT, asset=asset(shortable=False))
    not_allowed = make_case(signal=SHORT, account=make_account(shorting_enabled=False))
    assert told(market.asset(not_shortable))[:2] == ("NOT_SHORTABLE", "deny")
    assert told(market.asset(not_allowed))[:2] == ("NOT_SHORTABLE", "deny")
    assert told(market.asset(make_case(signal=SHORT)))[:2] == ("ASSET", "pass")


def test_a_hard_borrow_warns() -> None:
    found = told(market.asset(make_case(signal=SHORT, asset=asset(easy_to_borrow=False))))
    assert found[:2] == ("NOT_SHORTABLE", "warn")


def test_a_buy_does_not_ask_whether_the_asset_can_be_borrowed() -> None:
    assert told(market.asset(make_case(asset=asset(shortable=False, easy_to_borrow=False))))[1] == "pass"


@pytest.mark.parametrize(("age_s", "code", "verdict"), [(15.0, "STALE_QUOTE", "pass"), (15.1, "STALE_QUOTE", "deny")])
def test_a_quote_older_than_the_limit_denies(age_s: float, code: str, verdict: str) -> None:
    found = told(market.quote(make_case(quote=make_quote(age_s=age_s))))
    assert found == (code, verdict, f"{age_s} s", "15 s")


@pytest.mark.parametrize("quote", [None, make_quote(bid=None, ask=None), make_quote(ask=None)])
def test_without_the_side_that_an_entry_would_meet_there_is_no_quote(quote: Any) -> None:
    assert told(market.quote(make_case(quote=quote)))[:2] == ("NO_QUOTE", "deny")


def test_a_short_needs_a_bid_and_no_ask() -> None:
    assert told(market.quote(make_case(signal=SHORT, quote=make_quote(ask=None))))[1] == "pass"


@pytest.mark.parametrize("kind", list(OrderType))
def test_only_market_and_limit_entries_can_carry_their_exits(kind: OrderType) -> None:
    found = told(market.entry_type(make_case(signal=make_signal(entry=EntrySpec(type=kind)))))
    if kind in (OrderType.MARKET, OrderType.LIMIT):
        assert found == ("ENTRY_TYPE", "pass", None, None)
    else:
        assert found == ("ENTRY_TYPE", "deny", kind.value, "market, limit")


@pytest.mark.parametrize(
    ("ask", "moved", "verdict"),
    [
        ("187.10", "0.00 %", "pass"),
        ("188.97", "1.00 %", "pass"),  # 1.87 of 187.10 is 0.9995 %
        ("188.99", "1.01 %", "deny"),
        ("185.00", "1.12 %", "deny"),  # away from the trade counts too
    ],
)
def test_the_price_may_drift_one_percent_from_the_signals(ask: str, moved: str, verdict: str) -> None:
    found = told(market.drift(make_case(quote=make_quote(ask=ask))))
    assert found == ("PRICE_DRIFT", verdict, moved, "1.0 %")


def test_without_a_reference_or_a_price_drift_has_nothing_to_say() -> None:
    assert market.drift(make_case(signal=make_signal(reference_price=None))) is None
    assert market.drift(make_case(quote=None)) is None


# --- stop ------------------------------------------------------------------------------------------------------------


def test_an_entry_without_a_stop_is_denied() -> None:
    assert told(market.stop(make_case(plan=make_plan(levels=levels(None)))))[:2] == ("NO_STOP", "deny")


def test_the_distance_of_the_stop_is_measured_from_the_entry() -> None:
    # (187.20 - 184.90) / 187.20 = 1.2286 %
    assert told(market.stop(make_case())) == ("STOP_DISTANCE", "pass", "1.23 %", "20.0 %")


@pytest.mark.parametrize(("stop", "verdict"), [("149.76", "pass"), ("149.70", "deny")])
def test_a_stop_farther_than_the_limit_denies(stop: str, verdict: str) -> None:
    # 20 % of 187.20 is 37.44: 149.76 is exactly there.
    found = told(market.stop(make_case(plan=make_plan(levels=levels(stop)))))
    assert found[:2] == ("STOP_DISTANCE", verdict)


@pytest.mark.parametrize("stop", ["187.20", "190.00"])
def test_a_stop_on_the_winning_side_of_the_entry_denies(stop: str) -> None:
    found = told(market.stop(make_case(plan=make_plan(levels=levels(stop)))))
    assert found == ("STOP_SIDE", "deny", stop, "187.20")


def test_a_short_has_its_stop_above() -> None:
    short = make_case(signal=SHORT, plan=make_plan(levels=levels("189.00")))
    assert told(market.stop(short))[:2] == ("STOP_DISTANCE", "pass")
    wrong = make_case(signal=SHORT, plan=make_plan(levels=levels("184.90")))
    assert told(market.stop(wrong))[:2] == ("STOP_SIDE", "deny")


@pytest.mark.parametrize(
    ("side", "bid", "ask", "stop"),
    [(Side.BUY, "184.90", "185.00", "184.90"), (Side.SELL, "188.90", "189.00", "189.00")],
)
def test_a_stop_that_would_trigger_at_once_denies(side: Side, bid: str, ask: str, stop: str) -> None:
    """A long is closed at the bid, a short at the ask."""
    case = make_case(signal=make_signal(side=side), quote=make_quote(bid, ask), plan=make_plan(levels=levels(stop)))
    assert told(market.stop(case)) == ("STOP_PASSED", "deny", stop, stop)


def test_without_a_price_the_stop_waits() -> None:
    assert told(market.stop(make_case(plan=make_plan(basis=None), quote=None)))[:2] == ("STOP_SIDE", "pass")


# --- target ----------------------------------------------------------------------------------------------------------


def test_the_reward_is_told_in_units_of_the_risk() -> None:
    # (191.80 - 187.20) / (187.20 - 184.90)
    assert told(market.target(make_case())) == ("REWARD_RISK", "pass", "2.0", None)


@pytest.mark.parametrize("target", ["187.20", "180.00"])
def test_a_target_on_the_losing_side_denies(target: str) -> None:
    found = told(market.target(make_case(plan=make_plan(levels=levels("184.90", target)))))
    assert found == ("TARGET_SIDE", "deny", target, "187.20")


def test_a_short_has_its_target_below() -> None:
    case = make_case(signal=SHORT, plan=make_plan(levels=levels("189.00", "185.00")))
    assert told(market.target(case))[:2] == ("REWARD_RISK", "pass")


def test_a_target_that_was_asked_for_and_cannot_be_placed_denies() -> None:
    assert told(market.target(make_case(plan=make_plan(levels=levels("184.90")))))[:2] == ("TARGET_SIDE", "deny")


def test_a_signal_without_a_target_needs_none() -> None:
    case = make_case(signal=make_signal(take_profit=None), plan=make_plan(levels=levels("184.90")))
    assert market.target(case) is None


def test_without_a_price_the_target_waits() -> None:
    assert market.target(make_case(plan=make_plan(basis=None))) is None


def test_the_drift_limit_is_the_configured_one() -> None:
    # 0.20 of 187.10
    tight = {"approval": {"max_drift_pct": 0.05}}
    found = told(market.drift(make_case(config=tight, quote=make_quote(ask="187.30"))))
    assert found == ("PRICE_DRIFT", "deny", "0.11 %", "0.05 %")
