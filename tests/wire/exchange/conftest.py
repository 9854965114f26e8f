"""A served exchange on a free loopback port."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from engine.clock import SystemClock
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # alpaca-py imports websockets.legacy
    import alpaca.trading.stream  # noqa: F401

Serving = Callable[..., AbstractAsyncContextManager[RunningExchange]]


@pytest.fixture
def serving() -> Serving:
    """Serves an exchange without latency; keyword arguments are settings."""

    @asynccontextmanager
    async def serve(**settings: Any) -> AsyncIterator[RunningExchange]:
        terms = {"latency_ms": 0.0, "venue_ms": 1.0, "symbols": ("AAPL", "SPY", "BTC/USD")} | settings
        async with serve_exchange(ExchangeSettings(**terms), SystemClock()) as running:
            yield running

    return serve
