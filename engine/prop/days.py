"""Where the firm's days and windows begin and end: wall-clock times of its zone, across changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from engine.prop.preset import WEEKDAYS, Reset, Window, clock_time, zone_of


def day_start(reset: Reset, now: datetime) -> datetime:
    """The newest reset at or before ``now``, in UTC.

    Compared as moments, not as wall-clock times: in the hour that comes twice in autumn a day begins once.
    """
    zone, at = zone_of(reset.zone), clock_time(reset.time)
    today = now.astimezone(zone).date()
    resets = (datetime.combine(today + timedelta(days=n), at, zone).astimezone(UTC) for n in (1, 0, -1))
    return next(start for start in resets if start <= now)


def day_of(reset: Reset, start: datetime) -> date:
    """The date that a day goes by: the one on which most of it lies (a day from 17:00 is the next date's)."""
    return (start.astimezone(zone_of(reset.zone)) + timedelta(hours=12)).date()


def is_inside(window: Window, now: datetime) -> bool:
    """Whether entries are allowed: between opening and closing of an allowed weekday, and before all has to be flat."""
    local = now.astimezone(zone_of(window.zone))
    if WEEKDAYS[local.weekday()] not in window.days:
        return False
    until = clock_time(window.flat_by or window.closes)
    return clock_time(window.opens) <= local.time() < until


def must_be_flat(window: Window, now: datetime, session_closes_at: datetime | None, before_close: timedelta) -> bool:
    """Whether positions have to be gone now: from the flat-by time until the next opening.

    An early close comes first: ``before_close`` ahead of the session's end there still is a market to close in.
    """
    if window.flat_by is None:
        return False
    if session_closes_at is not None and now >= session_closes_at - before_close:
        return True
    local = now.astimezone(zone_of(window.zone))
    if WEEKDAYS[local.weekday()] not in window.days:
        return True
    return not clock_time(window.opens) <= local.time() < clock_time(window.flat_by)
