"""Alpaca's own Python clients, unmodified, pointed at a served exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import MarketOrderRequest, StopLossRequest, TakeProfitRequest

from engine.exchange.server import RunningExchange


class Client:
    """The synchronous clients, called from a thread."""

    def __init__(self, running: RunningExchange) -> None:
        self.trading = TradingClient("key", "secret", paper=True, url_override=running.url)
        self.data = StockHistoricalDataClient("key", "secret", url_override=running.url)
        self.coins = CryptoHistoricalDataClient("key", "secret", url_override=running.url)

    async def __call__(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return await asyncio.to_thread(call, *arguments, **named)

    def close(self) -> None:
        for client in (self.trading, self.data, self.coins):
            client._session.close()


async def settled(client: Client, order_id: Any, *statuses: OrderStatus) -> Any:
    """The order, as soon as it has one of the statuses."""
    async with asyncio.timeout(2):
        while True:
            order = await client(client.trading.get_order_by_id, order_id)
            if order.status in statuses:
                return order
            await asyncio.sleep(0.005)


def bracket(price: float, **terms: Any) -> MarketOrderRequest:
    """Ten AAPL at market with exits five percent away from a price."""
    return MarketOrderRequest(
        **{"symbol": "AAPL", "qty": 10, "side": OrderSide.BUY, "time_in_force": TimeInForce.GTC} | terms,
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfitRequest(limit_price=round(price * 1.05, 2)),
        stop_loss=StopLossRequest(stop_price=round(price * 0.95, 2)),
    )


@asynccontextmanager
async def streaming(stream: Any) -> AsyncIterator[None]:
    """Runs one of the clients' streams, and closes its socket afterwards."""
    task = asyncio.create_task(stream._run_forever(), name="official-stream")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.close()
