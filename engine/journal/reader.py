"""Reading the journal, beside a running desk or without one. Nothing here writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.errors import JournalUnavailable
from engine.journal.codec import GENESIS, JournalUnreadable, chain_hash, recorded_of, text_of
from engine.journal.schema import connect_reader, is_damage
from engine.model.events import Recorded

_PAGE: Final = 2_000
"""Rows fetched at a time: bounds memory, keeps the cost of a fetch small."""
_LAST: Final = 2**63 - 1


class Tail(NamedTuple):
    """The end of a chain: what the next event is bound to."""

    seq: int
    at: datetime | None
    hash: str


EMPTY: Final = Tail(0, None, GENESIS)


class ChainCheck(NamedTuple):
    """A walk along the chain, up to its end or its first fault."""

    good: Tail
    first_bad_seq: int | None
    why: str | None


class Verification(NamedTuple):
    ok: bool
    events: int
    """Good ones, counted from the first."""
    first_bad_seq: int | None
    why: str | None


def read_all(path: Path, *, behind: int = 0, up_to: int = _LAST) -> Iterator[Recorded]:
    """Every fact behind event ``behind``, up to and with event ``up_to``, oldest first.

    Raises:
        JournalUnavailable: the file cannot be read.
        JournalUnreadable: an event that this version does not know.
    """
    try:
        with closing(connect_reader(path)) as connection:
            for seq, at, payload in _rows(
                connection, "SELECT seq, at, payload FROM events WHERE seq > ? AND seq <= ? ORDER BY seq", behind, up_to
            ):
                yield recorded_of(seq, at, payload)
    except sqlite3.Error as error:
        raise JournalUnavailable(f"{path} cannot be read: {error}") from error


def read_after(source: Path | sqlite3.Connection, seq: int, limit: int = _PAGE) -> list[Recorded]:
    """At most ``limit`` facts behind ``seq``, oldest first; empty at the end.

    ``source`` is the file, or a connection of ``open_reader`` for those who ask often.
    """
    if isinstance(source, Path):
        with closing(connect_reader(source)) as connection:
            return read_after(connection, seq, limit)
    query = "SELECT seq, at, payload FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
    return [recorded_of(*row) for row in source.execute(query, (seq, limit))]


def read_about(path: Path, subjects: Sequence[str], up_to: int, limit: int) -> list[tuple[int, str, str, str, str]]:
    """The newest ``limit`` facts about any of these up to event ``up_to``, oldest first, as they stand in the file.

    Each is number, time, kind, subject and payload (JSON). The whole file is walked: half a second for a million facts.
    """
    marks = ", ".join("?" * len(subjects))
    query = (
        f"SELECT seq, at, kind, subject, payload FROM events WHERE subject IN ({marks}) AND seq <= ? "
        f"ORDER BY seq DESC LIMIT ?"
    )
    with closing(connect_reader(path)) as connection:
        return list(reversed(connection.execute(query, (*subjects, up_to, limit)).fetchall()))


open_reader = connect_reader


def read_measured(path: Path, up_to: int, limit: int) -> list[Recorded]:
    """The newest ``limit`` measured stages up to event ``up_to``, oldest first. An index serves it."""
    query = "SELECT seq, at, payload FROM events WHERE kind = 'stage_measured' AND seq <= ? ORDER BY seq DESC LIMIT ?"
    with closing(connect_reader(path)) as connection:
        rows = connection.execute(query, (up_to, limit)).fetchall()
    return [recorded_of(*row) for row in reversed(rows)]


def seq_of_measured(path: Path, count: int) -> int:
    """The number of the oldest of the newest ``count`` measured stages; 1 when there are not so many."""
    # The kind stands in the query itself: a bound one would not find the index of these rows alone.
    query = "SELECT seq FROM events WHERE kind = 'stage_measured' ORDER BY seq DESC LIMIT 1 OFFSET ?"
    with closing(connect_reader(path)) as connection:
        row = connection.execute(query, (count - 1,)).fetchone()
    return 1 if row is None else int(row[0])


def seq_of_newest(path: Path, kinds: Iterable[str], count: int) -> int:
    """The number of the oldest of the newest ``count`` events of these kinds; 1 when there are not so many."""
    wanted = tuple(kinds)
    marks = ", ".join("?" * len(wanted))
    query = f"SELECT seq FROM events WHERE kind IN ({marks}) ORDER BY seq DESC LIMIT 1 OFFSET ?"
    with closing(connect_reader(path)) as connection:
        row = connection.execute(query, (*wanted, count - 1)).fetchone()
    return 1 if row is None else int(row[0])


def tail_at(path: Path, seq: int) -> Tail | None:
    """Event ``seq`` as the end of a chain; None when the journal does not reach that far."""
    with closing(connect_reader(path)) as connection:
        row = connection.execute("SELECT seq, at, hash FROM events WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else Tail(row[0], datetime.fromisoformat(row[1]), row[2])


def verify(path: Path) -> Verification:
    """Checks every hash, number, time and payload from the first event on; stops at the first fault.

    Raises:
        JournalUnavailable: there is no journal to check.
    """
    try:
        with closing(connect_reader(path)) as connection:
            connection.execute("BEGIN")  # one snapshot, while the desk goes on writing
            check = check_chain(connection)
            if check.why is None:
                check = _check_payloads(connection, check)
    except (sqlite3.DatabaseError, JournalUnavailable) as error:
        fault = error.__cause__ if isinstance(error, JournalUnavailable) else error
        if isinstance(fault, sqlite3.Error) and is_damage(fault):
            return Verification(False, 0, None, f"the file is damaged: {fault}")
        raise JournalUnavailable(f"{path} cannot be read: {fault or error}") from error
    return Verification(check.why is None, check.good.seq, check.first_bad_seq, check.why)


def check_chain(connection: sqlite3.Connection, up_to: int = _LAST, *, behind: Tail = EMPTY) -> ChainCheck:
    """Walks the hashes. A fault is a hole in the numbers, a time going backwards, or a hash that does not fit.

    ``behind`` is an event already known to be good: the walk begins with its follower.

    Raises:
        sqlite3.DatabaseError: the file is damaged.
    """
    try:
        return _walk(connection, up_to, _PAGE, behind)
    except sqlite3.OperationalError as error:
        if not _is_text_fault(error):
            raise
    return _walk(connection, up_to, 1, behind)  # row by row: finds the very one


def _walk(connection: sqlite3.Connection, up_to: int, page: int, behind: Tail) -> ChainCheck:
    good_seq, good_at, good_hash = behind.seq, text_of(behind.at) if behind.at is not None else "", behind.hash
    why: str | None = None
    query = "SELECT seq, at, kind, payload, hash FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"
    try:
        for seq, at, kind, payload, stored in _rows(connection, query, behind.seq, up_to, page=page):
            if seq != good_seq + 1:
                why = f"event {good_seq + 1} is missing"
            elif at < good_at:
                why = f"event {seq} is older than its predecessor"
            elif chain_hash(good_hash, seq, at, kind, payload) != stored:
                why = f"event {seq} does not match its hash: it, or the one before it, was changed"
            if why is not None:
                break
            good_seq, good_at, good_hash = seq, at, stored
    except sqlite3.OperationalError as error:
        if page > 1 or not _is_text_fault(error):
            raise
        why = f"event {good_seq + 1} holds bytes that are no text"
    tail = Tail(good_seq, datetime.fromisoformat(good_at), good_hash) if good_seq else EMPTY
    return ChainCheck(tail, None if why is None else good_seq + 1, why)


def _is_text_fault(error: sqlite3.Error) -> bool:
    # The module raises this one itself, without a code of SQLite's.
    return "UTF-8" in str(error)


def _check_payloads(connection: sqlite3.Connection, check: ChainCheck) -> ChainCheck:
    query = "SELECT seq, at, payload, kind, subject FROM events ORDER BY seq"
    for seq, at, payload, kind, subject in _rows(connection, query):
        try:
            event = recorded_of(seq, at, payload).event
        except JournalUnreadable as error:
            return ChainCheck(check.good._replace(seq=seq - 1), seq, error.operator_text)
        tag = event.__struct_config__.tag
        if (tag, event.subject) != (kind, subject):
            why = f"event {seq} is filed as {kind} of {subject}, but tells {tag} of {event.subject}"
            return ChainCheck(check.good._replace(seq=seq - 1), seq, why)
    return check


def _rows(connection: sqlite3.Connection, query: str, *values: int, page: int = _PAGE) -> Iterator[tuple[Any, ...]]:
    try:
        cursor = connection.execute(query, values)
        while rows := cursor.fetchmany(page):
            yield from rows
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            raise JournalUnavailable("the file holds no table of events") from error
        raise
