from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import JournalUnavailable
from engine.journal.reader import read_after, read_all, verify
from engine.journal.schema import MIGRATIONS, VERSION, Migration, migrate
from engine.journal.writer import Journal
from tests.unit.journal.conftest import HandClock
from tests.unit.journal.events import T0, notes


def test_migrations_are_numbered_without_a_hole() -> None:
    assert [step.version for step in MIGRATIONS] == list(range(1, VERSION + 1))


async def test_every_migration_leaves_its_record(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    await (await Journal.open(path, disk, clock)).close()
    with closing(sqlite3.connect(path)) as prompt:
        records = prompt.execute("SELECT version, name, at FROM migrations").fetchall()
        assert records == [(step.version, step.name, T0.isoformat()) for step in MIGRATIONS]
        migrate(prompt, path, T0)
        assert prompt.execute("SELECT count(*) FROM migrations").fetchone() == (VERSION,)


async def test_a_newer_file_is_refused_by_writer_and_readers(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    await (await Journal.open(path, disk, clock)).close()
    with closing(sqlite3.connect(path)) as prompt:
        prompt.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(JournalUnavailable, match="newer version"):
        await Journal.open(path, disk, clock)
    with pytest.raises(JournalUnavailable, match="newer version"):
        verify(path)


@pytest.mark.parametrize("setup", ["CREATE TABLE notes (text)", "PRAGMA application_id = 7"])
async def test_another_programs_database_is_refused(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, setup: str
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as prompt:
        prompt.execute(setup)
    with pytest.raises(JournalUnavailable, match="no journal of this program"):
        await Journal.open(path, disk, clock)
    with pytest.raises(JournalUnavailable, match="no journal of this program"):
        list(read_all(path))


def test_readers_of_a_missing_or_empty_file_are_told_so(path: Path) -> None:
    with pytest.raises(JournalUnavailable, match="there is no journal at"):
        verify(path)
    path.parent.mkdir()
    path.touch()
    with pytest.raises(JournalUnavailable, match="no journal yet"):
        read_after(path, 0)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(JournalUnavailable, match="cannot be read"):
        read_after(path, 0)


async def test_a_folder_that_cannot_be_made_is_a_clear_refusal(
    tmp_path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalUnavailable, match="cannot be opened"):
        await Journal.open(tmp_path / "file" / "journal.db", disk, clock)


async def test_a_fact_of_an_unknown_kind_fails_verification_by_name(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    journal = await Journal.open(path, disk, clock)
    journal.append(notes(2))
    await journal.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as prompt:
        prompt.execute("DROP TRIGGER events_are_never_changed")
        prompt.execute("UPDATE events SET subject = 's000007' WHERE seq = 2")
    check = verify(path)
    assert (check.ok, check.first_bad_seq, check.events) == (False, 2, 1)
    assert check.why == "event 2 is filed as signal_expired of s000007, but tells signal_expired of s000002"


@pytest.mark.parametrize("before", MIGRATIONS[:-1], ids=lambda step: f"version {step.version}")
async def test_a_journal_of_an_older_version_goes_on_under_this_one(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, before: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr("engine.journal.schema.MIGRATIONS", MIGRATIONS[: before.version])
        journal = await Journal.open(path, disk, clock)
        journal.append(notes(5))
        await journal.close()
    facts = list(read_all(path))
    with closing(sqlite3.connect(path)) as prompt:
        assert prompt.execute("PRAGMA user_version").fetchone() == (before.version,)
    journal = await Journal.open(path, disk, clock)
    journal.append(notes(2))
    await journal.close()
    assert list(read_all(path))[:5] == facts
    assert verify(path) == (True, 7, None, None)
    with closing(sqlite3.connect(path)) as prompt:
        assert prompt.execute("SELECT max(version) FROM migrations").fetchone() == (VERSION,)


async def test_a_migration_that_fails_half_way_leaves_the_file_as_it_was(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await Journal.open(path, disk, clock)
    journal.append(notes(3))
    await journal.close()
    broken = Migration(VERSION + 1, "broken", ("CREATE TABLE half (way)", "CREATE TABLE events (twice)"))
    with monkeypatch.context() as newer:
        newer.setattr("engine.journal.schema.MIGRATIONS", (*MIGRATIONS, broken))
        with pytest.raises(JournalUnavailable, match="already exists"):
            await Journal.open(path, disk, clock)
    with closing(sqlite3.connect(path)) as prompt:
        assert prompt.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert prompt.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone() == (0,)
    assert verify(path) == (True, 3, None, None)
