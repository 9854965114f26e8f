"""Alpaca's own trading client places, changes and ends orders of every class and type."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.requests import StockLatestQuoteRequest
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, OrderType, PositionIntent, TimeInForce
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetOrderByIdRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

from tests.wire.exchange.official import Client, bracket, settled

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # alpaca-py still uses websockets.legacy

BUY: dict[str, Any] = {"symbol": "AAPL", "qty": 4, "side": OrderSide.BUY, "time_in_force": TimeInForce.GTC}
SELL = BUY | {"side": OrderSide.SELL}


async def price_of(client: Client, symbol: str = "AAPL") -> float:
    quotes = await client(client.data.get_stock_latest_quote, StockLatestQuoteRequest(symbol_or_symbols=symbol))
    return float(quotes[symbol].ask_price)


async def holding(client: Client, **terms: Any) -> None:
    order = await client(client.trading.submit_order, MarketOrderRequest(**BUY | terms))
    await settled(client, order.id, OrderStatus.FILLED)


async def refused(client: Client, request: Any) -> tuple[int, int, str]:
    with pytest.raises(APIError) as refusal:
        await client(client.trading.submit_order, request)
    return refusal.value.status_code, refusal.value.code, refusal.value.message


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


async def test_every_type_of_a_simple_order(client: Client) -> None:
    price = await price_of(client)
    low, high = round(price * 0.9, 2), round(price * 1.1, 2)
    placed = [
        await client(client.trading.submit_order, request)
        for request in (
            LimitOrderRequest(**BUY, limit_price=low),
            StopOrderRequest(**BUY, stop_price=high),
            StopLimitOrderRequest(**BUY, stop_price=high, limit_price=high),
            TrailingStopOrderRequest(**BUY, trail_percent=5),
            TrailingStopOrderRequest(**BUY, trail_price=10),
            MarketOrderRequest(**BUY, position_intent=PositionIntent.BUY_TO_OPEN),
        )
    ]
    assert [order.type for order in placed] == [
        OrderType.LIMIT,
        OrderType.STOP_LIMIT,  # a buy stop is one at Alpaca
        OrderType.STOP_LIMIT,
        OrderType.TRAILING_STOP,
        OrderType.TRAILING_STOP,
        OrderType.MARKET,
    ]
    assert all(order.order_class is OrderClass.SIMPLE for order in placed)
    for order in placed[:-1]:
        await settled(client, order.id, OrderStatus.NEW)
    await settled(client, placed[-1].id, OrderStatus.FILLED)
    trailing = await client(client.trading.get_order_by_id, placed[3].id)
    assert float(trailing.stop_price) > float(trailing.hwm) > 0


async def test_an_oto_and_its_stop(client: Client) -> None:
    price = await price_of(client)
    placed = await client(
        client.trading.submit_order,
        MarketOrderRequest(
            **BUY, order_class=OrderClass.OTO, stop_loss=StopLossRequest(stop_price=round(price * 0.9, 2))
        ),
    )
    (stop,) = placed.legs
    assert (placed.order_class, stop.status) == (OrderClass.OTO, OrderStatus.HELD)
    await settled(client, stop.id, OrderStatus.NEW)
    parent = await client(client.trading.get_order_by_id, placed.id, GetOrderByIdRequest(nested=True))
    assert [leg.id for leg in parent.legs] == [stop.id]


async def test_an_oco_closes_a_position_and_its_other_exit_is_canceled(client: Client) -> None:
    await holding(client)
    price = await price_of(client)
    placed = await client(
        client.trading.submit_order,
        LimitOrderRequest(
            **SELL,
            order_class=OrderClass.OCO,
            take_profit=TakeProfitRequest(limit_price=round(price * 1.1, 2)),
            stop_loss=StopLossRequest(stop_price=round(price * 0.9, 2), limit_price=round(price * 0.89, 2)),
        ),
    )
    target = await settled(client, placed.id, OrderStatus.NEW)
    moved = await client(
        client.trading.replace_order_by_id, target.id, ReplaceOrderRequest(limit_price=round(price * 0.97, 2))
    )
    await settled(client, moved.id, OrderStatus.FILLED)
    await settled(client, placed.legs[0].id, OrderStatus.CANCELED)
    assert await client(client.trading.get_all_positions) == []


async def test_fractions_and_amounts(client: Client) -> None:
    terms = {"symbol": "AAPL", "side": OrderSide.BUY, "time_in_force": TimeInForce.DAY}
    fraction = await client(client.trading.submit_order, MarketOrderRequest(**terms, qty=1.25))
    amount = await client(client.trading.submit_order, MarketOrderRequest(**terms, notional=100))
    assert (fraction.qty, amount.qty, amount.notional) == ("1.25", None, "100")
    await settled(client, fraction.id, OrderStatus.FILLED)
    await settled(client, amount.id, OrderStatus.FILLED)
    assert 1.25 < float((await client(client.trading.get_open_position, "AAPL")).qty) < 2.25


async def test_coins(client: Client) -> None:
    terms = {"symbol": "BTC/USD", "qty": 0.1, "side": OrderSide.BUY}
    order = await client(client.trading.submit_order, MarketOrderRequest(**terms, time_in_force=TimeInForce.IOC))
    await settled(client, order.id, OrderStatus.FILLED)
    position = await client(client.trading.get_open_position, "BTCUSD")
    assert (position.symbol, position.qty) == ("BTCUSD", "0.1")
    assert (await refused(client, MarketOrderRequest(**terms, time_in_force=TimeInForce.DAY)))[1:] == (
        42210000,
        "invalid crypto time_in_force",
    )
    closing = await client(client.trading.close_position, "BTCUSD")
    await settled(client, closing.id, OrderStatus.FILLED)
    assert await client(client.trading.get_all_positions) == []


async def test_a_price_that_floats_have_spoilt_is_refused_and_not_rounded(client: Client) -> None:
    status, code, message = await refused(client, LimitOrderRequest(**BUY, limit_price=301.10 * 1.003))
    assert (status, code) == (422, 42210000)
    assert message.endswith("sub-penny increment does not fulfill minimum pricing criteria")


async def test_replacing_size_price_and_name(client: Client) -> None:
    placed = await client(client.trading.submit_order, LimitOrderRequest(**BUY, limit_price=100))
    await settled(client, placed.id, OrderStatus.NEW)
    changed = await client(
        client.trading.replace_order_by_id,
        placed.id,
        ReplaceOrderRequest(qty=6, limit_price=101, time_in_force=TimeInForce.DAY, client_order_id="renamed"),
    )
    old = await settled(client, placed.id, OrderStatus.REPLACED)
    assert (old.replaced_by, changed.replaces) == (changed.id, placed.id)
    found = await client(client.trading.get_order_by_client_id, "renamed")
    assert (found.qty, found.limit_price, found.time_in_force) == ("6", "101", TimeInForce.DAY)


async def test_closing_by_quantity_by_share_and_by_asset(client: Client) -> None:
    await holding(client, qty=8)
    for options, left in (({"qty": "3"}, "5"), ({"percentage": "40"}, "3")):
        order = await client(client.trading.close_position, "AAPL", ClosePositionRequest(**options))
        await settled(client, order.id, OrderStatus.FILLED)
        assert (await client(client.trading.get_open_position, "AAPL")).qty == left
    asset = await client(client.trading.get_asset, "AAPL")
    order = await client(client.trading.close_position, asset.id)
    await settled(client, order.id, OrderStatus.FILLED)
    with pytest.raises(APIError) as refusal:
        await client(client.trading.close_position, "AAPL")
    assert (refusal.value.status_code, refusal.value.message) == (404, "position does not exist")


async def test_closing_all_does_not_wait_for_the_cancels(client: Client) -> None:
    await holding(client)
    await holding(client, symbol="SPY")
    exit_order = await client(client.trading.submit_order, TrailingStopOrderRequest(**SELL, trail_percent=5))
    await settled(client, exit_order.id, OrderStatus.NEW)
    rows = await client(client.trading.close_all_positions, cancel_orders=True)
    assert [(row.symbol, row.status) for row in rows] == [(str(exit_order.id), 200), ("AAPL", 403), ("SPY", 200)]
    assert rows[1].body.held_for_orders == 4
    await settled(client, exit_order.id, OrderStatus.CANCELED)
    rows = await client(client.trading.close_all_positions)
    assert ("AAPL", 200) in [(row.symbol, row.status) for row in rows]


async def test_an_order_that_does_not_exist(client: Client) -> None:
    for call in (client.trading.get_order_by_id, client.trading.cancel_order_by_id):
        with pytest.raises(APIError) as refusal:
            await client(call, uuid4())
        assert (refusal.value.status_code, refusal.value.code) == (404, 40410000)
    with pytest.raises(APIError) as refusal:
        await client(client.trading.get_order_by_client_id, "unknown")
    assert refusal.value.status_code == 404


async def test_a_name_is_used_once(client: Client) -> None:
    named = LimitOrderRequest(**BUY, limit_price=100, client_order_id="once")
    await client(client.trading.submit_order, named)
    assert await refused(client, named) == (422, 40010001, "client_order_id must be unique")
