"""Splits and large dividends of what is held: entries stop, and exits at the prices after it are prepared.

Alpaca leaves bracket exits as they are (price and size) over a corporate action: after a split of four for one the old
stop stands at four times the price and triggers at the open, for a quarter of the shares. So the operator is told
before, with the plan; and once the broker shows the new shares, one command takes them into the trade and places its
exits anew.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from engine.alpaca.client import AlpacaClient
from engine.alpaca.wire import CorporateAction
from engine.book import NEW_YORK, Book
from engine.clock import Clock
from engine.errors import BrokerError, CommandRefused
from engine.gateway import Gateway
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.corporate import CorporateChange
from engine.model.money import plain
from engine.model.words import OrderRole
from engine.recorder import Recorder
from engine.surroundings import World
from engine.view import View

log = logging.getLogger(__name__)

READ_EVERY_S: Final = 1800.0
LOOK_EVERY_S: Final = 1.0
AHEAD: Final = timedelta(days=7)
BEHIND: Final = timedelta(days=1)
BLOCKED_BEFORE: Final = timedelta(days=3)
"""A weekend lies between the last session and an ex-date on a Monday."""
LARGE_DIVIDEND: Final = Decimal("0.03")
"""Of the price: less moves no stop that makes sense."""
SPLITS: Final = frozenset({"forward_splits", "reverse_splits", "unit_splits"})


class RepricingView(View, frozen=True, kw_only=True):
    """What a corporate action does to a trade, and the exits prepared for after it."""

    bracket_id: str
    symbol: str
    sentence: str
    ex_date: date
    held_qty: Decimal
    qty_after: Decimal
    stop_price: Decimal
    stop_price_after: Decimal
    take_profit_price: Decimal | None
    take_profit_price_after: Decimal | None
    is_due: bool
    """The broker shows the shares after it: the exits can be placed anew."""
    is_done: bool


def change_of(action: CorporateAction, price: Decimal | None) -> CorporateChange | None:
    """What matters to a holding; None of everything else, small dividends included."""
    if action.ex_date is None or not action.symbol:
        return None
    if action.kind in SPLITS and action.new_rate and action.old_rate:
        return CorporateChange(
            id=action.id,
            symbol=action.symbol,
            kind="split",
            ex_date=action.ex_date,
            new_rate=action.new_rate,
            old_rate=action.old_rate,
        )
    is_large = action.rate is not None and (price is None or action.rate >= price * LARGE_DIVIDEND)
    if action.kind == "cash_dividends" and action.rate is not None and is_large:
        return CorporateChange(
            id=action.id, symbol=action.symbol, kind="dividend", ex_date=action.ex_date, amount=action.rate
        )
    return None


class CorporateDesk:
    """Reads what is coming for the symbols that are held, and carries out a repricing."""

    def __init__(
        self,
        client: AlpacaClient,
        gateway: Gateway,
        recorder: Recorder,
        book: Book,
        world: World,
        quotes: QuoteBoard,
        clock: Clock,
    ) -> None:
        self._client = client
        self._gateway = gateway
        self._recorder = recorder
        self._book = book
        self._world = world
        self._quotes = quotes
        self._clock = clock

    async def run(self) -> None:
        """For ever: on a slow timer, and when another symbol is held."""
        read_s, known = -math.inf, set[str]()
        while True:
            held = {self._book.brackets[key].symbol for key in self._book.open_brackets}
            now_s = self._clock.monotonic_s()
            if held and (held - known or now_s - read_s >= READ_EVERY_S):
                try:
                    await self.read(held)
                    read_s, known = now_s, held
                except BrokerError as lost:
                    log.info("corporate actions: %s", lost)
                    await self._clock.sleep(READ_EVERY_S / 30)
            await self._clock.sleep(LOOK_EVERY_S)

    async def read(self, symbols: Collection[str]) -> None:
        """One batch for all of them. Raises ``BrokerError``."""
        today = self._clock.now().astimezone(NEW_YORK).date()
        answer = await self._client.corporate_actions(sorted(symbols), today - BEHIND, today + AHEAD)
        found: dict[str, CorporateChange] = {}
        for action in answer.value.items:
            change = change_of(action, self._price(action.symbol))
            if change is not None and change.symbol not in found:
                found[change.symbol] = change
        self._world.corporate = found

    def _price(self, symbol: str) -> Decimal | None:
        quote = self._quotes.get(symbol)
        return quote.mid if quote is not None else None

    # --- plans -------------------------------------------------------------------------------------------------------

    def plans(self) -> list[RepricingView]:
        trades = (self._book.brackets[bracket_id] for bracket_id in self._book.open_brackets)
        return [self.plan(trade, change) for trade in trades if (change := self._world.corporate.get(trade.symbol))]

    def plan(self, bracket: Bracket, change: CorporateChange) -> RepricingView:
        held = self._book.cover(bracket.id).held
        target = bracket.take_profit_price
        done = bracket.repriced_for == change.id
        return RepricingView(
            bracket_id=bracket.id,
            symbol=bracket.symbol,
            sentence=change.sentence,
            ex_date=change.ex_date,
            held_qty=held,
            qty_after=held if done else change.shares_after(held),
            stop_price=bracket.stop_price,
            stop_price_after=bracket.stop_price if done else change.price_after(bracket.stop_price),
            take_profit_price=target,
            take_profit_price_after=target if done or target is None else change.price_after(target),
            is_due=not done and self._is_due(change),
            is_done=done,
        )

    def _is_due(self, change: CorporateChange) -> bool:
        """A dividend from its ex-date on; a split when the broker's own count has followed it."""
        if change.kind == "dividend":
            return self._clock.now().astimezone(NEW_YORK).date() >= change.ex_date
        trades = list(self._book.open_brackets_of(change.symbol))
        explained = sum((self._book.cover(trade.id).held * trade.side.sign for trade in trades), Decimal(0))
        position = self._book.positions.get(change.symbol)
        expected = sum((change.shares_after(self._book.cover(t.id).held) * t.side.sign for t in trades), Decimal(0))
        return position is not None and position.qty == expected != explained

    async def reprice(self, bracket_id: str, *, actor: str) -> RepricingView:
        """Take the new shares into the trade, and let its exits be placed anew at the prices after it.

        Raises:
            CommandRefused: NOTHING_TO_REPRICE, NOT_YET.
        """
        bracket = self._book.brackets[bracket_id]
        change = self._world.corporate.get(bracket.symbol)
        if change is None or bracket.repriced_for == change.id:
            raise CommandRefused("NOTHING_TO_REPRICE", f"Nothing is known that changes the exits of {bracket_id}.")
        plan = self.plan(bracket, change)
        if not plan.is_due:
            text = (
                f"The broker still shows {plan.held_qty} {bracket.symbol}: the exits follow when it shows the change."
            )
            raise CommandRefused("NOT_YET", text)
        facts: list[ev.AnyEvent] = [
            ev.ExitsChanged(
                bracket_id=bracket_id,
                stop_price=plan.stop_price_after,
                take_profit_price=plan.take_profit_price_after,
                actor=actor,
                corporate_action=change.id,
            )
        ]
        gained = plan.qty_after - plan.held_qty
        if gained != 0:
            why = f"{change.sentence}: {plain(plan.held_qty)} became {plain(plan.qty_after)}."
            facts.append(ev.BracketAdjusted(bracket_id=bracket_id, qty=gained, why=why))
        stale = [o for o in self._book.orders_of(bracket_id) if o.is_open and o.role is not OrderRole.ENTRY]
        await self._recorder.commit_exit(*facts)
        for order in stale:
            if order.broker_id is not None and self._book.orders[order.id].is_open:
                await self._gateway.cancel(order.id, actor=actor, reason=change.sentence)
        return self.plan(self._book.brackets[bracket_id], change)
