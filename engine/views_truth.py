"""Pictures of what the desk knows about its own truth: alarms, orders of unknown fate."""

from __future__ import annotations

from datetime import datetime

from engine.view import View


class ChatteringView(View, frozen=True, kw_only=True):
    """A condition that keeps coming back."""

    key: str
    cause: str
    """Of its newest incident."""
    count: int
    """Incidents within the window."""


class AlarmStatsView(View, frozen=True, kw_only=True):
    """How good the alarms are: an operator can act on about one in ten minutes. Of the last 24 hours where nothing else
    is said."""

    raised: int
    per_hour: float
    """Of the last hour."""
    last_10_min: int
    is_flood: bool
    """Ten or more within ten minutes: nobody can act on that."""
    by_priority: tuple[int, int, int]
    """Raised, of priority 1, 2, 3; a good desk is near 5, 15 and 80 percent."""
    acked_share: float | None
    """Of those raised; None without any."""
    ack_s_p50: float | None
    ack_s_p90: float | None
    """Seconds from raised to acknowledged; None while nobody has."""
    standing: int
    """Open now and in sight."""
    unacked: int
    overdue: int
    """Open, not acknowledged, and past their deadline."""
    shelved: int
    chattering: tuple[ChatteringView, ...]
    """Conditions that came back three times or more within ten minutes, the worst first."""
    top: tuple[ChatteringView, ...]
    """The ten most frequent conditions."""


class ReconciliationView(View, frozen=True, kw_only=True):
    """How the book is held against the broker, and what that costs."""

    looked_at: datetime | None
    """When the newest look ended well; None before the first."""
    every_s: float
    """The timer as it is now; doubts and gaps in the stream are read at once."""
    requests_last_min: int
    """Of the timer. Doubts, gaps and a person's look are not in it."""
    requests_limit: int
    failing: str
    """Why the newest look failed; empty when it did not."""


class HeartbeatView(View, frozen=True, kw_only=True):
    """The sign of life to a third party."""

    told_at: datetime | None
    """When the newest one arrived."""
    misses: int
    """Those in a row that did not."""
    failing: str
    """Why the newest did not; empty when it did."""


class FactView(View, frozen=True, kw_only=True):
    """A fact as it stands in the journal."""

    seq: int
    at: datetime
    kind: str
    """``order_intended``."""
    subject: str
    payload: str
    """Its JSON, in lines."""


class UnknownView(View, frozen=True, kw_only=True):
    """An order whose fate at the broker is being found out."""

    since: datetime
    age_s: float
    looks: int
    """Times the broker was asked about it by this process."""
    misses: int
    """Times it answered that it does not know the order."""
    said: str
    """What the newest look-up found."""
    looked_at: datetime | None
    request_id: str | None
    next_look_at: datetime | None
    """None while the broker is being asked, or when nobody asks any more: then a person settles it."""
