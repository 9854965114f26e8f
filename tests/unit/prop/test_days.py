"""Where the firm's days and windows begin and end, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.prop.days import day_of, day_start, is_inside, must_be_flat
from engine.prop.preset import Reset, Window

FIVE_PM = Reset(time="17:00", zone="America/New_York")
SESSION = Window(opens="09:35", closes="15:55", flat_by="15:50")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "start", "day"),
    [
        # In summer New York is four hours behind: 17:00 there is 21:00 UTC.
        ("2026-08-20T20:59:59", "2026-08-19T21:00", "2026-08-20"),
        ("2026-08-20T21:00:00", "2026-08-20T21:00", "2026-08-21"),
        ("2026-08-21T14:00:00", "2026-08-20T21:00", "2026-08-21"),
        # In winter it is five: 22:00 UTC.
        ("2026-01-15T21:30:00", "2026-01-14T22:00", "2026-01-15"),
        ("2026-01-15T22:00:00", "2026-01-15T22:00", "2026-01-16"),
        # The clocks go forward on Sunday 8 March: that day from 17:00 to 17:00 has 23 hours.
        ("2026-03-08T20:59:00", "2026-03-07T22:00", "2026-03-08"),
        ("2026-03-08T21:00:00", "2026-03-08T21:00", "2026-03-09"),
        # And back on Sunday 1 November: 25 hours.
        ("2026-11-01T21:59:00", "2026-10-31T21:00", "2026-11-01"),
        ("2026-11-01T22:00:00", "2026-11-01T22:00", "2026-11-02"),
    ],
)
def test_a_day_runs_from_five_to_five_in_new_york(now: str, start: str, day: str) -> None:
    assert day_start(FIVE_PM, utc(now)) == utc(start)
    assert day_of(FIVE_PM, utc(start)).isoformat() == day


def test_a_day_from_midnight_has_the_date_on_which_it_lies() -> None:
    midnight = Reset(time="00:00", zone="Europe/Prague")
    start = day_start(midnight, utc("2026-08-21T10:00"))
    assert start == utc("2026-08-20T22:00")
    assert day_of(midnight, start).isoformat() == "2026-08-21"


@pytest.mark.parametrize("reset", ["01:30", "02:30", "17:00", "00:00"])
def test_no_day_begins_twice_and_none_goes_back(reset: str) -> None:
    """Minute by minute through both changes of the clocks: 01:30 comes twice in autumn, 02:30 never in spring."""
    rule = Reset(time=reset, zone="America/New_York")
    for begin in ("2026-03-07T00:00", "2026-10-31T00:00"):
        moments = [utc(begin) + timedelta(minutes=n) for n in range(3 * 24 * 60)]
        starts = [day_start(rule, now) for now in moments]
        assert starts == sorted(starts)
        days = [day_of(rule, start) for start in dict.fromkeys(starts)]
        assert len(days) == len(set(days)) >= 3


@pytest.mark.parametrize(
    ("now", "inside"),
    [
        ("2026-08-21T13:34:59", False),  # a Friday, 09:34:59
        ("2026-08-21T13:35:00", True),
        ("2026-08-21T19:49:59", True),
        ("2026-08-21T19:50:00", False),  # flat by 15:50: nothing is entered any more
        ("2026-08-22T15:00:00", False),  # Saturday
    ],
)
def test_entries_are_allowed_inside_the_window(now: str, inside: bool) -> None:
    assert is_inside(SESSION, utc(now)) is inside


@pytest.mark.parametrize(
    ("now", "closes_at", "flat"),
    [
        ("2026-08-21T19:49:59", "2026-08-21T20:00:00", False),
        ("2026-08-21T19:50:00", "2026-08-21T20:00:00", True),
        ("2026-08-21T22:00:00", None, True),
        ("2026-08-22T15:00:00", None, True),
        ("2026-08-24T13:36:00", None, False),
        # An early close at 13:00 New York: flat five minutes before.
        ("2026-11-27T17:54:59", "2026-11-27T18:00:00", False),
        ("2026-11-27T17:55:00", "2026-11-27T18:00:00", True),
    ],
)
def test_positions_are_gone_by_the_flat_time_and_before_an_early_close(
    now: str, closes_at: str | None, flat: bool
) -> None:
    closes = None if closes_at is None else utc(closes_at)
    assert must_be_flat(SESSION, utc(now), closes, timedelta(minutes=5)) is flat


def test_without_a_flat_time_positions_may_be_held() -> None:
    window = Window(opens="09:35", closes="15:55")
    assert not must_be_flat(window, utc("2026-08-22T15:00"), None, timedelta(minutes=5))
