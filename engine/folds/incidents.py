"""The book's fold of incidents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Final

import msgspec

from engine.long_table import LongTable
from engine.model import events as ev
from engine.model.incident import Alarm, Incident, Rejection

REJECTIONS_FOR: Final = timedelta(minutes=10)
ALARMS_FOR: Final = timedelta(hours=25)
"""The figures about alarms are of a day."""
replace = msgspec.structs.replace


class IncidentFolds(ABC):
    def __init__(self) -> None:
        self.incidents = LongTable(Incident)
        self.open_incidents: dict[str, str] = {}
        """Incident key -> id."""
        self.alarms: dict[str, Alarm] = {}
        """Incident id -> what the figures ask of it, of the last day, oldest first."""
        self.rejections: dict[str, Rejection] = {}
        """Order id -> the broker's no, of the last minutes, oldest first."""

    @abstractmethod
    def _touch(self, kind: str, key: str) -> None:
        """A view is out of date."""

    def next_incident_number(self) -> int:
        return len(self.incidents) + 1

    def _on_incident_raised(self, event: ev.IncidentRaised, at: datetime) -> None:
        incident = event.incident
        self.incidents[incident.id] = incident
        self.open_incidents[incident.key] = incident.id
        oldest = at - ALARMS_FOR
        while self.alarms and next(iter(self.alarms.values())).raised_at < oldest:
            del self.alarms[next(iter(self.alarms))]
        self.alarms[incident.id] = Alarm(key=incident.key, priority=incident.priority, raised_at=incident.raised_at)
        self._touch("incident", incident.id)
        self._touch("desk", "")

    def _on_incident_acked(self, event: ev.IncidentAcked, at: datetime) -> None:
        self._acknowledge(event.incident_id, at=at, by=event.actor)
        self._touch("incident", event.incident_id)
        self._touch("desk", "")

    def _on_incident_cleared(self, event: ev.IncidentCleared, at: datetime) -> None:
        incident = self.incidents[event.incident_id]
        self.incidents[event.incident_id] = replace(incident, cleared_at=at)
        self.open_incidents.pop(incident.key, None)
        self._touch("incident", event.incident_id)
        self._touch("desk", "")

    def _on_incident_shelved(self, event: ev.IncidentShelved, at: datetime) -> None:
        self._shelve(event.incident_id, until=event.until, by=event.actor, why=event.reason)

    def _on_incident_unshelved(self, event: ev.IncidentUnshelved, at: datetime) -> None:
        self._shelve(event.incident_id, until=None, by=None, why="")
        self._acknowledge(event.incident_id, at=None, by=None)

    def _acknowledge(self, incident_id: str, *, at: datetime | None, by: str | None) -> None:
        self.incidents[incident_id] = replace(self.incidents[incident_id], acked_at=at, acked_by=by)
        if incident_id in self.alarms:
            self.alarms[incident_id] = replace(self.alarms[incident_id], acked_at=at)

    def _shelve(self, incident_id: str, *, until: datetime | None, by: str | None, why: str) -> None:
        incident = self.incidents[incident_id]
        self.incidents[incident_id] = replace(incident, shelved_until=until, shelved_by=by, shelved_why=why)
        self._touch("incident", incident_id)
        self._touch("desk", "")

    def _note_rejection(self, order_id: str, symbol: str, text: str, at: datetime) -> None:
        oldest = at - REJECTIONS_FOR
        while self.rejections and next(iter(self.rejections.values())).at < oldest:
            del self.rejections[next(iter(self.rejections))]
        self.rejections[order_id] = Rejection(at=at, symbol=symbol, text=text)
