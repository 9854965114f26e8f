"""The one writer of the journal: numbers facts at once, puts them on disk in groups.

``append`` is plain and never waits. One task, the flusher, commits all that is queued in one transaction on a worker
thread; what is queued meanwhile becomes the next group: one fsync a group, however many wait for it. When the disk
refuses, facts stay queued in their order, ``durable`` raises at once instead of waiting, and the flusher tries again
until the disk is back.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from engine.clock import Clock
from engine.errors import JournalUnavailable
from engine.journal.codec import Pending, kind_of, payload_of, text_of
from engine.journal.reader import EMPTY, Tail
from engine.journal.store import Opened, Store
from engine.model.events import AnyEvent, Recorded

log = logging.getLogger(__name__)

RETRY_S: Final = 0.5
"""Between two attempts on a disk that refuses."""
RETRY_WHILE_CLOSING_S: Final = 0.05
CLOSE_PATIENCE_S: Final = 1.0
"""How long ``close`` keeps trying on a disk that refuses."""
CHECKPOINT_AFTER: Final = 2_000
"""Events in the log after which an idle moment is used to move them into the file."""
CHECKPOINT_AT_LATEST: Final = 50_000
"""Without any idle moment: the log must not grow for ever."""


class Journal:
    """Made by ``Journal.open``; ``executor`` has one thread, on which all SQLite work is done."""

    def __init__(self, path: Path, executor: Executor, clock: Clock, store: Store, opened: Opened) -> None:
        self.path = path
        self.seq = opened.tail.seq
        """Of the last event appended."""
        self.durable_seq = opened.tail.seq
        """Of the last event on disk."""
        self.torn = opened.torn
        """What had to be cut off when the file was opened, in words for the operator; None when nothing was."""
        self.failure: str | None = None
        """Why the last attempt to write failed; None while the disk takes everything."""
        self._last_at: datetime | None = opened.tail.at
        self._executor = executor
        self._clock = clock
        self._store = store
        self._queue: list[Pending] = []
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._work = asyncio.Event()
        self._closing = asyncio.Event()
        self._logged = 0
        """Events written since the last checkpoint."""
        self._flusher = asyncio.get_running_loop().create_task(self._flush(), name="journal flusher")

    @classmethod
    async def open(cls, path: Path, executor: Executor, clock: Clock, *, behind: Tail = EMPTY) -> Self:
        """Opens or creates the journal, checks its chain from behind a known good event, and starts the flusher.

        Raises:
            JournalUnavailable: the file cannot be used; its text says why and what to do.
        """
        store = Store(path)
        opened = await asyncio.get_running_loop().run_in_executor(executor, store.open, clock.now(), behind)
        return cls(path, executor, clock, store, opened)

    @property
    def healthy(self) -> bool:
        return self.failure is None

    @property
    def last_at(self) -> datetime | None:
        """When the last event was; None in an empty journal."""
        return self._last_at

    def append(self, events: Sequence[AnyEvent]) -> list[Recorded]:
        """Numbers and stamps the facts and queues them for the next group.

        Raises:
            TypeError: an event that has no JSON form; nothing was appended.
            JournalUnavailable: the journal is closed.
        """
        if self._closing.is_set():
            raise JournalUnavailable("the journal is closed")
        # All of them first: either every fact of the call gets its number or none does.
        payloads = [payload_of(event) for event in events]
        at = self._clock.now()
        if self._last_at is not None and at < self._last_at:
            at = self._last_at
        self._last_at = at
        stamp = text_of(at)
        recorded = []
        for event, payload in zip(events, payloads, strict=True):
            self.seq += 1
            recorded.append(Recorded(self.seq, at, event))
            self._queue.append(Pending(self.seq, stamp, kind_of(event), event.subject, payload))
        if recorded:
            self._work.set()
        return recorded

    async def durable(self, seq: int | None = None) -> None:
        """Returns when event ``seq`` (default: the last one) is fsynced.

        Raises:
            JournalUnavailable: the disk refuses, or has refused and was not back yet. The fact stays queued.
        """
        target = self.seq if seq is None else seq
        assert target <= self.seq, "nobody can wait for an event that was not appended"
        if target <= self.durable_seq:
            return
        if self.failure is not None:
            raise JournalUnavailable(self.failure)
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append((target, waiter))
        await waiter

    async def close(self) -> None:
        """Flushes, ends the flusher and closes the file. May be called twice.

        Raises:
            JournalUnavailable: the disk refused to the end; names how many events are lost.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self._work.set()
        try:
            await self._flusher
        finally:
            await self._on_disk_thread(self._store.close)
        if self.durable_seq < self.seq:
            raise JournalUnavailable(
                f"the last {self.seq - self.durable_seq} events could not be written to {self.path}: {self.failure}"
            )

    async def _flush(self) -> None:
        try:
            give_up_at: float | None = None
            while True:
                await self._work.wait()
                # Facts of one turn of the loop share a group: an approval and its intent cost one fsync, not two.
                await self._clock.sleep(0)
                if self._queue:
                    await self._write_group()
                if self._closing.is_set() and self.failure is not None and give_up_at is None:
                    give_up_at = self._clock.monotonic_s() + CLOSE_PATIENCE_S
                if not self._queue:
                    if self._closing.is_set():
                        return
                    self._work.clear()
                elif self.failure is not None:
                    if give_up_at is not None and self._clock.monotonic_s() >= give_up_at:
                        return
                    await self._pause()
        except BaseException as error:
            # Nobody may go on waiting for a flusher that is gone.
            self._failed(f"the journal's writer has ended: {error!r}")
            raise

    async def _write_group(self) -> None:
        group, self._queue = self._queue, []
        try:
            await self._on_disk_thread(self._store.commit, group)
        except (sqlite3.Error, OSError, JournalUnavailable) as error:
            self._queue[:0] = group
            self._failed(
                f"the journal cannot be written ({error}): entries wait until {self.path.parent} takes data again"
            )
            return
        except BaseException:
            self._queue[:0] = group
            raise
        self._written(group)
        if self._logged >= CHECKPOINT_AT_LATEST or (self._logged >= CHECKPOINT_AFTER and not self._queue):
            await self._checkpoint()

    async def _checkpoint(self) -> None:
        self._logged = 0
        try:
            await self._on_disk_thread(self._store.checkpoint)
        except sqlite3.Error as error:
            log.warning("the journal's log stays as it is for now: %s", error)

    async def _pause(self) -> None:
        """Until the next attempt, or a close, which tries more often."""
        if self._closing.is_set():
            await self._clock.sleep(RETRY_WHILE_CLOSING_S)
            return
        try:
            async with asyncio.timeout(RETRY_S):
                await self._closing.wait()
        except TimeoutError:
            return

    async def _on_disk_thread[*A](self, job: Callable[[*A], None], *args: *A) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, job, *args)

    def _written(self, group: Sequence[Pending]) -> None:
        assert group[0].seq == self.durable_seq + 1
        self.durable_seq = group[-1].seq
        self._logged += len(group)
        if self.failure is not None:
            log.info("the journal is written again, up to event %d", self.durable_seq)
            self.failure = None
        waiting = []
        for target, waiter in self._waiters:
            if target > self.durable_seq:
                waiting.append((target, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        self._waiters = waiting

    def _failed(self, why: str) -> None:
        if self.failure is None:
            log.error("%s", why)
        self.failure = why
        waiters, self._waiters = self._waiters, []
        for _, waiter in waiters:
            if not waiter.done():
                waiter.set_exception(JournalUnavailable(why))
