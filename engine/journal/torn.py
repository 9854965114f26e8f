"""A journal whose end did not survive: found when it is opened, cut off with a message, kept in a side file.

SQLite drops a half-written transaction by itself. What remains are disks that lied about an fsync: a file cut short,
or last rows whose hashes do not fit. Such a tail is cut, since the broker is asked for the truth anyway. A fault with a
long tail behind it is no torn end but damage or a forgery: that is refused, and nothing is touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.errors import JournalUnavailable
from engine.journal.reader import ChainCheck, Tail, check_chain
from engine.journal.schema import NO_DELETE, connect_writer, migrate

LONGEST_TAIL: Final = 5_000
"""Events. More than one group of the writer ever holds, far less than a day's work."""
_INSERT: Final = "INSERT INTO events (seq, at, kind, subject, payload, hash) VALUES (?, ?, ?, ?, ?, ?)"


def cut_tail(connection: sqlite3.Connection, path: Path, check: ChainCheck) -> str:
    """Moves the rows behind the last good one into a side file; returns the message about it.

    Raises:
        JournalUnavailable: too many rows stand behind the fault.
    """
    good = check.good.seq
    [behind] = connection.execute("SELECT count(*) FROM events WHERE seq > ?", (good,)).fetchone()
    _refuse_if_long(path, check, behind)
    side = _side_path(path)
    rows = connection.execute(
        "SELECT seq, at, kind, subject, CAST(payload AS BLOB), hash FROM events WHERE seq > ? ORDER BY seq", (good,)
    )
    with side.open("w", encoding="utf-8") as file:
        for seq, at, kind, subject, payload, digest in rows:
            text = payload.decode("utf-8", "backslashreplace")
            line = {"seq": seq, "at": at, "kind": kind, "subject": subject, "payload": text, "hash": digest}
            file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("DROP TRIGGER events_are_never_deleted")
        connection.execute("DELETE FROM events WHERE seq > ?", (good,))
        connection.execute(NO_DELETE)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return f"the end of the journal was torn ({check.why}): {behind} events behind number {good} were moved to {side}"


def rebuild(path: Path, now: datetime) -> str:
    """Replaces a damaged file by its readable beginning, keeping the damaged one beside it; returns the message.

    Raises:
        JournalUnavailable: nothing, or too little, of it can be read.
    """
    side = _side_path(path)
    shutil.copy2(path, side)
    wal = _sibling(path, "-wal")
    if wal.exists():
        shutil.copy2(wal, _sibling(side, "-wal"))
    fresh = _sibling(path, ".rebuilt")
    for leftover in (fresh, _sibling(fresh, "-wal"), _sibling(fresh, "-shm")):
        leftover.unlink(missing_ok=True)
    try:
        good = _copy_beginning(path, fresh, now)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    # The old log must not be replayed into the new file.
    for suffix in ("-wal", "-shm"):
        _sibling(path, suffix).unlink(missing_ok=True)
    fresh.replace(path)
    return f"the journal's file was damaged: the first {good} events were saved, the damaged file is kept as {side}"


def _copy_beginning(path: Path, fresh: Path, now: datetime) -> int:
    with closing(sqlite3.connect(path, isolation_level=None)) as damaged:
        # Without this SQLite refuses a file that is shorter than its header says; it is never written here.
        damaged.execute("PRAGMA writable_schema = ON")
        check = _readable_beginning(damaged)
        if check.good.seq == 0:
            raise JournalUnavailable(
                f"nothing of the journal {path} can be read ({check.why}): move it away to begin anew"
            )
        with contextlib.suppress(sqlite3.DatabaseError):  # the end is gone: exactly what can be cut
            [last] = damaged.execute("SELECT max(seq) FROM events").fetchone()
            _refuse_if_long(path, check, last - check.good.seq)
        rows = damaged.execute(
            "SELECT seq, at, kind, subject, payload, hash FROM events WHERE seq <= ? ORDER BY seq", (check.good.seq,)
        )
        _write_fresh(fresh, rows, now)
    return check.good.seq


def _write_fresh(fresh: Path, rows: Iterable[tuple[object, ...]], now: datetime) -> None:
    with closing(connect_writer(fresh, create=True)) as connection:
        migrate(connection, fresh, now)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _readable_beginning(damaged: sqlite3.Connection) -> ChainCheck:
    try:
        return check_chain(damaged)
    except sqlite3.DatabaseError as error:
        why = str(error)
    # The walk met the damage: find the last number before it by asking for ever shorter beginnings.
    low, high = 0, 1
    while _walks(damaged, high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _walks(damaged, middle) else (low, middle)
    if low == 0:
        return ChainCheck(Tail(0, None, ""), 1, why)
    return ChainCheck(Tail(low, None, ""), low + 1, why)


def _walks(damaged: sqlite3.Connection, seq: int) -> bool:
    try:
        check = check_chain(damaged, up_to=seq)
    except sqlite3.DatabaseError:
        return False
    return check.why is None and check.good.seq == seq


def _refuse_if_long(path: Path, check: ChainCheck, behind: int) -> None:
    if behind > LONGEST_TAIL:
        raise JournalUnavailable(
            f"the journal {path} is broken in its middle ({check.why}; {behind} events follow): that is no torn end, "
            "so nothing was changed; keep the file as evidence and move it away to begin anew"
        )


def _side_path(path: Path) -> Path:
    """The first free of ``journal.db.torn``, ``journal.db.2.torn``, ..."""
    side, number = _sibling(path, ".torn"), 1
    while side.exists():
        number += 1
        side = _sibling(path, f".{number}.torn")
    return side


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
