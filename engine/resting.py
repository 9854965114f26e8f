"""Packs what is over in the book's long tables, a little at a time, so that a desk that runs for months stays small."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any, Final

from engine.book import Book
from engine.clock import Clock
from engine.long_table import LongTable
from engine.model.words import SignalStatus

KINDS: Final = ("signals", "orders", "brackets", "incidents")
EVERY_S: Final = 0.1
MOST: Final = 10
"""Rows packed at a time: half a millisecond of the loop."""
AWAKE: Final = 250
"""So many rows of each table, those written last, are never packed: they are what a person looks at."""
COUNTED_FOR: Final = timedelta(hours=25)
"""The alarm statistics walk along the incidents of a day."""
OVER: Final = frozenset(
    {SignalStatus.CLOSED, SignalStatus.DENIED, SignalStatus.REJECTED, SignalStatus.EXPIRED, SignalStatus.FAILED}
)


async def keep_resting(book: Book, clock: Clock) -> None:
    """For ever."""
    for kind in cycle(KINDS):
        await clock.sleep(EVERY_S)
        rest(book, kind, clock.now())


def rest(book: Book, kind: str, now: datetime, *, awake: int = AWAKE) -> None:
    """Pack some rows of a long table that are over, but for those ``awake`` that were written last."""
    table: LongTable[Any] = getattr(book, kind)
    table.rest(MOST, but=awake, may_rest=_may_rest(book, kind, now))


def _may_rest(book: Book, kind: str, now: datetime) -> Callable[[Any], bool]:
    standing = set(book.open_incidents.values())
    match kind:
        case "signals":
            return lambda record: record.status in OVER
        case "orders":  # each fact about an open trade reads all of its orders
            return lambda order: order.is_terminal and order.bracket_id not in book.open_brackets
        case "brackets":
            return lambda bracket: bracket.id not in book.open_brackets
        case _:
            return lambda incident: incident.id not in standing and incident.raised_at < now - COUNTED_FOR
