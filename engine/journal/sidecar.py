"""The checkpoint's file beside the journal: the folded book as of one event; a start folds only what came after.

It is a cache and never a source: whatever does not match is thrown away, and the journal folded from its beginning. It
names the event it stands at with that event's hash (another journal, or a cut one, does not match), the program that
wrote it (another fold does not match), and the number and checksums of its rows (a damaged file does not match).

Only what changed since the last checkpoint is written, in one transaction; the cost follows the work, not the history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS objects (
    rank  INTEGER PRIMARY KEY,   -- in the order in which they came into the book
    kind  TEXT NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,         -- MessagePack
    crc   INTEGER NOT NULL,
    UNIQUE (kind, key)
) STRICT;
CREATE TABLE IF NOT EXISTS head (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    seq     INTEGER NOT NULL,
    hash    TEXT NOT NULL,
    program TEXT NOT NULL,
    objects INTEGER NOT NULL,
    state   BLOB NOT NULL,
    crc     INTEGER NOT NULL
) STRICT;
"""
_PUT: Final = """
INSERT INTO objects (kind, key, value, crc) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, crc = excluded.crc
"""
_FILES: Final = ("", "-journal", "-wal", "-shm")


class SidecarUnusable(Exception):
    """The file is not what it should be: throw it away."""


class Head(NamedTuple):
    """Where a checkpoint stands."""

    seq: int
    """Of the last event that is folded in."""
    hash: str
    """Of that event: binds the checkpoint to this very journal."""
    program: str
    """Fingerprint of the code that folded."""


class Object(NamedTuple):
    kind: str
    key: str
    value: bytes


class Sidecar:
    """All methods do I/O: not on the loop."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def head(self) -> Head | None:
        """None when there is no checkpoint.

        Raises:
            SidecarUnusable: the file is damaged.
        """
        if not self.path.exists():
            return None
        try:
            with closing(self._connect()) as connection:
                row = connection.execute("SELECT seq, hash, program FROM head").fetchone()
        except sqlite3.Error as error:
            raise SidecarUnusable(f"it cannot be read: {error}") from error
        return None if row is None else Head(*row)

    def state(self) -> bytes:
        """What is written anew with each checkpoint.

        Raises:
            SidecarUnusable: damaged, or rows are missing.
        """
        try:
            with closing(self._connect()) as connection:
                row = connection.execute("SELECT state, crc, objects FROM head").fetchone()
                [count] = connection.execute("SELECT count(*) FROM objects").fetchone()
        except sqlite3.Error as error:
            raise SidecarUnusable(f"it cannot be read: {error}") from error
        if row is None or crc32(row[0]) != row[1] or row[2] != count:
            raise SidecarUnusable("its parts do not belong together")
        return bytes(row[0])

    def objects(self) -> Generator[Object]:
        """Oldest first.

        Raises:
            SidecarUnusable: a row is damaged.
        """
        try:
            with closing(self._connect()) as connection:
                rows = connection.execute("SELECT kind, key, value, crc FROM objects ORDER BY rank")
                while page := rows.fetchmany(2_000):
                    for kind, key, value, crc in page:
                        if crc32(value) != crc:
                            raise SidecarUnusable(f"its row {kind} {key} is damaged")
                        yield Object(kind, key, value)
        except sqlite3.Error as error:
            raise SidecarUnusable(f"it cannot be read: {error}") from error

    def write(self, head: Head, changed: Iterable[Object], state: bytes, *, anew: bool) -> None:
        """In one transaction; ``anew`` begins with an empty file.

        Raises:
            sqlite3.Error, OSError: not written; the last checkpoint stands, or none does.
        """
        if anew:
            self.discard()
        with closing(self._connect()) as connection:
            connection.executescript(_SCHEMA)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_PUT, ((o.kind, o.key, o.value, crc32(o.value)) for o in changed))
            [count] = connection.execute("SELECT count(*) FROM objects").fetchone()
            connection.execute(
                "INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?, ?)", (*head, count, state, crc32(state))
            )
            connection.execute("COMMIT")

    def discard(self) -> None:
        for suffix in _FILES:
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection
