"""Naked share-seconds of each trading day: uncovered shares times the seconds they stood so, over all trades.

The day is New York's. Folded with the book from the same facts, so it survives restarts; spans that run over midnight
are split, and what still runs is added by the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")
KEPT_DAYS: Final = 40


def add_span(days: dict[str, float], began: datetime | None, ended: datetime, shares: Decimal) -> None:
    """``shares`` stood uncovered from ``began`` to ``ended``; ``days`` maps ISO dates to share-seconds."""
    if began is None or shares <= 0:
        return
    for day, seconds in _by_day(began, ended):
        days[day] = days.get(day, 0.0) + seconds * float(shares)
    while len(days) > KEPT_DAYS:
        del days[min(days)]


def of_day(days: dict[str, float], now: datetime) -> float:
    """Of the day of ``now``, finished spans only."""
    return days.get(now.astimezone(NEW_YORK).date().isoformat(), 0.0)


def running_today(began: datetime | None, now: datetime, shares: Decimal) -> float:
    """Share-seconds of a span that still runs, as far as they belong to the day of ``now``."""
    if began is None or shares <= 0:
        return 0.0
    midnight = datetime.combine(now.astimezone(NEW_YORK).date(), time(), NEW_YORK)
    return max(0.0, (now - max(began, midnight)).total_seconds()) * float(shares)


def _by_day(began: datetime, ended: datetime) -> Iterator[tuple[str, float]]:
    while began < ended:
        day = began.astimezone(NEW_YORK).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), NEW_YORK)
        end = min(ended, midnight.astimezone(ended.tzinfo))
        yield day.isoformat(), (end - began).total_seconds()
        began = end
