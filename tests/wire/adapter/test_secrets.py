"""The keys are on the wire and nowhere else: no log line, repr, error or traceback shows them, whatever fails."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final

import msgspec
import pytest
from aiohttp import web

from engine.alpaca.bodies import encode_body
from engine.alpaca.client import AlpacaClient, open_client
from engine.alpaca.credentials import PaperKeys, Secret
from engine.alpaca.endpoints import PaperAccess, paper_endpoint
from engine.alpaca.errors import Purpose
from engine.alpaca.quotes import QuoteStream
from engine.alpaca.stream import AuthFailed, Disconnected
from engine.alpaca.trades import OrderStream
from engine.clock import SystemClock
from engine.errors import BrokerError
from tests.wire.adapter.raw_server import Answer, Cut, Entry, Silence, raw_server
from tests.wire.adapter.samples import BRACKET, ORDER, REPLACEMENT
from tests.wire.adapter.stream_server import Refuse, Script, StreamServer, stream_server

KEY_ID: Final = "PKMARKEDKEYTHATNOBODYMAYSEE"
SECRET: Final = "marked+secret/that-nobody-may-see"

OUTCOMES: Final[dict[str, Entry]] = {
    "keys refused": Answer(401, {"message": "unauthorized."}),
    "forbidden": Answer(403, {"code": 40310000, "message": "request is forbidden"}),
    "a gateway's page": Answer(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
    "a redirect": Answer(307, b"", {"Location": "http://127.0.0.1:1/v2/orders"}),
    "no JSON": Answer(200, b"{broken"),
    "another order": Answer(200, ORDER | {"client_order_id": "x"}),
    "a cut": Cut(),
    "half an answer": Cut(Answer(200, ORDER).encoded()[:-9]),
    "garbage": Cut(b"\x16\x03\x01garbage\r\n\r\n"),
    "a header that lies": Cut(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
    "silence": Silence(),
}
CALLS: Final[dict[str, Callable[[AlpacaClient], Awaitable[object]]]] = {
    "GET": lambda client: client.account(deadline_s=0.2),
    "POST": lambda client: client.submit(BRACKET, purpose=Purpose.ENTRY, deadline_s=0.2),
    "PATCH": lambda client: client.replace("o-1", REPLACEMENT, purpose=Purpose.CLOSE, deadline_s=0.2),
    "DELETE": lambda client: client.cancel("o-1", deadline_s=0.2),
}


def access_to(url: str) -> PaperAccess:
    return PaperAccess(paper_endpoint({"APCA_API_BASE_URL": url}), PaperKeys(KEY_ID, Secret(SECRET)))


def shows_a_key(text: str) -> bool:
    return KEY_ID in text or SECRET in text


def told_of(error: BaseException) -> str:
    """What the most talkative crash report would hold: the whole chain, with every frame's local variables."""
    chain = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(chain.format()) + repr(error) + repr(vars(error)) + repr(error.__context__) + repr(error.__cause__)


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    lines = [record.getMessage() + str(record.exc_text or "") for record in caplog.records]
    assert not [line for line in lines if shows_a_key(line)]


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("method", CALLS)
async def test_no_failure_of_a_request_tells_the_keys(method: str, outcome: str) -> None:
    async with raw_server(OUTCOMES[outcome]) as server, open_client(access_to(server.url), SystemClock()) as client:
        (ended,) = await asyncio.gather(CALLS[method](client), return_exceptions=True)
        if isinstance(ended, BaseException):
            assert isinstance(ended, BrokerError)
            assert not shows_a_key(told_of(ended))
        assert server.seen[0].headers["apca-api-key-id"] == KEY_ID
        assert server.seen[0].headers["apca-api-secret-key"] == SECRET
        assert not shows_a_key(repr([client, client.transport, client.transport.recent, vars(client.transport)]))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:{port}"], ids=["nobody listens", "no TLS"])
async def test_no_failure_on_the_way_tells_the_keys(url: str) -> None:
    async with raw_server(Cut(b"no handshake")) as server:
        address = url.format(port=server.url.rsplit(":", 1)[1])
        async with open_client(access_to(address), SystemClock()) as client:
            with pytest.raises(BrokerError) as caught:
                await client.account()
    assert not shows_a_key(told_of(caught.value))


async def test_a_canceled_request_tells_no_key() -> None:
    async with raw_server(Silence()) as server, open_client(access_to(server.url), SystemClock()) as client:
        task = asyncio.create_task(client.account(), name="account")
        await server.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert not shows_a_key(told_of(caught.value))


def unauthorized(server: StreamServer) -> Script:
    async def script(socket: web.WebSocketResponse) -> None:
        await server.hear(socket)
        await socket.send_str('{"stream":"authorization","data":{"status":"unauthorized","action":"authenticate"}}')

    return script


def leaves(server: StreamServer) -> Script:
    async def script(socket: web.WebSocketResponse) -> None:
        await server.hear(socket)

    return script


def refuses_data_keys(server: StreamServer) -> Script:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_str('[{"T":"success","msg":"connected"}]')
        await server.hear(socket)
        await socket.send_str('[{"T":"error","code":402,"msg":"auth failed"}]')

    return script


async def endings(stream: OrderStream | QuoteStream) -> AsyncIterator[Any]:
    task = asyncio.create_task(stream.run(), name="stream")
    try:
        async for item in stream:
            yield item
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("make", [unauthorized, leaves, Refuse(401), Refuse(500)])
async def test_the_order_stream_tells_no_key(make: Any) -> None:
    async with stream_server() as server, open_client(access_to(server.url), SystemClock()) as client:
        server.scripts.append(make if isinstance(make, Refuse) else make(server))
        stream = OrderStream(client.transport)
        ended = await anext(endings(stream))
        assert isinstance(ended, AuthFailed | Disconnected)
        assert not shows_a_key(repr(ended) + repr(stream) + repr(vars(stream)))
        if not isinstance(make, Refuse):
            assert SECRET in str(server.received), "it went over the wire"


async def test_the_data_stream_tells_no_key() -> None:
    async with stream_server() as server, open_client(access_to(server.url), SystemClock()) as client:
        server.scripts.append(refuses_data_keys(server))
        stream = QuoteStream(client.transport)
        ended = await anext(endings(stream))
        assert isinstance(ended, AuthFailed)
        assert not shows_a_key(repr(ended) + repr(stream) + repr(vars(stream)))


def test_nothing_that_holds_the_keys_shows_or_serialises_them() -> None:
    access = access_to("http://127.0.0.1:1")
    keys = access.keys
    for thing in (access, keys, keys.secret, keys.secret.reveal()):
        assert not shows_a_key(repr(thing))
    for thing in (access, keys, keys.secret):
        assert not shows_a_key(f"{thing} {thing!s} {thing!r}")
    for serialise in (msgspec.json.encode, pickle.dumps):
        with pytest.raises(TypeError):
            serialise(keys.secret)
    with pytest.raises(TypeError):
        encode_body({"secret": keys.secret})
