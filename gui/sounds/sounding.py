"""When an alarm sounds: once as it begins, and one of priority 1 again and again until somebody acknowledges it.

The most urgent of several that begin together is heard. One that is acknowledged, shelved or over is quiet. Muting
quietens everything, is shown, and does not outlive the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from engine.model.incident import Priority
from engine.views import IncidentView

REPEAT_S: Final = 5.0
VOLUMES: Final = {"off": 0.0, "low": 0.35, "middle": 0.65, "high": 1.0}
DEFAULTS: Final = {1: "high", 2: "middle", 3: "low"}


class Sounding:
    def __init__(self, play: Callable[[int, float], bool]) -> None:
        """``play`` a priority at a volume; False when something else is playing."""
        self._play = play
        self._standing: dict[str, int] = {}
        """Id -> priority of what nobody has acknowledged."""
        self._due: set[int] = set()
        """Priorities that have begun and were not heard yet."""
        self._repeated_s = float("-inf")
        self.volumes = dict(DEFAULTS)
        self.is_muted = False

    def take(self, incidents: Sequence[IncidentView], gone: Iterable[str]) -> None:
        for key in gone:
            self._standing.pop(key, None)
        for incident in incidents:
            if incident.cleared_at is not None or incident.acked_at is not None or incident.shelved_until is not None:
                self._standing.pop(incident.id, None)
                continue
            before = self._standing.get(incident.id)
            if before is None or incident.priority < before:
                self._due.add(incident.priority)
            self._standing[incident.id] = incident.priority

    def beat(self, now_s: float) -> None:
        """Several times a second: what is due is played. ``now_s`` is on any clock that only goes forward."""
        calls = Priority.NOW in self._standing.values()
        if calls and now_s - self._repeated_s >= REPEAT_S:
            self._due.add(int(Priority.NOW))
        self._due &= set(self._standing.values())  # what is over before it was heard needs no hand
        if not self._due:
            return
        worst = min(self._due)
        volume = 0.0 if self.is_muted else VOLUMES[self.volumes[worst]]
        if volume and not self._play(worst, volume):
            return  # in the next beat
        self._due.clear()
        if worst == Priority.NOW:
            self._repeated_s = now_s
