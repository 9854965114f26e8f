"""Packs what is over in the book's long tables, a little at a time, so that a desk that runs for months stays small."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any, Final

from engine.book import Book
from engine.clock import Clock
from engine.long_table import LongTable
from engine.model.words import SignalStatus

KINDS: Final = ("signals", "orders", "brackets", "incidents", "mandates")
EVERY_S: Final = 0.1
MOST: Final = 10
"""Rows packed at a time: half a millisecond of the loop."""
AWAKE: Final = 100
"""So many rows of each table, those written last, are never packed: they are what a person looks at."""
OVER: Final = frozenset(
    {SignalStatus.CLOSED, SignalStatus.DENIED, SignalStatus.REJECTED, SignalStatus.EXPIRED, SignalStatus.FAILED}
)


async def keep_resting(book: Book, clock: Clock) -> None:
    """For ever."""
    for kind in cycle(KINDS):
        await clock.sleep(EVERY_S)
        rest(book, kind)


def rest(book: Book, kind: str, *, awake: int = AWAKE) -> None:
    """Pack some rows of a long table that are over, but for those ``awake`` that were written last."""
    table: LongTable[Any] = getattr(book, kind)
    table.rest(MOST, but=awake, may_rest=_may_rest(book, kind))


def _may_rest(book: Book, kind: str) -> Callable[[Any], bool]:
    match kind:
        case "signals":
            return lambda record: record.status in OVER
        case "orders":  # each fact about an open trade reads all of its orders
            return lambda order: order.is_terminal and order.bracket_id not in book.open_brackets
        case "brackets":
            return lambda bracket: bracket.id not in book.open_brackets
        case "incidents":
            standing = set(book.open_incidents.values())
            return lambda incident: incident.id not in standing
        case _:
            return lambda record: record.mandate.id not in book.standing_mandates
