"""First and last minutes, and the hours of a strategy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.config_file import ConfigError, config_from_table
from engine.rules import hours
from tests.unit.builders import make_signal
from tests.unit.rules.judging import make_case, told

EDGES: dict[str, Any] = {"session": {"skip_first_min": 5, "skip_last_min": 10}}


@pytest.mark.parametrize(
    ("since", "left", "verdict", "measured"),
    [
        (4.9, 380.0, "deny", "5 min"),
        (5.0, 380.0, "pass", None),
        (300.0, 10.0, "pass", None),
        (300.0, 9.5, "deny", "10 min"),
        (None, 380.0, "pass", None),  # open outside of the calendar's hours, as the embedded exchange may be
        (300.0, None, "deny", None),  # nobody knows how near the close is
    ],
)
def test_the_edges_of_the_session_are_left_alone(
    since: float | None, left: float | None, verdict: str, measured: str | None
) -> None:
    case = make_case(config=EDGES, minutes_open=since, minutes_left=left)
    assert told(hours.first_and_last_minutes(case))[:3] == ("SESSION_EDGE", verdict, measured)


def test_without_the_calendar_nobody_knows_whether_these_are_the_first_minutes() -> None:
    case = make_case(config=EDGES, minutes_open=None, minutes_left=380.0, calendar_read=False)
    assert told(hours.first_and_last_minutes(case)) == ("SESSION_EDGE", "deny", None, "5 min")
    only_last = {"session": {"skip_last_min": 10}}
    case = make_case(config=only_last, minutes_open=None, minutes_left=380.0, calendar_read=False)
    assert told(hours.first_and_last_minutes(case))[1] == "pass"


def test_edges_are_asked_only_where_they_are_set_and_while_the_session_is_open() -> None:
    assert hours.first_and_last_minutes(make_case(minutes_open=0.0)) is None
    assert hours.first_and_last_minutes(make_case(config=EDGES, session_open=False, minutes_open=0.0)) is None


@pytest.mark.parametrize(
    ("utc", "verdict", "shown"),
    [
        # 21 August 2026: New York is four hours behind
        ("13:44:59", "deny", "09:44"),
        ("13:45:00", "pass", "09:45"),
        ("15:29:59", "pass", "11:29"),
        ("15:30:00", "deny", "11:30"),
        ("18:10:00", "pass", "14:10"),
    ],
)
def test_a_strategy_enters_in_its_hours(utc: str, verdict: str, shown: str) -> None:
    now = datetime.fromisoformat(f"2026-08-21T{utc}").replace(tzinfo=UTC)
    config = {"strategies": {"breakout": {"windows": ["09:45-11:30", "14:00-15:00"]}}}
    found = told(hours.window(make_case(config=config, signal=make_signal(strategy="breakout"), now=now)))
    assert found == ("WINDOW", verdict, shown, "09:45-11:30, 14:00-15:00")


def test_winter_and_summer_time_are_new_yorks() -> None:
    # In January it is five hours behind: 14:45 UTC is 09:45.
    now = datetime(2026, 1, 20, 14, 45, tzinfo=UTC)
    config = {"strategies": {"default": {"windows": ["09:45-11:30"]}}}
    assert told(hours.window(make_case(config=config, now=now)))[1] == "pass"


def test_without_windows_every_hour_is_the_strategys() -> None:
    assert hours.window(make_case()) is None


@pytest.mark.parametrize("wrong", ["9:45-11:30", "09:45", "25:00-26:00", "09:45 to 11:30"])
def test_a_window_that_is_none_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"strategies\.breakout\.windows"):
        config_from_table({"strategies": {"breakout": {"windows": [wrong]}}}, "here")
