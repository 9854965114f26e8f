"""The broker's two live streams, consumed at the desk's own pace: orders into the tracker, quotes onto the board.

Prices have three ways to go wrong without a word: the plan has fewer slots than there are symbols in play, the stream
is down, and the stream stands and says nothing. Each symbol's own age decides: what is old is read in one batch, and
when that batch knows of quotes that the stream should have told long ago, the stream is mute and opened anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from engine.alpaca import wire
from engine.alpaca.client import AlpacaClient
from engine.alpaca.market_data import MAX_SYMBOLS
from engine.alpaca.quotes import QuoteStream, StreamError, Subscribed
from engine.alpaca.stream import AuthFailed, Connected, Disconnected, SlotTaken
from engine.alpaca.trades import OrderStream
from engine.alpaca.vocabulary import TRADE_EVENTS
from engine.alpaca.wire import Unreadable
from engine.clock import Clock
from engine.errors import BrokerError
from engine.market.quotes import QuoteBoard
from engine.model.symbols import is_coin
from engine.pipeline.track import Tracker
from engine.surroundings import World
from engine.tasks import task_scope

log = logging.getLogger(__name__)

BATCH: Final = 10
"""Messages folded before the loop gets its turn."""
WATCH_EVERY_S: Final = 0.5
FALLBACK_EVERY_S: Final = 2.0
STALE_AFTER_S: Final = 5.0
SLOTS: Final = 30
"""Symbols that the free data plan streams at once."""
MUTE_AFTER_S: Final = 10.0
"""A quote that the broker knows and the stream has not told for so long was not delayed."""
MUTE_REST_S: Final = 60.0
"""Between two connections that were given up for being mute."""
HALTS: Final = frozenset({"2", "H", "P"})
RESUMES: Final = frozenset({"3", "T"})
"""Not ``Q``: quotations come back before trading does."""


class OrderFeed:
    def __init__(
        self, client: AlpacaClient, tracker: Tracker, world: World, clock: Clock, *, doubtful: Callable[[], None]
    ) -> None:
        """``doubtful`` is told after each connect, since whatever happened before it was not seen; and after each loss,
        since the broker may be away altogether."""
        self._stream = OrderStream(client.transport)
        self._tracker = tracker
        self._world = world
        self._clock = clock
        self._doubtful = doubtful

    async def run(self) -> None:
        async with task_scope() as spawn:
            spawn("order-stream", self._stream.run())
            while batch := await self._stream.batch(BATCH):
                for item in batch:
                    self._take(item)
                await self._clock.sleep(0)
            # Keys that are refused end the stream for good; the link says so and entries stay denied.
            await asyncio.Event().wait()

    async def renew(self, why: str) -> None:
        """Leave a connection that may be dead without knowing it."""
        await self._stream.give_up(why)

    def _take(self, item: object) -> None:
        match item:
            case wire.TradeUpdate():
                self._world.stream.seen()
                if item.event not in TRADE_EVENTS:
                    log.warning("order stream: event %r of %s is not known", item.event, item.order.id)
                self._tracker.take(item)
            case Connected():
                self._world.stream.set(True)
                self._doubtful()
            case Disconnected(why=why) | SlotTaken(why=why):
                self._world.stream.set(False, why)
                self._doubtful()
            case AuthFailed(why=why):
                self._world.stream.set(False, why, is_final=True)
            case Unreadable():
                log.warning("order stream: unreadable message: %s: %s", item.why, item.raw)
                self._doubtful()
            case _:
                log.info("order stream: %s", item)


class QuoteFeed:
    """Quotes of the symbols in play; by batched REST when the stream is silent about one."""

    def __init__(
        self, client: AlpacaClient, board: QuoteBoard, world: World, clock: Clock, *, in_play: Callable[[], list[str]]
    ) -> None:
        """``in_play`` gives the symbols, the most important first."""
        self._client = client
        self._stream = QuoteStream(client.transport, channels=("quotes", "trades", "statuses"))
        self._board = board
        self._world = world
        self._clock = clock
        self._in_play = in_play
        self._told_at: dict[str, datetime] = {}
        """When the stream that stands now last spoke of a symbol; at first, when it was asked for it."""
        self._given_up_at_s = float("-inf")
        self._unreadable = 0

    async def run(self) -> None:
        async with task_scope() as spawn:
            spawn("quote-stream", self._stream.run())
            spawn("quote-watch", self._watch())
            spawn("quote-fallback", self._fall_back())
            while batch := await self._stream.batch(BATCH):
                for item in batch:
                    self._take(item)
                await self._clock.sleep(0)
            await asyncio.Event().wait()

    async def renew(self, why: str) -> None:
        """Leave a connection that may be dead without knowing it."""
        await self._stream.give_up(why)

    def _take(self, item: object) -> None:
        match item:
            case wire.Quote():
                self._heard(item.symbol)
                self._board.take_quote(item.symbol, item.bid_price, item.ask_price)
            case wire.Trade():
                self._heard(item.symbol)
                self._board.take_trade(item.symbol, item.price)
            case wire.TradingStatus():
                self._take_status(item)
            case Connected():
                self._told_at = dict.fromkeys(self._stream.symbols, self._clock.now())
                # A resumption may have been told to nobody. What still is halted is refused by the broker, and a close
                # that is refused is asked again; one that waits for a word that never comes is not.
                self._world.halted.clear()
                self._world.quotes.set(True)
            case Subscribed() | StreamError():
                if isinstance(item, StreamError):
                    log.warning("data stream: %s (code %d): %s", item.name, item.code, item.text)
                granted = self._stream.granted
                self._told_at = {symbol: at for symbol, at in self._told_at.items() if symbol in granted}
            case Disconnected(why=why) | SlotTaken(why=why):
                self._world.quotes.set(False, why)
            case AuthFailed(why=why):
                self._world.quotes.set(False, why, is_final=True)
            case Unreadable():
                self._unreadable += 1
                if self._unreadable & (self._unreadable - 1) == 0:  # the 1st, 2nd, 4th, 8th, ...
                    log.warning("data stream: unreadable message no. %d: %s", self._unreadable, item.why)
            case _:
                log.info("data stream: %s", item)

    def _heard(self, symbol: str) -> None:
        self._world.quotes.seen()
        self._told_at[symbol] = self._clock.now()

    def _take_status(self, status: wire.TradingStatus) -> None:
        """Codes differ by tape: the consolidated tape counts (2 is a halt, 3 a resumption), Nasdaq has letters."""
        if status.status_code in HALTS:
            self._world.halted.add(status.symbol)
        elif status.status_code in RESUMES:
            self._world.halted.discard(status.symbol)

    async def _watch(self) -> None:
        watched: list[str] = []
        while True:
            wanted = [symbol for symbol in self._in_play() if not is_coin(symbol)][:SLOTS]
            if wanted != watched:
                watched = wanted
                now = self._clock.now()
                self._told_at = {symbol: self._told_at.get(symbol, now) for symbol in wanted}
                self._world.halted.intersection_update(wanted)
                await self._stream.watch(wanted)
            await self._clock.sleep(WATCH_EVERY_S)

    async def _fall_back(self) -> None:
        """Symbols without a fresh quote are asked for in one batch; coins every time, since no stream tells of them."""
        while True:
            await self._clock.sleep(FALLBACK_EVERY_S)
            in_play = self._in_play()
            wanted = {*self._board.stale(in_play, STALE_AFTER_S), *filter(is_coin, in_play)}
            if wanted:
                await self.fetch(sorted(wanted))

    async def fetch(self, symbols: list[str]) -> None:
        """One batched request a kind; a broker that cannot be reached leaves the quotes to age."""
        coins = [symbol for symbol in symbols if is_coin(symbol)]
        stocks = [symbol for symbol in symbols if not is_coin(symbol)]
        found: list[wire.Quote] = []
        for ask, wanted in ((self._client.latest_quotes, stocks), (self._client.latest_crypto_quotes, coins)):
            for first in range(0, len(wanted), MAX_SYMBOLS):
                try:
                    answer = await ask(wanted[first : first + MAX_SYMBOLS])
                except BrokerError as lost:
                    log.info("latest quotes: %s", lost)
                    continue
                found += answer.value.items
        for quote in found:
            self._board.take_quote(quote.symbol, quote.bid_price, quote.ask_price)
        await self._doubt_the_stream(found)

    async def _doubt_the_stream(self, found: list[wire.Quote]) -> None:
        """A standing stream that has not told what the broker has known for long is given up for a new one."""
        if not self._stream.is_connected:
            return
        ahead = timedelta(milliseconds=self._world.clock_offset_ms or 0.0)
        untold = [
            quote.symbol
            for quote in found
            if (told_at := self._told_at.get(quote.symbol)) is not None
            and quote.at - ahead - told_at > timedelta(seconds=MUTE_AFTER_S)
        ]
        now_s = self._clock.monotonic_s()
        if untold and now_s - self._given_up_at_s > MUTE_REST_S:
            self._given_up_at_s = now_s
            await self._stream.give_up(f"connected, but mute about {', '.join(untold[:3])}")
