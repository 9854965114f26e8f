"""A served exchange on a free loopback port."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from engine.clock import Clock, SystemClock
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # alpaca-py imports websockets.legacy
    import alpaca.trading.stream  # noqa: F401

from tests.wire.exchange.official import Client

Serving = Callable[..., AbstractAsyncContextManager[RunningExchange]]


@pytest.fixture
def serving() -> Serving:
    """Serves an exchange without latency; keyword arguments are settings, and the clock."""

    @asynccontextmanager
    async def serve(*, clock: Clock | None = None, **settings: Any) -> AsyncIterator[RunningExchange]:
        terms = {"latency_ms": 0.0, "venue_ms": 1.0, "symbols": ("AAPL", "SPY", "BTC/USD")} | settings
        async with serve_exchange(ExchangeSettings(**terms), clock or SystemClock()) as running:
            yield running

    return serve


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[Client]:
    """Alpaca's own clients at an exchange of their own."""
    async with serving() as running:
        client = Client(running)
        yield client
        client.close()
