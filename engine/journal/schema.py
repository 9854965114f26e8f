"""The journal's file: its table, its version, and the numbered steps from one version to the next.

A file made by a newer program is refused, never guessed at. The table takes inserts only: triggers refuse everything
else, so that an accident in a SQL prompt is an error and not a forgery.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from engine.errors import JournalUnavailable

APPLICATION_ID: Final = 0x474C_4A4E
"""``GLJN`` in the file's header: tells a journal from any other SQLite file."""
BUSY_TIMEOUT_MS: Final = 250
"""There is one writer; who holds the file longer than this is a foreign program, and that is a failure to report."""
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Migration(NamedTuple):
    version: int
    name: str
    statements: tuple[str, ...]


_NO_UPDATE: Final = """
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
"""
NO_DELETE: Final = """
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
"""

MIGRATIONS: Final = (
    Migration(
        1,
        "events",
        (
            """
            CREATE TABLE events (
                seq     INTEGER PRIMARY KEY,  -- 1, 2, 3, ... without a hole
                at      TEXT NOT NULL,        -- RFC 3339 UTC with microseconds, never going backwards
                kind    TEXT NOT NULL,
                subject TEXT NOT NULL,
                payload TEXT NOT NULL,        -- the event as JSON
                hash    TEXT NOT NULL         -- sha256 over the predecessor's hash, seq, at, kind and payload
            ) STRICT
            """,
            _NO_UPDATE,
            NO_DELETE,
        ),
    ),
    Migration(
        2,
        "index of measured stages",
        # A start from a checkpoint reads the newest measurements and nothing else.
        ("CREATE INDEX measured_stages ON events (seq) WHERE kind = 'stage_measured'",),
    ),
)
VERSION: Final = MIGRATIONS[-1].version


def connect_writer(path: Path, *, create: bool) -> sqlite3.Connection:
    """The one writing connection: WAL, and every commit is an fsync.

    Raises:
        sqlite3.Error: the file cannot be opened or is damaged.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}", uri=True, isolation_level=None
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone stops at the drive's cache there
        # The writer checkpoints after it has answered those who wait, not inside their commit.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection that works beside a running desk.

    Raises:
        JournalUnavailable: no such file, not a journal, or made by a newer program.
    """
    if not path.is_file():
        raise JournalUnavailable(f"there is no journal at {path}")
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise JournalUnavailable(f"{path} cannot be opened: {error}") from error
    try:
        connection.execute("PRAGMA busy_timeout = 2000")
        version = file_version(connection, path)
        if version == 0:
            raise JournalUnavailable(f"{path} holds no journal yet")
    except sqlite3.Error as error:
        connection.close()
        raise JournalUnavailable(f"{path} cannot be read: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, and not the way to it."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


def file_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file, 0 for an empty one.

    Raises:
        JournalUnavailable: it is something else, or newer than this program.
    """
    [application_id] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    assert isinstance(version, int)
    if application_id not in (0, APPLICATION_ID):
        raise JournalUnavailable(f"{path} is a SQLite file, but no journal of this program")
    if version > VERSION:
        raise JournalUnavailable(
            f"{path} was written by a newer version of this program (format {version}, this one knows {VERSION}): "
            "update the program"
        )
    if application_id == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() != (0,):
        raise JournalUnavailable(f"{path} is a SQLite file, but no journal of this program")
    return version


def migrate(connection: sqlite3.Connection, path: Path, now: datetime) -> None:
    """Brings the file to ``VERSION``, each step in a transaction with its own record.

    Raises:
        JournalUnavailable: see ``file_version``.
    """
    version = file_version(connection, path)
    for step in MIGRATIONS:
        if step.version <= version:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT, at TEXT)"
            )
            for statement in step.statements:
                connection.execute(statement)
            connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", (step.version, step.name, now.isoformat()))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {step.version}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
