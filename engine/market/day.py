"""One trading day of a symbol, and what is measured over many: range, volume, returns, correlation, beta.

Floats: these are statistics, and no price that is sent is made of them. A ``series`` is ordered, oldest day first, and
holds finished days only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

RETURNS: Final = 60
MIN_SHARED: Final = 30
ATR_DAYS: Final = 14
VOLUME_DAYS: Final = 20

Price = Annotated[float, Meta(gt=0)]


class Day(msgspec.Struct, frozen=True, array_like=True):
    """Prices in quote currency, adjusted for splits and dividends; volume in shares, of the feed that was chosen."""

    day: date
    high: Price
    low: Price
    close: Price
    volume: Annotated[float, Meta(ge=0)]


type Series = Sequence[Day]


def average_true_range(series: Series) -> float | None:
    """Wilder's ATR(14), in quote currency; None with fewer than 15 days.

    The true range of a day reaches from the lower of its low and the close before to the higher of its high and that
    close. The first average is the plain mean of 14 of them; each later day moves it by a fourteenth.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978), "Volatility".
    """
    if len(series) < ATR_DAYS + 1:
        return None
    ranges = [max(today.high, before.close) - min(today.low, before.close) for before, today in pairwise(series)]
    average = sum(ranges[:ATR_DAYS]) / ATR_DAYS
    for span in ranges[ATR_DAYS:]:
        average += (span - average) / ATR_DAYS
    return average


def average_volume(series: Series) -> float | None:
    """Mean of the newest 20 days, in shares; None with fewer."""
    if len(series) < VOLUME_DAYS:
        return None
    return sum(day.volume for day in series[-VOLUME_DAYS:]) / VOLUME_DAYS


def correlation(first: Series, second: Series) -> float | None:
    """Pearson's, of the newest 60 daily log returns of both; None with fewer than 30, or when one never moved."""
    shared = shared_returns(first, second)
    if shared is None:
        return None
    a, b = shared
    if a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def beta(series: Series, market: Series) -> float | None:
    """How far the symbol moves when the market moves by one: covariance of both over the market's variance."""
    shared = shared_returns(series, market)
    if shared is None:
        return None
    own, of_market = shared
    variance = float(of_market.var())
    return None if variance == 0 else float(np.cov(own, of_market, bias=True)[0, 1]) / variance


def shared_returns(first: Series, second: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Log returns from one shared day to the next, the newest 60; None with fewer than 30."""
    a, b = ({day.day: day.close for day in series} for series in (first, second))
    days = sorted(a.keys() & b.keys())[-(RETURNS + 1) :]
    if len(days) < MIN_SHARED + 1:
        return None
    return log_returns([a[day] for day in days]), log_returns([b[day] for day in days])


def log_returns(closes: Sequence[float]) -> NDArray[np.float64]:
    return np.diff(np.log(np.array(closes, dtype=np.float64)))
