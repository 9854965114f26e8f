"""Daily bars of the symbols in play: fetched in one batch, kept for the day and on disk, completed by what is missing.

Only finished days are kept, so a symbol is asked for once a day, and then only for the days since its last one. A split
or a dividend moves the prices of the past; the last known day is asked for again with the new ones and shows that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.alpaca.calls import Answer
from engine.alpaca.client import AlpacaClient
from engine.alpaca.market_data import MAX_SYMBOLS
from engine.alpaca.retry import reads
from engine.alpaca.wire import Bar, Rows
from engine.clock import Clock
from engine.errors import BrokerError
from engine.market.daily_file import DailyFile, Kept
from engine.market.day import Day, Series

log = logging.getLogger(__name__)

CALENDAR_DAYS: Final = 100
"""Enough calendar days to hold 61 trading days."""
SAME_PRICE: Final = 1e-4
"""A close that differs by more than this part of it was adjusted."""
SECOND: Final = timedelta(seconds=1)
NEW_YORK: Final = ZoneInfo("America/New_York")


class DailyBars:
    def __init__(self, client: AlpacaClient, clock: Clock, file: DailyFile | None = None) -> None:
        """Without a ``file`` they are kept in memory only."""
        self._client = client
        self._clock = clock
        self._file = file
        self._is_read = file is None
        self._series: dict[str, tuple[Day, ...]] = {}
        self._asked_on: dict[str, date] = {}
        """Symbol -> New York date on which it was last asked for; also of those that have no bars."""
        self._one_at_a_time = asyncio.Lock()
        self.version = 0
        """Grows whenever a series changes: what was computed from older ones is out of date."""

    def series(self, symbol: str) -> Series:
        """Finished days, oldest first; empty when nothing is known."""
        return self._series.get(symbol, ())

    def symbols(self) -> Collection[str]:
        """All that were ever asked for."""
        return self._series.keys()

    def is_known(self, symbol: str) -> bool:
        """It was asked for today, with whatever result."""
        return self._asked_on.get(symbol) == self._today()

    def missing(self, symbols: Iterable[str]) -> list[str]:
        """Crypto has bars of another kind, which are not asked for: one such name would spoil the whole batch."""
        today = self._today()
        return sorted({s for s in symbols if self._asked_on.get(s) != today and "/" not in s})

    async def ensure(self, symbols: Collection[str]) -> None:
        """Fetch what is missing. A broker that cannot be reached leaves the gap, which the gate shows."""
        if not self.missing(symbols):
            return
        async with self._one_at_a_time:
            await self._read_file()
            missing = self.missing(symbols)
            for first in range(0, len(missing), MAX_SYMBOLS):
                await self._fetch(missing[first : first + MAX_SYMBOLS])
            if missing and self._file is not None:
                await self._file.write(Kept(asked_on=dict(self._asked_on), series=dict(self._series)))

    async def _read_file(self) -> None:
        if self._is_read or self._file is None:
            return
        self._is_read = True
        kept = await self._file.read()
        oldest = self._oldest()
        for symbol, series in kept.series.items():
            if series and series[-1].day >= oldest:
                self._series[symbol] = series
                self._asked_on[symbol] = kept.asked_on[symbol]
        self.version += 1

    async def _fetch(self, missing: list[str]) -> None:
        new = [symbol for symbol in missing if not self.series(symbol)]
        behind = [symbol for symbol in missing if self.series(symbol)]
        adjusted: list[str] = []
        if behind:
            last_known = min(self.series(symbol)[-1].day for symbol in behind)
            found = await self._bars(behind, last_known)
            if found is not None:
                adjusted = [symbol for symbol in behind if self._was_adjusted(symbol, found.get(symbol, ()))]
                for symbol in set(behind) - set(adjusted):
                    self._put(symbol, _joined(self.series(symbol), found.get(symbol, ())))
        anew = sorted({*new, *adjusted})
        if anew:
            whole = await self._bars(anew, self._oldest())
            for symbol in anew if whole is not None else ():
                assert whole is not None
                self._put(symbol, whole.get(symbol, ()))

    async def _bars(self, symbols: list[str], since: date) -> dict[str, tuple[Day, ...]] | None:
        """One request for all of them (more only where a page does not hold it); None when it failed."""
        start = datetime.combine(since, time(), NEW_YORK)
        end = datetime.combine(self._today(), time(), NEW_YORK) - SECOND
        try:
            answer: Answer[dict[str, Rows[Bar]]] = await reads(self._clock)(
                self._client.daily_bars, symbols, start, end
            )
        except BrokerError as lost:
            log.info("daily bars of %s: %s", ", ".join(symbols), lost)
            return None
        return {symbol: self._days(rows) for symbol, rows in answer.value.items()}

    def _days(self, rows: Rows[Bar]) -> tuple[Day, ...]:
        today = self._today()
        days = (
            Day(bar.at.astimezone(NEW_YORK).date(), *map(float, (bar.high, bar.low, bar.close, bar.volume)))
            for bar in rows.items
            if bar.close > 0
        )
        return tuple(day for day in days if day.day < today)

    def _was_adjusted(self, symbol: str, found: Series) -> bool:
        last = self.series(symbol)[-1]
        again = next((day for day in found if day.day == last.day), None)
        return again is None or abs(again.close - last.close) > SAME_PRICE * last.close

    def _put(self, symbol: str, series: Series) -> None:
        oldest = self._oldest()
        self._series[symbol] = tuple(day for day in series if day.day >= oldest)
        # A symbol without bars is remembered as empty: the answer will not change today.
        self._asked_on[symbol] = self._today()
        self.version += 1

    def _today(self) -> date:
        return self._clock.now().astimezone(NEW_YORK).date()

    def _oldest(self) -> date:
        return self._today() - timedelta(days=CALENDAR_DAYS)


def _joined(known: Series, found: Series) -> tuple[Day, ...]:
    last = known[-1].day
    return (*known, *(day for day in found if day.day > last))
