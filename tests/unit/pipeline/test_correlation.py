"""How much of the same bet is already on, and the number behind it."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.market.day import Day, Series, correlation
from engine.model.words import Side
from engine.pipeline.correlation import book_beta, check_correlation, cluster_of
from tests.unit.builders import make_signal
from tests.unit.rules.judging import exposure, make_case, told

DAY = date(2026, 5, 1)


def closes(returns: list[float], start: float = 100.0) -> Series:
    """Days whose closes have these log returns."""
    prices = [start]
    for step in returns:
        prices.append(prices[-1] * math.exp(step))
    return [Day(DAY + timedelta(days=n), price, price, price, 1e6) for n, price in enumerate(prices)]


# --- the number ------------------------------------------------------------------------------------------------------


def test_a_correlation_worked_by_hand() -> None:
    """Returns of +1 % and -1 % in turn, against the same with every fourth one missing (0).

    Over 40 days: the first has mean 0 and sum of squares 40, the second (in units of 1 %) 10 times (1, -1, 1, 0): mean
    0.25, sum of squares 30 - 40 x 0.0625 = 27.5; sum of products 30. The correlation is 30 / sqrt(40 x 27.5) = 0.9045.
    """
    first = closes([0.01, -0.01, 0.01, -0.01] * 10)
    second = closes([0.01, -0.01, 0.01, 0.0] * 10)
    assert correlation(first, second) == pytest.approx(30 / math.sqrt(40 * 27.5))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_pearsons_of_the_log_returns_as_numpy_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market, a, b = rng.normal(0, 0.01, (3, 60))
    first, second = closes(list(market + a)), closes(list(market + b), start=20.0)
    assert correlation(first, second) == pytest.approx(np.corrcoef(market + a, market + b)[0, 1])


def test_a_series_is_wholly_correlated_with_itself_and_against_its_mirror() -> None:
    returns = list(np.random.default_rng(1).normal(0, 0.01, 45))
    assert correlation(closes(returns), closes(returns)) == pytest.approx(1.0)
    assert correlation(closes(returns), closes([-step for step in returns])) == pytest.approx(-1.0)


def test_only_the_newest_sixty_shared_returns_count() -> None:
    rng = np.random.default_rng(2)
    old, new = list(rng.normal(0, 0.05, 40)), list(rng.normal(0, 0.01, 60))
    assert correlation(closes(old + new), closes([-step for step in old] + new)) == pytest.approx(1.0)


@pytest.mark.parametrize(("days", "known"), [(29, False), (30, True)])
def test_fewer_than_thirty_shared_returns_are_no_history(days: int, known: bool) -> None:
    returns = list(np.random.default_rng(3).normal(0, 0.01, days))
    assert (correlation(closes(returns), closes(returns)) is not None) is known


def test_days_that_only_one_has_do_not_count() -> None:
    returns = list(np.random.default_rng(4).normal(0, 0.01, 40))
    first = closes(returns)
    second = [day for number, day in enumerate(first) if not 5 <= number < 25]
    assert correlation(first, second) is None


def test_a_price_that_never_moved_is_correlated_with_nothing() -> None:
    assert correlation(closes([0.0] * 40), closes([0.01, -0.01] * 20)) is None


# --- the verdict -----------------------------------------------------------------------------------------------------


def judged(config: dict[str, Any] | None = None, *, side: Side = Side.BUY, **facts: Any) -> list[Any]:
    case = make_case(config={"correlation": config or {}}, signal=make_signal(side=side), **facts)
    return [told(reason) for reason in check_correlation(case, cluster_of(case))]


TWO = (exposure("MSFT", 10_000), exposure("NVDA", 10_000))


def test_alone_there_is_nothing_to_correlate_with() -> None:
    assert judged() == [("CORRELATION", "pass", "1", "3")]


def test_switched_off_it_says_nothing() -> None:
    assert judged({"enabled": False}, exposures=TWO, correlations={"MSFT": 0.9, "NVDA": 0.9}) == []


def test_a_cluster_is_judged_by_its_share_of_equity() -> None:
    # 10,000 + 10,000 + 1,872 of 100,000
    found = judged(exposures=TWO, correlations={"MSFT": 0.9, "NVDA": 0.75})
    assert found == [("CORRELATION", "pass", "21.9 %", "30 %")]


@pytest.mark.parametrize(("on_breach", "verdict"), [("warn", "warn"), ("deny", "deny")])
def test_a_cluster_too_large_does_what_the_policy_says(on_breach: str, verdict: str) -> None:
    found = judged(
        {"max_cluster_pct": 20, "on_breach": on_breach}, exposures=TWO, correlations={"MSFT": 0.9, "NVDA": 0.9}
    )
    assert found == [("CORRELATION", verdict, "21.9 %", "20 %")]


@pytest.mark.parametrize(("limit", "verdict"), [(3, "pass"), (2, "warn")])
def test_a_cluster_of_too_many_trades_is_a_breach(limit: int, verdict: str) -> None:
    found = judged({"max_cluster_count": limit}, exposures=TWO, correlations={"MSFT": 0.9, "NVDA": 0.9})
    assert found[0][1] == verdict
    if verdict == "warn":
        assert found == [("CORRELATION", "warn", "3", "2")]


@pytest.mark.parametrize(
    ("mine", "theirs", "rho", "same_bet"),
    [
        (Side.BUY, Side.BUY, 0.9, True),
        (Side.BUY, Side.SELL, 0.9, False),  # a hedge
        (Side.SELL, Side.SELL, 0.9, True),
        (Side.BUY, Side.BUY, -0.9, False),
        (Side.BUY, Side.SELL, -0.9, True),  # short what moves against it is the same bet
        (Side.BUY, Side.BUY, 0.74, False),
        (Side.BUY, Side.BUY, 0.75, True),
    ],
)
def test_sides_decide_what_is_the_same_bet(mine: Side, theirs: Side, rho: float, same_bet: bool) -> None:
    other = exposure("MSFT", 50_000, theirs)
    found = judged({"max_cluster_count": 1}, side=mine, exposures=(other,), correlations={"MSFT": rho})
    assert found == [("CORRELATION", "warn", "2", "1") if same_bet else ("CORRELATION", "pass", "1", "1")]


def test_the_symbols_own_exposure_is_no_other_trade() -> None:
    assert judged(exposures=(exposure("AAPL", 50_000),), correlations={"AAPL": 1.0})[0][1] == "pass"


@pytest.mark.parametrize(("policy", "verdict"), [("warn", "warn"), ("deny", "deny")])
def test_missing_history_is_never_passed_quietly(policy: str, verdict: str) -> None:
    found = judged({"missing_history": policy}, exposures=TWO, correlations={"MSFT": None, "NVDA": 0.1})
    assert found[0] == ("CORRELATION_HISTORY", verdict, "1", "0")
    assert found[1][:2] == ("CORRELATION", "pass")


# --- what waits, and the whole book ----------------------------------------------------------------------------------


def test_what_waits_is_shown_and_warns_at_most() -> None:
    # 1,872 and 10,000 that are on make 11.9 %; with 20,000 that wait 31.9 % of 100,000.
    config = {"on_breach": "deny"}
    rhos = {"MSFT": 0.9, "NVDA": 0.8}
    found = judged(config, exposures=TWO[:1], pending=(exposure("NVDA", 20_000),), correlations=rhos)
    assert found == [("CORRELATION", "pass", "11.9 %", "30 %"), ("CORRELATION_PENDING", "warn", "31.9 %", "30 %")]


def test_too_many_that_wait_are_counted_with_those_that_are_on() -> None:
    pending = (exposure("NVDA", 100), exposure("AMD", 100), exposure("MSFT", 100))
    rhos = {"MSFT": 0.9, "NVDA": 0.8, "AMD": 0.8}
    found = judged(exposures=TWO[:1], pending=pending, correlations=rhos)
    assert found[1] == ("CORRELATION_PENDING", "warn", "4", "3")  # AAPL, MSFT (once), NVDA, AMD


def test_what_waits_within_the_limits_passes_and_a_hedge_that_waits_is_not_told() -> None:
    rhos = {"MSFT": 0.9}
    assert judged(pending=(exposure("MSFT", 1_000),), correlations=rhos)[1][:2] == ("CORRELATION_PENDING", "pass")
    assert len(judged(pending=(exposure("MSFT", 1_000, Side.SELL),), correlations=rhos)) == 1


def test_the_beta_of_the_book_before_and_after() -> None:
    """Equity 100,000. Long 10,000 at a beta of 1.2 and short 5,000 at 0.8 move by 12,000 - 4,000 = 8,000 for each 1 of
    the market: 0.08. The entry of 1,872 at 1.5 adds 2,808: 10,808, so 0.11. Of gold nobody knows."""
    case = make_case(
        exposures=(exposure("MSFT", 10_000), exposure("KO", 5_000, Side.SELL), exposure("GLD", 1_000)),
        betas={"MSFT": Decimal("1.2"), "KO": Decimal("0.8"), "GLD": None, "AAPL": Decimal("1.5")},
    )
    found = book_beta(case)
    assert found is not None
    assert (str(found.before), str(found.after), found.unknown) == ("0.08", "0.11", ("GLD",))


def test_without_a_beta_of_its_own_the_signal_has_no_after() -> None:
    assert book_beta(make_case(betas={})) is None


def test_several_trades_in_one_symbol_count_once_and_weigh_together() -> None:
    twice = (exposure("MSFT", 10_000), exposure("MSFT", 10_000))
    assert judged(exposures=twice, correlations={"MSFT": 0.9}) == [("CORRELATION", "pass", "21.9 %", "30 %")]
