"""The past that a seeded market never had: daily bars, and the minutes before the start.

Daily returns are a function of seed and date alone (the simulation always starts on the same day of 2024), so two
starts on different days agree about the days they share. Both histories are anchored at their end: the levels follow
from the price that the market continues from.

Returns have the market's factor structure (market, sector, own), a GARCH(1,1) variance for each source and Student-t
shocks. Source for the parameters: usual estimates for US equities, e.g. Engle (2001), "GARCH 101".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.exchange.assets import SECTORS, Asset
from engine.exchange.bars import MINUTE_NS, Bar
from engine.exchange.session import TradingDay, midnight_ns, trading_days

FIRST_DAY: Final = date(2024, 6, 3)
MARKET_DAILY_VOL: Final = 0.0095
MINUTES_PER_DAY: Final = 390
_ALPHA, _BETA = 0.06, 0.90
_DEGREES: Final = 5.0
_UNIT_T: Final = (_DEGREES - 2) ** 0.5 / _DEGREES**0.5
"""Scales a Student-t variate of 5 degrees to unit variance."""

Floats = NDArray[np.float64]


class Factors:
    """Loadings of each asset on the sources of its returns, in daily standard deviations.

    ``loadings`` is ``float64[sources, assets]``; the sources are the market, the sectors, and one for each asset. The
    squares of a column sum to the asset's daily variance.
    """

    def __init__(self, assets: Sequence[Asset]) -> None:
        count = len(assets)
        self.sources = 1 + len(SECTORS) + count
        self.loadings: Floats = np.zeros((self.sources, count))
        for i, asset in enumerate(assets):
            market = asset.beta * MARKET_DAILY_VOL
            rest = max(asset.daily_vol**2 - market**2, (0.2 * asset.daily_vol) ** 2)
            self.loadings[0, i] = market
            self.loadings[1 + SECTORS.index(asset.sector), i] = (0.35 * rest) ** 0.5
            self.loadings[1 + len(SECTORS) + i, i] = (0.65 * rest) ** 0.5

    def returns(self, shocks: Floats) -> Floats:
        """Log returns ``float64[n, assets]`` of unit shocks ``float64[n, sources]``."""
        return np.asarray(shocks @ self.loadings, dtype=np.float64)


def unit_shocks(rng: np.random.Generator, steps: int, sources: int) -> Floats:
    """Independent Student-t shocks of unit variance, ``float64[steps, sources]``."""
    return rng.standard_t(_DEGREES, (steps, sources)) * _UNIT_T


class DailyBars(dict[str, list[Bar]]):
    """Symbol -> its bars of every trading day up to ``last_day``, ending at its last close. Made when first asked for.

    The numbers of all are drawn at once, since they share the market's shocks; most symbols are never looked at.
    """

    def __init__(self, assets: Sequence[Asset], seed: int, last_day: date, last_closes: Sequence[float]) -> None:
        days = [day.day for day in trading_days(FIRST_DAY, last_day)]
        factors = Factors(assets)
        rng = np.random.Generator(np.random.Philox(key=seed ^ 0xDA11))
        shocks = unit_shocks(rng, len(days), factors.sources)
        noise = np.random.Generator(np.random.Philox(key=seed ^ 0xBA5)).random((len(days), 4, len(assets)))
        variance = np.ones(factors.sources)
        for row in shocks:
            row *= np.sqrt(variance)
            variance = (1 - _ALPHA - _BETA) + _ALPHA * row**2 + _BETA * variance
        returns = factors.returns(shocks)
        vols = np.array([asset.daily_vol for asset in assets])
        gap = 0.35 * returns + 0.10 * vols * (noise[:, 0] - 0.5)
        reach = vols * (0.12 + 0.55 * noise[:, 1:3])
        self._closes = _levels(returns, last_closes)
        self._opens = self._closes * np.exp(gap - returns)
        self._highs = np.maximum(self._opens, self._closes) * np.exp(reach[:, 0])
        self._lows = np.minimum(self._opens, self._closes) * np.exp(-reach[:, 1])
        self._busy = 0.55 + 0.5 * noise[:, 3] + 0.35 * np.abs(returns) / vols
        self._starts = [midnight_ns(day) for day in days]
        self._assets = {asset.symbol: (column, asset) for column, asset in enumerate(assets)}
        self._since: dict[str, list[Bar]] = {}
        """Days that have ended since, of symbols that nobody has asked for."""

    def add(self, symbol: str, bar: Bar) -> None:
        """Another day is over."""
        bars = self[symbol] if symbol in self else self._since.setdefault(symbol, [])
        bars.append(bar)

    def __missing__(self, symbol: str) -> list[Bar]:
        column, asset = self._assets[symbol]
        rows = zip(
            self._starts,
            self._opens[:, column],
            self._highs[:, column],
            self._lows[:, column],
            self._closes[:, column],
            asset.adv * self._busy[:, column],
            strict=True,
        )
        bars = self[symbol] = [*(_bar(*row) for row in rows), *self._since.pop(symbol, ())]
        return bars


def minute_bars(
    assets: Sequence[Asset], seed: int, last_prices: Sequence[float], end_ns: int, count: int
) -> list[list[Bar]]:
    """``count`` one-minute bars an asset before ``end_ns``, ending at ``last_prices``."""
    factors = Factors(assets)
    rng = np.random.Generator(np.random.Philox(key=seed ^ 0x317))
    shocks = unit_shocks(rng, count, factors.sources)
    noise = rng.random((count, 3, len(assets)))
    variance = np.ones(factors.sources)
    for row in shocks:
        row *= np.sqrt(variance)
        variance = 0.02 + 0.10 * row**2 + 0.88 * variance
    returns = factors.returns(shocks) / MINUTES_PER_DAY**0.5
    closes = _levels(returns, last_prices)
    opens = closes * np.exp(-returns)
    reach = np.array([asset.daily_vol for asset in assets]) / MINUTES_PER_DAY**0.5 * noise[:, :2] * 0.6
    highs = np.maximum(opens, closes) * np.exp(reach[:, 0])
    lows = np.minimum(opens, closes) * np.exp(-reach[:, 1])
    first_ns = end_ns - end_ns % MINUTE_NS - count * MINUTE_NS
    return [
        [
            _bar(
                first_ns + k * MINUTE_NS, opens[k, i], highs[k, i], lows[k, i], closes[k, i],
                asset.adv / MINUTES_PER_DAY * (0.4 + 1.2 * noise[k, 2, i]),
            )
            for k in range(count)
        ]
        for i, asset in enumerate(assets)
    ]  # fmt: skip


def minutes_of(asset: Asset, seed: int, daily: Bar, session: TradingDay) -> list[Bar]:
    """The one-minute bars of a day that is over: they make its daily bar, open to close, high and low included.

    A bridge between the day's first and last price, stretched into its range; busier at both ends.
    """
    count = int((session.closes - session.opens) / timedelta(minutes=1))
    rng = np.random.Generator(np.random.Philox(key=(seed << 32) ^ (daily.start_ns // 1_000_000_000) ^ hash_of(asset)))
    steps = np.cumsum(rng.standard_normal(count))
    share = np.arange(1, count + 1) / count
    wander = steps - share * steps[-1]
    straight = daily.open + (daily.close - daily.open) * share
    span = max(float(np.ptp(wander)), 1e-9)
    closes = np.clip(straight + wander / span * (daily.high - daily.low) * 0.8, daily.low, daily.high)
    closes[-1] = daily.close
    opens = np.concatenate(([daily.open], closes[:-1]))
    reach = rng.random((2, count)) * (daily.high - daily.low) * 0.02
    highs = np.minimum(np.maximum(opens, closes) + reach[0], daily.high)
    lows = np.maximum(np.minimum(opens, closes) - reach[1], daily.low)
    highs[int(np.argmax(highs))] = daily.high
    lows[int(np.argmin(lows))] = daily.low
    busy = 0.5 + 2.0 * (share - 0.5) ** 2 + 0.4 * rng.random(count)
    volumes = daily.volume * busy / float(busy.sum())
    first_ns = int(session.opens.timestamp()) * 1_000_000_000
    return [_bar(first_ns + k * MINUTE_NS, opens[k], highs[k], lows[k], closes[k], volumes[k]) for k in range(count)]


def hash_of(asset: Asset) -> int:
    """The same in every process."""
    return crc32(asset.symbol.encode())


def _levels(returns: Floats, last: Sequence[float]) -> Floats:
    """Closes that end at ``last``: each is the last one less all returns that came after it."""
    after = np.cumsum(returns[::-1], axis=0)[::-1] - returns
    return np.asarray(np.array(last) * np.exp(-after), dtype=np.float64)


def _bar(start_ns: int, first: float, high: float, low: float, last: float, volume: float) -> Bar:
    digits = 2 if last >= 1 else 4
    opened, closed = round(float(first), digits), round(float(last), digits)
    top, bottom = max(round(float(high), digits), opened, closed), min(round(float(low), digits), opened, closed)
    shares = round(float(volume), 4) if volume < 100 else float(int(volume))
    vwap = round((opened + closed + top + bottom) / 4, 6)
    return Bar(start_ns, opened, top, bottom, closed, shares, max(1, int(shares / 90)), vwap)
