"""The broker's two live streams, consumed at the desk's own pace: orders into the tracker, quotes onto the board."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from engine.alpaca import wire
from engine.alpaca.client import AlpacaClient
from engine.alpaca.quotes import QuoteStream
from engine.alpaca.stream import AuthFailed, Connected, Disconnected, SlotTaken
from engine.alpaca.trades import OrderStream
from engine.alpaca.wire import Unreadable
from engine.clock import Clock
from engine.errors import BrokerError
from engine.market.quotes import QuoteBoard
from engine.pipeline.track import Tracker
from engine.surroundings import World
from engine.tasks import task_scope

log = logging.getLogger(__name__)

BATCH: Final = 10
"""Messages folded before the loop gets its turn."""
WATCH_EVERY_S: Final = 0.5
FALLBACK_EVERY_S: Final = 2.0
STALE_AFTER_S: Final = 5.0


class OrderFeed:
    def __init__(
        self, client: AlpacaClient, tracker: Tracker, world: World, clock: Clock, *, reconnected: Callable[[], None]
    ) -> None:
        """``reconnected`` is told after each connect: whatever happened before it was not seen."""
        self._stream = OrderStream(client.transport)
        self._tracker = tracker
        self._world = world
        self._clock = clock
        self._reconnected = reconnected

    async def run(self) -> None:
        async with task_scope() as spawn:
            spawn("order-stream", self._stream.run())
            while batch := await self._stream.batch(BATCH):
                for item in batch:
                    self._take(item)
                await self._clock.sleep(0)
            # Keys that are refused end the stream for good; the link says so and entries stay denied.
            await asyncio.Event().wait()

    def _take(self, item: object) -> None:
        match item:
            case wire.TradeUpdate():
                self._world.stream.seen()
                self._tracker.take(item)
            case Connected():
                self._world.stream.set(True)
                self._reconnected()
            case Disconnected(why=why) | SlotTaken(why=why) | AuthFailed(why=why):
                self._world.stream.set(False, why)
            case Unreadable():
                log.warning("order stream: unreadable message: %s", item.why)
                self._reconnected()
            case _:
                log.info("order stream: %s", item)


class QuoteFeed:
    """Quotes of the symbols in play; by batched REST when the stream is silent about one."""

    def __init__(
        self, client: AlpacaClient, board: QuoteBoard, world: World, clock: Clock, *, in_play: Callable[[], list[str]]
    ) -> None:
        """``in_play`` gives the symbols, the most important first."""
        self._client = client
        self._stream = QuoteStream(client.transport, channels=("quotes", "trades"))
        self._board = board
        self._world = world
        self._clock = clock
        self._in_play = in_play

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

    def _take(self, item: object) -> None:
        match item:
            case wire.Quote():
                self._world.quotes.seen()
                self._board.take_quote(item.symbol, item.bid_price, item.ask_price)
            case wire.Trade():
                self._world.quotes.seen()
                self._board.take_trade(item.symbol, item.price)
            case Connected():
                self._world.quotes.set(True)
            case Disconnected(why=why) | SlotTaken(why=why) | AuthFailed(why=why):
                self._world.quotes.set(False, why)
            case _:
                log.info("data stream: %s", item)

    async def _watch(self) -> None:
        watched: list[str] = []
        while True:
            wanted = self._in_play()
            if wanted != watched:
                watched = wanted
                await self._stream.watch(wanted)
            await self._clock.sleep(WATCH_EVERY_S)

    async def _fall_back(self) -> None:
        """Symbols without a fresh quote are asked for in one batch."""
        while True:
            await self._clock.sleep(FALLBACK_EVERY_S)
            stale = self._board.stale(self._in_play(), STALE_AFTER_S)
            if stale:
                await self.fetch(stale)

    async def fetch(self, symbols: list[str]) -> None:
        """One batched request; a broker that cannot be reached leaves the quotes to age."""
        try:
            answer = await self._client.latest_quotes(symbols)
        except BrokerError as lost:
            log.info("latest quotes: %s", lost)
            return
        for quote in answer.value.items:
            self._board.take_quote(quote.symbol, quote.bid_price, quote.ask_price)
