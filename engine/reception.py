"""Signals coming in: read, deduplicated, recorded, answered; and the facts the gate will ask for, fetched early."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from engine.book import Book
from engine.clock import Clock
from engine.errors import BrokerError, CommandRefused, JournalUnavailable
from engine.intake.draft import SignalDraft
from engine.intake.formats.detect import parse
from engine.intake.redact import excerpt
from engine.model import events as ev
from engine.model.ids import signal_id
from engine.model.signal import Signal
from engine.model.words import Intent, Stage
from engine.pipeline.picture import Pictures
from engine.recorder import Recorder
from engine.rules.facts import denied
from engine.stopwatch import Stopwatch
from engine.surroundings import UnknownSymbol, World
from engine.tasks import Spawn

log = logging.getLogger(__name__)

FRESH_QUOTE_S: Final = 1.0
"""A quote of a symbol that was not in play may be almost too old by the time of the click."""
ASSET_WAIT_S: Final = 3.0
"""So long a strategy waits for the look-up of a symbol that is new here."""
UNPROTECTED_TEXT: Final = "The signal has no stop, and its strategy has no default one."


def unknown_symbol(symbol: str) -> CommandRefused:
    return CommandRefused("UNKNOWN_SYMBOL", f"The broker knows no asset {symbol}.", field="symbol", http_status=422)


class Reception:
    def __init__(
        self,
        *,
        book: Book,
        recorder: Recorder,
        world: World,
        pictures: Pictures,
        stopwatch: Stopwatch,
        clock: Clock,
        default_ttl_s: float,
        default_stop: bool,
        fetch_quotes: Callable[[list[str]], Coroutine[Any, Any, None]],
    ) -> None:
        self._book = book
        self._recorder = recorder
        self._world = world
        self._pictures = pictures
        self._stopwatch = stopwatch
        self._clock = clock
        self._default_ttl_s = default_ttl_s
        self._default_stop = default_stop
        self._fetch_quotes = fetch_quotes
        self._spawn: Spawn | None = None

    def start(self, spawn: Spawn) -> None:
        self._spawn = spawn

    async def receive(
        self, raw: bytes, *, source: str | None, pinned_format: str | None, began_s: float | None
    ) -> tuple[str, bool]:
        """Record a proposal; returns its id and whether it was known already.

        Raises:
            CommandRefused: it is no signal, or its symbol does not exist. That is recorded too.
        """
        began_s = self._clock.monotonic_s() if began_s is None else began_s
        try:
            draft = self.read(raw, source=source, pinned_format=pinned_format)
            known = self.known(draft)
            if known is None:
                await self._ensure_symbol(draft)
                known = self.known(draft)  # a copy may have come in meanwhile
        except CommandRefused as refused:
            self._note_refusal(raw, source, refused)
            raise
        if known is not None:
            return known, True
        signal = draft.to_signal(signal_id(self._book.next_signal_number()))
        await self._take_in(signal, began_s)
        return signal.id, False

    def read(self, raw: bytes, *, source: str | None, pinned_format: str | None = None) -> SignalDraft:
        """What it proposes. Nothing is recorded.

        Raises:
            CommandRefused: it is no signal; with its field.
        """
        return parse(
            raw,
            source=source,
            received_at=self._clock.now(),
            format=pinned_format,
            default_ttl_s=self._default_ttl_s,
        )

    def known(self, draft: SignalDraft) -> str | None:
        """Id of the signal that such a proposal became, when it has come before."""
        return self._book.signals_of_source.get(draft.source, {}).get(draft.source_id)

    async def _ensure_symbol(self, draft: SignalDraft) -> None:
        """One look-up of a new symbol; a broker that does not answer in time leaves the question to the gate."""
        try:
            async with asyncio.timeout(ASSET_WAIT_S):
                await self._world.ensure_asset(draft.symbol)
        except TimeoutError:
            log.info("asset %s: no answer within %g s", draft.symbol, ASSET_WAIT_S)
        except UnknownSymbol:
            raise unknown_symbol(draft.symbol) from None
        except BrokerError as lost:
            log.info("asset %s: %s", draft.symbol, lost)

    def _note_refusal(self, raw: bytes, source: str | None, refused: CommandRefused) -> None:
        self._recorder.record(
            ev.SignalRefused(
                source=source or "unknown",
                code=refused.code,
                field=refused.field,
                text=refused.operator_text,
                body=excerpt(raw),
            )
        )

    async def _take_in(self, signal: Signal, began_s: float) -> None:
        facts: list[ev.AnyEvent] = [ev.SignalReceived(signal=signal)]
        if signal.stop_loss is None and signal.intent is not Intent.CLOSE and not self._default_stop:
            facts.append(ev.SignalDenied(signal_id=signal.id, reasons=(denied("NO_STOP", UNPROTECTED_TEXT),)))
        try:
            await self._recorder.commit(*facts)
        except JournalUnavailable as why:
            raise CommandRefused("JOURNAL_UNAVAILABLE", f"Nothing can be recorded now: {why}", http_status=503) from why
        self._stopwatch.measured(signal.id, Stage.RECEIVE, began_s, self._clock.monotonic_s())
        assert self._spawn is not None
        self._spawn(f"facts-{signal.id}", self._gather_facts(signal))

    async def _gather_facts(self, signal: Signal) -> None:
        """What the gate will ask for, fetched before anybody asks: quote, asset, history."""
        try:
            await self._world.ensure_asset(signal.symbol)
        except (UnknownSymbol, BrokerError) as why:
            log.info("asset %s: %s", signal.symbol, why)
        quote = self._pictures.take(signal).quote
        if quote is None or quote.age_s > FRESH_QUOTE_S:
            await self._fetch_quotes([signal.symbol])
        await self._world.history.ensure({*self._pictures.in_play(), signal.symbol})
