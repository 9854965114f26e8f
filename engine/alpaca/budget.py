"""The request budget: who may send now, and who waits.

Alpaca counts requests per minute and answers 429 beyond. Every request takes a slot in one of four lanes:

    EXIT     closing orders and cancels
    PROTECT  stops and targets for held shares
    ENTRY    orders that open
    READ     everything that only looks

Entries and reads stop as soon as three quarters of the last minute's budget are used, by whomever; so a quarter is
free for exits and protection. These two never wait here, not even when all of it is gone: our own count may be wrong,
and a 429 costs nothing, while an exit that is held back may cost the position. Waiting goes by lane, then by arrival.

The window slides over our own requests. The broker's ``X-RateLimit-*`` headers correct it: what the broker has counted
and we have not is another program on the same account, and is charged until the broker's window resets. A 429 stops
entries and reads until that reset; exits and protection may try again at once, at their own pace.
"""

from __future__ import annotations

import asyncio
import enum
import heapq
import itertools
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from engine.clock import Clock

WINDOW_S: Final = 60.0
DEFAULT_REQUESTS_PER_MINUTE: Final = 200
"""Alpaca's documented trading limit per account."""
SHARED_FRACTION: Final = 0.75
"""Of the window; entries and reads stop here."""
PAUSE_AFTER_429_S: Final = 5.0
"""For entries and reads, when a 429 says nothing about when to come back."""
SHORTEST_WAIT_S: Final = 0.005
"""Timers may fire early; never spin."""


class Lane(enum.IntEnum):
    """Smaller goes first."""

    EXIT = 0
    PROTECT = 1
    ENTRY = 2
    READ = 3


_READS_FOR: Final[ContextVar[Lane]] = ContextVar("reads_for", default=Lane.READ)


@contextmanager
def reading_for(lane: Lane) -> Iterator[None]:
    """What is read within the block goes in this lane: an exit or a repair that has to look first does not queue."""
    token = _READS_FOR.set(lane)
    try:
        yield
    finally:
        _READS_FOR.reset(token)


def lane_of_reads() -> Lane:
    """For a read that was given no lane of its own."""
    return _READS_FOR.get()


@dataclass(slots=True, eq=False)
class Slot:
    """Permission for one request. ``spend`` it as the request goes out, or ``give_back`` what was not used."""

    lane: Lane
    _budget: RateBudget = field(repr=False)
    _taken_at_s: float = field(repr=False)
    is_open: bool = True
    """Neither spent nor given back yet."""

    def spend(self) -> None:
        if self.is_open:
            self.is_open = False
            self._budget._open_slots -= 1

    def give_back(self) -> None:
        """Nothing was sent: the budget gets the slot back. Harmless after ``spend``."""
        if self.is_open:
            self.is_open = False
            self._budget._open_slots -= 1
            self._budget._return(self._taken_at_s)


class RateBudget:
    """One account's (or one data key's) requests a minute, shared by everyone who sends."""

    def __init__(self, clock: Clock, requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE) -> None:
        if requests_per_minute < 4:
            raise ValueError(f"a budget of {requests_per_minute} requests a minute leaves nothing for exits")
        self._clock = clock
        self._limit = requests_per_minute
        self._taken_at_s: deque[float] = deque()
        self._open_slots = 0
        """Taken, and not answered yet: the broker may have counted them or not."""
        self._foreign = 0
        self._foreign_until_s = 0.0
        self._paused_until_s = 0.0
        self._waiting: list[tuple[Lane, int]] = []
        self._arrivals = itertools.count()
        self._changed = asyncio.Event()

    @property
    def limit(self) -> int:
        """Requests a minute, as the broker last said."""
        return self._limit

    @property
    def waiting(self) -> int:
        """Requests that wait for a slot now."""
        return len(self._waiting)

    def remaining(self, lane: Lane = Lane.EXIT) -> int:
        """Requests this lane could send at once."""
        now_s = self._clock.monotonic_s()
        if lane >= Lane.ENTRY and now_s < self._paused_until_s:
            return 0
        return max(0, self._cap(lane) - self._used(now_s))

    def would_wait(self, lane: Lane) -> bool:
        """Whether a request in this lane would have to wait now. Exits and protection never do."""
        return lane >= Lane.ENTRY and (self.remaining(lane) == 0 or self._is_overtaken(lane))

    async def acquire(self, lane: Lane) -> Slot:
        """A slot, at once where the lane has room. Every slot ends in ``spend`` or ``give_back``."""
        if not self.would_wait(lane):
            return self._take(lane)
        ticket = (lane, next(self._arrivals))
        heapq.heappush(self._waiting, ticket)
        try:
            while True:
                if self._waiting[0] != ticket:
                    await self._wait_for_change(None)
                elif self.remaining(lane) == 0:
                    await self._wait_for_change(self._wait_s(lane))
                else:
                    return self._take(lane)
        finally:
            self._waiting.remove(ticket)
            heapq.heapify(self._waiting)
            self._notify()

    @asynccontextmanager
    async def slot(self, lane: Lane) -> AsyncIterator[Slot]:
        """A slot that returns to the budget unless it was spent inside the block."""
        slot = await self.acquire(lane)
        try:
            yield slot
        finally:
            slot.give_back()

    def observe(self, limit: int | None, remaining: int | None, reset_in_s: float | None) -> None:
        """What an answer's headers said. Nonsense is ignored."""
        if limit is None or remaining is None or not 4 <= limit <= 1_000_000 or not 0 <= remaining <= limit:
            return
        now_s = self._clock.monotonic_s()
        self._limit = limit
        # Requests under way are not held against what the broker has counted: it may not have seen them yet, and to
        # think so would hide another program's use in the middle of a rush. Until they are answered the guess is high.
        answered = self._used_by_us(now_s) - self._open_slots
        self._foreign = max(0, (limit - remaining) - answered)
        self._foreign_until_s = now_s + _bounded(reset_in_s, WINDOW_S)
        self._notify()

    def refused(self, retry_after_s: float | None) -> None:
        """A 429 came: entries and reads pause; the next exit or stop goes first."""
        pause_s = _bounded(retry_after_s, PAUSE_AFTER_429_S)
        self._paused_until_s = max(self._paused_until_s, self._clock.monotonic_s() + pause_s)

    def _take(self, lane: Lane) -> Slot:
        now_s = self._clock.monotonic_s()
        self._taken_at_s.append(now_s)
        self._open_slots += 1
        return Slot(lane, self, now_s)

    def _return(self, taken_at_s: float) -> None:
        if taken_at_s in self._taken_at_s:  # older than the window: it has left by itself
            self._taken_at_s.remove(taken_at_s)
            self._notify()

    def _cap(self, lane: Lane) -> int:
        return self._limit if lane < Lane.ENTRY else int(self._limit * SHARED_FRACTION)

    def _used(self, now_s: float) -> int:
        foreign = self._foreign if now_s < self._foreign_until_s else 0
        return self._used_by_us(now_s) + foreign

    def _used_by_us(self, now_s: float) -> int:
        while self._taken_at_s and self._taken_at_s[0] <= now_s - WINDOW_S:
            self._taken_at_s.popleft()
        return len(self._taken_at_s)

    def _is_overtaken(self, lane: Lane) -> bool:
        """Someone of the same or an earlier lane waits already."""
        return bool(self._waiting) and self._waiting[0][0] <= lane

    async def _wait_for_change(self, at_most_s: float | None) -> None:
        """The first in line wakes by the clock too; those behind it only when it has gone or the numbers changed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _wait_s(self, lane: Lane) -> float:
        """Until this lane's next slot can come free, as far as known now."""
        now_s = self._clock.monotonic_s()
        until_s = now_s
        if lane >= Lane.ENTRY:
            until_s = max(until_s, self._paused_until_s)
        surplus = self._used(now_s) - self._cap(lane)
        if surplus >= 0:
            frees_at_s = [self._foreign_until_s] if now_s < self._foreign_until_s and self._foreign else []
            if surplus < len(self._taken_at_s):
                frees_at_s.append(self._taken_at_s[surplus] + WINDOW_S)
            until_s = max(until_s, min(frees_at_s, default=now_s + WINDOW_S))
        return max(SHORTEST_WAIT_S, until_s - now_s)


def _bounded(seconds: float | None, default_s: float) -> float:
    """A wait that a header asked for, within reason."""
    if seconds is None:
        return default_s
    return min(max(seconds, 1.0), WINDOW_S)
