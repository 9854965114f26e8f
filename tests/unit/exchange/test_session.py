"""The calendar by rule, held against a published one, and the two sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import exchange_calendars
import pytest

from engine.exchange.session import NEW_YORK, OpenSession, RealSession, trading_day, trading_days
from tests.unit.exchange.trader import Trader


@pytest.mark.filterwarnings("ignore")  # of pandas, about itself
def test_the_rules_give_the_published_calendar() -> None:
    first, last = date(2012, 1, 3), date(2027, 11, 19)
    published = exchange_calendars.get_calendar("XNYS", start=first.isoformat(), end=last.isoformat())
    ours = {day.day: day.closes.time() for day in trading_days(first, last)}
    theirs = {
        session.date(): closes.tz_convert("America/New_York").time()
        for session, closes in published.closes.items()
        if first <= session.date() <= last
    }
    assert ours == theirs


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "phase", "next_open", "next_close"),
    [
        ("2026-08-21 03:59", "closed", "2026-08-21 09:30", "2026-08-21 16:00"),
        ("2026-08-21 04:00", "pre", "2026-08-21 09:30", "2026-08-21 16:00"),
        ("2026-08-21 09:30", "core", "2026-08-24 09:30", "2026-08-21 16:00"),
        ("2026-08-21 16:00", "post", "2026-08-24 09:30", "2026-08-24 16:00"),
        ("2026-08-21 20:00", "closed", "2026-08-24 09:30", "2026-08-24 16:00"),
        ("2026-08-23 12:00", "closed", "2026-08-24 09:30", "2026-08-24 16:00"),
        ("2026-11-27 13:00", "post", "2026-11-30 09:30", "2026-11-30 16:00"),
        ("2026-11-27 17:00", "closed", "2026-11-30 09:30", "2026-11-30 16:00"),
    ],
)
def test_phases_of_real_days(moment: str, phase: str, next_open: str, next_close: str) -> None:
    session, now = RealSession(), at(moment)
    assert session.phase(now) == phase
    assert session.next_open(now) == at(next_open)
    assert session.next_close(now) == at(next_close)


def test_the_open_session_closes_and_opens_at_once() -> None:
    start = datetime(2026, 8, 23, 3, 0, tzinfo=UTC)
    session = OpenSession(start)
    assert session.phase(start) == "core"
    assert session.next_close(start) == start + timedelta(hours=6.5)
    assert session.next_close(start + timedelta(hours=7)) == start + timedelta(hours=13)


def test_a_holiday_is_no_trading_day() -> None:
    assert trading_day(date(2026, 12, 25)) is None
    half = trading_day(date(2026, 12, 24))
    assert half is not None
    assert half.closes.time() == time(13)


def test_clock_and_calendar_endpoints() -> None:
    trader = Trader(session="real")
    clock = trader.get("/v2/clock")
    assert clock == {
        "timestamp": "2026-08-21T10:00:00-04:00",
        "is_open": True,
        "next_open": "2026-08-24T09:30:00-04:00",
        "next_close": "2026-08-21T16:00:00-04:00",
    }
    (day,) = trader.get("/v2/calendar", start="2026-11-27", end="2026-11-28")
    assert day == {
        "date": "2026-11-27",
        "open": "09:30",
        "close": "13:00",
        "session_open": "0400",
        "session_close": "1700",
        "settlement_date": "2026-11-30",
    }
    (newer,) = trader.get("/v3/clock", markets="NYSE")["clocks"]
    assert (newer["phase"], newer["phase_until"]) == ("core", "2026-08-21T16:00:00-04:00")
    assert trader.get("/v3/calendar/NYSE", start="2026-08-21", end="2026-08-21")["calendar"][0]["date"] == "2026-08-21"
    assert trader.call("GET", "/v3/calendar/MOON").status == 404
