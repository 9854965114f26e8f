"""Stop entries: the desk holds the trigger, and sends the entry with its exits when the price has been seen.

Two distinct quotes in a row must lie beyond the trigger, whole: the bid for a buy, the ask for a sell. One alone may be
a bad print. Quotes count in the core session only, as they would for a stop at the broker. The trigger is a fact in the
journal, so a restart arms it again; a price that passed it meanwhile sends nothing, and the signal goes back to the
person: what a trigger would have bought then is not what it would buy now.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from engine.book import Book
from engine.bus import Bus, Change
from engine.clock import Clock
from engine.market.quotes import QuoteBoard, QuoteView
from engine.model import events as ev
from engine.model.money import plain
from engine.model.signal import HeldEntry, SignalRecord
from engine.model.words import DeskState, TimeInForce
from engine.pipeline.held import is_reached
from engine.recorder import Recorder
from engine.rules.facts import denied
from engine.tasks import Spawn

AGREEING: Final = 2
"""Distinct quotes in a row."""
EXPIRY_LOOK_S: Final = 1.0
RETURNED_FOR: Final = timedelta(minutes=15)
GIVES_UP: Final = frozenset({DeskState.REDUCING, DeskState.HALTED})
"""Working entries are canceled in these states, and those that wait at the desk with them."""
NEW_YORK: Final = ZoneInfo("America/New_York")


def arm(record: SignalRecord, trigger: Decimal, now: datetime, session_ends_at: datetime | None) -> HeldEntry:
    """The entry as it is held: until its day is over, or without end when it is good till canceled."""
    until = None
    if record.signal.entry.time_in_force is not TimeInForce.GTC:
        until = session_ends_at or _end_of_day(now)
    return HeldEntry(kind="trigger", since=now, until=until, trigger_price=trigger)


def _end_of_day(now: datetime) -> datetime:
    local = now.astimezone(NEW_YORK)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


class Triggers:
    """Counts quotes against the triggers that are armed."""

    def __init__(
        self,
        recorder: Recorder,
        book: Book,
        quotes: QuoteBoard,
        clock: Clock,
        bus: Bus,
        *,
        quote_max_age_s: float,
        is_session_open: Callable[[], bool],
        state_of: Callable[[str, str], tuple[DeskState, str]],
        execute: Callable[[str], Awaitable[None]],
    ) -> None:
        """``state_of`` gives the strictest state for a strategy and a symbol, and whose it is."""
        self._recorder = recorder
        self._book = book
        self._quotes = quotes
        self._clock = clock
        self._quote_max_age_s = quote_max_age_s
        self._is_session_open = is_session_open
        self._state_of = state_of
        self._execute = execute
        self._began_at = clock.now()
        self._counts: dict[str, tuple[int, datetime]] = {}
        """Signal -> agreeing quotes so far, and when the newest of them came."""
        self._unseen: set[str] = set()
        """Armed by an earlier process: no quote has told yet where the price went meanwhile."""
        self._spawn: Spawn | None = None
        bus.on_changes(self._notice)

    async def run(self, spawn: Spawn) -> None:
        """For ever: begins to act, and gives up what lives too long."""
        self._unseen = {r.signal.id for r in self._armed() if r.held is not None and r.held.since < self._began_at}
        self._spawn = spawn
        while True:
            for record in self._armed():
                if not self._is_over(record):
                    self._look(record)
            await self._clock.sleep(EXPIRY_LOOK_S)

    def _is_over(self, record: SignalRecord) -> bool:
        """Its day is over, or the desk takes no more entries: then that is on record."""
        signal, held = record.signal, record.held
        state, scope = self._state_of(signal.strategy, signal.symbol)
        if state in GIVES_UP:
            text = f"{scope.capitalize()} is {state.value}: an entry that waits for its price is given up."
            self._recorder.record(ev.SignalDenied(signal_id=signal.id, reasons=(denied("DESK_STATE", text),)))
            return True
        if held is not None and held.until is not None and self._clock.now() >= held.until:
            self._recorder.record(ev.SignalExpired(signal_id=signal.id))
            return True
        return False

    def _armed(self) -> list[SignalRecord]:
        records = [self._book.signals[signal_id] for signal_id in self._book.held_entries]
        return [record for record in records if record.held is not None and record.held.kind == "trigger"]

    def _notice(self, changes: frozenset[Change]) -> None:
        if not self._book.held_entries or self._spawn is None:
            return
        quoted = {change.key for change in changes if change.kind == "quote"}
        for record in self._armed() if quoted else ():
            if record.signal.symbol in quoted:
                self._look(record)

    def _look(self, record: SignalRecord) -> None:
        signal_id, held = record.signal.id, record.held
        quote = self._quotes.get(record.signal.symbol)
        if quote is None or held is None or held.trigger_price is None or signal_id not in self._book.held_entries:
            return
        price = quote.mark(record.signal.side.sign)
        if price is None or quote.age_s > self._quote_max_age_s or not self._is_session_open():
            return
        if not is_reached(record.signal.side, held.trigger_price, price):
            self._unseen.discard(signal_id)
            self._counts.pop(signal_id, None)
        elif self._agree(signal_id, quote):
            self._counts.pop(signal_id, None)
            self._reach(record, held.trigger_price, price)

    def _agree(self, signal_id: str, quote: QuoteView) -> bool:
        count, newest = self._counts.get(signal_id, (0, None))
        if quote.at != newest:
            count += 1
            self._counts[signal_id] = count, quote.at
        return count >= AGREEING

    def _reach(self, record: SignalRecord, trigger: Decimal, price: Decimal) -> None:
        signal_id = record.signal.id
        if signal_id in self._unseen:
            self._unseen.discard(signal_id)
            why = f"the price passed the trigger {plain(trigger)} while the desk was down: nothing was sent"
            expires_at = self._clock.now() + RETURNED_FOR
            self._recorder.record(ev.SignalReturned(signal_id=signal_id, why=why, expires_at=expires_at))
            return
        why = f"{plain(trigger)} was reached: {AGREEING} quotes, the last {plain(price)}"
        self._recorder.record(ev.EntryReleased(signal_id=signal_id, why=why))
        assert self._spawn is not None
        self._spawn(f"trigger-{signal_id}", self._send(signal_id))

    async def _send(self, signal_id: str) -> None:
        await self._execute(signal_id)
