"""Which conditions need the operator's hand now: raised when they begin, cleared when they end.

Level-triggered: the list is computed from what is true, compared with the open incidents, and the difference recorded.
So a restart, a lost event or a double one cannot leave a false alarm standing or a true one silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from engine.book import Book
from engine.clock import Clock
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.ids import incident_id
from engine.model.incident import Incident, Priority
from engine.model.money import plain
from engine.model.words import OrderStatus
from engine.protection.ledger import Cover
from engine.recorder import Recorder
from engine.surroundings import World

LOOK_EVERY_S: Final = 0.5
NAKED_GRACE_S: Final = 1.0
"""A fill of several executions is naked for its own span; that is counted, not alarmed."""
OVER_GRACE_S: Final = 2.0
"""A target has filled and its stop is going: the broker cancels the sibling some milliseconds later."""
UNKNOWN_GRACE_S: Final = 10.0
STUCK_CANCEL_S: Final = 10.0
STREAM_GRACE_S: Final = 5.0
EXPIRY_WARNING_S: Final = 15.0


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

    async def run(self) -> None:
        while True:
            self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Compare what is true with the open incidents, and record what began and what ended."""
        now = self._clock.now()
        present = {incident.key: incident for incident in self._conditions(now)}
        for key, known_id in tuple(self._book.open_incidents.items()):
            if key not in present:
                self._recorder.record(ev.IncidentCleared(incident_id=known_id, why="over"))
                continue
            known, new = self._book.incidents[known_id], present.pop(key)
            if known.priority != new.priority or known.cause != new.cause or known.buttons != new.buttons:
                changed = _changed(known, new)
                self._recorder.record(ev.IncidentRaised(incident=changed))
        for incident in present.values():
            self._recorder.record(
                ev.IncidentRaised(incident=_numbered(incident, incident_id(self._book.next_incident_number())))
            )

    def _conditions(self, now: datetime) -> Iterator[Incident]:
        yield from self._about_brackets(now)
        yield from self._about_orders(now)
        yield from self._about_links(now)
        yield from self._about_signals(now)

    def _about_brackets(self, now: datetime) -> Iterator[Incident]:
        for bracket_id in self._book.open_brackets:
            bracket, cover = self._book.brackets[bracket_id], self._book.cover(bracket_id)
            naked_s = (now - bracket.naked_since).total_seconds() if bracket.naked_since else 0.0
            if cover.naked > 0 and (naked_s > NAKED_GRACE_S or bracket.attempts or bracket.gave_up_at):
                yield _naked(bracket, cover, now)
            changed_s = min((now - order.status_since).total_seconds() for order in self._book.orders_of(bracket_id))
            if cover.over > 0 and changed_s > OVER_GRACE_S:
                yield Incident(
                    id="",
                    key=f"over:{bracket.id}",
                    priority=Priority.NOW,
                    cause=f"{bracket.symbol}: stops for {plain(cover.over)} more than is held",
                    consequence="A trigger would open a position the other way.",
                    action="Flatten, or cancel the surplus exits.",
                    subject_kind="bracket",
                    subject_id=bracket.id,
                    symbol=bracket.symbol,
                    raised_at=now,
                    buttons=("flatten", "show"),
                )

    def _about_orders(self, now: datetime) -> Iterator[Incident]:
        for order_id in self._book.open_orders:
            order = self._book.orders[order_id]
            unknown_s = (now - order.unresolved_since).total_seconds() if order.unresolved_since else 0.0
            if unknown_s > UNKNOWN_GRACE_S:
                yield Incident(
                    id="",
                    key=f"unknown:{order.id}",
                    priority=Priority.NOW,
                    cause=f"{order.symbol}: nobody knows whether the broker has {order.id}",
                    consequence="It may fill at any time; entries of this symbol are stopped.",
                    action="Look it up, or attest after seeing the broker's own page.",
                    subject_kind="order",
                    subject_id=order.id,
                    symbol=order.symbol,
                    raised_at=now,
                    buttons=("lookup", "show"),
                )
            asked = order.cancel_requested_at
            if asked is not None and (now - asked).total_seconds() > STUCK_CANCEL_S:
                yield Incident(
                    id="",
                    key=f"stuck:{order.id}",
                    priority=Priority.SOON,
                    cause=f"{order.symbol}: the cancel of {order.id} is not confirmed",
                    consequence="The order may still fill.",
                    action="Wait, or ask again with Cancel.",
                    subject_kind="order",
                    subject_id=order.id,
                    symbol=order.symbol,
                    raised_at=now,
                    buttons=("show",),
                )
            if order.status is OrderStatus.UNRECOGNISED:
                yield Incident(
                    id="",
                    key=f"unrecognised:{order.id}",
                    priority=Priority.SOON,
                    cause=f"{order.symbol}: the broker calls {order.id} “{order.raw_status}”",
                    consequence="This desk does not know that word and counts the order as no cover.",
                    action="Look it up, and see the broker's own page.",
                    subject_kind="order",
                    subject_id=order.id,
                    symbol=order.symbol,
                    raised_at=now,
                    buttons=("lookup", "show"),
                )

    def _about_links(self, now: datetime) -> Iterator[Incident]:
        stream = self._world.stream
        since = stream.since or self._started_at
        if not stream.up and now - since > timedelta(seconds=STREAM_GRACE_S):
            yield _about_desk(
                "stream",
                Priority.SOON,
                f"The order stream is down: {stream.why or 'not connected yet'}",
                "Fills are seen only by the timer; entries are denied.",
                "Nothing, it reconnects by itself; check the connection if it lasts.",
                now,
            )
        if self.journal_failure is not None:
            yield _about_desk(
                "journal",
                Priority.NOW,
                f"The journal cannot be written: {self.journal_failure}",
                "Entries are denied; exits still work.",
                "Free the disk.",
                now,
            )
        if self._torn is not None:
            yield _about_desk(
                "torn",
                Priority.SOON,
                f"The journal's end was damaged and cut off: {self._torn}",
                "What it said is read again from the broker; a signal or a reason may be missing.",
                "Compare with the broker's own page; the damaged part is kept beside the journal.",
                now,
            )
        locked = self._world.gate_locked_by
        if locked is not None and now - self._started_at > timedelta(seconds=STREAM_GRACE_S):
            bare = self._world.has_unexplained_shares
            yield _about_desk(
                "gate",
                Priority.NOW if bare else Priority.SOON,
                f"The start gate is locked: {locked}",
                "No stop of this desk stands behind those shares." if bare else "Entries are denied, exits work.",
                "Settle the difference.",
                now,
            )

    def _about_signals(self, now: datetime) -> Iterator[Incident]:
        for signal_id in self._book.pending:
            signal = self._book.signals[signal_id].signal
            left_s = (signal.expires_at - now).total_seconds()
            if 0 < left_s <= EXPIRY_WARNING_S:
                yield Incident(
                    id="",
                    key=f"expiry:{signal_id}",
                    priority=Priority.LATER,
                    cause=f"{signal.symbol} signal is about to expire",
                    consequence="Nothing will be sent.",
                    action="Approve or reject it.",
                    subject_kind="signal",
                    subject_id=signal_id,
                    symbol=signal.symbol,
                    raised_at=now,
                    deadline_at=signal.expires_at,
                    buttons=("show",),
                )


def _naked(bracket: Bracket, cover: Cover, now: datetime) -> Incident:
    qty = f"{plain(cover.naked)} {bracket.symbol}"
    if bracket.gave_up_at is not None:
        cause = f"{qty} naked: {bracket.attempts} placements of exits failed"
        action = "Press Retry, or Flatten."
    elif bracket.exit_requested_at is not None:
        cause = f"{qty} naked on the way out"
        action = "Nothing: the closing order is next."
    else:
        cause = f"{qty} naked"
        action = "Nothing yet: the desk places exits. Retry skips the pause."
    return Incident(
        id="",
        key=f"naked:{bracket.id}",
        priority=Priority.NOW,
        cause=cause,
        consequence=bracket.last_error or "No live stop stands behind these shares.",
        action=action,
        subject_kind="bracket",
        subject_id=bracket.id,
        symbol=bracket.symbol,
        raised_at=now,
        buttons=("retry", "flatten") if bracket.exit_requested_at is None else ("flatten",),
    )


def _about_desk(key: str, priority: Priority, cause: str, consequence: str, action: str, now: datetime) -> Incident:
    return Incident(
        id="",
        key=key,
        priority=priority,
        cause=cause,
        consequence=consequence,
        action=action,
        subject_kind="desk",
        subject_id="desk",
        symbol=None,
        raised_at=now,
    )


def _numbered(incident: Incident, number: str) -> Incident:
    return replace(incident, id=number)


def _changed(known: Incident, new: Incident) -> Incident:
    """The same incident with new words; a higher priority asks for a new acknowledgement."""
    worse = new.priority < known.priority
    return replace(
        new,
        id=known.id,
        raised_at=known.raised_at,
        count=known.count,
        acked_at=None if worse else known.acked_at,
        acked_by=None if worse else known.acked_by,
    )
