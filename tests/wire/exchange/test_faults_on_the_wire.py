"""What the faults do to real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from engine.exchange.faults import (
    CutBody,
    CutStream,
    Delay,
    DelayEvent,
    DoubleEvent,
    Drop,
    Garbage,
    Html,
    LoseAnswer,
    LoseEvent,
    Mangle,
    RefuseStream,
    SwapEvents,
)
from engine.exchange.server import RunningExchange
from tests.wire.exchange.conftest import Serving

ORDER = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day", "client_order_id": "a"}
POST = {"method": "POST", "path": "/v2/orders"}


@pytest.fixture
async def running(serving: Serving) -> AsyncIterator[RunningExchange]:
    async with serving() as running:
        yield running


@pytest.fixture
async def http(running: RunningExchange) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(running.url) as http:
        yield http


class OrderStream:
    """A plain client of the order stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def read(self) -> dict[str, Any]:
        message = await self.socket.receive(timeout=2)
        assert message.type is aiohttp.WSMsgType.BINARY, message
        decoded: dict[str, Any] = msgspec.json.decode(message.data)
        return decoded

    async def events(self, count: int) -> list[str]:
        return [(await self.read())["data"]["event"] for _ in range(count)]


@asynccontextmanager
async def listening(http: aiohttp.ClientSession) -> AsyncIterator[OrderStream]:
    async with http.ws_connect("/stream") as socket:
        stream = OrderStream(socket)
        await socket.send_json({"action": "auth", "key": "k", "secret": "s"})
        assert (await stream.read())["data"]["status"] == "authorized"
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        assert (await stream.read()) == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        yield stream


async def exists(http: aiohttp.ClientSession) -> bool:
    async with http.get("/v2/orders:by_client_order_id", params={"client_order_id": "a"}) as answer:
        return answer.status == 200


async def test_a_dropped_request_was_never_seen(running: RunningExchange, http: aiohttp.ClientSession) -> None:
    running.faults.add(Drop(**POST))
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.post("/v2/orders", json=ORDER)
    assert not await exists(http)


@pytest.mark.parametrize("fault", [LoseAnswer(**POST), CutBody(**POST)], ids=["lost", "cut"])
async def test_a_lost_answer_leaves_the_order_behind(
    running: RunningExchange, http: aiohttp.ClientSession, fault: LoseAnswer | CutBody
) -> None:
    running.faults.add(fault)
    with pytest.raises(aiohttp.ClientError):
        async with http.post("/v2/orders", json=ORDER) as answer:
            await answer.read()
    assert await exists(http)


async def test_gateway_pages_are_html_before_or_after_acceptance(
    running: RunningExchange, http: aiohttp.ClientSession
) -> None:
    running.faults.add(Html(**POST, status=502))
    running.faults.add(Html(**POST, status=504, accepted=True, after=1))
    for status, accepted in ((502, False), (504, True)):
        async with http.post("/v2/orders", json=ORDER) as answer:
            assert (answer.status, answer.content_type) == (status, "text/html")
        assert await exists(http) is accepted


async def test_garbage_and_unknown_words_come_through(running: RunningExchange, http: aiohttp.ClientSession) -> None:
    running.faults.add(Garbage(**POST))
    async with http.post("/v2/orders", json=ORDER) as answer:
        assert await answer.text() == "<<<"
    running.faults.add(Mangle(path="/v2/orders", set={"status": "pondering", "news": 1, "legs": None}))
    async with http.get("/v2/orders?status=all") as answer:
        (order,) = await answer.json()
    assert (order["status"], order["news"], "legs" in order) == ("pondering", 1, False)


async def test_a_delayed_answer_is_still_carried_out_in_time(
    running: RunningExchange, http: aiohttp.ClientSession
) -> None:
    running.faults.add(Delay(**POST, seconds=30))
    late = asyncio.create_task(http.post("/v2/orders", json=ORDER), name="late")
    async with asyncio.timeout(2):
        while not await exists(http):
            pass
    assert not late.done()
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)


async def test_only_one_connection_listens_and_the_next_is_refused(http: aiohttp.ClientSession) -> None:
    async with listening(http):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect("/stream")
        assert refused.value.status == 429
    async with listening(http):
        pass


async def test_a_second_data_connection_is_refused_after_its_authentication(http: aiohttp.ClientSession) -> None:
    answers = []
    async with http.ws_connect("/v2/iex") as first, http.ws_connect("/v2/iex") as second:
        for socket in (first, second):
            await socket.receive(timeout=2)
            await socket.send_json({"action": "auth", "key": "k", "secret": "s"})
            answers.append((await socket.receive_json(timeout=2))[0])
        assert (await second.receive(timeout=2)).type is aiohttp.WSMsgType.CLOSE
    assert [answer.get("code", answer["msg"]) for answer in answers] == ["authenticated", 406]


async def test_a_refused_handshake(running: RunningExchange, http: aiohttp.ClientSession) -> None:
    running.faults.add(RefuseStream())
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect("/stream")
    async with listening(http):
        pass


async def test_events_are_lost_doubled_swapped_and_late(running: RunningExchange, http: aiohttp.ClientSession) -> None:
    async with listening(http) as stream:
        running.faults.add(LoseEvent(event="pending_new"))
        running.faults.add(DoubleEvent(event="fill"))
        await http.post("/v2/orders", json=ORDER)
        first, second, third = [(await stream.read())["data"] for _ in range(3)]
        assert [first["event"], second["event"], third["event"]] == ["new", "fill", "fill"]
        assert second["execution_id"] == third["execution_id"]
        running.faults.add(SwapEvents(event="new"))
        running.faults.add(DelayEvent(event="fill", seconds=0.05))
        await http.post("/v2/orders", json=ORDER | {"client_order_id": "b"})
        assert await stream.events(3) == ["pending_new", "fill", "new"]


async def fills(http: aiohttp.ClientSession) -> list[Any]:
    """Those of the account, as soon as there are any: the order is filled in its own time after the cut."""
    async with asyncio.timeout(2):
        while True:
            async with http.get("/v2/account/activities/FILL") as answer:
                if told := await answer.json():
                    return list(told)
            await asyncio.sleep(0.01)


async def test_a_stream_that_is_cut_misses_what_happens_meanwhile(
    running: RunningExchange, http: aiohttp.ClientSession
) -> None:
    async with listening(http) as stream:
        running.faults.add(CutStream(event="new"))
        await http.post("/v2/orders", json=ORDER)
        assert await stream.events(1) == ["pending_new"]
        message = await stream.socket.receive(timeout=2)
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    async with listening(http):
        assert len(await fills(http)) == 1
        async with http.post("/_exchange/streams/cut") as answer:
            assert await answer.json() == {"cut": 1}


async def test_faults_are_set_read_and_cleared_over_http(http: aiohttp.ClientSession) -> None:
    fault = {"do": "refuse", "method": "GET", "path": "/v2/account", "message": "no", "count": 1}
    async with http.post("/_exchange/faults", json=fault) as answer:
        assert await answer.json() == ["fault-1"]
    async with http.get("/v2/account") as answer:
        assert (answer.status, (await answer.json())["message"]) == (403, "no")
    async with http.get("/v2/account") as answer:
        assert answer.status == 200
    async with http.get("/_exchange/faults") as answer:
        assert [row["do"] for row in await answer.json()] == ["refuse"]
    async with http.delete("/_exchange/faults") as answer:
        assert answer.status == 204
    async with http.post("/_exchange/faults", json={"do": "dance"}) as answer:
        assert answer.status == 422


async def test_both_halves_of_the_latency_are_slept(serving: Serving) -> None:
    async with serving(latency_ms=60.0, latency_jitter=0.0) as running, aiohttp.ClientSession(running.url) as http:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await http.get("/v2/clock")
        assert loop.time() - started >= 0.058


async def test_leaving_the_block_ends_streams_and_tasks(serving: Serving) -> None:
    before = len(asyncio.all_tasks())
    async with aiohttp.ClientSession() as http:
        async with serving() as running:
            socket = await http.ws_connect(running.url + "/stream")
            data = await http.ws_connect(running.url + "/v2/iex")
            assert (await data.receive()).data == '[{"T":"success","msg":"connected"}]'
        assert (await socket.receive(timeout=2)).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        await socket.close()
        await data.close()
    assert len(asyncio.all_tasks()) == before


async def test_an_error_in_the_block_comes_out_as_it_is(serving: Serving) -> None:
    with pytest.raises(KeyError):
        async with serving():
            raise KeyError("mine")
