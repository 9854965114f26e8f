"""What is sent, is sent once: whatever breaks, the broker sees each request one time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from engine.alpaca.client import AlpacaClient, open_client
from engine.alpaca.errors import Purpose
from engine.clock import SystemClock
from engine.errors import AmbiguousError, BrokerError, RetryableError
from tests.wire.adapter.raw_server import Answer, Cut, raw_server
from tests.wire.adapter.samples import BRACKET, CLOCK, ORDER, REPLACEMENT, access_to

CALLS: dict[str, tuple[Callable[[AlpacaClient], Awaitable[object]], type[BrokerError]]] = {
    "GET": (lambda client: client.order("o-1"), RetryableError),
    "POST": (lambda client: client.submit(BRACKET, purpose=Purpose.ENTRY), AmbiguousError),
    "PATCH": (lambda client: client.replace("o-1", REPLACEMENT, purpose=Purpose.PROTECT), AmbiguousError),
    "DELETE": (lambda client: client.cancel("o-1"), AmbiguousError),
}

HALF_AN_ANSWER = Answer(200, ORDER).encoded()[:-20]


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    "cut",
    [Cut(), Cut(b"HTTP/1.1 200 OK\r\nContent-"), Cut(HALF_AN_ANSWER), Cut(b"\x16\x03garbage\r\n\r\n")],
    ids=["nothing", "half the head", "half the body", "garbage"],
)
async def test_a_connection_cut_after_the_request_shows_it_to_the_broker_once(method: str, cut: Cut) -> None:
    call, expected = CALLS[method]
    async with raw_server(Answer(200, CLOCK)) as server, open_client(access_to(server.url), SystemClock()) as client:
        await client.clock()  # the next request reuses this connection, which is when aiohttp would resend
        server.script.append(cut)
        with pytest.raises(expected):
            await call(client)
        assert [request.connection for request in server.seen] == [1, 1]
        assert [request.method for request in server.seen] == ["GET", method]


async def test_the_library_would_have_resent() -> None:
    # Keeps the test above honest: should this fail one day, the guard in the transport has become superfluous.
    async with raw_server(Answer(200, CLOCK)) as server, aiohttp.ClientSession() as session:
        await (await session.delete(server.url)).read()
        server.script.append(Cut())
        await (await session.delete(server.url)).read()
        assert len(server.seen) == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
@pytest.mark.parametrize("method", CALLS)
async def test_no_status_makes_the_client_send_again(method: str, status: int) -> None:
    call, _ = CALLS[method]
    async with (
        raw_server(Answer(status, {"message": "not now"})) as server,
        open_client(access_to(server.url), SystemClock()) as client,
    ):
        with pytest.raises(BrokerError):
            await call(client)
        assert len(server.seen) == 1


async def test_a_redirect_is_not_followed() -> None:
    async with raw_server(Answer(200, ORDER)) as elsewhere:
        moved = Answer(307, b"", {"Location": elsewhere.url + "/v2/orders"})
        async with raw_server(moved) as server, open_client(access_to(server.url), SystemClock()) as client:
            with pytest.raises(AmbiguousError):
                await client.submit(BRACKET, purpose=Purpose.ENTRY)
        assert elsewhere.seen == []
