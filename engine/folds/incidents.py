"""The book's fold of incidents."""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.model import events as ev
from engine.model.incident import Incident

replace = msgspec.structs.replace


class IncidentFolds:
    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.open_incidents: dict[str, str] = {}
        """Incident key -> id."""

    def _touch(self, kind: str, key: str) -> None:
        raise NotImplementedError

    def next_incident_number(self) -> int:
        return len(self.incidents) + 1

    def _on_incident_raised(self, event: ev.IncidentRaised, at: datetime) -> None:
        incident = event.incident
        self.incidents[incident.id] = incident
        self.open_incidents[incident.key] = incident.id
        self._touch("incident", incident.id)
        self._touch("desk", "")

    def _on_incident_acked(self, event: ev.IncidentAcked, at: datetime) -> None:
        incident = self.incidents[event.incident_id]
        self.incidents[event.incident_id] = replace(incident, acked_at=at, acked_by=event.actor)
        self._touch("incident", event.incident_id)
        self._touch("desk", "")

    def _on_incident_cleared(self, event: ev.IncidentCleared, at: datetime) -> None:
        incident = self.incidents[event.incident_id]
        self.incidents[event.incident_id] = replace(incident, cleared_at=at)
        self.open_incidents.pop(incident.key, None)
        self._touch("incident", event.incident_id)
        self._touch("desk", "")
