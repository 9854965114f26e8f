"""What calls a person who looks elsewhere: every incident of priority 1, and a signal that is about to expire.

Once for each, and only while the window is not in front: who looks at it sees more than a notification says. One that
has been acknowledged or shelved calls nobody; one that comes back calls again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from engine.model.incident import Priority
from engine.model.words import Mode
from engine.views import IncidentView

MOST_AT_ONCE: Final = 3
"""More that begin in one moment are told as a number: ten notifications are read by nobody."""


class Alerts:
    def __init__(self, mode: Mode, send: Callable[[str, str], object], is_watched: Callable[[], bool]) -> None:
        """``send`` raises a notification of title and text; ``is_watched``: the window is in front."""
        self._mode = mode
        self._send = send
        self._is_watched = is_watched
        self._told: set[str] = set()
        """Ids of incidents that stand and need no call any more."""
        self.is_on = True

    def take(self, incidents: Sequence[IncidentView], gone: Iterable[str]) -> None:
        self._told.difference_update(gone)
        due = []
        for incident in incidents:
            if incident.cleared_at is not None:
                self._told.discard(incident.id)
            elif incident.shelved_until is not None:
                self._told.discard(incident.id)  # it calls again when it comes back
            elif incident.id not in self._told and _calls(incident):
                self._told.add(incident.id)
                due.append(incident)
        if not self.is_on or self._is_watched():
            return
        worst_first = sorted(due, key=lambda incident: incident.priority)
        for incident in worst_first[:MOST_AT_ONCE]:
            self._send(f"{self._mode.value.upper()}: {incident.cause}", incident.action or incident.consequence)
        if len(worst_first) > MOST_AT_ONCE:
            more = len(worst_first) - MOST_AT_ONCE
            self._send(f"{self._mode.value.upper()}: {more} more need a hand", "The incidents panel has them all.")


def _calls(incident: IncidentView) -> bool:
    if incident.acked_at is not None:
        return False
    is_expiry = incident.subject_kind == "signal" and incident.deadline_at is not None
    return incident.priority == Priority.NOW or is_expiry
