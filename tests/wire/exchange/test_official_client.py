"""Alpaca's own clients read the account, lists, reference and market data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from alpaca.common.enums import Sort
from alpaca.common.exceptions import APIError
from alpaca.data.enums import DataFeed
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoLatestBarRequest,
    CryptoLatestOrderbookRequest,
    CryptoLatestQuoteRequest,
    CryptoLatestTradeRequest,
    CryptoSnapshotRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.enums import AssetClass, AssetExchange, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
)

from tests.wire.exchange.official import Client, settled

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # alpaca-py still uses websockets.legacy


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
        GetCalendarRequest(start=date(2026, 11, 26), end=date(2026, 11, 27)),
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


async def test_filters_of_lists(client: Client) -> None:
    placed: list[Any] = []
    for symbol, side, price in (
        ("AAPL", OrderSide.BUY, 100.0),
        ("SPY", OrderSide.SELL, 900.0),
        ("SPY", OrderSide.BUY, 101.0),
    ):
        if len(placed) == 2:
            await client(client.trading.cancel_order_by_id, placed[1].id)
            await settled(client, placed[1].id, OrderStatus.CANCELED)
        request = LimitOrderRequest(symbol=symbol, qty=1, side=side, time_in_force=TimeInForce.DAY, limit_price=price)
        placed.append(await client(client.trading.submit_order, request))
        await settled(client, placed[-1].id, OrderStatus.NEW)
    first, second, third = (order.id for order in placed)

    async def ids(**terms: Any) -> list[UUID]:
        return [order.id for order in await client(client.trading.get_orders, GetOrdersRequest(**terms))]

    assert await ids() == [third, first]
    assert await ids(status=QueryOrderStatus.CLOSED) == [second]
    assert await ids(status=QueryOrderStatus.ALL, direction=Sort.ASC, limit=2) == [first, second]
    assert await ids(status=QueryOrderStatus.ALL, side=OrderSide.SELL) == [second]
    assert await ids(symbols=["AAPL"]) == [first]
    assert await ids(status=QueryOrderStatus.ALL, after=placed[0].submitted_at, nested=True) == [third, second]
    assert await ids(status=QueryOrderStatus.ALL, until=placed[2].submitted_at) == [second, first]


async def test_configurations_are_read_and_set(client: Client) -> None:
    configuration = await client(client.trading.get_account_configurations)
    configuration.suspend_trade = configuration.no_shorting = True
    changed = await client(client.trading.set_account_configurations, configuration)
    assert (changed.suspend_trade, changed.no_shorting, changed.max_margin_multiplier) == (True, True, "4")
    account = await client(client.trading.get_account)
    assert (account.trade_suspended_by_user, account.shorting_enabled) == (True, False)
    with pytest.raises(APIError) as refusal:
        await client(
            client.trading.submit_order,
            MarketOrderRequest(symbol="AAPL", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY),
        )
    assert refusal.value.message == "new orders are rejected by user request"


async def test_positions_activities_and_history_after_a_trade(client: Client) -> None:
    order = await client(
        client.trading.submit_order,
        MarketOrderRequest(symbol="SPY", qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.DAY),
    )
    filled = await settled(client, order.id, OrderStatus.FILLED)
    (position,) = await client(client.trading.get_all_positions)
    assert (position.symbol, position.qty, position.avg_entry_price) == ("SPY", "2", filled.filled_avg_price)
    by_asset = await client(client.trading.get_open_position, position.asset_id)
    assert by_asset.symbol == "SPY"
    (activity,) = await client(client.trading.get, "/account/activities/FILL", {"page_size": 10})
    assert (activity["order_id"], activity["price"]) == (str(order.id), filled.filled_avg_price)
    assert await client(client.trading.get, "/account/activities", {"page_token": activity["id"]}) == []
    history = await client(
        client.trading.get_portfolio_history, GetPortfolioHistoryRequest(period="1M", timeframe="1D")
    )
    account = await client(client.trading.get_account)
    assert abs(Decimal(str(history.equity[-1])) - Decimal(account.equity)) < 100


async def test_assets_by_class_and_place(client: Client) -> None:
    async def symbols(**terms: Any) -> set[str]:
        return {asset.symbol for asset in await client(client.trading.get_all_assets, GetAssetsRequest(**terms))}

    assert await symbols(asset_class=AssetClass.CRYPTO) == {"BTC/USD"}
    assert await symbols(exchange=AssetExchange.ARCA) == {"SPY"}
    coin = await client(client.trading.get_asset, "BTC/USD")
    assert (coin.asset_class, coin.marginable, coin.shortable) == (AssetClass.CRYPTO, False, False)
    assert (await client(client.trading.get_asset, coin.id)).symbol == "BTC/USD"
    with pytest.raises(APIError) as refusal:
        await client(client.trading.get_asset, "NOPE")
    assert refusal.value.status_code == 404


async def test_bars_come_in_pages_that_the_client_joins(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.exchange.data_rest.BARS_MAX", 100)
    start = datetime.now(UTC) - timedelta(days=300)
    bars = await client(
        client.data.get_stock_bars,
        StockBarsRequest(symbol_or_symbols=["AAPL", "SPY"], timeframe=TimeFrame.Day, start=start),
    )
    stamps = [bar.timestamp for bar in bars["SPY"]]
    assert len(bars["AAPL"]) == len(stamps) > 180
    assert stamps == sorted(set(stamps))
    quarters = TimeFrame(15, TimeFrameUnit.Minute)
    folded = await client(
        client.data.get_stock_bars, StockBarsRequest(symbol_or_symbols="AAPL", timeframe=quarters, start=start)
    )
    today = [bar for bar in folded["AAPL"] if bar.timestamp > datetime.now(UTC) - timedelta(hours=3)]
    assert len(today) in {8, 9}
    assert 4 * 26 < len(folded["AAPL"]) - len(today) <= 5 * 26, "and five days before, the early closes among them"
    latest = await client(client.data.get_stock_latest_bar, StockLatestBarRequest(symbol_or_symbols="AAPL"))
    assert latest["AAPL"].close > 0


async def test_data_of_coins(client: Client) -> None:
    coin = "BTC/USD"
    trade = await client(client.coins.get_crypto_latest_trade, CryptoLatestTradeRequest(symbol_or_symbols=coin))
    bar = await client(client.coins.get_crypto_latest_bar, CryptoLatestBarRequest(symbol_or_symbols=coin))
    book = await client(client.coins.get_crypto_latest_orderbook, CryptoLatestOrderbookRequest(symbol_or_symbols=coin))
    snapshot = await client(client.coins.get_crypto_snapshot, CryptoSnapshotRequest(symbol_or_symbols=coin))
    bars = await client(
        client.coins.get_crypto_bars,
        CryptoBarsRequest(symbol_or_symbols=coin, timeframe=TimeFrame.Day, start=datetime.now(UTC) - timedelta(days=9)),
    )
    assert trade[coin].price > 0 < bar[coin].close
    assert book[coin].bids[0].price < book[coin].asks[0].price
    assert snapshot[coin].latest_quote.ask_price > 0
    assert 1 <= len(bars[coin]) <= 10


async def test_of_a_parameter_given_twice_the_first_counts(client: Client) -> None:
    for symbol in ("AAPL", "SPY"):
        request = LimitOrderRequest(
            symbol=symbol, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=100.0
        )
        await client(client.trading.submit_order, request)
    rows = await client(client.trading.get, "/orders", [("symbols", "SPY"), ("symbols", "AAPL")])
    assert [row["symbol"] for row in rows] == ["SPY"]
