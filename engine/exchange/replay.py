"""Real bars as the source of prices: a CSV of one-minute bars, played at any speed.

The file has a header ``symbol,timestamp,open,high,low,close,volume`` or, as Alpaca's answers have it, ``S,t,o,h,l,c,v``
(any order, more columns such as ``trade_count`` and ``vwap`` are ignored), times in RFC 3339. Inside a minute the price
runs from open over the nearer extreme to the other one and to the close, which is the shortest path that touches all
four. Before its first bar a symbol stands at its open, after the last at its close.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from datetime import UTC, datetime
from pathlib import Path

from engine.exchange.assets import BY_SYMBOL

_COLUMNS = ("symbol", "timestamp", "open", "high", "low", "close", "volume")
_SHORT = {"S": "symbol", "t": "timestamp", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
_MINUTE_S = 60.0

_Bar = tuple[float, float, float, float, float, float]
"""Start in seconds since the first bar of the file, open, high, low, close, volume."""


class ReplayError(ValueError):
    """A file that can't be played; the message names file, line and what is wrong."""


class Tape:
    """Prices of the symbols in a file as functions of the seconds since its first bar."""

    def __init__(self, bars: dict[str, list[_Bar]]) -> None:
        self._bars = bars
        self._starts = {symbol: [bar[0] for bar in series] for symbol, series in bars.items()}

    @classmethod
    def load(cls, path: Path) -> Tape:
        """Reads a file. Raises ``ReplayError``."""
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = csv.DictReader(file)
                rows.fieldnames = [_SHORT.get(name, name) for name in rows.fieldnames or ()]
                missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
                if missing:
                    raise ReplayError(f"{path} has no column {', '.join(missing)}")
                found = [(row["symbol"].upper(), *_values(row, path, rows.line_num)) for row in rows]
        except OSError as error:
            raise ReplayError(f"cannot read {path}: {error.strerror}") from error
        if not found:
            raise ReplayError(f"{path} has no bars")
        first = min(row[1] for row in found)
        bars: dict[str, list[_Bar]] = {}
        for symbol, at, opened, high, low, close, volume in sorted(found):
            if symbol not in BY_SYMBOL:
                raise ReplayError(f"{path} has {symbol}, which is not listed here")
            bars.setdefault(symbol, []).append((at - first, opened, high, low, close, volume))
        return cls(bars)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self._bars)

    def price(self, symbol: str, at_s: float) -> float:
        """The price at a time of the tape."""
        bar = self._bar(symbol, at_s)
        start, opened, high, low, close, _ = bar
        done = min(max((at_s - start) / _MINUTE_S, 0.0), 1.0)
        stops = (opened, low, high, close) if close >= opened else (opened, high, low, close)
        leg = min(int(done * 3), 2)
        share = done * 3 - leg
        return stops[leg] + (stops[leg + 1] - stops[leg]) * share

    def volume_per_s(self, symbol: str, at_s: float) -> float:
        """Shares traded in a second of the tape's minute."""
        return self._bar(symbol, at_s)[5] / _MINUTE_S

    def _bar(self, symbol: str, at_s: float) -> _Bar:
        series = self._bars[symbol]
        return series[max(bisect_right(self._starts[symbol], at_s) - 1, 0)]


def _values(row: dict[str, str], path: Path, line: int) -> _Bar:
    try:
        at = datetime.fromisoformat(row["timestamp"])
        opened, high, low, close, volume = (float(row[name]) for name in _COLUMNS[2:])
    except (ValueError, TypeError) as error:
        raise ReplayError(f"{path}, line {line}: {error}") from None
    if not (0 < low <= min(opened, close) <= max(opened, close) <= high < float("inf")) or not volume >= 0:
        raise ReplayError(f"{path}, line {line}: the prices of this bar contradict each other")
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return (at.timestamp(), opened, high, low, close, volume)
