"""The desk's door for its alarms: putting one on the shelf for a while, taking it back, and how good they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from engine.book import Book
from engine.clock import Clock
from engine.errors import CommandRefused
from engine.incidents.stats import alarm_stats
from engine.model import events as ev
from engine.model.incident import Incident, Priority
from engine.present import Presenter
from engine.recorder import Recorder
from engine.views import IncidentView
from engine.views_truth import AlarmStatsView

LONGEST_SHELF_MIN: Final = 480
"""A working day: what is out of sight for longer is forgotten."""


class AlarmCommands:
    def __init__(self, recorder: Recorder, book: Book, clock: Clock, presenter: Presenter) -> None:
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._presenter = presenter

    def stats(self) -> AlarmStatsView:
        return alarm_stats(self._book, self._clock.now())

    async def shelve(self, incident_id: str, *, minutes: int, reason: str, actor: str) -> IncidentView:
        """Out of sight for a while, with a reason. What needs a hand now cannot be shelved."""
        incident = self._open(incident_id)
        if incident.priority is Priority.NOW:
            raise CommandRefused("NOT_SHELVABLE", "What needs a hand now cannot be put on the shelf.")
        if not 1 <= minutes <= LONGEST_SHELF_MIN:
            raise CommandRefused(
                "OUT_OF_RANGE", f"minutes goes from 1 to {LONGEST_SHELF_MIN}.", field="minutes", http_status=422
            )
        if not reason.strip():
            raise CommandRefused("MISSING_FIELD", "Say why it is shelved.", field="reason", http_status=422)
        until = self._clock.now() + timedelta(minutes=minutes)
        self._recorder.record(
            ev.IncidentShelved(incident_id=incident_id, until=until, reason=reason.strip(), actor=actor)
        )
        return self._view(incident_id)

    async def unshelve(self, incident_id: str, *, actor: str) -> IncidentView:
        if self._open(incident_id).is_shelved:
            self._recorder.record(
                ev.IncidentUnshelved(incident_id=incident_id, why=f"taken back by {actor}", actor=actor)
            )
        return self._view(incident_id)

    def _open(self, incident_id: str) -> Incident:
        incident = self._book.incidents.get(incident_id)
        if incident is None:
            raise CommandRefused("NOT_FOUND", f"There is no incident {incident_id}.", http_status=404)
        if incident.cleared_at is not None:
            raise CommandRefused("INCIDENT_OVER", f"{incident_id} is over already.")
        return incident

    def _view(self, incident_id: str) -> IncidentView:
        return self._presenter.incident(self._book.incidents[incident_id])
