"""What the gate asks of the daily bars, computed once for each series: correlations, betas, range and volume.

The rolling matrix is kept as rows, symbol by symbol. When a series changes, what it took part in is computed anew and
nothing else; many symbols that traded on the same days are computed in one go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clock import Clock
from engine.market.daily import DailyBars
from engine.market.day import (
    MIN_SHARED,
    RETURNS,
    Series,
    average_true_range,
    average_volume,
    beta,
    correlation,
    log_returns,
)

MARKET: Final = "SPY"
"""What beta is measured against."""
PLACES: Final = Decimal("0.0001")

type Row = dict[str, float | None]


class Statistics:
    def __init__(self, daily: DailyBars, clock: Clock) -> None:
        self._daily = daily
        self._clock = clock
        self._version = -1
        self._seen: dict[str, Series] = {}
        self._rows: defaultdict[str, Row] = defaultdict(dict)
        self._betas: dict[str, Decimal | None] = {}
        self._ranges: dict[str, Decimal | None] = {}
        self._volumes: dict[str, Decimal | None] = {}

    async def ensure(self, symbols: Collection[str]) -> None:
        """Everything the gate may ask about these symbols, fetched in one batch and computed."""
        await self._daily.ensure({*symbols, MARKET})
        self._forget_changed()
        for days, group in _by_days(self._daily, symbols).items():
            await self._compute(days, group)

    def correlations(self, symbol: str, others: Iterable[str]) -> Mapping[str, float | None]:
        """Of ``symbol`` with all others that are known, among them ``others``; None: too little shared history."""
        self._forget_changed()
        row = self._rows[symbol]
        for other in others:
            if other not in row and self._daily.is_known(symbol) and self._daily.is_known(other):
                self._put(symbol, other, correlation(self._daily.series(symbol), self._daily.series(other)))
        return row

    def betas(self, symbols: Iterable[str]) -> Mapping[str, Decimal | None]:
        """Against the market; None: too little history."""
        self._forget_changed()
        for symbol in symbols:
            if symbol not in self._betas and self._daily.is_known(symbol) and self._daily.is_known(MARKET):
                self._betas[symbol] = _rounded(beta(self._daily.series(symbol), self._daily.series(MARKET)))
        return self._betas

    def average_true_range(self, symbol: str) -> Decimal | None:
        """In quote currency."""
        self._forget_changed()
        if symbol not in self._ranges:
            self._ranges[symbol] = _rounded(average_true_range(self._daily.series(symbol)))
        return self._ranges[symbol]

    def average_volume(self, symbol: str) -> Decimal | None:
        """In shares a day."""
        self._forget_changed()
        if symbol not in self._volumes:
            found = average_volume(self._daily.series(symbol))
            self._volumes[symbol] = None if found is None else Decimal(round(found))
        return self._volumes[symbol]

    def _forget_changed(self) -> None:
        """Incremental: of the matrix only the rows and columns of series that changed are dropped."""
        if self._version == self._daily.version:
            return
        self._version = self._daily.version
        changed = {s for s in self._daily.symbols() if self._daily.series(s) is not self._seen.get(s)}
        for symbol in changed:
            self._seen[symbol] = self._daily.series(symbol)
            for other in self._rows.pop(symbol, {}):
                self._rows[other].pop(symbol, None)
            for known in (self._betas, self._ranges, self._volumes):
                known.pop(symbol, None)
        if MARKET in changed:
            self._betas.clear()

    async def _compute(self, days: tuple[date, ...], group: list[str]) -> None:
        """The part of the matrix in which all traded on the same days, at once."""
        wanted = set(group)
        if len(days) < MIN_SHARED + 1 or all(wanted - {symbol} <= self._rows[symbol].keys() for symbol in group):
            return
        version = self._version
        newest = days[-(RETURNS + 1) :]
        closes = [[day.close for day in self._daily.series(symbol)[-len(newest) :]] for symbol in group]
        moved = [symbol for symbol, prices in zip(group, closes, strict=True) if len(set(prices)) > 1]
        returns = [log_returns(prices) for prices in closes if len(set(prices)) > 1]
        if len(moved) < 2:
            return
        matrix: NDArray[np.float64] = np.asarray(np.corrcoef(np.array(returns)))
        for at, symbol in enumerate(moved):
            for other, rho in zip(moved[at + 1 :], matrix[at, at + 1 :].tolist(), strict=True):
                self._put(symbol, other, rho)
            await self._clock.sleep(0)
            if version != self._daily.version:
                return  # bars came in meanwhile: what is missing is computed when it is asked for

    def _put(self, symbol: str, other: str, rho: float | None) -> None:
        self._rows[symbol][other] = rho
        self._rows[other][symbol] = rho


def _rounded(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(PLACES)


def _by_days(daily: DailyBars, symbols: Iterable[str]) -> dict[tuple[date, ...], list[str]]:
    groups: defaultdict[tuple[date, ...], list[str]] = defaultdict(list)
    for symbol in symbols:
        if daily.is_known(symbol):
            groups[tuple(day.day for day in daily.series(symbol))].append(symbol)
    return groups
