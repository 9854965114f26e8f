"""Bars: building minutes from trades, and folding them into longer ones.

A bar is a tuple ``(start_ns, open, high, low, close, volume, trades, vwap)``; ``as_json`` gives it Alpaca's names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from engine.exchange.errors import bad_request
from engine.exchange.session import NEW_YORK, midnight_ns

MINUTE_NS: Final = 60_000_000_000


class Bar(NamedTuple):
    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int
    vwap: float


class MinuteBuilder:
    """The minute that is being traded, for one symbol."""

    __slots__ = ("_close", "_high", "_low", "_open", "_start_ns", "_trades", "_value", "_volume")

    def __init__(self) -> None:
        self._start_ns = -1
        self._clear(0.0)

    def _clear(self, price: float) -> None:
        self._open = self._high = self._low = self._close = price
        self._volume = self._value = 0.0
        self._trades = 0

    def add(self, at_ns: int, price: float, size: float) -> Bar | None:
        """Takes a trade; returns the finished bar when the trade opens a new minute."""
        start_ns = at_ns - at_ns % MINUTE_NS
        finished = None
        if start_ns != self._start_ns:
            finished = self.current()
            self._start_ns = start_ns
            self._clear(price)
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        self._volume += size
        self._value += price * size
        self._trades += 1
        return finished

    def finish(self, now_ns: int) -> Bar | None:
        """The bar of a minute that is over although no later trade has come."""
        if self._start_ns < 0 or now_ns - self._start_ns < MINUTE_NS:
            return None
        finished = self.current()
        self._start_ns = -1
        self._clear(self._close)
        return finished

    def current(self) -> Bar | None:
        if self._start_ns < 0 or not self._trades:
            return None
        vwap = round(self._value / self._volume, 6) if self._volume else self._close
        return Bar(
            self._start_ns, self._open, self._high, self._low, self._close, round(self._volume, 9), self._trades, vwap
        )


_TIMEFRAME: Final = re.compile(r"(\d{1,4})(Min|T|Hour|H|Day|D|Week|W|Month|M)")
_UNITS: Final = {"T": "Min", "H": "Hour", "D": "Day", "W": "Week", "M": "Month"}
_LIMITS: Final = {"Min": 59, "Hour": 23, "Day": 1, "Week": 1, "Month": 12}


def parse_timeframe(text: str) -> tuple[int, str]:
    """``"5Min"`` → ``(5, "Min")``; units Min, Hour, Day, Week, Month, and Alpaca's short forms of them."""
    match = _TIMEFRAME.fullmatch(text)
    if match is None:
        raise bad_request(f"invalid timeframe: {text}")
    unit = _UNITS.get(match[2], match[2])
    count = int(match[1])
    if not 1 <= count <= _LIMITS[unit]:
        raise bad_request(f"invalid timeframe: {text}")
    return count, unit


def _bucket_ns(start_ns: int, count: int, unit: str) -> int:
    if unit in {"Min", "Hour"}:
        width = count * MINUTE_NS * (60 if unit == "Hour" else 1)
        return start_ns - start_ns % width
    day: date = datetime.fromtimestamp(start_ns // 1_000_000_000, UTC).astimezone(NEW_YORK).date()
    if unit == "Week":
        day -= timedelta(days=day.weekday())
    elif unit == "Month":
        day = day.replace(day=1, month=day.month - (day.month - 1) % count)
    return midnight_ns(day)


def merge(first: Bar, second: Bar) -> Bar:
    """One bar of two that follow each other, with the start of the first."""
    volume = first.volume + second.volume
    return Bar(
        first.start_ns,
        first.open,
        max(first.high, second.high),
        min(first.low, second.low),
        second.close,
        volume,
        first.trades + second.trades,
        round((first.vwap * first.volume + second.vwap * second.volume) / volume, 6) if volume else second.vwap,
    )


def fold(bars: Iterable[Bar], count: int, unit: str) -> list[Bar]:
    """Bars of a longer timeframe, oldest first, from bars that divide it."""
    folded: list[Bar] = []
    for bar in bars:
        start_ns = _bucket_ns(bar.start_ns, count, unit)
        if folded and folded[-1].start_ns == start_ns:
            folded[-1] = merge(folded[-1], bar)
        else:
            folded.append(bar._replace(start_ns=start_ns))
    return folded
