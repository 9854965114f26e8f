"""How long a halt stands at least: nobody leaves it in the heat of the moment in which it was engaged.

Counted on the loop's clock from the first look at it, so that a wall clock that is set shortens or lengthens nothing;
of a halt from before this process began, the wall clock says how much of it has passed.
"""

from __future__ import annotations

from datetime import datetime

from engine.book import Book
from engine.clock import Clock
from engine.model.words import DeskState


class CoolingOff:
    def __init__(self, book: Book, clock: Clock, cooling_off_s: float) -> None:
        self._book = book
        self._clock = clock
        self._cooling_off_s = cooling_off_s
        self._began: dict[str, tuple[datetime, float]] = {}
        """Scope -> the halt that stands, by its time, and when it began in the loop's seconds."""

    def left_s(self, scope: str) -> float:
        """Seconds for which the halt of a scope cannot be left yet; 0: it can, or there is none."""
        known = self._book.states.get(scope)
        if known is None or known.state is not DeskState.HALTED:
            return 0.0
        now_s = self._clock.monotonic_s()
        at, began_s = self._began.get(scope, (None, 0.0))
        if at != known.at:
            passed_s = (self._clock.now() - known.at).total_seconds()
            began_s = now_s - min(max(passed_s, 0.0), self._cooling_off_s)
            self._began[scope] = known.at, began_s
        return max(0.0, self._cooling_off_s - (now_s - began_s))
