"""Pictures of the drills: what can be rehearsed, what runs, and how it went."""

from __future__ import annotations

from datetime import datetime

from engine.view import View


class DrillResultView(View, frozen=True, kw_only=True):
    """One line of the score sheet."""

    drill: str
    title: str
    began_at: datetime
    outcome: str
    """``mended``, ``time_up``, ``stopped`` (by a person) or ``not_set`` (the trouble could not be brought about)."""
    points: int
    """Of a hundred."""
    noticed_s: float | None
    act: str | None
    """The right action that was taken."""
    act_s: float | None
    mistakes: tuple[str, ...]
    naked_s: float
    notice_points: int
    action_points: int
    cover_points: int
    lesson: str
    """What to take along; of a drill that could not be set, why."""


class DrillView(View, frozen=True, kw_only=True):
    name: str
    title: str
    about: str
    """What it rehearses, told beforehand."""
    best: int | None
    """Points of the best try on this data folder."""


class RunningDrillView(View, frozen=True, kw_only=True):
    drill: str
    title: str
    stage: str
    """``setting``: the trouble is being prepared; ``struck``: the clock runs."""
    task: str
    """What is expected to be done before the trouble, or empty."""
    symbol: str
    since: datetime
    """When this stage began."""
    ends_at: datetime | None
    """Of a drill that has struck: when its time is up."""


class DrillsView(View, frozen=True, kw_only=True):
    drills: tuple[DrillView, ...]
    running: RunningDrillView | None
    results: tuple[DrillResultView, ...]
    """Newest first."""
