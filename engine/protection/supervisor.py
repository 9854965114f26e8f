"""Keeps cover true: one actor per symbol compares what is held with what is covered, and mends the difference.

An actor lives while its symbol has an open trade. It wakes on every change of one of them, on a timer, when a price
passes the stop of uncovered shares, and when an exit that the desk itself watches is struck. What to do is decided by
``steps.decide_step`` alone; failures of placing exits are repeated with jitter until ``max_attempts``, then the
operator is called. A refusal that ends by itself is waited out and not counted. A command cuts any pause short.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Final, Protocol

from engine.alpaca.refusals import PriceRefused
from engine.alpaca.retry import placements
from engine.book import Book
from engine.bus import Bus, Change
from engine.clock import Clock
from engine.config import ProtectionRules
from engine.errors import BrokerError, NotYetError
from engine.gateway import Gateway
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.words import ExitWhen, Session
from engine.protection.case import (
    DESK,
    AttachExits,
    Cancel,
    Case,
    Close,
    MoveExit,
    MoveTarget,
    ReadAgain,
    Rest,
    Step,
    Truth,
    is_beyond,
)
from engine.protection.requests import ExitRequests, fact_of
from engine.protection.steps import decide_step
from engine.protection.watched import Hit, Watcher
from engine.recorder import Recorder
from engine.tasks import Spawn

log = logging.getLogger(__name__)

SWEEP_S: Final = 2.0
"""How often an actor looks again although nothing happened."""
NOT_YET_LOOK_S: Final = 0.05
AFTER_REFUSAL_S: Final = 1.0
READ_PATIENCE_S: Final = 1.5
"""A reading of the broker's truth is not waited for longer: the next step is decided with what is known."""
READ_PAUSE_S: Final = 0.2
NOT_YET_S: Final = 0.3
NOT_YET_SHARE: Final = 0.3
NOT_YET_MOST_S: Final = 3.0
"""A "not yet" is asked again after this share of the time it has lasted: a storm of them would spend the budget."""
NOT_YET_MAX_S: Final = 30.0
"""A refusal that should end by itself and lasts longer counts as a failure."""


class Surroundings(Protocol):
    """What the supervisor asks about the world outside its trades."""

    def session(self, symbol: str) -> Session: ...
    def is_halted(self, symbol: str) -> bool: ...
    def truth(self, symbol: str) -> Truth | None: ...
    async def read(self, symbol: str) -> None:
        """Read orders and position of the symbol at the broker. Raises ``BrokerError``."""


class _Actor:
    """One symbol's mailbox: ``wake`` says that something changed, ``hurry`` that no pause is to be finished."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.hurry = asyncio.Event()


class Supervisor:
    def __init__(
        self,
        gateway: Gateway,
        recorder: Recorder,
        book: Book,
        quotes: QuoteBoard,
        clock: Clock,
        bus: Bus,
        rules: ProtectionRules,
        quote_max_age_s: float,
        *,
        around: Surroundings,
        watcher: Watcher,
        doubted: Callable[[str], None],
        may_act: Callable[[], bool],
    ) -> None:
        """``doubted`` gets the symbol whose position and orders should be read at the broker again; ``may_act`` tells
        whether they have been read at all since this process began: exits are sized by what is true, not by what was.
        """
        self._gateway = gateway
        self._recorder = recorder
        self._book = book
        self._quotes = quotes
        self._clock = clock
        self._rules = rules
        self._quote_max_age_s = quote_max_age_s
        self._around = around
        self._watcher = watcher
        self._doubted = doubted
        self._may_act = may_act
        self._actors: dict[str, _Actor] = {}
        self._hits: dict[str, Hit] = {}
        """Trades whose watched exit was struck and whose actor has not said so yet."""
        self._opposites: dict[str, tuple[Decimal, ...]] = {}
        """Symbol -> what each of its trades held when they were looked at last."""
        self._refused_since: dict[str, float] = {}
        """Trade -> since when the broker says "not yet"."""
        self._spawn: Spawn | None = None
        self._requests = ExitRequests(gateway, book, clock, doubted)
        self._unsubscribe = bus.on_changes(self._notice)

    def start(self, spawn: Spawn) -> None:
        """Begin to act; from here on also for trades that a restart found."""
        self._spawn = spawn
        for symbol, brackets in self._book.brackets_of_symbol.items():
            if brackets:
                self._ensure(symbol)

    def stop(self) -> None:
        self._unsubscribe()

    def hurry(self, symbol: str) -> None:
        """An operator's command about this symbol: act now, without finishing a pause."""
        actor = self._ensure(symbol)
        if actor is not None:
            actor.hurry.set()
            actor.wake.set()

    # --- noticing ----------------------------------------------------------------------------------------------------

    def _notice(self, changes: frozenset[Change]) -> None:
        for change in changes:
            if change.kind == "bracket":
                actor = self._ensure(self._book.brackets[change.key].symbol)
                if actor is not None:
                    actor.wake.set()
            elif change.kind == "quote" and change.key in self._actors and self._asks_for_more(change.key):
                self._actors[change.key].hurry.set()
                self._actors[change.key].wake.set()

    def _asks_for_more(self, symbol: str) -> bool:
        """Whether this quote cannot wait for the timer. Both are looked at: each counts for itself."""
        struck = self._is_struck(symbol)
        return self._is_through(symbol) or struck

    def _is_struck(self, symbol: str) -> bool:
        """Hold the quote against the exits that the desk watches itself."""
        quote, struck = self._quotes.get(symbol), False
        for bracket in self._book.open_brackets_of(symbol):
            hit = self._watcher.look(bracket, quote)
            if hit is not None and bracket.exit_requested_at is None and bracket.unprotected_until is None:
                self._hits[bracket.id] = hit
                struck = True
        return struck

    def _is_through(self, symbol: str) -> bool:
        """Whether a price has passed the stop of shares that no stop covers."""
        for bracket in self._book.open_brackets_of(symbol):
            mark = self._mark(bracket)
            if mark is None or self._book.cover(bracket.id).naked == 0:
                continue
            if is_beyond(bracket.side, mark, bracket.stop_price):
                return True
        return False

    def _ensure(self, symbol: str) -> _Actor | None:
        actor = self._actors.get(symbol)
        if actor is None and self._spawn is not None and self._book.brackets_of_symbol.get(symbol):
            actor = self._actors[symbol] = _Actor()
            self._spawn(f"protect-{symbol}", self._protect(symbol, actor))
        return actor

    # --- acting ------------------------------------------------------------------------------------------------------

    async def _protect(self, symbol: str, actor: _Actor) -> None:
        try:
            while trades := list(self._book.open_brackets_of(symbol)):
                actor.wake.clear()
                self._doubt_opposites(symbol, trades)
                pause_s = SWEEP_S
                for bracket in trades:
                    pause_s = min(pause_s, await self._advance(bracket.id, actor))
                await self._wait(actor.wake, pause_s)
        finally:
            del self._actors[symbol]
            self._opposites.pop(symbol, None)

    def _doubt_opposites(self, symbol: str, trades: list[Bracket]) -> None:
        """Trades that hold the same symbol opposite ways: what cancels out is found by comparing, and better at once.

        Until then each has exits for shares of which the account holds none.
        """
        held = tuple(self._book.cover(trade.id).signed(trade.side) for trade in trades)
        if held != self._opposites.get(symbol) and min(held) < 0 < max(held):
            self._doubted(symbol)
        self._opposites[symbol] = held

    async def _wait(self, event: asyncio.Event, at_most_s: float) -> None:
        """Until the event, or ``at_most_s`` seconds."""
        try:
            async with asyncio.timeout(at_most_s):
                await event.wait()
        except TimeoutError:
            return

    async def _advance(self, bracket_id: str, actor: _Actor) -> float:
        """Take one step; returns after how many seconds to look again at the latest."""
        actor.hurry.clear()
        if not self._may_act():
            return NOT_YET_LOOK_S
        self._tell_hit(bracket_id)
        step = self._step(bracket_id)
        match step:
            case Rest(after_s=after_s):
                return SWEEP_S if after_s is None else max(0.01, after_s)
            case ReadAgain():
                await self._read(self._book.brackets[bracket_id].symbol, actor)
            case AttachExits():
                await self._cover(bracket_id, actor)
            case Cancel(order_ids=order_ids, why=why):
                refusals = [await self._gateway.cancel(key, actor=DESK, reason=why) for key in order_ids]
                if any(refusals):
                    # Our own record of the refusal is a change too: only a person cuts this pause short.
                    await self._wait(actor.hurry, AFTER_REFUSAL_S)
            case MoveTarget():
                await self._requests.move_target(bracket_id, step)
            case MoveExit():
                refused = await self._requests.move_exit(bracket_id, step)
                if refused and step.qty is not None:
                    await self._wait(actor.hurry, AFTER_REFUSAL_S)
            case Close():
                await self._requests.close(bracket_id, step)
            case _:
                self._recorder.record(fact_of(step, self._book.brackets[bracket_id]))
        return 0.01

    def _tell_hit(self, bracket_id: str) -> None:
        """A watched exit was struck: the trade leaves, or the operator is asked where the policy says so."""
        hit = self._hits.pop(bracket_id, None)
        bracket = self._book.brackets[bracket_id]
        if hit is None or bracket.exit_requested_at is not None or bracket.closed_at is not None:
            return
        if not hit.target and bracket.gave_up_at is not None and self._rules.stop_through == "ask":
            if bracket.stop_passed_at is None:
                self._recorder.record(ev.StopPassed(bracket_id=bracket_id, passed=True, text=hit.sentence))
            return
        extended = self._around.session(bracket.symbol) is Session.EXTENDED
        when = ExitWhen.EXTENDED if extended else ExitWhen.NOW
        self._recorder.record(
            ev.ExitRequested(bracket_id=bracket_id, actor=DESK, reason=hit.sentence, when=when),
        )

    def session(self, symbol: str) -> Session:
        return self._around.session(symbol)

    def is_halted(self, symbol: str) -> bool:
        return self._around.is_halted(symbol)

    def case(self, bracket_id: str) -> Case:
        """All that the decision about a trade rests on."""
        bracket = self._book.brackets[bracket_id]
        return Case(
            bracket=bracket,
            orders=tuple(self._book.orders_of(bracket_id)),
            cover=self._book.cover(bracket_id),
            mark=self._mark(bracket),
            now=self._clock.now(),
            partial_rescue_after_s=self._rules.partial_rescue_after_s,
            stop_through=self._rules.stop_through,
            breakeven_at_r=self._rules.breakeven_at_r,
            trail_step_pct=self._rules.trail_step_pct,
            # Steps of trailing stops are the first to wait when requests run short: the stop that stands protects.
            trail_every_s=self._rules.trail_every_s if self._gateway.has_spare_requests else math.inf,
            session=self._around.session(bracket.symbol),
            halted=self._around.is_halted(bracket.symbol),
            truth=self._around.truth(bracket.symbol),
        )

    def _step(self, bracket_id: str) -> Step:
        return decide_step(self.case(bracket_id))

    def _mark(self, bracket: Bracket) -> Decimal | None:
        quote = self._quotes.get(bracket.symbol)
        if quote is None or quote.age_s > self._quote_max_age_s:
            return None
        return quote.mark(bracket.side.sign)

    async def _read(self, symbol: str, actor: _Actor) -> None:
        """Ask the broker now; a reading that does not come is not waited for."""
        try:
            async with asyncio.timeout(READ_PATIENCE_S):
                await self._around.read(symbol)
        except (BrokerError, TimeoutError) as lost:
            log.info("%s could not be read: %s", symbol, lost)
            self._doubted(symbol)
        await self._wait(actor.hurry, READ_PAUSE_S)

    # --- placing exits -----------------------------------------------------------------------------------------------

    async def _cover(self, bracket_id: str, actor: _Actor) -> None:
        """Place exits for what is uncovered, again and again with jitter, each time for what is true then."""
        left = self._rules.max_attempts - self._book.brackets[bracket_id].attempts

        async def pause(seconds: float) -> None:
            await self._wait(actor.hurry, seconds)

        try:
            async for attempt in placements(pause, attempts=left):
                with attempt:
                    await self._place_exits(bracket_id, actor)
        except BrokerError as refused:
            bracket = self._book.brackets[bracket_id]
            if bracket.gave_up_at is None and bracket.stop_passed_at is None:
                self._recorder.record(ev.ProtectionGaveUp(bracket_id=bracket_id, text=refused.operator_text))

    async def _place_exits(self, bracket_id: str, actor: _Actor) -> None:
        """One placement.

        Raises:
            BrokerError: it failed, and is counted. Not raised when something else is the right thing to do by now.
        """
        step = self._step(bracket_id)
        if not isinstance(step, AttachExits):
            return
        try:
            await self._requests.submit_exits(bracket_id, step)
        except NotYetError as not_yet:
            pause_s = self._patience_s(bracket_id)
            if pause_s is not None:
                # Decided anew after a moment: meanwhile shares may have gone, been covered, or passed their stop.
                await self._wait(actor.hurry, pause_s * random.uniform(0.75, 1.25))
                return
            self._fail(bracket_id, not_yet)
            raise
        except PriceRefused as through:
            self._refused_as_passed(bracket_id, through)
        except BrokerError as refused:
            self._fail(bracket_id, refused)
            raise
        else:
            self._refused_since.pop(bracket_id, None)

    def _patience_s(self, bracket_id: str) -> float | None:
        """How long to wait out a "not yet", the longer the longer it lasts; None when it lasted too long."""
        now_s = self._clock.monotonic_s()
        lasted_s = now_s - self._refused_since.setdefault(bracket_id, now_s)
        if lasted_s < NOT_YET_MAX_S:
            return min(NOT_YET_MOST_S, max(NOT_YET_S, lasted_s * NOT_YET_SHARE))
        del self._refused_since[bracket_id]
        return None

    def _refused_as_passed(self, bracket_id: str, through: PriceRefused) -> None:
        """The broker sees the price beyond the stop: it counts as triggered."""
        text = through.operator_text
        if self._rules.stop_through == "exit":
            reason = "the price is beyond the stop"
            self._recorder.record(ev.ExitRequested(bracket_id=bracket_id, actor=DESK, reason=reason))
        else:
            self._recorder.record(ev.StopPassed(bracket_id=bracket_id, passed=True, text=text))

    def _fail(self, bracket_id: str, why: BrokerError) -> None:
        self._recorder.record(ev.ProtectionFailed(bracket_id=bracket_id, text=why.operator_text))
