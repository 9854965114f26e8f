"""Alpaca's own stream clients hear everything that happens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from alpaca.data.live import CryptoDataStream, StockDataStream
from alpaca.trading.enums import OrderSide, OrderType, TimeInForce
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, ReplaceOrderRequest
from alpaca.trading.stream import TradingStream

from engine.clock import LoopClock
from engine.exchange.server import RunningExchange
from tests.wire.exchange.conftest import Serving
from tests.wire.exchange.official import Client, bracket, streaming

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # alpaca-py still uses websockets.legacy


def sockets_of(running: RunningExchange) -> str:
    return running.url.replace("http", "ws")


class Listener:
    """What the order stream tells, as the client's own values."""

    def __init__(self, running: RunningExchange) -> None:
        self.stream = TradingStream("key", "secret", url_override=sockets_of(running) + "/stream")
        self._running = running
        self._updates: asyncio.Queue[Any] = asyncio.Queue()
        self.stream.subscribe_trade_updates(self._updates.put)

    async def is_heard(self) -> None:
        while self._running.exchange.floor.render_update is None:
            await asyncio.sleep(0.005)

    async def until(self, *wanted: tuple[Any, str]) -> list[Any]:
        """The updates up to the moment when each of the wanted (order id, event) has come."""
        missing, seen = set(wanted), []
        while missing:
            seen.append(await self._updates.get())
            event = seen[-1].event
            missing.discard((seen[-1].order.id, getattr(event, "value", event)))
        return seen


def told(updates: list[Any], order_id: Any) -> list[str]:
    return [getattr(u.event, "value", u.event) for u in updates if u.order.id == order_id]


async def test_a_fill(serving: Serving) -> None:
    async with serving() as running:
        client, listener = Client(running), Listener(running)
        async with streaming(listener.stream), asyncio.timeout(2):
            await listener.is_heard()
            order = await client(
                client.trading.submit_order,
                MarketOrderRequest(symbol="AAPL", qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.DAY),
            )
            seen = await listener.until((order.id, "fill"))
        assert told(seen, order.id) == ["pending_new", "new", "fill"]
        assert (seen[2].qty, seen[2].position_qty) == (3, 3)
        assert seen[2].order.type is OrderType.MARKET
        client.close()


async def test_replacing_filling_in_parts_and_cancelling(serving: Serving) -> None:
    terms = {"symbol": "AAPL", "qty": 5, "side": OrderSide.BUY, "time_in_force": TimeInForce.GTC}
    async with serving() as running:
        client, listener = Client(running), Listener(running)
        async with streaming(listener.stream), asyncio.timeout(3):
            await listener.is_heard()
            old = await client(client.trading.submit_order, LimitOrderRequest(**terms, limit_price=100))
            seen = await listener.until((old.id, "new"))
            new = await client(client.trading.replace_order_by_id, old.id, ReplaceOrderRequest(limit_price=101))
            seen += await listener.until((new.id, "new"))
            running.exchange.fill_by_hand(str(new.id), Decimal(2), None)
            running.exchange.settle()
            await client(client.trading.cancel_order_by_id, new.id)
            seen += await listener.until((new.id, "canceled"))
        assert told(seen, old.id) == ["pending_new", "new", "pending_replace", "replaced"]
        assert told(seen, new.id) == ["new", "partial_fill", "pending_cancel", "canceled"]
        (part,) = (update for update in seen if update.qty is not None)
        assert (part.qty, part.price, part.order.filled_qty) == (2, 101, "2")
        client.close()


async def test_a_bracket_from_its_entry_to_the_end_of_its_exits(serving: Serving) -> None:
    async with serving() as running:
        client, listener = Client(running), Listener(running)
        price = float(running.exchange.floor.mark("AAPL"))
        async with streaming(listener.stream), asyncio.timeout(3):
            await listener.is_heard()
            entry = await client(client.trading.submit_order, bracket(price))
            target, stop = (leg.id for leg in entry.legs)
            seen = await listener.until((entry.id, "fill"), (target, "new"))
            running.exchange.fill_by_hand(str(target), None, None)
            running.exchange.settle()
            seen += await listener.until((target, "fill"), (stop, "canceled"))
        assert told(seen, entry.id) == ["pending_new", "new", "fill"]
        assert told(seen, target) == ["held", "new", "fill"]
        assert told(seen, stop) == ["held", "canceled"]
        assert seen[-1].order.id == stop
        client.close()


async def test_a_late_rejection_and_an_order_of_another_hand(serving: Serving) -> None:
    terms = {"symbol": "AAPL", "qty": 5, "side": OrderSide.BUY, "time_in_force": TimeInForce.DAY}
    async with serving() as running:
        mine, other, listener = Client(running), Client(running), Listener(running)
        async with streaming(listener.stream), asyncio.timeout(2):
            await listener.is_heard()
            order = await other(other.trading.submit_order, LimitOrderRequest(**terms, limit_price=100))
            await listener.until((order.id, "new"))
            found = await mine(mine.trading.get_order_by_id, order.id)
            running.exchange.matching.finish(running.exchange.find(str(found.id)), "rejected")
            running.exchange.settle()
            seen = await listener.until((order.id, "rejected"))
        assert seen[-1].order.failed_at is not None
        mine.close()
        other.close()


async def test_a_replacement_that_the_fill_overtakes(serving: Serving) -> None:
    """The 200 to a PATCH does not mean replaced: the old order fills, its replacement is rejected."""
    terms = {"symbol": "AAPL", "qty": 5, "side": OrderSide.BUY, "time_in_force": TimeInForce.GTC}
    async with serving(venue_ms=600.0) as running:
        client, listener = Client(running), Listener(running)
        async with streaming(listener.stream), asyncio.timeout(8):
            await listener.is_heard()
            old = await client(client.trading.submit_order, LimitOrderRequest(**terms, limit_price=100))
            seen = await listener.until((old.id, "new"))
            new = await client(client.trading.replace_order_by_id, old.id, ReplaceOrderRequest(limit_price=101))
            running.exchange.fill_by_hand(str(old.id), Decimal(5), None)
            running.exchange.settle()
            seen += await listener.until((old.id, "order_replace_rejected"), (new.id, "rejected"))
        assert told(seen, old.id) == ["pending_new", "new", "pending_replace", "fill", "order_replace_rejected"]
        assert told(seen, new.id) == ["rejected"]
        client.close()


class Leaping(LoopClock):
    """Real time that can be set forward: a night need not be waited for."""

    def leap_to(self, at: datetime) -> None:
        self._epoch += at - self.now()


async def test_what_waits_for_the_opening_and_what_the_close_ends(serving: Serving) -> None:
    """A day order sent at night is accepted, goes to the venue at the open, and expires with its day."""
    terms = {"symbol": "AAPL", "qty": 5, "side": OrderSide.BUY, "time_in_force": TimeInForce.DAY}
    clock = Leaping(datetime(2026, 8, 21, tzinfo=UTC))
    clock.leap_to(datetime(2026, 8, 21, 10, 0, tzinfo=UTC))
    async with serving(session="real", clock=clock) as running:
        client, listener = Client(running), Listener(running)
        async with streaming(listener.stream), asyncio.timeout(8):
            await listener.is_heard()
            order = await client(client.trading.submit_order, LimitOrderRequest(**terms, limit_price=100))
            seen = await listener.until((order.id, "accepted"))
            clock.leap_to(datetime(2026, 8, 21, 13, 30, tzinfo=UTC))
            seen += await listener.until((order.id, "new"))
            clock.leap_to(datetime(2026, 8, 21, 20, 0, tzinfo=UTC))
            seen += await listener.until((order.id, "expired"))
        assert told(seen, order.id) == ["accepted", "new", "expired"]
        client.close()


async def test_quotes_and_trades_in_messagepack(serving: Serving) -> None:
    async with serving(quote_interval_s=0.02) as running:
        stream = StockDataStream("key", "secret", url_override=sockets_of(running) + "/v2/iex")
        quotes: asyncio.Queue[Any] = asyncio.Queue()
        trades: asyncio.Queue[Any] = asyncio.Queue()
        stream.subscribe_quotes(quotes.put, "AAPL", "SPY")
        stream.subscribe_trades(trades.put, "SPY")
        async with streaming(stream), asyncio.timeout(3):
            seen = [await quotes.get() for _ in range(6)]
            trade = await trades.get()
        assert {quote.symbol for quote in seen} == {"AAPL", "SPY"}
        assert all(quote.bid_price < quote.ask_price for quote in seen)
        assert abs(datetime.now(UTC) - seen[-1].timestamp) < timedelta(seconds=5)
        assert (trade.symbol, trade.price > 0, trade.size > 0) == ("SPY", True, True)


def just_before_a_minute() -> LoopClock:
    """A clock that will strike the minute in a moment."""
    last_moment = datetime(2026, 8, 21, 14, 0, 59, 600_000, tzinfo=UTC)
    return LoopClock(last_moment - timedelta(seconds=asyncio.get_running_loop().time()))


async def test_minute_bars(serving: Serving) -> None:
    async with serving(clock=just_before_a_minute(), quote_interval_s=0.02) as running:
        stream = StockDataStream("key", "secret", url_override=sockets_of(running) + "/v2/iex")
        bars: asyncio.Queue[Any] = asyncio.Queue()
        stream.subscribe_bars(bars.put, "*")
        async with streaming(stream), asyncio.timeout(3):
            bar = await bars.get()
        assert bar.timestamp == datetime(2026, 8, 21, 14, 0, tzinfo=UTC)
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high


async def test_coins_have_a_stream_of_their_own(serving: Serving) -> None:
    async with serving(quote_interval_s=0.02) as running:
        stream = CryptoDataStream("key", "secret", url_override=sockets_of(running) + "/v1beta3/crypto/us")
        quotes: asyncio.Queue[Any] = asyncio.Queue()
        trades: asyncio.Queue[Any] = asyncio.Queue()
        stream.subscribe_quotes(quotes.put, "BTC/USD")
        stream.subscribe_trades(trades.put, "BTC/USD")
        async with streaming(stream), asyncio.timeout(3):
            quote, trade = await quotes.get(), await trades.get()
        assert (quote.symbol, trade.symbol) == ("BTC/USD", "BTC/USD")
        assert quote.bid_price < quote.ask_price
