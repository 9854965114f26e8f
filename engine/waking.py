"""Notices that the machine slept, and takes nothing on trust that was known before.

Wall time goes on while a machine sleeps and the monotonic clock of Linux stands still, so the two of them drift apart
by what was slept. (Where the monotonic clock goes on too, as on Windows, the timer itself comes late by that much.) A
wall clock that is set forward looks the same and is treated alike. One that is set back takes no knowledge away.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from engine.book import Book
from engine.bus import Change
from engine.clock import Clock
from engine.model import events as ev
from engine.reconcile import Reconciler
from engine.recorder import Recorder
from engine.surroundings import World

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
SLEPT_S: Final = 2.0
"""Wall time lost between two looks; corrections by a time service are smaller."""
LATE_S: Final = 10.0
"""A timer that comes so late was not held up by work."""


class Waking:
    def __init__(
        self,
        wall: Clock,
        clock: Clock,
        recorder: Recorder,
        book: Book,
        world: World,
        reconciler: Reconciler,
        renew: Sequence[Callable[[str], Awaitable[None]]],
    ) -> None:
        """``wall`` is the machine's own clock, steps back and all; ``renew`` opens the streams anew."""
        self._wall = wall
        self._clock = clock
        self._recorder = recorder
        self._book = book
        self._world = world
        self._reconciler = reconciler
        self._renew = renew

    async def run(self) -> None:
        while True:
            at, at_s = self._wall.now(), self._wall.monotonic_s()
            await self._clock.sleep(LOOK_EVERY_S)
            why = self._lost(at, at_s)
            if why is not None:
                await self._wake(*why)
            self._look()

    def _lost(self, at: datetime, at_s: float) -> tuple[float, str] | None:
        """Seconds that this process did not live through since then, and how that is said."""
        lived_s = self._wall.monotonic_s() - at_s
        slept_s = (self._wall.now() - at).total_seconds() - lived_s
        if slept_s >= SLEPT_S:
            return slept_s, f"The machine slept for {slept_s:.0f} s, or its clock was set forward"
        if lived_s - LOOK_EVERY_S >= LATE_S:
            return lived_s - LOOK_EVERY_S, f"The desk stood still for {lived_s - LOOK_EVERY_S:.0f} s"
        if slept_s <= -SLEPT_S:
            log.warning("the machine's clock was set back by %.0f s; the desk's own time goes on", -slept_s)
        return None

    async def _wake(self, lost_s: float, why: str) -> None:
        log.warning("%s", why)
        self._recorder.record(ev.DeskWoke(lost_s=round(lost_s, 1), why=why))
        self._world.waking, self._world.trusted_since = why, self._clock.now()
        self._reconciler.doubt_all()
        self._tell_trades()
        for renew in self._renew:
            await renew(why)

    def _look(self) -> None:
        """Whether positions and orders have been read since the newest sleep."""
        since, read_at = self._world.trusted_since, self._reconciler.read_at
        if self._world.waking is not None and since is not None and read_at is not None and read_at > since:
            self._world.waking = None
            self._tell_trades()

    def _tell_trades(self) -> None:
        self._recorder.tell(Change("desk", ""), *(Change("bracket", key) for key in self._book.open_brackets))
