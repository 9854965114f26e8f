from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from engine.errors import JournalUnavailable
from engine.journal.reader import read_after, read_all, verify
from engine.journal.writer import Journal
from engine.model.events import OrderIntended
from engine.model.words import Purpose
from tests.unit.journal.conftest import HandClock
from tests.unit.journal.events import ENTRY, EVERY_KIND, T0, notes


@asynccontextmanager
async def journal_at(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> AsyncIterator[Journal]:
    journal = await Journal.open(path, disk, clock)
    try:
        yield journal
    finally:
        await journal.close()


async def test_what_is_appended_is_numbered_at_once_and_read_back_later(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    async with journal_at(path, disk, clock) as journal:
        recorded = journal.append(EVERY_KIND)
        assert [fact.seq for fact in recorded] == list(range(1, len(EVERY_KIND) + 1))
        assert journal.seq == len(EVERY_KIND)
        assert journal.durable_seq == 0
        await journal.durable()
        assert journal.durable_seq == journal.seq
        assert list(read_all(path)) == recorded, "readers work beside the writer"
    assert verify(path) == (True, len(EVERY_KIND), None, None)


async def test_a_journal_goes_on_where_it_ended(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    async with journal_at(path, disk, clock) as journal:
        journal.append(notes(3))
    async with journal_at(path, disk, clock) as journal:
        assert (journal.seq, journal.durable_seq, journal.torn) == (3, 3, None)
        assert journal.append(notes(1))[0].seq == 4
    assert verify(path).events == 4


async def test_an_orderly_end_leaves_one_file(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    async with journal_at(path, disk, clock) as journal:
        journal.append(notes(3))
    assert [file.name for file in path.parent.iterdir()] == ["journal.db"]


async def test_time_never_goes_backwards_not_even_across_a_restart(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    async with journal_at(path, disk, clock) as journal:
        journal.append(notes(1))
        clock.move(-60)
        assert journal.append(notes(1))[0].at == T0
    async with journal_at(path, disk, clock) as journal:
        assert journal.append(notes(1))[0].at == T0
        clock.move(61)
        assert journal.append(notes(1))[0].at > T0
    assert verify(path).ok


async def test_everything_queued_shares_one_transaction(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    async with journal_at(path, disk, clock) as journal:
        done: list[int] = []

        async def wait_for(seq: int) -> None:
            await journal.durable(seq)
            done.append(journal.durable_seq)

        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(wait_for(journal.append(notes(1))[0].seq))
        assert done == [50] * 50, "the fiftieth was on disk as soon as the first"


async def test_a_group_does_not_wait_for_the_next_one(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    async with journal_at(path, disk, clock) as journal:
        first = journal.append(notes(1))[0].seq
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(journal.durable(first))
        for _ in range(20):
            await asyncio.sleep(0)
            if waiting.done():
                break
            journal.append(notes(1))
        await waiting
        assert journal.durable_seq >= first
        await journal.durable()


async def test_a_fact_without_a_json_form_appends_nothing(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    async with journal_at(path, disk, clock) as journal:
        bad = OrderIntended(order=ENTRY, body={"qty": object()}, purpose=Purpose.ENTRY)
        with pytest.raises(TypeError):
            journal.append([*notes(1), bad])
        assert journal.seq == 0
        assert journal.append([]) == []
        await journal.durable()


async def test_a_closed_journal_takes_nothing_and_may_be_closed_again(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    journal = await Journal.open(path, disk, clock)
    await journal.close()
    await journal.close()
    with pytest.raises(JournalUnavailable, match="closed"):
        journal.append(notes(1))


async def test_a_waiter_that_is_cancelled_disturbs_nobody(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    async with journal_at(path, disk, clock) as journal:
        journal.append(notes(1))
        impatient = asyncio.ensure_future(journal.durable())
        patient = asyncio.ensure_future(journal.durable())
        await asyncio.sleep(0)
        impatient.cancel()
        await patient
        assert impatient.cancelled()


async def test_a_disk_that_refuses_is_reported_at_once_and_written_in_order_when_it_is_back(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with journal_at(path, disk, clock) as journal:
        journal.append(notes(2))
        await journal.durable()
        with closing(sqlite3.connect(path, isolation_level=None)) as intruder:
            intruder.execute("BEGIN IMMEDIATE")
            journal.append(notes(3))
            with pytest.raises(JournalUnavailable, match="cannot be written"):
                await journal.durable()
            assert not journal.healthy
            assert "locked" in str(journal.failure)
            late = journal.append(notes(4))
            with pytest.raises(JournalUnavailable):
                await asyncio.wait_for(journal.durable(), 0.05)
            await journal.durable(2)  # what is on disk stays on disk
        while not journal.healthy:
            await asyncio.sleep(0.02)
        await journal.durable()
        assert [fact.seq for fact in read_after(path, 5)] == [fact.seq for fact in late]
    assert verify(path) == (True, 9, None, None)
    assert "cannot be written" in caplog.text


async def test_a_disk_that_refuses_to_the_end_costs_facts_that_are_counted(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    journal = await Journal.open(path, disk, clock)
    journal.append(notes(2))
    await journal.durable()
    with closing(sqlite3.connect(path, isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        journal.append(notes(3))
        with pytest.raises(JournalUnavailable, match="last 3 events could not be written"):
            await journal.close()
    assert verify(path).events == 2


async def test_a_journal_that_vanished_does_not_come_back_empty(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    journal = await Journal.open(path, disk, clock)
    journal.append(notes(2))
    await journal.durable()
    for file in list(path.parent.iterdir()):
        file.unlink()
    journal.append(notes(1))
    with pytest.raises(JournalUnavailable):
        await journal.durable()
    with pytest.raises(JournalUnavailable):
        await journal.close()
    assert not path.exists()


async def test_a_second_writer_is_noticed_and_never_mixed_in(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    journal = await Journal.open(path, disk, clock)
    journal.append(notes(2))
    await journal.durable()
    with ThreadPoolExecutor(1) as other_disk:
        async with journal_at(path, other_disk, clock) as other:
            other.append(notes(3))
    journal.append(notes(1))
    with pytest.raises(JournalUnavailable, match="another program"):
        await journal.durable()
    with pytest.raises(JournalUnavailable):
        await journal.close()
    assert verify(path) == (True, 5, None, None)


async def test_rows_can_be_added_and_nothing_else(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    async with journal_at(path, disk, clock) as journal:
        journal.append(notes(2))
    with closing(sqlite3.connect(path)) as prompt:
        for forgery in ("UPDATE events SET kind = 'x'", "DELETE FROM events WHERE seq = 2"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                prompt.execute(forgery)
