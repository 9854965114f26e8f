"""The folded book on disk: taken in idle moments and at the stop, given back at the next start.

``fold(checkpoint) + fold(what came after)`` is ``fold(everything)``: the tests and the simulation check that.
Taking a picture on the loop copies dictionaries of frozen values, a millisecond for a hundred thousand orders; finding
what changed, encoding and writing it is done by a worker thread.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import defaultdict, deque
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Executor as Pool
from contextlib import closing
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from engine import VERSION
from engine.activity import ActivityLog
from engine.book import SIGNALS_REMEMBERED, Book, ScopeState
from engine.clock import Clock
from engine.errors import JournalUnavailable
from engine.journal.schema import connect_reader
from engine.journal.sidecar import Head, Object, Sidecar, SidecarUnusable
from engine.journal.writer import Journal
from engine.long_table import LongTable
from engine.model.bracket import Bracket
from engine.model.halt import FlatProof, Suspension
from engine.model.incident import Alarm, Incident, Rejection
from engine.model.mandate import MandateRecord
from engine.model.order import Order
from engine.model.position import Position
from engine.model.signal import SignalRecord
from engine.model.trip import Trip
from engine.prop.ledger import PropLedger
from engine.views import ActivityLine

log = logging.getLogger(__name__)

CHECKPOINT_FILE: Final = "checkpoint.db"
WORTH_IT: Final = 2_000
"""Facts since the last checkpoint that make a new one worth its cost; they fold in some 30 ms."""
LOOK_EVERY_S: Final = 5.0
IDLE_BELOW: Final = 50
"""Facts between two looks; more is no idle moment."""
AT_LATEST: Final = 20_000
"""Facts after which a checkpoint is taken however busy the desk is."""
COUNTED_FOR: Final = timedelta(hours=36)
"""Entries are counted by the day, signals by the minute: older times are of no use to anybody."""

KINDS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "signals": SignalRecord,
    "orders": Order,
    "brackets": Bracket,
    "incidents": Incident,
    "mandates": MandateRecord,
}
"""The book's long tables, written row by row."""

DERIVED: Final = frozenset(
    {"signals_of_source", "order_of_client_id", "order_of_broker_id", "_covers", "_changes", "_is_told", *KINDS}
)
"""What ``restore`` makes from the long tables."""


class BookState(msgspec.Struct, frozen=True, kw_only=True):
    """The rest of the book, small and written whole. Field names are the book's own attributes."""

    desk_id: str
    mode: str
    account_number: str | None
    stopped_in_order: bool
    demo_on: bool
    positions: dict[str, Position]
    states: dict[str, ScopeState]
    settled: dict[str, str]
    pending: dict[str, None]
    approved: dict[str, None]
    held_entries: dict[str, None]
    open_orders: dict[str, None]
    taken_back: dict[str, datetime]
    open_brackets: dict[str, None]
    open_incidents: dict[str, str]
    alarms: dict[str, Alarm]
    rejections: dict[str, Rejection]
    brackets_of_symbol: dict[str, dict[str, None]]
    closers: dict[str, str]
    run: int
    prop: PropLedger
    trips: dict[str, Trip]
    flat_proof: FlatProof | None
    suspension: Suspension
    standing_mandates: dict[str, datetime]
    former_broker_ids: dict[str, str]
    naked_days: dict[str, float]
    lost_at: dict[str, datetime]
    rejects_in_a_row: int
    _entries_at: list[datetime]
    _signals_at: dict[str, list[datetime]]


class State(msgspec.Struct, frozen=True, kw_only=True):
    book: BookState
    activity: tuple[ActivityLine, ...]


class Picture(msgspec.Struct, frozen=True):
    """The book as of one event: shallow copies of what never changes in place."""

    seq: int
    rows: dict[str, dict[str, Any]]
    """Of the long tables, as they are kept there."""
    book: BookState
    activity: tuple[ActivityLine, ...]


_encode: Final = msgspec.msgpack.Encoder().encode
_decoders: Final = {kind: msgspec.msgpack.Decoder(struct) for kind, struct in KINDS.items()}
_decode_state: Final = msgspec.msgpack.Decoder(State).decode


@cache
def program_fingerprint() -> str:
    """Changes with every change of the engine's code: another program may fold the same facts to something else."""
    digest = sha256(VERSION.encode())
    root = Path(__file__).parent
    for source in sorted(root.rglob("*.py")):
        digest.update(source.relative_to(root).as_posix().encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()


def tables_of(book: Book) -> dict[str, LongTable[Any]]:
    return {kind: getattr(book, kind) for kind in KINDS}


def picture_of(book: Book, activity: ActivityLog, seq: int, now: datetime, *, changed: bool = False) -> Picture:
    """Plain and quick: nothing may be recorded while it is taken. ``changed``: no other rows of the long tables."""
    missing = vars(book).keys() - set(BookState.__struct_fields__) - DERIVED
    assert not missing, f"engine/checkpoint.py does not know {sorted(missing)} of the book: add them to BookState"
    oldest = now - COUNTED_FOR
    copied: dict[str, Any] = {}
    for name in BookState.__struct_fields__:
        value = getattr(book, name)
        copied[name] = dict(value) if isinstance(value, dict) else value
    copied["brackets_of_symbol"] = {symbol: dict(keys) for symbol, keys in book.brackets_of_symbol.items()}
    copied["_entries_at"] = [at for at in book._entries_at if at > oldest]
    copied["_signals_at"] = {s: [at for at in times if at > oldest] for s, times in book._signals_at.items()}
    return Picture(
        seq,
        {kind: table.stored(changed=changed) for kind, table in tables_of(book).items()},
        BookState(**copied),
        activity.lines(),
    )


def forget_changes(book: Book) -> None:
    """What the long tables hold stands in the checkpoint's file, or is about to."""
    for table in tables_of(book).values():
        table.note_stored()


def restore(book: Book, activity: ActivityLog, objects: Generator[Object], state: bytes) -> None:
    """Fill an empty book.

    Raises:
        SidecarUnusable: what is stored is not of the book's types.
    """
    try:
        with closing(objects):
            _restore_tables(book, objects)
        stored = _decode_state(state)
    except (msgspec.MsgspecError, KeyError) as error:
        raise SidecarUnusable(f"it does not fit the book: {error}") from error
    for name in BookState.__struct_fields__:
        setattr(book, name, getattr(stored.book, name))
    book.brackets_of_symbol = defaultdict(dict, stored.book.brackets_of_symbol)
    book._entries_at = deque(stored.book._entries_at)
    book._signals_at = defaultdict(
        lambda: deque(maxlen=SIGNALS_REMEMBERED),
        {source: deque(times, maxlen=SIGNALS_REMEMBERED) for source, times in stored.book._signals_at.items()},
    )
    book.order_of_broker_id.update(book.former_broker_ids)
    for bracket_id in book.open_brackets:
        book.cover(bracket_id)
    forget_changes(book)
    activity.take_back(stored.activity)


def _restore_tables(book: Book, objects: Iterator[Object]) -> None:
    tables = {kind: (getattr(book, kind), _decoders[kind].decode) for kind in KINDS}
    for kind, key, value in objects:
        table, decode = tables[kind]
        table[key] = decode(value)
    for record in book.signals.values():
        book.signals_of_source.setdefault(record.signal.source, {})[record.signal.source_id] = record.signal.id
    for order in book.orders.values():
        if order.client_order_id is not None:
            book.order_of_client_id[order.client_order_id] = order.id
        if order.broker_id is not None:
            book.order_of_broker_id[order.broker_id] = order.id


def event_hash(journal: Path, seq: int) -> str | None:
    """Of an event on disk; None when it is not there."""
    with closing(connect_reader(journal)) as connection:
        row = connection.execute("SELECT hash FROM events WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else str(row[0])


class Checkpoints:
    """Takes them while a desk runs. One write at a time."""

    def __init__(
        self, journal: Journal, book: Book, activity: ActivityLog, clock: Clock, pool: Pool, *, worth_it: int = WORTH_IT
    ) -> None:
        self._journal = journal
        self._book = book
        self._activity = activity
        self._clock = clock
        self._pool = pool
        self._worth_it = worth_it
        self._sidecar = Sidecar(journal.path.with_name(CHECKPOINT_FILE))
        self._is_begun = False
        """The file holds the long tables but for what has changed in them; else it has to be written anew."""
        self._lock = asyncio.Lock()
        self.seq = 0
        """Of the newest checkpoint."""

    def stands_at(self, seq: int) -> None:
        """The book was restored from the file as of this event: only what has changed since is written."""
        self.seq, self._is_begun = seq, True

    async def run(self) -> None:
        """For ever: in idle moments, or when much has come together."""
        while True:
            before = self._journal.seq
            await self._clock.sleep(LOOK_EVERY_S)
            behind = self._journal.seq - self.seq
            is_idle = self._journal.seq - before < IDLE_BELOW
            if behind >= AT_LATEST or (is_idle and behind >= self._worth_it):
                await self.take()

    async def at_stop(self) -> None:
        """The last one, when it saves the next start anything."""
        if self._journal.seq - self.seq >= self._worth_it:
            await self.take()

    async def take(self) -> bool:
        """Returns whether it was written. A disk that refuses costs the next start some time, and nothing else."""
        async with self._lock:
            is_begun, self._is_begun = self._is_begun, False  # until it is written
            picture = picture_of(self._book, self._activity, self._journal.seq, self._clock.now(), changed=is_begun)
            forget_changes(self._book)
            try:
                await self._journal.durable(picture.seq)
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._pool, self._write, picture, not is_begun)
            except (sqlite3.Error, OSError, JournalUnavailable) as error:
                log.info("no checkpoint for now: %s", error)
                return False
            self._is_begun, self.seq = True, picture.seq
            return True

    def _write(self, picture: Picture, anew: bool) -> None:
        """On a worker thread."""
        digest = event_hash(self._journal.path, picture.seq)
        if digest is None:
            raise JournalUnavailable(f"event {picture.seq} is not in the journal")
        state = State(book=picture.book, activity=picture.activity)
        head = Head(picture.seq, digest, program_fingerprint())
        self._sidecar.write(head, self._objects(picture), _encode(state), anew=anew)

    def _objects(self, picture: Picture) -> Iterator[Object]:
        for kind, table in tables_of(self._book).items():
            for key, row in picture.rows[kind].items():
                yield Object(kind, key, table.encoded(row))
