"""Range, volume, correlation and beta of daily bars, against published and hand-worked numbers."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from engine.market.day import Day, average_true_range, average_volume, beta, correlation
from tests.unit.market.bars import days_of

X = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
Y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
"""F. J. Anscombe, Graphs in Statistical Analysis (1973), first set: correlation 0.816, regression line 3 + 0.5 x."""


def ranged(*spans: tuple[float, float, float], volume: float = 1_000.0) -> list[Day]:
    """High, low, close."""
    first = date(2026, 7, 1)
    return [Day(first + timedelta(days=n), high, low, close, volume) for n, (high, low, close) in enumerate(spans)]


def test_correlation_and_beta_of_a_published_data_set() -> None:
    # Taken three times over, eleven points become thirty-three, which changes neither number.
    market, series = days_of([x / 1000 for x in X] * 3), days_of([y / 1000 for y in Y] * 3, start=40.0)
    assert correlation(series, market) == pytest.approx(0.816, abs=0.0005)
    assert beta(series, market) == pytest.approx(0.500, abs=0.0005)


@pytest.mark.parametrize("seed", range(3))
def test_beta_is_the_slope_that_numpy_fits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, 60)
    own = 1.3 * market + rng.normal(0, 0.005, 60)
    slope = np.polyfit(market, own, 1)[0]
    assert beta(days_of(own), days_of(market)) == pytest.approx(slope)


def test_the_market_has_a_beta_of_one_to_itself_and_none_to_a_price_that_stands_still() -> None:
    market = days_of([0.01, -0.01] * 20)
    assert beta(market, market) == pytest.approx(1.0)
    assert beta(market, days_of([0.0] * 40)) is None
    assert beta(days_of([0.01, -0.01] * 10), market) is None, "20 shared returns are too few"


def test_the_range_reaches_to_the_close_before() -> None:
    # Day by day 101 - 99 = 2, fourteen times: the first average is 2. Then the price opens above the close of 100 and
    # trades from 110 to 116: the true range is 116 - 100 = 16, the average 2 + (16 - 2) / 14 = 3.
    calm = [(101.0, 99.0, 100.0)] * 15
    assert average_true_range(ranged(*calm)) == pytest.approx(2.0)
    assert average_true_range(ranged(*calm, (116.0, 110.0, 112.0))) == pytest.approx(3.0)
    # And a gap down: from the close of 100 to the low of 90 are 10: 2 + (10 - 2) / 14.
    assert average_true_range(ranged(*calm, (92.0, 90.0, 91.0))) == pytest.approx(2 + 8 / 14)


def test_fourteen_ranges_need_fifteen_days() -> None:
    assert average_true_range(ranged(*[(101.0, 99.0, 100.0)] * 14)) is None


def test_the_average_volume_is_of_the_newest_twenty_days() -> None:
    old, new = (ranged(*[(101.0, 99.0, 100.0)] * 20, volume=volume) for volume in (9_000.0, 500.0))
    assert average_volume([*old, *new]) == 500.0
    assert average_volume(new[:19]) is None
