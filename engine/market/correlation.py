"""Correlation of daily log returns, from bars fetched in one batch and kept for the day."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.alpaca.calls import Answer
from engine.alpaca.client import AlpacaClient
from engine.alpaca.retry import reads
from engine.alpaca.wire import Bar, Rows
from engine.clock import Clock
from engine.errors import BrokerError

log = logging.getLogger(__name__)

RETURNS: Final = 60
MIN_SHARED: Final = 30
CALENDAR_DAYS: Final = 100
"""Enough calendar days to hold 61 trading days."""


class Correlations:
    def __init__(self, client: AlpacaClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._closes: dict[str, dict[date, float]] = {}
        self._day: date | None = None
        self._cache: dict[tuple[str, str], float | None] = {}

    def missing(self, symbols: Collection[str]) -> list[str]:
        """Symbols whose bars of today's look-back have not been fetched."""
        if self._day != self._clock.now().date():
            return list(symbols)
        return [symbol for symbol in symbols if symbol not in self._closes]

    async def ensure(self, symbols: Collection[str]) -> None:
        """Fetch what is missing, in one batch. A broker that cannot be reached leaves the gap, which the gate shows."""
        missing = self.missing(symbols)
        if not missing:
            return
        now = self._clock.now()
        if self._day != now.date():
            self._closes.clear()
            self._cache.clear()
            self._day = now.date()
        start = datetime(now.year, now.month, now.day, tzinfo=now.tzinfo) - timedelta(days=CALENDAR_DAYS)
        try:
            answer: Answer[dict[str, Rows[Bar]]] = await reads(self._clock)(self._client.daily_bars, missing, start)
        except BrokerError as lost:
            log.info("daily bars of %s: %s", ", ".join(missing), lost)
            return
        for symbol in missing:
            rows = answer.value.get(symbol)
            # A symbol without bars is remembered as empty: the answer will not change today.
            bars = rows.items if rows is not None else ()
            self._closes[symbol] = {bar.at.date(): float(bar.close) for bar in bars if bar.close > 0}

    def of(self, symbol: str, other: str) -> float | None:
        """Pearson correlation over the shared days, None with fewer than 30 returns in common."""
        key = (symbol, other) if symbol < other else (other, symbol)
        if key not in self._cache:
            first, second = self._closes.get(key[0]), self._closes.get(key[1])
            if first is None or second is None:
                return None  # not fetched yet: nothing to remember
            self._cache[key] = correlation(first, second)
        return self._cache[key]


def correlation(first: dict[date, float], second: dict[date, float]) -> float | None:
    """Of the newest 60 daily log returns that both have; None with fewer than 30."""
    shared = sorted(first.keys() & second.keys())[-(RETURNS + 1) :]
    if len(shared) < MIN_SHARED + 1:
        return None
    a, b = (_log_returns(series, shared) for series in (first, second))
    if a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _log_returns(series: dict[date, float], days: list[date]) -> NDArray[np.float64]:
    return np.diff(np.log(np.array([series[day] for day in days], dtype=np.float64)))
