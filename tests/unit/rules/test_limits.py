"""How much, how many, how often."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.words import Side
from engine.rules import limits
from tests.unit.builders import make_account, make_signal, replace
from tests.unit.rules.judging import exposure, make_case, make_plan, told


def limited(**keys: Any) -> dict[str, Any]:
    return {"limits": keys}


def test_limits_that_are_not_set_have_nothing_to_say() -> None:
    case = make_case()
    for rule in (
        limits.notional,
        limits.open_positions,
        limits.gross_exposure,
        limits.orders_per_day,
        limits.signals_per_minute,
    ):
        assert rule(case) is None


def test_less_than_one_share_is_nothing_to_send_and_says_why() -> None:
    reason = limits.quantity(make_case(plan=make_plan(qty=Decimal(0), size_reason="no price to size by")))
    assert told(reason) == ("QTY_BELOW_MINIMUM", "deny", "0", "1")
    assert "no price to size by" in reason.text


@pytest.mark.parametrize(("qty", "verdict"), [(10, "pass"), (11, "deny")])
def test_shares_up_to_the_limit_pass(qty: int, verdict: str) -> None:
    case = make_case(config=limited(max_order_qty=10), plan=make_plan(qty=Decimal(qty)))
    assert told(limits.quantity(case)) == ("ORDER_QTY", verdict, str(qty), "10")


@pytest.mark.parametrize(("limit", "verdict"), [(1872, "pass"), (1871.99, "deny")])
def test_notional_up_to_the_limit_passes(limit: float, verdict: str) -> None:
    # 10 x 187.20
    found = told(limits.notional(make_case(config=limited(max_order_notional=limit))))
    assert found == ("ORDER_NOTIONAL", verdict, "$1,872.00", f"${limit:,.2f}")


def test_a_notional_limit_written_in_cents_is_compared_as_it_was_written() -> None:
    case = make_case(config=limited(max_order_notional=0.1), plan=make_plan(qty=Decimal(1), basis=Decimal("0.1")))
    assert told(limits.notional(case))[1] == "pass"


@pytest.mark.parametrize(("reserved", "verdict"), [("198128", "pass"), ("198128.01", "deny")])
def test_buying_power_is_what_the_account_has_less_what_is_reserved(reserved: str, verdict: str) -> None:
    # 200,000 less 198,128 leaves 1,872: exactly the order.
    found = told(limits.buying_power(make_case(reserved=Decimal(reserved))))
    assert found[:3] == ("BUYING_POWER", verdict, "$1,872.00")


def test_without_an_account_or_a_price_buying_power_is_not_judged() -> None:
    assert limits.buying_power(make_case(account=None)) is None
    assert limits.buying_power(make_case(plan=make_plan(basis=None))) is None


@pytest.mark.parametrize(
    ("others", "verdict", "count"),
    [(["MSFT"], "pass", "2"), (["MSFT", "NVDA"], "deny", "3"), (["MSFT", "AAPL"], "pass", "2")],
)
def test_open_positions_counts_symbols_and_the_signals_own(others: list[str], verdict: str, count: str) -> None:
    case = make_case(config=limited(max_open_positions=2), exposures=tuple(exposure(symbol, 1000) for symbol in others))
    assert told(limits.open_positions(case)) == ("OPEN_POSITIONS", verdict, count, "2")


@pytest.mark.parametrize(
    ("held", "pct", "verdict"),
    [
        (0, "1.9 %", "pass"),  # 1,872 of 100,000
        (8128, "10.0 %", "pass"),
        (8200, "10.1 %", "deny"),  # 10,072
    ],
)
def test_one_symbol_may_be_ten_percent_of_equity(held: int, pct: str, verdict: str) -> None:
    case = make_case(exposures=(exposure("AAPL", held), exposure("MSFT", 50_000)))
    assert told(limits.symbol_exposure(case)) == ("SYMBOL_EXPOSURE", verdict, pct, "10 %")


@pytest.mark.parametrize(("others", "verdict"), [(48_128, "pass"), (48_300, "deny")])
def test_gross_exposure_sums_all_positions(others: int, verdict: str) -> None:
    case = make_case(
        config=limited(max_gross_exposure_pct=50), exposures=(exposure("MSFT", others - 128), exposure("NVDA", 128))
    )
    found = told(limits.gross_exposure(case))
    assert found[:2] == ("GROSS_EXPOSURE", verdict)
    assert found[3] == "50 %"


def test_exposure_in_percent_is_not_asked_before_the_account_has_been_read() -> None:
    """ACCOUNT_STALE denies then."""
    assert limits.symbol_exposure(make_case(account=None)) is None


def test_a_percentage_hardly_above_its_limit_is_not_rounded_into_it() -> None:
    # 10,000 + 8.45 of 100,000 is 10.008 %: above 10 %.
    plan = make_plan(qty=Decimal(1), basis=Decimal("8.45"))
    case = make_case(exposures=(exposure("AAPL", 10_000),), plan=plan)
    assert told(limits.symbol_exposure(case))[1] == "deny"


@pytest.mark.parametrize(("today", "verdict"), [(4, "pass"), (5, "deny")])
def test_the_fifth_entry_of_five_is_still_sent(today: int, verdict: str) -> None:
    case = make_case(config=limited(max_orders_per_day=5), orders_today=today)
    assert told(limits.orders_per_day(case)) == ("ORDERS_PER_DAY", verdict, str(today + 1), "5")


@pytest.mark.parametrize(("seen", "verdict"), [(3, "pass"), (4, "deny")])
def test_a_source_that_floods_is_denied(seen: int, verdict: str) -> None:
    reason = limits.signals_per_minute(make_case(config=limited(max_signals_per_minute=3), signals_last_minute=seen))
    assert told(reason) == ("SIGNALS_PER_MINUTE", verdict, str(seen), "3")
    assert reason is not None
    assert "breakout" in reason.text


def test_every_limit_of_the_file_has_a_rule() -> None:
    assert len(limits.RULES) == 13
    assert len(set(limits.RULES)) == 13


@pytest.mark.parametrize(
    ("longs", "shorts", "side", "verdict", "measured"),
    [
        # equity 100,000, the entry is 1,872: long 30,000 less short 12,000 is 18,000 before it
        (30_000, 12_000, Side.BUY, "pass", "19.9 %"),  # 19,872
        (30_000, 11_800, Side.BUY, "deny", "20.1 %"),  # 20,072
        (30_000, 8_100, Side.SELL, "deny", "20.1 %"),  # 21,900 - 1,872 = 20,028
        (0, 18_200, Side.SELL, "deny", "20.1 %"),  # 20,072 short
    ],
)
def test_longs_and_shorts_weigh_against_each_other(
    longs: int, shorts: int, side: Side, verdict: str, measured: str
) -> None:
    case = make_case(
        config={"limits": {"max_net_exposure_pct": 20}},
        signal=make_signal(side=side),
        account=make_account(equity=Decimal(100_000)),
        exposures=(exposure("MSFT", longs), exposure("SPY", shorts, Side.SELL)),
    )
    assert told(limits.net_exposure(case)) == ("NET_EXPOSURE", verdict, measured, "20.0 %")


def test_a_strategy_has_its_own_share_of_the_equity() -> None:
    mine = replace(exposure("MSFT", 9_000), strategy="breakout")
    other = replace(exposure("SPY", 50_000), strategy="other")
    case = make_case(
        config={"strategies": {"breakout": {"max_exposure_pct": 10}}},
        signal=make_signal(strategy="breakout"),
        account=make_account(equity=Decimal(100_000)),
        exposures=(mine, other),
    )
    # 9,000 + 1,872 of 100,000
    assert told(limits.strategy_exposure(case)) == ("STRATEGY_EXPOSURE", "deny", "10.9 %", "10 %")
    assert limits.strategy_exposure(make_case()) is None


@pytest.mark.parametrize(("working", "verdict"), [(2, "pass"), (3, "deny")])
def test_so_many_entries_work_at_once_and_no_more(working: int, verdict: str) -> None:
    case = make_case(config={"limits": {"max_working_orders": 3}}, working_orders=working)
    assert told(limits.working_orders(case)) == ("WORKING_ORDERS", verdict, str(working + 1), "3")


@pytest.mark.parametrize(
    ("volume", "verdict", "measured"),
    [
        (10_000, "pass", "0.10 %"),  # 10 shares of 10,000
        (9_999, "deny", "0.11 %"),  # 0.10001 %: above, and never shown as if it were not
        (None, "deny", None),
    ],
)
def test_an_order_is_a_small_part_of_a_days_volume(volume: int | None, verdict: str, measured: str | None) -> None:
    known = None if volume is None else Decimal(volume)
    case = make_case(config=limited(max_adv_pct=0.1), average_volume=known)
    assert told(limits.share_of_volume(case)) == ("ADV_SHARE", verdict, measured, "0.1 %")


@pytest.mark.parametrize(("count", "verdict"), [(2, "pass"), (3, "deny")])
def test_a_broker_that_refuses_three_in_a_row_gets_no_fourth(count: int, verdict: str) -> None:
    case = make_case(config=limited(max_rejects_in_a_row=3), rejects_in_a_row=count)
    assert told(limits.rejects_in_a_row(case)) == ("REJECTS_IN_A_ROW", verdict, str(count), "3")


@pytest.mark.parametrize("equity", ["0", "-1200"])
@pytest.mark.parametrize(
    ("rule", "code", "config"),
    [
        (limits.symbol_exposure, "SYMBOL_EXPOSURE", {}),
        (limits.gross_exposure, "GROSS_EXPOSURE", {"limits": {"max_gross_exposure_pct": 100.0}}),
        (limits.net_exposure, "NET_EXPOSURE", {"limits": {"max_net_exposure_pct": 100.0}}),
        (limits.strategy_exposure, "STRATEGY_EXPOSURE", {"strategies": {"breakout": {"max_exposure_pct": 100.0}}}),
    ],
)
def test_of_an_equity_of_nothing_no_percentage_is_small_enough(
    equity: str, rule: Any, code: str, config: dict[str, Any]
) -> None:
    """An account that answers without its equity counts as one of nothing."""
    case = make_case(config=config, account=make_account(equity=Decimal(equity)))
    assert told(rule(case))[:2] == (code, "deny")
