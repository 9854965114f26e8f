"""Alpaca's own Python client, unmodified, against the exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.enums import DataFeed
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import (
    CryptoLatestQuoteRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    OrderClass,
    OrderSide,
    OrderStatus,
    OrderType,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
)
from alpaca.trading.stream import TradingStream

from engine.exchange.server import RunningExchange
from tests.wire.exchange.conftest import Serving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # alpaca-py still uses websockets.legacy


class Client:
    """The synchronous client, called from a thread."""

    def __init__(self, running: RunningExchange) -> None:
        self.trading = TradingClient("key", "secret", paper=True, url_override=running.url)
        self.data = StockHistoricalDataClient("key", "secret", url_override=running.url)
        self.coins = CryptoHistoricalDataClient("key", "secret", url_override=running.url)

    async def __call__(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return await asyncio.to_thread(call, *arguments, **named)

    def close(self) -> None:
        for client in (self.trading, self.data, self.coins):
            client._session.close()


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[Client]:
    async with serving() as running:
        client = Client(running)
        yield client
        client.close()


async def settled(client: Client, order_id: Any, *statuses: OrderStatus) -> Any:
    """The order, as soon as it has one of the statuses."""
    async with asyncio.timeout(2):
        while True:
            order = await client(client.trading.get_order_by_id, order_id)
            if order.status in statuses:
                return order
            await asyncio.sleep(0.005)


def bracket(price: float, **terms: Any) -> MarketOrderRequest:
    return MarketOrderRequest(
        **{"symbol": "AAPL", "qty": 10, "side": OrderSide.BUY, "time_in_force": TimeInForce.GTC} | terms,
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfitRequest(limit_price=round(price * 1.05, 2)),
        stop_loss=StopLossRequest(stop_price=round(price * 0.95, 2)),
    )


async def test_a_bracket_from_order_to_flat(client: Client) -> None:
    quotes = await client(client.data.get_stock_latest_quote, StockLatestQuoteRequest(symbol_or_symbols="AAPL"))
    placed = await client(client.trading.submit_order, bracket(quotes["AAPL"].ask_price, client_order_id="mine"))
    assert placed.order_class is OrderClass.BRACKET
    assert [leg.status for leg in placed.legs] == [OrderStatus.HELD, OrderStatus.HELD]
    await settled(client, placed.id, OrderStatus.FILLED)
    target = await settled(client, placed.legs[0].id, OrderStatus.NEW)
    position = await client(client.trading.get_open_position, "AAPL")
    assert (position.qty, position.qty_available) == ("10", "0")
    with pytest.raises(APIError) as refusal:
        await client(client.trading.close_position, "AAPL")
    assert (refusal.value.status_code, refusal.value.code) == (403, 40310000)
    found = await client(client.trading.get_order_by_client_id, "mine")
    assert found.id == placed.id
    moved = await client(
        client.trading.replace_order_by_id,
        target.id,
        ReplaceOrderRequest(limit_price=round(float(target.limit_price) + 1, 2)),
    )
    assert moved.replaces == target.id
    await settled(client, target.id, OrderStatus.REPLACED)
    await client(client.trading.cancel_order_by_id, moved.id)
    await settled(client, placed.legs[1].id, OrderStatus.CANCELED)
    closing = await client(client.trading.close_position, "AAPL", ClosePositionRequest(percentage="100"))
    await settled(client, closing.id, OrderStatus.FILLED)
    assert await client(client.trading.get_all_positions) == []


async def test_lists_and_bulk_calls(client: Client) -> None:
    for price in (100.0, 101.5):
        request = LimitOrderRequest(
            symbol="SPY", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=price
        )
        order = await client(client.trading.submit_order, request)
        await settled(client, order.id, OrderStatus.NEW)
    orders = await client(
        client.trading.get_orders,
        GetOrdersRequest(status=QueryOrderStatus.OPEN, symbols=["SPY"], nested=True, limit=10),
    )
    assert [float(order.limit_price) for order in orders] == [101.5, 100.0]
    rows = await client(client.trading.cancel_orders)
    assert [row.status for row in rows] == [200, 200]
    assert await client(client.trading.close_all_positions, cancel_orders=True) == []


async def test_account_assets_clock_and_calendar(client: Client) -> None:
    account = await client(client.trading.get_account)
    assert (account.cash, account.buying_power, account.status.value) == ("100000", "400000", "ACTIVE")
    configuration = await client(client.trading.get_account_configurations)
    assert configuration.suspend_trade is False
    assert (await client(client.trading.get_clock)).is_open
    days = await client(
        client.trading.get_calendar,
        GetCalendarRequest(start=datetime(2026, 11, 26).date(), end=datetime(2026, 11, 27).date()),  # noqa: DTZ001
    )
    assert [(day.date.isoformat(), day.close.hour) for day in days] == [("2026-11-27", 13)]
    assert {asset.symbol for asset in await client(client.trading.get_all_assets, GetAssetsRequest())} == {
        "AAPL",
        "SPY",
    }
    assert (await client(client.trading.get_asset, "AAPL")).fractionable
    history = await client(client.trading.get_portfolio_history, GetPortfolioHistoryRequest(period="1D"))
    assert history.equity[-1] == 100_000


async def test_market_data(client: Client) -> None:
    trades = await client(client.data.get_stock_latest_trade, StockLatestTradeRequest(symbol_or_symbols=["AAPL"]))
    assert trades["AAPL"].price > 0
    snapshots = await client(
        client.data.get_stock_snapshot, StockSnapshotRequest(symbol_or_symbols=["AAPL", "SPY"], feed=DataFeed.IEX)
    )
    assert snapshots["SPY"].previous_daily_bar.close > 0
    start = datetime.now(UTC) - timedelta(days=500)
    bars = await client(
        client.data.get_stock_bars,
        StockBarsRequest(symbol_or_symbols=["AAPL", "SPY"], timeframe=TimeFrame.Day, start=start),
    )
    assert len(bars["AAPL"]) == len(bars["SPY"]) >= 300
    minutes = await client(
        client.data.get_stock_bars,
        StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute, start=start, limit=100),
    )
    assert len(minutes["AAPL"]) == 100
    quote = await client(client.coins.get_crypto_latest_quote, CryptoLatestQuoteRequest(symbol_or_symbols="BTC/USD"))
    assert quote["BTC/USD"].bid_price < quote["BTC/USD"].ask_price


async def test_the_order_stream(serving: Serving) -> None:
    async with serving() as running:
        client = Client(running)
        stream = TradingStream("key", "secret", url_override=running.url.replace("http", "ws") + "/stream")
        updates: asyncio.Queue[Any] = asyncio.Queue()
        stream.subscribe_trade_updates(updates.put)
        task = asyncio.create_task(stream._run_forever(), name="official-stream")
        async with asyncio.timeout(2):
            while running.exchange.floor.render_update is None:
                await asyncio.sleep(0.005)
            order = await client(
                client.trading.submit_order,
                MarketOrderRequest(symbol="AAPL", qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.DAY),
            )
            seen = [await updates.get() for _ in range(3)]
        assert [str(update.event) for update in seen] == ["pending_new", "new", "fill"]
        assert {update.order.id for update in seen} == {order.id}
        assert (seen[2].qty, seen[2].position_qty) == (3, 3)
        assert seen[2].order.type is OrderType.MARKET
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.close()
        client.close()


async def test_the_data_stream_in_messagepack(serving: Serving) -> None:
    async with serving(quote_interval_s=0.05) as running:
        stream = StockDataStream("key", "secret", url_override=running.url.replace("http", "ws") + "/v2/iex")
        quotes: asyncio.Queue[Any] = asyncio.Queue()
        stream.subscribe_quotes(quotes.put, "AAPL", "SPY")
        task = asyncio.create_task(stream._run_forever(), name="official-data")
        async with asyncio.timeout(2):
            seen = [await quotes.get() for _ in range(6)]
        assert {quote.symbol for quote in seen} == {"AAPL", "SPY"}
        assert all(quote.bid_price < quote.ask_price for quote in seen)
        assert abs(datetime.now(UTC) - seen[-1].timestamp) < timedelta(seconds=5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.close()
