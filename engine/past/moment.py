"""The book as it was at a moment of a day: folded on from the moment before, or from a key picture on the way back."""

from __future__ import annotations

import asyncio
import copy
import sqlite3
from array import array
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Executor as Pool
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.book import Book
from engine.bus import Change
from engine.clock import Clock
from engine.errors import JournalUnavailable
from engine.journal.reader import open_reader, read_after, read_all
from engine.long_table import LongTable
from engine.model import events as ev
from engine.past.days import Day, last_seq_at
from engine.recall import Memory, collector_paused
from engine.views import LinkView

PAGE: Final = 400
"""Facts folded in one go, some ten milliseconds of the loop."""
KEY_PICTURE_EVERY: Final = 4_000
"""Facts from one key picture to the next: a step back folds no more than that."""
MOST_KEY_PICTURES: Final = 12


class Links(dict[str, LinkView]):
    """The ways to the broker, as the journal tells of them."""

    def note(self, recorded: ev.Recorded) -> None:
        event = recorded.event
        if isinstance(event, ev.LinkChanged):
            word = "up" if event.up else "down"
            self[event.link] = LinkView(
                up=event.up, since=recorded.at, last_seen_at=recorded.at if event.up else None, why=event.why, word=word
            )
        elif isinstance(event, ev.DeskStarted):
            self.clear()


class Past(NamedTuple):
    """All that is folded."""

    seq: int
    memory: Memory
    links: Links

    def copy(self) -> Past:
        """Another one that goes its own way: values are frozen and shared, tables and lists are not."""
        memory = Memory()
        for part, twin in (
            (self.memory.book, memory.book),
            (self.memory.activity, memory.activity),
            (self.memory.latency, memory.latency),
        ):
            for name, value in vars(part).items():
                if not callable(value) and value is not self.memory.book:
                    setattr(twin, name, _twin(value))
        return Past(self.seq, memory, Links(self.links))


def _twin(value: Any) -> Any:
    """Containers anew, two deep; what they hold is frozen."""
    match value:
        case LongTable():
            return value.copy()
        case defaultdict() | dict():
            twin = copy.copy(value)
            for key, inner in value.items():
                if isinstance(inner, dict | list | set | deque):
                    twin[key] = copy.copy(inner)
            return twin
        case list() | set() | deque() | array() | bytearray():
            return copy.copy(value)
        case _:
            return value


class Moment:
    """One day of a journal, and where in it one is."""

    def __init__(self, path: Path, day: Day, before: Past, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self.day = day
        self._reader = open_reader(path)
        self._keys = [before.copy()]
        """Key pictures, the earliest first. Each is copied before it is folded on."""
        self._past = before
        self.at = day.began_at
        self._owed: set[Change] | None = None
        """Out of date since a step back that was not told yet."""

    @classmethod
    async def open(cls, path: Path, day: Day, pool: Pool, clock: Clock) -> Moment:
        """Folds everything before the day: seconds for a long journal, in a worker thread.

        Raises:
            JournalUnavailable, JournalUnreadable: the journal cannot be read.
        """
        before = await asyncio.get_running_loop().run_in_executor(pool, _fold_up_to, path, day.first_seq - 1)
        return cls(path, day, before, clock)

    def close(self) -> None:
        self._reader.close()

    @property
    def seq(self) -> int:
        """The newest fact that is known at this moment."""
        return self._past.seq

    @property
    def memory(self) -> Memory:
        return self._past.memory

    @property
    def links(self) -> Links:
        return self._past.links

    async def go(self, at: datetime, moved: Callable[[set[Change], bool], None]) -> None:
        """Be at that time of the day.

        ``moved`` is told, a turn of the loop for each page, what is out of date, and whether it went back. Given up
        half way (cancelled), the book is as of some fact on the way, and the next call goes on from there.
        """
        at = min(max(at, self.day.began_at), self.day.ended_at)
        wanted = last_seq_at(self._reader, at, self.day)
        if wanted < self.seq:
            self._step_back(wanted)
        while True:
            changes = self._fold(wanted, PAGE)
            if self._owed is not None:
                self._owed |= changes
            if self.seq >= wanted:
                break
            if self._owed is None:
                moved(changes, False)
            await self._clock.sleep(0)
        self.at = at
        is_back = self._owed is not None
        changes, self._owed = self._owed or changes, None
        moved(changes, is_back)

    def _step_back(self, wanted: int) -> None:
        key = self._keys[bisect_right([past.seq for past in self._keys], wanted) - 1]
        was, self._past = self._past, key.copy()
        self.at = self.day.began_at
        self._owed = (self._owed or set()) | _differences(was.memory.book, self.memory.book)

    def _fold(self, up_to: int, most: int) -> set[Change]:
        seq, memory, links = self._past
        changes: set[Change] = set()
        try:
            page = read_after(self._reader, seq, min(most, up_to - seq))
        except sqlite3.Error as error:
            raise JournalUnavailable(f"{self.path} cannot be read: {error}") from error
        for recorded in page:
            changes |= memory.book.apply(recorded)
            memory.activity.fold((recorded,))
            memory.latency.fold((recorded,))
            links.note(recorded)
            seq, self.at = recorded.seq, max(self.at, recorded.at)
        self._past = Past(seq, memory, links)
        if seq - self._keys[-1].seq >= KEY_PICTURE_EVERY and len(self._keys) < MOST_KEY_PICTURES:
            self._keys.append(self._past.copy())
        return changes


def _differences(one: Book, other: Book) -> set[Change]:
    """What two books of the same journal do not show alike."""
    found = {Change("desk", ""), Change("account", ""), Change("activity", ""), Change("latency", "")}
    found |= {Change("position", symbol) for book in (one, other) for symbol in book.positions}
    found |= {Change("position", symbol) for book in (one, other) for symbol in book.brackets_of_symbol}
    found |= {Change("signal", key) for key in one.signals.unlike(other.signals)}
    found |= {Change("order", key) for key in one.orders.unlike(other.orders)}
    found |= {Change("bracket", key) for key in one.brackets.unlike(other.brackets)}
    found |= {Change("incident", key) for key in one.incidents.unlike(other.incidents)}
    return found


def _fold_up_to(path: Path, seq: int) -> Past:
    memory, links = Memory(), Links()
    with collector_paused(), memory.book.untold():
        for recorded in read_all(path, up_to=seq):
            memory.book.apply(recorded)
            memory.activity.fold((recorded,))
            memory.latency.fold((recorded,))
            links.note(recorded)
    return Past(seq, memory, links)
