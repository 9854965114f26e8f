"""Trading hours: the NYSE calendar by rule, and the exchange's own session, real or always open.

The calendar is computed from the exchange's published rules instead of read from a package: it answers in microseconds,
imports nothing, and a test holds it against ``exchange_calendars``. Valid from 2012 on.

Source: nyse.com/markets/hours-calendars; NYSE rule 7.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")
OPENING_CUTOFF: Final = timedelta(minutes=2)
CLOSING_CUTOFF: Final = timedelta(minutes=10)
"""So long before its auction an on-open (on-close) order is taken for the last time."""
_AUCTIONS_REOPEN: Final = time(19)
OPEN_SESSION: Final = timedelta(hours=6, minutes=30)
"""Length of a day of the always-open session: the same as a real one, so that intraday patterns fit."""

_UNSCHEDULED_CLOSINGS: Final = frozenset(
    {date(2012, 10, 29), date(2012, 10, 30), date(2018, 12, 5), date(2025, 1, 9)}  # two hurricane days, two mournings
)

Phase = Literal["closed", "pre", "core", "post"]


@dataclass(frozen=True, slots=True)
class TradingDay:
    """One day's hours, aware, in New York time."""

    day: date
    opens: datetime
    closes: datetime

    @property
    def pre_opens(self) -> datetime:
        return datetime.combine(self.day, time(4), NEW_YORK)

    @property
    def post_closes(self) -> datetime:
        """Four hours after the core close, early closes included."""
        return self.closes + timedelta(hours=4)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _easter(year: int) -> date:
    """Western Easter by the anonymous Gregorian computus."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


@cache
def _holidays(year: int) -> frozenset[date]:
    days = {
        _nth_weekday(year, 1, 0, 3),  # Martin Luther King
        _nth_weekday(year, 2, 0, 3),  # Washington
        _easter(year) - timedelta(days=2),
        _last_monday_of_may(year),
        _nth_weekday(year, 9, 0, 1),  # Labor Day
        _nth_weekday(year, 11, 3, 4),  # Thanksgiving
    }
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 12, 25)]
    if year >= 2022:
        fixed.append(date(year, 6, 19))
    for holiday in fixed:
        if holiday.weekday() == 6:
            days.add(holiday + timedelta(days=1))
        elif holiday.weekday() == 5:
            # Saturday holidays move to Friday, except New Year's, which would fall into the old accounting year.
            if holiday.month != 1:
                days.add(holiday - timedelta(days=1))
        else:
            days.add(holiday)
    return frozenset(days) | _UNSCHEDULED_CLOSINGS


def is_trading_day(day: date) -> bool:
    return day.weekday() < 5 and day not in _holidays(day.year)


def _closes_early(day: date) -> bool:
    """13:00 on the day after Thanksgiving, on Christmas Eve, and before Independence Day."""
    if (day.month, day.day) == (12, 24):
        return True
    if day == _nth_weekday(day.year, 11, 3, 4) + timedelta(days=1):
        return True
    return (day.month, day.day) == (7, 3) and is_trading_day(day + timedelta(days=1)) is False and day.weekday() < 4


def trading_day(day: date) -> TradingDay | None:
    """The hours of a day, or None when the exchange is closed on it."""
    if not is_trading_day(day):
        return None
    closes = time(13) if _closes_early(day) else time(16)
    return TradingDay(day, datetime.combine(day, time(9, 30), NEW_YORK), datetime.combine(day, closes, NEW_YORK))


def trading_days(first: date, last: date) -> Iterator[TradingDay]:
    """Every trading day from ``first`` to ``last``, both included."""
    day = first
    while day <= last:
        hours = trading_day(day)
        if hours is not None:
            yield hours
        day += timedelta(days=1)


def next_trading_day(day: date) -> TradingDay:
    """The first trading day after ``day``."""
    while True:
        day += timedelta(days=1)
        hours = trading_day(day)
        if hours is not None:
            return hours


class Session(Protocol):
    """What the matching, the clock endpoint and the prices ask."""

    def phase(self, now: datetime) -> Phase: ...

    def day(self, now: datetime) -> TradingDay:
        """The trading day that is on, or the next one."""
        ...

    def closing_day(self, now: datetime) -> TradingDay:
        """The trading day whose core close comes next."""
        ...

    def is_opening_shut(self, now: datetime) -> bool:
        """Whether it is too late for today's opening auction and too early for the next one."""
        ...

    def is_closing_shut(self, now: datetime) -> bool:
        """The same of the closing auction."""
        ...

    def next_open(self, now: datetime) -> datetime: ...

    def next_close(self, now: datetime) -> datetime: ...


class RealSession:
    """Hours of the New York Stock Exchange."""

    def day(self, now: datetime) -> TradingDay:
        local = now.astimezone(NEW_YORK)
        today = trading_day(local.date())
        if today is not None and now < today.post_closes:
            return today
        return next_trading_day(local.date())

    def phase(self, now: datetime) -> Phase:
        day = self.day(now)
        if now < day.pre_opens:
            return "closed"
        if now < day.opens:
            return "pre"
        return "core" if now < day.closes else "post"

    def closing_day(self, now: datetime) -> TradingDay:
        day = self.day(now)
        return day if now < day.closes else next_trading_day(day.day)

    def is_opening_shut(self, now: datetime) -> bool:
        today = trading_day(now.astimezone(NEW_YORK).date())
        return today is not None and today.opens - OPENING_CUTOFF <= now < _reopening(today)

    def is_closing_shut(self, now: datetime) -> bool:
        today = trading_day(now.astimezone(NEW_YORK).date())
        return today is not None and today.closes - CLOSING_CUTOFF <= now < _reopening(today)

    def next_open(self, now: datetime) -> datetime:
        day = self.day(now)
        return day.opens if now < day.opens else next_trading_day(day.day).opens

    def next_close(self, now: datetime) -> datetime:
        return self.closing_day(now).closes


class OpenSession:
    """Core hours from the moment of the start, whatever the wall clock says.

    A day lasts as long as a real one; at its end the day orders expire and the next day begins at once.
    """

    def __init__(self, started_at: datetime) -> None:
        self._started_at = started_at

    def day(self, now: datetime) -> TradingDay:
        number = max(0, (now - self._started_at) // OPEN_SESSION)
        opens = self._started_at + number * OPEN_SESSION
        return TradingDay(
            opens.astimezone(NEW_YORK).date(), opens.astimezone(NEW_YORK), (opens + OPEN_SESSION).astimezone(NEW_YORK)
        )

    def phase(self, now: datetime) -> Phase:  # noqa: ARG002
        return "core"

    def closing_day(self, now: datetime) -> TradingDay:
        return self.day(now)

    def is_opening_shut(self, now: datetime) -> bool:  # noqa: ARG002
        return True  # the next day opens the moment this one closes

    def is_closing_shut(self, now: datetime) -> bool:
        return self.day(now).closes - CLOSING_CUTOFF <= now

    def next_open(self, now: datetime) -> datetime:
        return self.day(now).closes

    def next_close(self, now: datetime) -> datetime:
        return self.day(now).closes


def _reopening(day: TradingDay) -> datetime:
    """From here on orders for the next trading day's auctions are taken."""
    return datetime.combine(day.day, _AUCTIONS_REOPEN, NEW_YORK)


@cache
def midnight_ns(day: date) -> int:
    """The start of a New York calendar day, as nanoseconds since the epoch: the stamp of a daily bar."""
    return int(datetime.combine(day, time(0), NEW_YORK).astimezone(UTC).timestamp()) * 1_000_000_000
