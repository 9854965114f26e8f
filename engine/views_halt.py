"""Pictures of the halt ladder."""

from __future__ import annotations

from datetime import datetime

from engine.model.order import Evidence
from engine.model.words import DeskState
from engine.view import View


class RungView(View, frozen=True, kw_only=True):
    name: str
    """``paused``, ``reducing``, ``halted``, ``flat`` or ``suspended``."""
    sentence: str
    is_reached: bool = False
    """Somebody or something has engaged it."""
    is_proved: bool = False
    """It holds, by the evidence."""
    missing: tuple[str, ...] = ()
    """What keeps it from being proved."""
    since: datetime | None = None
    actor: str = ""
    cause: str = ""
    evidence: tuple[Evidence, ...] = ()


class HaltView(View, frozen=True, kw_only=True):
    desk_state: DeskState
    rungs: tuple[RungView, ...]
    """In rising order of caution."""
    cooling_s: float = 0.0
    """For so long the halt cannot be left yet."""
    second_persons: tuple[str, ...] = ()
    """One of these has to agree before the halt is left; empty: nobody has to."""
