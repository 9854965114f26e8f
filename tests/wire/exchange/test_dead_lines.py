"""Lines that stand and carry nothing: hung and dribbling answers, mute streams, kept slots, quotes that stop."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from engine.exchange.faults import (
    CutData,
    Dribble,
    FalseRefusal,
    Hang,
    KeepSlot,
    MuteStream,
    StaleQuotes,
)
from engine.exchange.server import RunningExchange
from tests.wire.exchange.test_faults_on_the_wire import ORDER, POST, exists, http, listening, running

__all__ = ["http", "running"]


async def test_a_hung_request_is_never_looked_at(running: RunningExchange, http: aiohttp.ClientSession) -> None:
    running.faults.add(Hang(**POST, seconds=0.4))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), http.post("/v2/orders", json=ORDER):
            pass
    await asyncio.sleep(0.5)
    assert not await exists(http)


async def test_a_dribbling_answer_is_whole_in_the_end(running: RunningExchange, http: aiohttp.ClientSession) -> None:
    running.faults.add(Dribble(path="/v2/clock", every_s=0.001))
    async with http.get("/v2/clock") as answer:
        first = await answer.content.readany()
        rest = await answer.content.read()
    assert 0 < len(first) < len(first + rest) == int(answer.headers["Content-Length"])


async def test_a_refusal_can_be_false(running: RunningExchange, http: aiohttp.ClientSession) -> None:
    resting = ORDER | {"type": "limit", "limit_price": "9"}
    async with http.post("/v2/orders", json=resting) as answer:
        order = await answer.json()
    await asyncio.sleep(0.05)
    running.faults.add(FalseRefusal(method="PATCH", path="/v2/orders/*"))
    async with http.patch(f"/v2/orders/{order['id']}", json={"limit_price": "8", "client_order_id": "b"}) as answer:
        refusal = await answer.json()
        assert (answer.status, refusal["code"], refusal["message"]) == (422, 42210000, "order chain not fully replaced")
    await asyncio.sleep(0.05)
    async with http.get("/v2/orders:by_client_order_id", params={"client_order_id": "b"}) as answer:
        assert (await answer.json())["limit_price"] == "8"


async def test_a_mute_stream_says_nothing_and_answers_no_ping(
    running: RunningExchange, http: aiohttp.ClientSession
) -> None:
    running.faults.add(MuteStream(event="fill"))
    async with listening(http) as stream:
        async with http.post("/v2/orders", json=ORDER):
            pass
        assert await stream.events(2) == ["pending_new", "new"]
        await stream.socket.ping()
        with pytest.raises(TimeoutError):
            await stream.socket.receive(timeout=0.2)
        assert await exists(http)


async def test_a_stream_can_be_muted_by_hand(http: aiohttp.ClientSession) -> None:
    async with listening(http) as stream:
        async with http.post("/_exchange/streams/mute") as answer:
            assert await answer.json() == {"mute": 1}
        async with http.post("/v2/orders", json=ORDER):
            pass
        with pytest.raises(TimeoutError):
            await stream.socket.receive(timeout=0.2)


async def test_the_slot_of_a_stream_that_has_gone_can_stay_taken(
    running: RunningExchange, http: aiohttp.ClientSession
) -> None:
    running.faults.add(KeepSlot(seconds=0.3))
    async with listening(http):
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with http.ws_connect("/stream"):
            pass
    assert refused.value.status == 429
    await asyncio.sleep(0.4)
    async with listening(http):
        pass


async def subscribed(http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect("/v2/iex")
    await socket.receive(timeout=2)
    await socket.send_json({"action": "auth", "key": "k", "secret": "s"})
    await socket.receive(timeout=2)
    await socket.send_json({"action": "subscribe", "quotes": ["AAPL", "SPY"]})
    await socket.receive(timeout=2)
    return socket


async def test_a_symbols_quotes_stop_on_both_ways(running: RunningExchange, http: aiohttp.ClientSession) -> None:
    async def latest() -> dict[str, Any]:
        async with http.get("/v2/stocks/quotes/latest", params={"symbols": "AAPL,SPY"}) as answer:
            quotes: dict[str, Any] = (await answer.json())["quotes"]
            return quotes

    running.faults.add(StaleQuotes(symbol="AAPL"))
    await asyncio.sleep(0.3)
    before = await latest()
    socket = await subscribed(http)
    heard: set[str] = set()
    async with asyncio.timeout(5):
        while (await latest())["SPY"] == before["SPY"] or "SPY" not in heard:
            heard |= {row["S"] for row in (await socket.receive()).json()}
    assert (await latest())["AAPL"] == before["AAPL"]
    assert heard == {"SPY"}
    running.faults.clear()
    async with asyncio.timeout(5):
        while (await latest())["AAPL"] == before["AAPL"]:
            await asyncio.sleep(0.05)
    await socket.close()


@pytest.mark.parametrize("by_hand", [True, False])
async def test_the_data_stream_can_be_cut(running: RunningExchange, http: aiohttp.ClientSession, by_hand: bool) -> None:
    socket = await subscribed(http)
    if by_hand:
        async with http.post("/_exchange/data/cut") as answer:
            assert await answer.json() == {"cut": 1}
    else:
        running.faults.add(CutData())
    async with asyncio.timeout(5):
        while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    assert socket.closed


async def test_a_blocked_account_takes_no_orders_and_says_so(http: aiohttp.ClientSession) -> None:
    async with http.post("/_exchange/account", json={"trading_blocked": True}) as answer:
        assert (await answer.json())["trading_blocked"] is True
    async with http.get("/v2/account") as answer:
        assert (await answer.json())["trading_blocked"] is True
    async with http.post("/v2/orders", json=ORDER) as answer:
        refusal = await answer.json()
        assert (answer.status, refusal["message"]) == (403, "account is not authorized to trade")
    async with http.post("/_exchange/account", json={"trading_blocked": False}):
        pass
    async with http.post("/v2/orders", json=ORDER) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("body", [{"trading_blocked": "yes"}, {"cash": True}])
async def test_only_blocks_are_set_by_hand(http: aiohttp.ClientSession, body: dict[str, Any]) -> None:
    async with http.post("/_exchange/account", json=body) as answer:
        assert answer.status == 422
