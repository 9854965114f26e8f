"""The writer's side of the file. Every method runs on the journal's one worker thread, none on the loop."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from engine.errors import JournalUnavailable
from engine.journal.codec import GENESIS, Pending, chain_hash
from engine.journal.reader import EMPTY, Tail, check_chain
from engine.journal.schema import connect_writer, is_damage, migrate
from engine.journal.torn import cut_tail, rebuild

log = logging.getLogger(__name__)

_INSERT: Final = "INSERT INTO events (seq, at, kind, subject, payload, hash) VALUES (?, ?, ?, ?, ?, ?)"


class Opened(NamedTuple):
    tail: Tail
    torn: str | None
    """What was cut off, None when nothing was."""


class Store:
    """One writing connection that is dropped after any failure and made anew on the next attempt."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._seq = 0
        self._hash = GENESIS
        """Of the last event that a commit confirmed."""
        self._identity = (0, 0)
        """Device and inode of the open file."""

    def open(self, now: datetime, behind: Tail = EMPTY) -> Opened:
        """Creates or migrates the file, checks the chain, cuts a torn end.

        ``behind`` is an event of this file that is known to be good; the chain is checked from there on.

        Raises:
            JournalUnavailable: cannot be opened, is no journal, is newer, or is broken in its middle.
        """
        torn: list[str] = []
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                tail = self._open_checked(now, torn, behind)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                self._drop()
                torn.append(rebuild(self._path, now))
                tail = self._open_checked(now, torn, EMPTY)
        except (sqlite3.Error, OSError) as error:
            self._drop()
            raise JournalUnavailable(f"the journal {self._path} cannot be opened: {error}") from error
        except BaseException:
            self._drop()
            raise
        self._seq, self._hash = tail.seq, tail.hash
        for message in torn:
            log.warning("%s", message)
        return Opened(tail, "; ".join(torn) or None)

    def commit(self, group: Sequence[Pending]) -> None:
        """Writes the group in one transaction and returns when it is fsynced.

        Raises:
            sqlite3.Error, OSError: not on disk, or not known to be; the same group may be given again.
            JournalUnavailable: the file is no longer the one that was written to.
        """
        assert group[0].seq == self._seq + 1, "groups come in order, without a hole"
        try:
            connection = self._connected()
            self._refuse_if_moved()
            already = self._last_seq(connection) - self._seq
            head, rows = self._chained(connection, group, already)
            if rows:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(_INSERT, rows)
                connection.execute("COMMIT")
        except BaseException:
            # What a failed connection still believes about the file is not worth knowing.
            self._drop()
            raise
        self._seq, self._hash = group[-1].seq, head

    def checkpoint(self) -> None:
        """Moves the log into the file, as far as readers allow; costs two fsyncs.

        Raises:
            sqlite3.Error: nothing is lost, the log just stays longer.
        """
        self._connected().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def close(self) -> None:
        """Leaves one file without a log beside it, unless a reader still needs that."""
        self._drop()

    def _open_checked(self, now: datetime, torn: list[str], behind: Tail) -> Tail:
        connection = self._connection = connect_writer(self._path, create=True)
        migrate(connection, self._path, now)
        check = check_chain(connection, behind=behind)
        if check.why is not None:
            torn.append(cut_tail(connection, self._path, check))
        self._identify()
        return check.good

    def _identify(self) -> None:
        stat = self._path.stat()
        self._identity = (stat.st_dev, stat.st_ino)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            # Never created here: a file that vanished under a running desk must not come back empty.
            self._connection = connect_writer(self._path, create=False)
            self._identify()
        return self._connection

    def _refuse_if_moved(self) -> None:
        """In WAL mode SQLite itself would go on writing into a file that nobody can find again."""
        stat = self._path.stat()
        if (stat.st_dev, stat.st_ino) != self._identity:
            raise JournalUnavailable(f"the journal {self._path} was replaced by another file")

    def _last_seq(self, connection: sqlite3.Connection) -> int:
        [last] = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        assert isinstance(last, int)
        return last

    def _chained(
        self, connection: sqlite3.Connection, group: Sequence[Pending], already: int
    ) -> tuple[str, list[tuple[int, str, str, str, str, str]]]:
        """The hash of the last row, and the rows still to be written.

        ``already`` rows are on disk when a commit that seemed to fail had succeeded.
        """
        if not 0 <= already <= len(group):
            raise JournalUnavailable(
                f"the journal {self._path} was replaced or written by another program: "
                f"it should end at event {self._seq}, not {self._seq + already}"
            )
        head = self._hash
        rows = []
        for row in group:
            head = chain_hash(head, row.seq, row.at, row.kind, row.payload)
            rows.append((*row, head))
        if already:
            [stored] = connection.execute("SELECT hash FROM events WHERE seq = ?", (self._seq + already,)).fetchone()
            if stored != rows[already - 1][-1]:
                raise JournalUnavailable(f"another program wrote into the journal {self._path}")
        return head, rows[already:]

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
