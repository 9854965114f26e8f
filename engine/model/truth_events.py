"""Facts about the desk's own truth: what needs a hand, what differs from the broker, links and states."""

from __future__ import annotations

from datetime import datetime

from engine.model.event import Event
from engine.model.incident import Incident
from engine.model.words import DeskState


class IncidentRaised(Event, frozen=True, kw_only=True):
    SUBJECT = "id"
    incident: Incident

    @property
    def id(self) -> str:
        return self.incident.id


class IncidentAcked(Event, frozen=True, kw_only=True):
    SUBJECT = "incident_id"
    incident_id: str
    actor: str


class IncidentCleared(Event, frozen=True, kw_only=True):
    SUBJECT = "incident_id"
    incident_id: str
    why: str


class IncidentShelved(Event, frozen=True, kw_only=True):
    SUBJECT = "incident_id"
    incident_id: str
    until: datetime
    reason: str
    actor: str


class IncidentUnshelved(Event, frozen=True, kw_only=True):
    """Its time is over, it got worse, or somebody took it back: it asks to be acknowledged anew."""

    SUBJECT = "incident_id"
    incident_id: str
    why: str
    actor: str = "desk"


class DifferenceSettled(Event, frozen=True, kw_only=True):
    """The operator decided about something that book and broker disagreed on."""

    SUBJECT = "difference_id"
    difference_id: str
    settlement: str
    actor: str
    text: str


class DifferenceLapsed(Event, frozen=True, kw_only=True):
    """What was settled is no longer so: the settlement is over, and what differs from here on asks anew."""

    SUBJECT = "difference_id"
    difference_id: str
    why: str


class LoopStalled(Event, frozen=True, kw_only=True):
    """The desk did not move for so long; ``file`` says where every thread stood."""

    began_at: datetime
    lasted_s: float
    file: str | None = None


class DeskWoke(Event, frozen=True, kw_only=True):
    """The machine slept, or its clock was set forward: what was known before is taken on trust no more."""

    lost_s: float
    """Seconds of wall time that this process did not live through."""
    why: str


class LinkChanged(Event, frozen=True, kw_only=True):
    """REST, order stream or quotes went up or down."""

    SUBJECT = "link"
    link: str
    up: bool
    why: str


class DeskStateSet(Event, frozen=True, kw_only=True):
    SUBJECT = "scope"
    scope: str
    """``desk``, ``strategy:NAME`` or ``symbol:SYM``."""
    state: DeskState
    actor: str
    cause: str
    agreed_by: str = ""
    """The second person, where one had to agree."""
