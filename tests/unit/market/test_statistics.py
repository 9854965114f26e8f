"""The rolling matrix: the numbers of numpy, computed once, and anew only where bars changed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from engine.market.daily import DailyBars
from engine.market.day import Day
from engine.market.statistics import Statistics
from tests.unit.desk.desk_parts import HandClock
from tests.unit.market.bars import TODAY, Bars, days_of

RNG = np.random.default_rng(11)
MARKET = RNG.normal(0, 0.01, 65)
NAMES = ("AAPL", "AMD", "NVDA", "SPY")
RETURNS = {name: MARKET * (1 + n / 10) + RNG.normal(0, 0.008, 65) for n, name in enumerate(NAMES)}


def scene() -> tuple[Bars, HandClock, Statistics]:
    bars = Bars(**{name: days_of(returns) for name, returns in RETURNS.items()})
    clock = HandClock()
    return bars, clock, Statistics(DailyBars(bars, clock), clock)


async def test_the_matrix_is_that_of_numpy_over_the_newest_sixty_returns() -> None:
    _, _, statistics = scene()
    await statistics.ensure(RETURNS.keys())
    expected = np.corrcoef([returns[-60:] for returns in RETURNS.values()])
    for at, symbol in enumerate(RETURNS):
        row = statistics.correlations(symbol, RETURNS.keys() - {symbol})
        for other_at, other in enumerate(RETURNS):
            if other != symbol:
                assert row[other] == pytest.approx(expected[at, other_at])


async def test_the_market_comes_with_every_batch_and_gives_the_betas() -> None:
    bars, _, statistics = scene()
    await statistics.ensure({"NVDA"})
    assert bars.asked[0][0] == ("NVDA", "SPY")
    slope = np.polyfit(RETURNS["SPY"][-60:], RETURNS["NVDA"][-60:], 1)[0]
    found = statistics.betas({"NVDA"})["NVDA"]
    assert found == Decimal(str(slope)).quantize(Decimal("0.0001"))


async def test_nothing_is_said_of_what_was_never_fetched() -> None:
    _, _, statistics = scene()
    await statistics.ensure({"NVDA"})
    assert "AMD" not in statistics.correlations("NVDA", {"AMD"})
    assert "AMD" not in statistics.betas({"AMD"})
    assert statistics.average_true_range("AMD") is None
    assert statistics.average_volume("AMD") is None


async def test_a_symbol_with_other_days_is_aligned_on_those_it_shares() -> None:
    bars, _, statistics = scene()
    bars.series["AMD"] = [day for day in bars.series["AMD"] if day.day.day != 3]
    await statistics.ensure(RETURNS.keys())
    shared = {day.day for day in bars.series["AMD"]}
    prices = {
        name: np.log([day.close for day in bars.series[name] if day.day in shared])[-61:] for name in ("AMD", "NVDA")
    }
    expected = np.corrcoef(np.diff(prices["AMD"]), np.diff(prices["NVDA"]))[0, 1]
    assert statistics.correlations("NVDA", {"AMD"})["AMD"] == pytest.approx(expected)


async def test_only_the_rows_of_bars_that_changed_are_computed_anew() -> None:
    bars, clock, statistics = scene()
    await statistics.ensure({"AAPL", "AMD", "NVDA"})
    before = dict(statistics.correlations("AAPL", {"AMD", "NVDA"}))
    bars.series["NVDA"].append(Day(TODAY, 190.0, 100.0, 180.0, 9.0))
    clock.at_s = 86_400.0
    await statistics.ensure({"NVDA"})  # the others are a day behind, and stay as they are
    after = statistics.correlations("AAPL", set())
    assert after["AMD"] == before["AMD"]
    assert "NVDA" not in after
    await statistics.ensure({"AAPL", "AMD", "NVDA"})
    assert statistics.correlations("AAPL", {"NVDA"})["NVDA"] == pytest.approx(
        np.corrcoef(
            np.diff(np.log([day.close for day in bars.series["AAPL"]]))[-60:],
            np.diff(np.log([day.close for day in bars.series["NVDA"][:-1]]))[-60:],
        )[0, 1]
    )


async def test_range_and_volume_are_of_the_newest_days() -> None:
    bars, _, statistics = scene()
    bars.series["AAPL"] = [Day(TODAY - timedelta(days=n), 101.0, 99.0, 100.0, 40_000.0) for n in range(30, 0, -1)]
    await statistics.ensure({"AAPL"})
    assert statistics.average_true_range("AAPL") == Decimal("2.0000")
    assert statistics.average_volume("AAPL") == 40_000
