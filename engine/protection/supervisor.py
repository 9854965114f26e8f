"""Keeps cover true: one actor per symbol compares what is held with what is covered, and mends the difference.

An actor lives while its symbol has an open trade. It wakes on every change of one of them, on a timer, and when a
price passes the stop of uncovered shares. What to do is decided by ``steps.next_step`` alone; failures of placing exits
are repeated with jitter until ``max_attempts``, then the operator is called. A command cuts any pause short.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.alpaca.refusals import PriceRefused
from engine.alpaca.retry import placements, waiting
from engine.book import Book
from engine.bus import Bus, Change
from engine.clock import Clock
from engine.config import ProtectionRules
from engine.errors import BrokerError, NotYetError
from engine.gateway import Gateway
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.pipeline.protect import plan_close, plan_exits, plan_marketable_target
from engine.protection.steps import AttachExits, Cancel, Close, MoveTarget, ReadAgain, Rest, Step, next_step
from engine.recorder import Recorder
from engine.tasks import Spawn

log = logging.getLogger(__name__)

SWEEP_S: Final = 2.0
"""How often an actor looks again although nothing happened."""
NOT_YET_LOOK_S: Final = 0.05
AFTER_REFUSAL_S: Final = 1.0
DESK: Final = "desk"


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
        self._doubted = doubted
        self._may_act = may_act
        self._actors: dict[str, _Actor] = {}
        self._spawn: Spawn | None = None
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
            elif change.kind == "quote" and change.key in self._actors and self._is_through(change.key):
                self._actors[change.key].hurry.set()
                self._actors[change.key].wake.set()

    def _is_through(self, symbol: str) -> bool:
        """Whether a price has passed the stop of shares that no stop covers."""
        for bracket in self._book.open_brackets_of(symbol):
            mark = self._mark(bracket)
            if mark is not None and self._book.cover(bracket.id).naked > 0:
                beyond = mark <= bracket.stop_price if bracket.side.sign > 0 else mark >= bracket.stop_price
                if beyond:
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
                pause_s = SWEEP_S
                for bracket in trades:
                    pause_s = min(pause_s, await self._advance(bracket.id, actor))
                await self._wait(actor.wake, pause_s)
        finally:
            del self._actors[symbol]

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
        step = self._step(bracket_id)
        match step:
            case Rest(after_s=after_s):
                return SWEEP_S if after_s is None else max(0.01, after_s)
            case ReadAgain():
                self._doubted(self._book.brackets[bracket_id].symbol)
                await self._wait(actor.hurry, AFTER_REFUSAL_S)
            case AttachExits():
                await self._cover(bracket_id, actor)
            case Cancel(order_ids=order_ids, why=why):
                refusals = [await self._gateway.cancel(key, actor=DESK, reason=why) for key in order_ids]
                if any(refusals):
                    # Our own record of the refusal is a change too: only a person cuts this pause short.
                    await self._wait(actor.hurry, AFTER_REFUSAL_S)
            case MoveTarget():
                await self._move_target(bracket_id, step)
            case Close(qty=qty):
                await self._close(bracket_id, qty)
        return 0.01

    def _step(self, bracket_id: str) -> Step:
        bracket = self._book.brackets[bracket_id]
        return next_step(
            bracket,
            self._book.orders_of(bracket_id),
            self._book.cover(bracket_id),
            mark=self._mark(bracket),
            now=self._clock.now(),
            partial_rescue_after_s=self._rules.partial_rescue_after_s,
            stop_through=self._rules.stop_through,
        )

    def _mark(self, bracket: Bracket) -> Decimal | None:
        quote = self._quotes.get(bracket.symbol)
        if quote is None or quote.age_s > self._quote_max_age_s:
            return None
        return quote.mark(bracket.side.sign)

    async def _cover(self, bracket_id: str, actor: _Actor) -> None:
        """Place exits for what is uncovered, again and again with jitter, each time for what is true then."""
        left = self._rules.max_attempts - self._book.brackets[bracket_id].attempts

        async def pause(seconds: float) -> None:
            await self._wait(actor.hurry, seconds)

        try:
            async for attempt in placements(pause, attempts=left):
                with attempt:
                    await self._place_exits(bracket_id)
        except BrokerError as refused:
            if self._book.brackets[bracket_id].gave_up_at is None:
                self._recorder.record(ev.ProtectionGaveUp(bracket_id=bracket_id, text=refused.operator_text))

    async def _place_exits(self, bracket_id: str) -> None:
        """One placement.

        Raises:
            BrokerError: it failed, and is counted. Not raised when something else is the right thing to do by now.
        """
        step = self._step(bracket_id)
        if not isinstance(step, AttachExits):
            return
        try:
            async for attempt in waiting(self._clock, attempts=10, pause_s=0.3):
                with attempt:
                    now_due = self._step(bracket_id)  # while it waited, shares may have gone or been covered
                    if isinstance(now_due, AttachExits):
                        await self._submit_exits(bracket_id, now_due.qty)
        except PriceRefused as through:
            if self._rules.stop_through == "exit":
                self._recorder.record(
                    ev.ExitRequested(bracket_id=bracket_id, actor=DESK, reason="the price is beyond the stop")
                )
                return
            self._fail(bracket_id, through)
            raise
        except BrokerError as refused:
            self._fail(bracket_id, refused)
            raise

    async def _submit_exits(self, bracket_id: str, qty: Decimal) -> None:
        bracket = self._book.brackets[bracket_id]
        intent = plan_exits(
            bracket,
            self._book.orders_of(bracket_id),
            qty,
            desk_id=self._book.desk_id,
            now=self._clock.now(),
        )
        submitted = await self._gateway.submit(intent)
        if submitted.is_unknown or submitted.error is None:
            return
        if isinstance(submitted.error, NotYetError):
            self._doubted(bracket.symbol)
        raise submitted.error

    def _fail(self, bracket_id: str, why: BrokerError) -> None:
        self._recorder.record(ev.ProtectionFailed(bracket_id=bracket_id, text=why.operator_text))

    async def _move_target(self, bracket_id: str, step: MoveTarget) -> None:
        bracket, orders = self._book.brackets[bracket_id], self._book.orders_of(bracket_id)
        intent = plan_marketable_target(
            bracket,
            orders,
            self._book.orders[step.target_id],
            step.limit_price,
            desk_id=self._book.desk_id,
            now=self._clock.now(),
            actor=DESK,
        )
        # A refusal is on record; the next step cancels and closes instead.
        await self._gateway.replace(intent)

    async def _close(self, bracket_id: str, qty: Decimal) -> None:
        bracket, orders = self._book.brackets[bracket_id], self._book.orders_of(bracket_id)
        intent = plan_close(bracket, orders, qty, desk_id=self._book.desk_id, now=self._clock.now())
        submitted = await self._gateway.submit(intent)
        if submitted.error is not None and not submitted.is_unknown:
            # Shares still reserved, or more sold than held: read the truth; the next step asks again with it.
            self._doubted(bracket.symbol)
