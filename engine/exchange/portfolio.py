"""Portfolio history: the account's equity over time, from the minutes the exchange has noted.

Before the account existed there is nothing; the series starts with its first minute.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from engine.exchange.core import Exchange
from engine.exchange.errors import malformed
from engine.exchange.session import NEW_YORK

_SECONDS: Final = {"D": 86_400, "W": 7 * 86_400, "M": 30 * 86_400, "A": 365 * 86_400}
_FRAMES: Final = {"1Min": 60, "5Min": 300, "15Min": 900, "1H": 3600, "1D": 86_400}
_PERIOD: Final = re.compile(r"(\d{1,4})([DWMA])")


def history(exchange: Exchange, query: dict[str, str]) -> dict[str, Any]:
    """The PortfolioHistory schema. Profit counts from the first point of the period."""
    match = _PERIOD.fullmatch(query.get("period") or "1M")
    if match is None:
        raise malformed("invalid period")
    span = int(match[1]) * _SECONDS[match[2]]
    frame = query.get("timeframe") or ("1Min" if span < 7 * 86_400 else "15Min" if span < 30 * 86_400 else "1D")
    if frame not in _FRAMES:
        raise malformed("invalid timeframe")
    if span > 30 * 86_400 and frame != "1D":
        raise malformed("only 1D timeframe is allowed for periods longer than 30 days")
    now = int(exchange.floor.now().timestamp())
    points: dict[int, float] = {}
    for minute, value in exchange.store.load_equity(now - span, now):
        points[_bucket(minute, _FRAMES[frame])] = value
    points[_bucket(now, _FRAMES[frame])] = float(exchange.floor.account.equity)
    stamps, equity = list(points), [round(value, 2) for value in points.values()]
    base = float(exchange.floor.account.state.last_equity) if span <= 86_400 else equity[0]
    gains = [round(value - base, 2) for value in equity]
    return {
        "timestamp": stamps,
        "equity": equity,
        "profit_loss": gains,
        "profit_loss_pct": [round(gain / base, 6) if base else 0.0 for gain in gains],
        "base_value": base,
        "timeframe": frame,
    }


def _bucket(seconds: int, width: int) -> int:
    """The left edge of a point: days start at midnight in New York."""
    if width < 86_400:
        return seconds - seconds % width
    local = datetime.fromtimestamp(seconds, UTC).astimezone(NEW_YORK)
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
