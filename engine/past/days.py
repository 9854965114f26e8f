"""Which days a journal holds, and where each begins. A day is New York's: midnight to midnight."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from engine.book import NEW_YORK
from engine.journal.codec import text_of
from engine.journal.reader import open_reader
from engine.model.incident import Priority

MARKS: Final = {
    "signal_approved": "decision",
    "incident_raised": "incident",
    "protection_gave_up": "incident",
    "exit_requested": "decision",
    "desk_state_set": "state",
    "desk_tripped": "state",
    "desk_started": "start",
}
"""Kind of fact -> what it is on the slider."""
MOST_MARKS: Final = 2_000


class Day(NamedTuple):
    date: date
    first_seq: int
    last_seq: int
    began_at: datetime
    """Of its first fact, and of its last."""
    ended_at: datetime

    @property
    def facts(self) -> int:
        return self.last_seq - self.first_seq + 1


class Mark(NamedTuple):
    """Something worth stopping at."""

    at: datetime
    kind: str
    """``decision``, ``incident``, ``state`` or ``start``."""


def days_of(path: Path) -> list[Day]:
    """Newest first. The journal's times never go back, so each day costs a few look-ups, however long it was.

    Raises:
        JournalUnavailable: the file cannot be read.
    """
    found: list[Day] = []
    with closing(open_reader(path)) as connection:
        row = connection.execute("SELECT seq, at FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        while row is not None:
            last_seq, ended_at = int(row[0]), datetime.fromisoformat(row[1])
            day = ended_at.astimezone(NEW_YORK).date()
            midnight = datetime.combine(day, time(), NEW_YORK)
            first_seq = _first_since(connection, midnight, last_seq)
            began_at = _at(connection, first_seq)
            found.append(Day(day, first_seq, last_seq, began_at, ended_at))
            row = connection.execute("SELECT seq, at FROM events WHERE seq = ?", (first_seq - 1,)).fetchone()
    return found


def marks_of(path: Path, day: Day) -> list[Mark]:
    """Oldest first; the newest ``MOST_MARKS`` of a day that has more. Incidents of the lowest priority are none."""
    kinds = ", ".join("?" * len(MARKS))
    query = (
        f"SELECT at, kind FROM events WHERE seq BETWEEN ? AND ? AND kind IN ({kinds}) "
        f"AND coalesce(json_extract(payload, '$.incident.priority'), 1) <= {int(Priority.SOON)} "
        f"ORDER BY seq DESC LIMIT {MOST_MARKS}"
    )
    with closing(open_reader(path)) as connection:
        rows: Sequence[tuple[str, str]] = connection.execute(query, (day.first_seq, day.last_seq, *MARKS)).fetchall()
    return [Mark(datetime.fromisoformat(at), MARKS[kind]) for at, kind in reversed(rows)]


def last_seq_at(connection: sqlite3.Connection, at: datetime, day: Day) -> int:
    """The newest fact of the day that was known at that time; the one before the day's first when there was none."""
    return _first_since(connection, at + timedelta(microseconds=1), day.last_seq + 1, lowest=day.first_seq) - 1


def _first_since(connection: sqlite3.Connection, at: datetime, highest: int, *, lowest: int = 1) -> int:
    """The lowest number in ``lowest..highest`` whose fact is not older than ``at``; ``highest`` when none is."""
    text = text_of(at.astimezone(UTC))
    while lowest < highest:
        middle = (lowest + highest) // 2
        if connection.execute("SELECT at FROM events WHERE seq = ?", (middle,)).fetchone()[0] >= text:
            highest = middle
        else:
            lowest = middle + 1
    return lowest


def _at(connection: sqlite3.Connection, seq: int) -> datetime:
    return datetime.fromisoformat(connection.execute("SELECT at FROM events WHERE seq = ?", (seq,)).fetchone()[0])
