"""Trips the desk when a condition of ``trips.py`` is true, and releases it when a person says so.

A trip never loosens a stricter state, never ends by itself, and outlives the process. One that a person released by
force, while its cause stood, keeps quiet until that cause has ended once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from engine.book import DESK_SCOPE, Book
from engine.clock import Clock
from engine.config import Config
from engine.errors import CommandRefused
from engine.model import events as ev
from engine.model.trip import Trip
from engine.model.words import DeskState, OrderRole, OrderStatus
from engine.recorder import Recorder
from engine.rules.facts import denied
from engine.surroundings import World
from engine.trips import CAUTION, RELEASE_RULES, TripFacts, conditions, stricter
from engine.views_limits import TripView
from engine.withdrawal import Withdrawal

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.25
RELEASE: Final = "RELEASE"
"""What has to be typed to leave ``halted``, or to release a trip whose cause is over."""
FORCE: Final = "RELEASE ANYWAY"
"""What has to be typed to release a trip whose cause stands."""


class TripWire:
    def __init__(
        self,
        recorder: Recorder,
        book: Book,
        world: World,
        clock: Clock,
        config: Config,
        withdrawal: Withdrawal,
        *,
        day_loss: Callable[[], Decimal | None],
    ) -> None:
        self._recorder = recorder
        self._book = book
        self._world = world
        self._clock = clock
        self._rules = config.trips
        self._prop_rules = config.prop_firm
        self._withdrawal = withdrawal
        self._day_loss = day_loss
        self._rejected_at: deque[datetime] = deque(maxlen=config.trips.max_rejects or 1)

    def note(self, records: Sequence[ev.Recorded]) -> None:
        """Counts the broker's refusals: of anything that was sent, and of entries that it took at first."""
        for record in records:
            event = record.event
            refused = isinstance(event, ev.OrderRefused)
            if isinstance(event, ev.OrderReported) and event.report.status is OrderStatus.REJECTED:
                refused = self._book.orders[event.order_id].role is OrderRole.ENTRY
            if refused:
                self._rejected_at.append(record.at)

    async def run(self) -> None:
        while True:
            self.look()
            await self._act()
            await self._clock.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Record what began to be true, and which forced release may trip again."""
        present = self._conditions()
        for code, trip in present.items():
            if code not in self._book.trips:
                self._trip(trip)
        for code, known in tuple(self._book.trips.items()):
            if known.overridden_by is not None and code not in present:
                self._recorder.record(ev.TripRearmed(code=code))

    def _trip(self, trip: Trip) -> None:
        log.info("the desk trips: %s", trip.cause)
        facts: list[ev.AnyEvent] = [ev.DeskTripped(trip=trip)]
        before = self._book.state_of(DESK_SCOPE)
        if stricter(before, trip.state) is not before:
            facts.append(
                ev.DeskStateSet(scope=DESK_SCOPE, state=trip.state, actor=f"trip:{trip.code}", cause=trip.cause)
            )
        self._recorder.record(*facts)

    async def _act(self) -> None:
        """What a breach asks for, as long as it does: a crash half way changes nothing."""
        if self._prop_rules.flatten_on_breach and any(self._binds(trip) for trip in self._book.trips.values()):
            await self._withdrawal.close_all(actor="prop-firm", reason="a rule of the prop firm was broken")

    @staticmethod
    def _binds(trip: Trip) -> bool:
        return trip.code.startswith("PROP_") and trip.overridden_by is None

    def _conditions(self) -> dict[str, Trip]:
        now = self._clock.now()
        within = now - timedelta(seconds=self._rules.rejects_within_s)
        while self._rejected_at and self._rejected_at[0] < within:
            self._rejected_at.popleft()
        stream, account = self._world.stream, self._world.account
        down_s = (now - stream.since).total_seconds() if not stream.up and stream.since is not None else 0.0
        oldest = now - timedelta(seconds=self._rules.unsettled_s)
        open_orders = (self._book.orders[order_id] for order_id in self._book.open_orders)
        facts = TripFacts(
            now=now,
            day_loss=self._day_loss(),
            last_equity=account.last_equity if account is not None else None,
            rejects=len(self._rejected_at),
            stream_down_s=down_s,
            unsettled=sum(1 for o in open_orders if o.unresolved_since is not None and o.unresolved_since <= oldest),
            breaches=self._book.prop.standing() if self._prop_rules.enabled else (),
        )
        return conditions(facts, self._rules, self._prop_rules)

    # --- releasing ---------------------------------------------------------------------------------------------------

    def release(self, state: DeskState, *, actor: str, confirm: str | None) -> list[ev.AnyEvent]:
        """The facts that release what stands against ``state``, to be recorded with it.

        Raises:
            CommandRefused: TRIP_STANDS, with what stands among its reasons; CONFIRM_REQUIRED.
        """
        self.look()
        against = [
            trip
            for trip in self._book.trips.values()
            if trip.overridden_by is None and CAUTION[trip.state] > CAUTION[state]
        ]
        present = self._conditions()
        standing = [trip for trip in against if trip.code in present]
        if standing and confirm != FORCE:
            raise CommandRefused(
                "TRIP_STANDS",
                f'{standing[0].cause} It still stands: to go on all the same, confirm = "{FORCE}".',
                field="confirm",
                reasons=[denied(trip.code, trip.cause, trip.measured, trip.limit) for trip in standing],
            )
        is_release = bool(against) or (
            self._book.state_of(DESK_SCOPE) is DeskState.HALTED and state is not DeskState.HALTED
        )
        if is_release and confirm not in (RELEASE, FORCE):
            what = "This release" if against else "Leaving halted"
            raise CommandRefused("CONFIRM_REQUIRED", f'{what} needs confirm = "{RELEASE}".', field="confirm")
        return [ev.TripReleased(code=trip.code, actor=actor, is_forced=trip.code in present) for trip in against]

    def views(self) -> tuple[TripView, ...]:
        """Not released, or released while the cause stood; the strictest first."""
        if not self._book.trips:
            return ()
        present = self._conditions()
        ordered = sorted(self._book.trips.values(), key=lambda trip: (-CAUTION[trip.state], trip.at))
        return tuple(
            TripView(
                code=trip.code,
                state=trip.state,
                cause=trip.cause,
                measured=trip.measured,
                limit=trip.limit,
                at=trip.at,
                stands=trip.code in present,
                overridden_by=trip.overridden_by,
                release=_release_words(trip, is_standing=trip.code in present),
            )
            for trip in ordered
        )


def _release_words(trip: Trip, *, is_standing: bool) -> str:
    if trip.overridden_by is not None:
        return f"Released by {trip.overridden_by} while it stood."
    if is_standing:
        return f"{RELEASE_RULES.get(trip.code, 'Its cause is over.')} Until then only {FORCE} releases it."
    return f"Its cause is over: type {RELEASE}."
