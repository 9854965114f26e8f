"""A checkpoint that does not fit in every respect is thrown away, and the journal read from its beginning."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from engine.activity import ActivityLog
from engine.book import Book
from engine.bus import Bus
from engine.checkpoint import CHECKPOINT_FILE, Checkpoints, picture_of
from engine.journal.audit import audit
from engine.journal.reader import Tail, tail_at
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.words import DeskState
from engine.recall import NOTHING, recall, standing
from engine.recorder import Recorder
from tests.unit.journal.conftest import HandClock


async def write(path: Path, disk: ThreadPoolExecutor, clock: HandClock, *, facts: int, then: int = 0) -> int:
    """A journal with a checkpoint behind ``facts`` facts and ``then`` more; returns where the checkpoint stands."""
    journal = await Journal.open(path, disk, clock)
    book = Book()
    recorder = Recorder(journal, book, Bus())
    checkpoints = Checkpoints(journal, book, ActivityLog(book), clock, disk)
    for number in range(facts):
        recorder.record(ev.DeskStateSet(scope=f"symbol:S{number}", state=DeskState.PAUSED, actor="t", cause=""))
    assert await checkpoints.take()
    for _ in range(then):
        recorder.record(ev.DeskStateSet(scope="desk", state=DeskState.HALTED, actor="t", cause=""))
    await journal.close()
    return checkpoints.seq


def prompt(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_only_what_came_after_is_read(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    seq = await write(path, disk, clock, facts=20, then=3)
    at = standing(path)
    assert at.seq == seq == 20
    # What stands before the checkpoint is not looked at: that is the audit's work.
    prompt(path, "DROP TRIGGER events_are_never_changed", "UPDATE events SET payload = 'x' WHERE seq = 5")
    memory = recall(path, at)
    assert memory.book.state_of("desk") is DeskState.HALTED
    assert len(memory.book.states) == 21
    wrong = await audit(path, at, disk, clock)
    assert wrong is not None
    assert "event 5 does not match its hash" in wrong


async def test_the_audit_finds_nothing_in_a_whole_chain(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    await write(path, disk, clock, facts=20)
    assert await audit(path, standing(path), disk, clock) is None
    assert await audit(path, Tail(20, clock.now(), "f" * 64), disk, clock) is not None


async def test_a_tail_behind_the_checkpoint_is_still_cut(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    await write(path, disk, clock, facts=20, then=3)
    prompt(path, "DROP TRIGGER events_are_never_changed", "UPDATE events SET hash = 'x' WHERE seq = 22")
    journal = await Journal.open(path, disk, clock, behind=standing(path))
    assert journal.seq == 21
    assert "22" in str(journal.torn)
    await journal.close()


def _other_journal(path: Path) -> None:
    prompt(path, "DROP TRIGGER events_are_never_changed", "UPDATE events SET hash = 'x' WHERE seq = 20")


def _shorter_journal(path: Path) -> None:
    prompt(path, "DROP TRIGGER events_are_never_deleted", "DELETE FROM events WHERE seq > 10")


def _other_program(path: Path) -> None:
    prompt(path.with_name(CHECKPOINT_FILE), "UPDATE head SET program = 'another'")


def _no_file_of_ours(path: Path) -> None:
    path.with_name(CHECKPOINT_FILE).write_bytes(b"no database at all" * 100)


@pytest.mark.parametrize("spoil", [_other_journal, _shorter_journal, _other_program, _no_file_of_ours])
async def test_what_does_not_stand_in_this_journal_is_thrown_away(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, spoil: Callable[[Path], None]
) -> None:
    await write(path, disk, clock, facts=20)
    spoil(path)
    assert standing(path) == NOTHING
    assert not path.with_name(CHECKPOINT_FILE).exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE head SET state = x'00'",
        "UPDATE head SET objects = 7",
        "INSERT INTO objects (kind, key, value, crc) VALUES ('orders', 'o', x'00', 1)",
    ],
)
async def test_a_damaged_checkpoint_costs_time_and_nothing_else(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, caplog: pytest.LogCaptureFixture, statement: str
) -> None:
    await write(path, disk, clock, facts=20, then=1)
    at = standing(path)
    prompt(path.with_name(CHECKPOINT_FILE), statement)
    with caplog.at_level(logging.WARNING):
        memory = recall(path, at)
    assert not memory.is_restored
    assert len(memory.book.states) == 21
    assert "the whole journal is read instead" in caplog.text


async def test_a_disk_that_refuses_a_checkpoint_leaves_the_desk_alone(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    journal = await Journal.open(path, disk, clock)
    book = Book()
    Recorder(journal, book, Bus()).record(ev.DeskStarted(version="1"))
    path.with_name(CHECKPOINT_FILE).mkdir()
    checkpoints = Checkpoints(journal, book, ActivityLog(book), clock, disk)
    assert not await checkpoints.take()
    path.with_name(CHECKPOINT_FILE).rmdir()
    assert await checkpoints.take()
    await journal.close()
    assert tail_at(path, 1) == standing(path)


def test_a_part_of_the_book_that_the_checkpoint_does_not_know_is_noticed_at_once(clock: HandClock) -> None:
    book = Book()
    book.something_new = {}  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="something_new"):
        picture_of(book, ActivityLog(book), 0, clock.now())
