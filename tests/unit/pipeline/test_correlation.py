"""How much of the same bet is already on, and the number behind it."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from engine.market.correlation import correlation
from engine.model.words import Side
from engine.pipeline.correlation import check_correlation
from tests.unit.builders import make_signal
from tests.unit.rules.judging import exposure, make_case, told

DAY = date(2026, 5, 1)


def closes(returns: list[float], start: float = 100.0) -> dict[date, float]:
    """Daily closes that have these log returns."""
    series = {DAY: start}
    for number, step in enumerate(returns):
        series[DAY + timedelta(days=number + 1)] = series[DAY + timedelta(days=number)] * math.exp(step)
    return series


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
    first, second = closes(returns), closes(returns)
    for number in range(5, 25):
        del second[DAY + timedelta(days=number)]
    assert correlation(first, second) is None


def test_a_price_that_never_moved_is_correlated_with_nothing() -> None:
    assert correlation(closes([0.0] * 40), closes([0.01, -0.01] * 20)) is None


# --- the verdict -----------------------------------------------------------------------------------------------------


def judged(config: dict[str, Any] | None = None, *, side: Side = Side.BUY, **facts: Any) -> list[Any]:
    case = make_case(config={"correlation": config or {}}, signal=make_signal(side=side), **facts)
    return [told(reason) for reason in check_correlation(case)]


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
