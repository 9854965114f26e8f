from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from pathlib import Path

import pytest
import simloop

from engine.bus import Bus
from engine.clock import LoopClock
from engine.journal import follow as following
from engine.journal.follow import follow
from engine.journal.writer import Journal
from engine.model.events import Recorded
from tests.unit.journal.conftest import HandClock
from tests.unit.journal.events import T0, notes


class Desk:
    """A journal with a bus, as the recorder uses them."""

    def __init__(self, journal: Journal, clock: HandClock) -> None:
        self.journal = journal
        self.bus = Bus()
        self.clock = clock
        self.reading = ThreadPoolExecutor(1)

    def record(self, count: int) -> None:
        self.bus.publish(self.journal.append(notes(count)), ())

    def follow(self, after: int) -> AsyncGenerator[Recorded, None]:
        return follow(self.journal, self.bus, after, executor=self.reading, clock=self.clock)


@pytest.fixture
async def desk(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> AsyncIterator[Desk]:
    desk = Desk(await Journal.open(path, disk, clock), clock)
    yield desk
    await desk.journal.close()
    desk.reading.shutdown()


async def take(stream: AsyncGenerator[Recorded, None], count: int) -> list[int]:
    return [(await anext(stream)).seq for _ in range(count)]


async def test_the_backlog_comes_first_then_what_is_added(desk: Desk) -> None:
    desk.record(following.PAGE + 7)
    await desk.journal.durable()
    async with aclosing(desk.follow(3)) as stream:
        assert await take(stream, following.PAGE) == list(range(4, following.PAGE + 4))
        desk.record(2)
        assert await take(stream, 6) == list(range(following.PAGE + 4, following.PAGE + 10))
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        desk.record(1)
        assert (await waiting).seq == following.PAGE + 10


async def test_a_reader_slower_than_the_desk_misses_nothing_and_keeps_little(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEPT", 5)
    async with aclosing(desk.follow(0)) as stream:
        desk.record(1)
        assert await take(stream, 1) == [1]
        desk.record(50)
        assert await take(stream, 20) == list(range(2, 22))
        desk.record(50)
        assert await take(stream, 80) == list(range(22, 102))


async def test_nothing_is_handed_out_before_it_is_on_disk(desk: Desk, path: Path) -> None:
    desk.record(1)
    await desk.journal.durable()
    async with aclosing(desk.follow(0)) as stream:
        assert await take(stream, 1) == [1]
        with closing(sqlite3.connect(path, isolation_level=None)) as intruder:
            intruder.execute("BEGIN IMMEDIATE")
            desk.record(2)
            waiting = asyncio.ensure_future(take(stream, 2))
            while desk.journal.healthy:
                await asyncio.sleep(0.01)
            assert not waiting.done()
        assert await waiting == [2, 3]


async def test_a_reader_that_leaves_is_forgotten(desk: Desk) -> None:
    stream = desk.follow(0)
    desk.record(1)
    await take(stream, 1)
    await stream.aclose()
    assert desk.bus._on_records == []


def test_the_journal_works_in_simulated_time(path: Path) -> None:
    async def life() -> int:
        clock = LoopClock(T0)
        with ThreadPoolExecutor(1) as unused:
            journal = await Journal.open(path, unused, clock)
            journal.append(notes(3))
            await journal.durable()
            await clock.sleep(3_600)
            journal.append(notes(1))
            await journal.close()
            return journal.durable_seq

    loop = simloop.SimLoop(seed=1)
    try:
        assert loop.run_until_complete(life()) == 4
    finally:
        loop.close()
