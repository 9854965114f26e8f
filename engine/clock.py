"""The one clock: wall time for records, monotonic time for durations, and sleeping.

Everything in the engine that needs time takes a ``Clock``; nothing calls ``datetime.now`` or
``time.time`` itself, so that the whole desk also runs in simulated time.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

SLOWED: Final = 0.9
"""How fast a steady clock runs while it is ahead of the wall clock."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""

    def monotonic_s(self) -> float:
        """Seconds on the running loop's own scale; only differences mean anything."""

    async def sleep(self, seconds: float) -> None: ...


def machine_monotonic_s() -> float:
    """For a thread beside the loop, which has no time of its own; stands still while a Linux machine sleeps."""
    return time.monotonic()


class _LoopClock:
    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SystemClock(_LoopClock):
    """Wall time of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class LoopClock(_LoopClock):
    """Wall time derived from the loop's time: under a simulated loop both are virtual."""

    def __init__(self, epoch: datetime) -> None:
        self._epoch = epoch

    def now(self) -> datetime:
        return self._epoch + timedelta(seconds=self.monotonic_s())


class SteadyClock:
    """The wall clock without its steps back, which would make a deadline wait for the hour that the clock lost.

    A step forward (a sleep, a correction) is followed at once. Where the wall clock was set back, time goes on a little
    slower until the wall clock has caught up: ages stay ages, and nothing happens before what happened earlier.
    """

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._now = wall.now()
        self._at_s = wall.monotonic_s()

    def now(self) -> datetime:
        at_s = self._wall.monotonic_s()
        slowed = self._now + timedelta(seconds=(at_s - self._at_s) * SLOWED)
        self._now, self._at_s = max(self._wall.now(), slowed), at_s
        return self._now

    def not_before(self, earliest: datetime | None) -> None:
        """What was written down by an earlier process is past, whatever the wall clock says today."""
        if earliest is not None:
            self._now = max(self.now(), earliest + timedelta(milliseconds=1))

    def monotonic_s(self) -> float:
        return self._wall.monotonic_s()

    async def sleep(self, seconds: float) -> None:
        await self._wall.sleep(seconds)
