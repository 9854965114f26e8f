from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest

from engine.clock import SystemClock
from engine.intake.api import ApiServer, ApiSettings, serve_api
from engine.model.events import LinkChanged, SignalExpired
from tests.unit.intake.bodies import SAMPLE
from tests.unit.journal.events import EVERY_KIND, notes
from tests.wire.api.conftest import Client
from tests.wire.api.scripted import ScriptedDesk


class Sent(NamedTuple):
    id: int
    event: str
    data: Any


class Stream:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0

    async def next(self) -> Sent | None:
        """The next event, None at the end of the stream."""
        fields: dict[str, str] = {}
        while line := await self.response.content.readline():
            text = line.decode().rstrip("\n")
            if text.startswith(":"):
                self.comments += 1
            elif text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif "data" in fields:
                return Sent(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            else:
                fields.clear()
        return None

    async def ids(self, count: int) -> list[int]:
        found = []
        for _ in range(count):
            event = await self.next()
            assert event is not None
            found.append(event.id)
        return found


@asynccontextmanager
async def follow(client: Client, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    sent = {"Authorization": f"Bearer {client.token}"} | headers
    async with client.session.get(f"{client.server.url}/v1/events{query}", headers=sent) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield Stream(response)


async def test_an_event_is_told_with_number_kind_and_payload(client: Client) -> None:
    async with follow(client) as stream:
        await client.post("/v1/signals", SAMPLE)
        event = await stream.next()
    assert event is not None
    assert (event.id, event.event) == (1, "signal_received")
    assert set(event.data) == {"seq", "at", "kind", "subject", "payload"}
    assert (event.data["seq"], event.data["kind"], event.data["subject"]) == (1, "signal_received", "s000001")
    assert event.data["at"].endswith("Z")
    assert event.data["payload"]["signal"]["stop_loss"]["value"] == "184.90"


async def test_every_kind_of_fact_can_be_told(client: Client, desk: ScriptedDesk) -> None:
    desk.record(*EVERY_KIND)
    async with follow(client) as stream:
        told = [await stream.next() for _ in EVERY_KIND]
    assert [event.event for event in told if event is not None] == [fact.__struct_config__.tag for fact in EVERY_KIND]
    [position] = [event.data["payload"] for event in told if event is not None and event.event == "position_reported"]
    assert position["position"]["avg_entry_price"] == "0.000000001", "no exponent here either"


async def test_a_stream_begins_behind_the_number_asked_for(client: Client, desk: ScriptedDesk) -> None:
    desk.record(*notes(5))
    async with follow(client, "?after=3") as stream:
        assert await stream.ids(2) == [4, 5]
        desk.record(*notes(1))
        assert await stream.ids(1) == [6]
    async with follow(client, "?after=0", **{"Last-Event-ID": "5"}) as stream:
        assert await stream.ids(1) == [6]


@pytest.mark.parametrize("value", ["x", "", "-1", "7", "9" * 40])
async def test_a_number_that_cannot_be_resumed_from_is_refused(client: Client, value: str) -> None:
    assert (await client.get("/v1/events", headers={"Last-Event-ID": value})).error[0] == 422


async def test_silence_is_filled_with_comments(client: Client, desk: ScriptedDesk) -> None:
    async with follow(client) as stream:
        waiting = asyncio.ensure_future(stream.next())
        while stream.comments < 2:
            await asyncio.sleep(0.01)
        desk.record(*notes(1))
        assert await waiting is not None


async def test_a_reader_that_leaves_is_forgotten(client: Client, desk: ScriptedDesk) -> None:
    async with follow(client) as stream:
        desk.record(*notes(1))
        await stream.ids(1)
        assert desk.streams == 1
    while desk.streams:
        await asyncio.sleep(0.01)


async def test_streams_end_in_order_when_the_api_ends(desk: ScriptedDesk, settings: ApiSettings) -> None:
    listening: asyncio.Future[ApiServer] = asyncio.get_running_loop().create_future()
    leave = asyncio.Event()

    async def serve() -> None:
        async with serve_api(desk, settings, SystemClock()) as server:
            listening.set_result(server)
            await leave.wait()

    serving = asyncio.ensure_future(serve())
    async with aiohttp.ClientSession() as session:
        client = Client(await listening, session, (settings.data_dir / "api-token").read_text())
        async with follow(client) as stream:
            desk.record(*notes(1))
            assert await stream.ids(1) == [1]
            leave.set()
            assert await stream.next() is None, "a last chunk, not a broken connection"
    await serving
    assert desk.streams == 0


async def test_a_reader_that_takes_nothing_is_cut_and_disturbs_nobody(client: Client, desk: ScriptedDesk) -> None:
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stuck, ("127.0.0.1", client.server.port))
    ask = f"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\n\r\n"
    await loop.sock_sendall(stuck, ask.encode())
    async with follow(client) as stream:
        pad = "x" * 10_000
        for _ in range(20):
            desk.record(*(LinkChanged(link="rest", up=True, why=pad) for _ in range(50)))
            await stream.ids(50)
        while desk.streams > 1:
            await asyncio.sleep(0.02)
        desk.record(SignalExpired(signal_id="s1"))
        assert await stream.ids(1) == [1001]
    stuck.close()
