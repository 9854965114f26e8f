"""The exchange in simulated time: a trading day in moments, and the same one for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import simloop

from engine.clock import LoopClock
from engine.exchange.server import ExchangeSettings, serve_exchange

ORDER = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}


async def trade() -> list[Any]:
    """What a client sees in half an hour: an order's events, and quotes every five minutes."""
    clock = LoopClock(datetime(2026, 8, 21, 14, 0, tzinfo=UTC))
    settings = ExchangeSettings(symbols=("AAPL",), latency_ms=80)
    seen: list[Any] = []
    async with (
        serve_exchange(settings, clock, host="localhost", port=8900) as running,
        aiohttp.ClientSession(running.url) as http,
        http.ws_connect("/stream") as stream,
    ):
        await stream.send_json({"action": "auth", "key": "k", "secret": "s"})
        await stream.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        seen += [msgspec.json.decode((await stream.receive()).data)["stream"] for _ in range(2)]
        await http.post("/v2/orders", json=ORDER)
        for _ in range(3):
            update = msgspec.json.decode((await stream.receive()).data)["data"]
            seen.append((update["event"], update["timestamp"], update["execution_id"]))
        for _ in range(6):
            await clock.sleep(300)
            async with http.get("/v2/stocks/quotes/latest", params={"symbols": "AAPL"}) as answer:
                seen.append((await answer.json())["quotes"]["AAPL"])
    return seen


def test_the_same_seed_is_the_same_day() -> None:
    runs = [simloop.SimLoop(seed=3).run_until_complete(trade()) for _ in range(2)]
    assert runs[0] == runs[1]
    assert [event for event, *_ in runs[0][2:5]] == ["pending_new", "new", "fill"]
    assert len({quote["t"] for quote in runs[0][5:]}) == 6


async def stay_silent() -> tuple[float, Any]:
    """Connects to the data stream and says nothing."""
    clock = LoopClock(datetime(2026, 8, 21, 14, 0, tzinfo=UTC))
    settings = ExchangeSettings(symbols=("AAPL",), latency_ms=0)
    async with (
        serve_exchange(settings, clock, host="localhost", port=8900) as running,
        aiohttp.ClientSession(running.url) as http,
        http.ws_connect("/v2/iex") as stream,
    ):
        await stream.receive()
        answer = await stream.receive_json()
        silent_s = clock.monotonic_s()
        assert (await stream.receive()).type is aiohttp.WSMsgType.CLOSE
    return silent_s, answer


def test_a_data_connection_that_does_not_authenticate_is_ended() -> None:
    silent_s, answer = simloop.SimLoop().run_until_complete(stay_silent())
    assert 10 <= silent_s < 11
    assert answer == [{"T": "error", "code": 404, "msg": "auth timeout"}]
