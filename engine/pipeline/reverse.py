"""Reversing a position: two orders, never one. The first closes it; the second enters the other way.

The second is sent only when the broker itself shows no position and no working order in the symbol, goes through the
full gate again, and has its own time to live. If the process dies between the two, it is not sent: the position still
closes, and the signal returns to the person.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from engine.alpaca.client import AlpacaClient
from engine.alpaca.vocabulary import TERMINAL_STATUSES
from engine.book import Book
from engine.clock import Clock
from engine.errors import BrokerError
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.signal import HeldEntry, SignalRecord
from engine.model.words import SignalStatus
from engine.recorder import Recorder
from engine.rules.facts import denied
from engine.tasks import Spawn

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.05
ASK_EVERY_S: Final = 0.5
"""While the book says flat and the broker not yet."""
RETURNED_FOR: Final = timedelta(minutes=15)
"""Time to live of a signal that comes back to the person."""
NOT_SENT: Final = "the desk stopped between closing the position and the entry: the entry was not sent"


def begin_reversal(
    record: SignalRecord, trades: Iterable[Bracket], now: datetime, within_s: float
) -> list[ev.AnyEvent]:
    """The facts that begin it: the entry is held, and every trade of the symbol is asked to leave."""
    approval = record.approval
    assert approval is not None
    trigger = record.held.trigger_price if record.held is not None else None
    held = HeldEntry(kind="reverse", since=now, until=now + timedelta(seconds=within_s), trigger_price=trigger)
    leaves = [
        ev.ExitRequested(bracket_id=trade.id, actor=approval.actor, reason=f"{record.signal.id} reverses the position")
        for trade in trades
        if trade.exit_requested_at is None
    ]
    return [ev.EntryHeld(signal_id=record.signal.id, held=held), *leaves]


class Reversals:
    """Waits for the proof that nothing is left, and lets the second order go."""

    def __init__(
        self,
        client: AlpacaClient,
        recorder: Recorder,
        book: Book,
        clock: Clock,
        *,
        execute: Callable[[str], Awaitable[None]],
        hurry: Callable[[str], None],
    ) -> None:
        """``execute`` judges and sends the entry of a released signal; ``hurry`` has a symbol's trades leave now."""
        self._client = client
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._execute = execute
        self._hurry = hurry
        self._spawn: Spawn | None = None
        self._waiting: set[str] = set()

    async def run(self, spawn: Spawn) -> None:
        """For ever. What an earlier process began is not carried on."""
        self._spawn = spawn
        for signal_id in self._held():
            self._recorder.record(
                ev.SignalReturned(signal_id=signal_id, why=NOT_SENT, expires_at=self._clock.now() + RETURNED_FOR)
            )
        while True:
            for signal_id in self._held():
                if signal_id not in self._waiting:
                    self._waiting.add(signal_id)
                    spawn(f"reverse-{signal_id}", self._reverse(signal_id))
            await self._clock.sleep(LOOK_EVERY_S)

    def _held(self) -> list[str]:
        records = (self._book.signals[signal_id] for signal_id in self._book.held_entries)
        return [record.signal.id for record in records if record.held is not None and record.held.kind == "reverse"]

    async def _reverse(self, signal_id: str) -> None:
        try:
            record = self._book.signals[signal_id]
            symbol = record.signal.symbol
            self._hurry(symbol)
            while self._is_held(signal_id):
                if self._is_over(signal_id):
                    text = f"The broker did not show {symbol} flat in time: the entry was not sent."
                    reasons = (denied("REVERSE_EXPIRED", text),)
                    self._recorder.record(ev.SignalDenied(signal_id=signal_id, reasons=reasons))
                    return
                if not self._looks_flat(symbol):
                    await self._clock.sleep(LOOK_EVERY_S)
                elif (proof := await self._prove_flat(symbol)) is None:
                    await self._clock.sleep(ASK_EVERY_S)
                elif self._is_held(signal_id):
                    why = f"{symbol} is flat, proved by {proof}: the entry follows"
                    self._recorder.record(ev.EntryReleased(signal_id=signal_id, why=why))
                    await self._execute(signal_id)
                    return
        finally:
            self._waiting.discard(signal_id)

    def _is_held(self, signal_id: str) -> bool:
        record = self._book.signals[signal_id]
        return signal_id in self._book.held_entries and record.status is SignalStatus.WORKING

    def _is_over(self, signal_id: str) -> bool:
        held = self._book.signals[signal_id].held
        return held is not None and held.until is not None and self._clock.now() >= held.until

    def _looks_flat(self, symbol: str) -> bool:
        """By the book: no trade is open, no order works, nothing is held."""
        working = any(self._book.orders[order_id].symbol == symbol for order_id in self._book.open_orders)
        return not working and not self._book.brackets_of_symbol.get(symbol) and symbol not in self._book.positions

    async def _prove_flat(self, symbol: str) -> str | None:
        """By the broker: the request that shows no position and no working order; None when it shows one."""
        try:
            position = await self._client.position(symbol)
            if position.value is not None:
                return None
            orders = await self._client.orders(status="all", symbols=(symbol,), nested=True, limit=100)
        except BrokerError as lost:
            log.info("whether %s is flat: %s", symbol, lost)
            return None
        rows = [order for parent in orders.value.items for order in (parent, *parent.legs)]
        if orders.value.unreadable or any(order.status not in TERMINAL_STATUSES for order in rows):
            return None
        return f"request {orders.request_id}"
