"""The tape on disk: a small SQLite file beside the journal. It may be deleted at any time; then prices are missing.

Plain and blocking: on the loop only a worker thread calls it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from engine.past.frame import NOTHING, Frame, packed, unpacked

log = logging.getLogger(__name__)

TAPE_FILE: Final = "tape.db"
KEY_EVERY_S: Final = 60.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS frames (at INTEGER PRIMARY KEY, is_key INTEGER NOT NULL, body BLOB NOT NULL)"
)
_CACHED_PAGES: Final = 200


class Row(NamedTuple):
    at: datetime
    is_key: bool
    frame: Frame


def append(path: Path, rows: Iterable[Row]) -> None:
    """In one transaction. Raises ``sqlite3.Error``, ``OSError``: nothing of it is written."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = {_CACHED_PAGES}")
        connection.execute(_SCHEMA)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT OR REPLACE INTO frames VALUES (?, ?, ?)",
            ((_ms(row.at), int(row.is_key), packed(row.frame)) for row in rows),
        )
        connection.execute("COMMIT")


def forget(path: Path, before: datetime) -> int:
    """Frames older than that are deleted; tells how many. Raises ``sqlite3.Error``."""
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(_SCHEMA)
        return connection.execute("DELETE FROM frames WHERE at < ?", (_ms(before),)).rowcount


class TapeReader:
    """Reads beside the desk that writes. Without a file, or with one that cannot be read, there are no frames."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.unreadable = 0
        """Frames that another version of the program has written."""
        self._is_broken = False

    def as_of(self, at: datetime) -> tuple[Frame, datetime | None]:
        """All that was shown then, and when that was written; empty when nothing was within two key frames before."""
        oldest = at - timedelta(seconds=2 * KEY_EVERY_S)
        query = (
            "SELECT at, body FROM frames WHERE at <= ? AND at >= "
            "(SELECT max(at) FROM frames WHERE is_key = 1 AND at <= ? AND at >= ?) ORDER BY at"
        )
        whole, written_at = NOTHING, None
        for when, frame in self._read(query, _ms(at), _ms(at), _ms(oldest)):
            whole, written_at = whole.then(frame), when
        return whole, written_at

    def between(self, after: datetime, up_to: datetime) -> Iterator[tuple[datetime, Frame]]:
        """Oldest first."""
        yield from self._read(
            "SELECT at, body FROM frames WHERE at > ? AND at <= ? ORDER BY at", _ms(after), _ms(up_to)
        )

    def keys(self, after: datetime, up_to: datetime) -> Iterator[tuple[datetime, Frame]]:
        """The key frames alone, oldest first: one a minute."""
        query = "SELECT at, body FROM frames WHERE at > ? AND at <= ? AND is_key = 1 ORDER BY at"
        yield from self._read(query, _ms(after), _ms(up_to))

    def _read(self, query: str, *values: int) -> Iterator[tuple[datetime, Frame]]:
        for at_ms, body in self._rows(query, values):
            try:
                yield _at(at_ms), unpacked(body)
            except ValueError:
                self.unreadable += 1

    def _rows(self, query: str, values: tuple[int, ...]) -> list[tuple[int, bytes]]:
        """None of a file that cannot be read: the day is shown without its prices."""
        try:
            with self._connected() as connection:
                return connection.execute(query, values).fetchall() if connection is not None else []
        except sqlite3.Error as why:
            if not self._is_broken:
                log.warning("%s cannot be read, prices are missing: %s", self._path, why)
            self._is_broken = True
            return []

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection | None]:
        if not self._path.is_file():
            yield None
            return
        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA busy_timeout = 2000")
            [tables] = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'frames'").fetchone()
            yield connection if tables else None


def _ms(at: datetime) -> int:
    return int((at - _EPOCH) / timedelta(milliseconds=1))


def _at(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)
