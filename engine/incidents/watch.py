"""Compares what is true with the open incidents, and records what began, what changed and what ended.

Level-triggered: the list is computed anew at each look. So a restart, a lost event or a double one cannot leave a false
alarm standing or a true one silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from engine.book import Book
from engine.clock import Clock
from engine.incidents import brackets, carry, corporate, desk, halt, links, orders, protection, signals, trips
from engine.incidents.grouping import grouped
from engine.incidents.scene import Condition, Scene
from engine.model import events as ev
from engine.model.ids import incident_id
from engine.model.incident import Incident, Priority
from engine.recorder import Recorder
from engine.surroundings import World
from engine.views_truth import HeartbeatView

LOOK_EVERY_S: Final = 0.5
TIME_TO_ACT_S: Final = {Priority.SOON: 120.0, Priority.LATER: 600.0}

CONDITIONS: Final[tuple[Condition, ...]] = (
    brackets.naked,
    brackets.over_covered,
    carry.carried_bare,
    corporate.corporate_action,
    protection.watched,
    protection.unprotected,
    protection.flipped,
    protection.stop_passed,
    protection.exit_waits,
    protection.stuck_rescue,
    orders.unknown,
    orders.refused_in_vain,
    orders.taken_back,
    orders.stuck_cancel,
    orders.unrecognised,
    orders.rejected,
    links.stream_down,
    links.rest_down,
    links.quotes_down,
    desk.journal_refused,
    desk.journal_torn,
    desk.journal_broken,
    desk.gate_locked,
    desk.stalled,
    desk.no_heartbeat,
    desk.waking,
    desk.watched_shares,
    halt.suspended,
    halt.switch_failed,
    signals.expiring,
    trips.tripped,
    trips.prop_day_late,
    trips.prop_firm_broken,
    trips.user_rules_broken,
    trips.mandate_unconfirmed,
)


class Watch:
    def __init__(
        self, recorder: Recorder, book: Book, world: World, clock: Clock, started_at: datetime, torn: str | None
    ) -> None:
        """``torn`` says what was cut off the journal at this start."""
        self._recorder = recorder
        self._book = book
        self._world = world
        self._clock = clock
        self._started_at = started_at
        self._torn = torn
        self.journal_failure: str | None = None
        self.broken_chain: str | None = None
        self.mandates_wait = False
        self.heartbeat: Callable[[], HeartbeatView | None] = lambda: None

    async def run(self) -> None:
        while True:
            self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Compare what is true with the open incidents, and record what began and what ended."""
        found = grouped(self._present(), self._book.open_incidents)
        present = {incident.key: _with_deadline(incident) for incident in found}
        for key, known_id in tuple(self._book.open_incidents.items()):
            if key not in present:
                self._recorder.record(ev.IncidentCleared(incident_id=known_id, why="over"))
                continue
            known, new = self._book.incidents[known_id], present.pop(key)
            if _says_something_new(known, new):
                self._recorder.record(ev.IncidentRaised(incident=_changed(known, new)))
            self._take_off_the_shelf(known, new)
        for incident in present.values():
            numbered = replace(incident, id=incident_id(self._book.next_incident_number()))
            self._recorder.record(ev.IncidentRaised(incident=numbered))

    def _take_off_the_shelf(self, known: Incident, new: Incident) -> None:
        if known.shelved_until is None:
            return
        if new.priority < known.priority:
            self._recorder.record(ev.IncidentUnshelved(incident_id=known.id, why="it got worse"))
        elif self._clock.now() >= known.shelved_until:
            self._recorder.record(ev.IncidentUnshelved(incident_id=known.id, why="its time is over"))

    def _present(self) -> Iterator[Incident]:
        scene = Scene(
            book=self._book,
            world=self._world,
            now=self._clock.now(),
            started_at=self._started_at,
            torn=self._torn,
            broken_chain=self.broken_chain,
            journal_failure=self.journal_failure,
            mandates_wait=self.mandates_wait,
            heartbeat=self.heartbeat(),
        )
        for condition in CONDITIONS:
            yield from condition(scene)


def _says_something_new(known: Incident, new: Incident) -> bool:
    return (known.priority, known.cause, known.buttons, known.count, known.covers) != (
        new.priority,
        new.cause,
        new.buttons,
        new.count,
        new.covers,
    )


def _with_deadline(incident: Incident) -> Incident:
    """Priority 1 is for now; the others name the time by which somebody should have acted."""
    time_to_act_s = TIME_TO_ACT_S.get(incident.priority)
    if incident.deadline_at is not None or time_to_act_s is None:
        return incident
    return replace(incident, deadline_at=incident.raised_at + timedelta(seconds=time_to_act_s))


def _changed(known: Incident, new: Incident) -> Incident:
    """The same incident with new words; a higher priority asks for a new acknowledgement."""
    worse = new.priority < known.priority
    return replace(
        new,
        id=known.id,
        raised_at=known.raised_at,
        deadline_at=new.deadline_at if worse else known.deadline_at,
        shelved_until=known.shelved_until,
        shelved_by=known.shelved_by,
        shelved_why=known.shelved_why,
        acked_at=None if worse else known.acked_at,
        acked_by=None if worse else known.acked_by,
    )
