"""The connection breaks after each verb at each byte boundary that matters: one request, one classified end.

What the desk makes of each of these ends stands in ``tests/wire/desk/test_cuts_on_exchange.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from engine.alpaca.client import AlpacaClient, open_client
from engine.alpaca.errors import Purpose
from engine.clock import SystemClock
from engine.errors import AmbiguousError, BrokerError, RetryableError
from tests.wire.adapter.cut_server import HEAD_END, CutAt, cut_server
from tests.wire.adapter.raw_server import Answer
from tests.wire.adapter.samples import BRACKET, ORDER, REPLACEMENT, access_to

REPLACED: Final = ORDER | {"id": "o-2", "client_order_id": "c-2", "replaces": "o-1"}
ANSWERS: Final = {
    "GET": Answer(200, ORDER),
    "POST": Answer(200, ORDER),
    "PATCH": Answer(200, REPLACED),
    "DELETE": Answer(204),
}
CALLS: Final[dict[str, Callable[[AlpacaClient], Awaitable[object]]]] = {
    "GET": lambda client: client.order("o-1"),
    "POST": lambda client: client.submit(BRACKET, purpose=Purpose.ENTRY),
    "PATCH": lambda client: client.replace("o-1", REPLACEMENT, purpose=Purpose.CLOSE),
    "DELETE": lambda client: client.cancel("o-1"),
}


def offsets_in(answer: bytes) -> dict[str, int]:
    """Byte counts after which an answer may end too early."""
    head = answer.index(HEAD_END) + len(HEAD_END)
    offsets = {
        "nothing": 0,
        "a byte": 1,
        "half the status line": answer.index(b"\r\n") // 2,
        "the status line": answer.index(b"\r\n") + 2,
        "half the headers": head // 2,
        "the headers but the last byte": head - 1,
    }
    if len(answer) > head:
        offsets |= {
            "the headers": head,
            "a byte of the body": head + 1,
            "half the body": head + (len(answer) - head) // 2,
            "all but one byte": len(answer) - 1,
        }
    return offsets


CUTS: Final = [
    pytest.param(method, CutAt(send=count, reset=reset), id=f"{method} {name}{' reset' if reset else ''}")
    for method, answer in ANSWERS.items()
    for name, count in offsets_in(answer.encoded()).items()
    for reset in (False, True)
]


@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize(("method", "cut"), CUTS)
async def test_an_answer_that_breaks_off_is_an_open_question_asked_once(method: str, cut: CutAt, reused: bool) -> None:
    await breaks_off(method, cut, reused=reused)


@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("read", [1, 40, 200])
@pytest.mark.parametrize("method", ANSWERS)
async def test_a_request_that_is_read_in_part_is_an_open_question_too(
    method: str, read: int, reset: bool, reused: bool
) -> None:
    """40 bytes end within the head, 200 near its end (or within the body): the client cannot know."""
    await breaks_off(method, CutAt(read=read, reset=reset), reused=reused)


async def breaks_off(method: str, cut: CutAt, *, reused: bool) -> None:
    expected: type[BrokerError] = RetryableError if method == "GET" else AmbiguousError
    async with cut_server(ANSWERS) as server, open_client(access_to(server.url), SystemClock()) as client:
        if reused:
            await client.order("o-1")
        server.cut = cut
        with pytest.raises(expected) as caught:
            await CALLS[method](client)
        assert type(caught.value) is expected
        assert len(server.begun) == (2 if reused else 1)
        assert method.startswith(server.begun[-1])
        assert client.budget.limit - client.budget.remaining() == len(server.begun)


@pytest.mark.parametrize("method", ANSWERS)
async def test_a_connection_that_the_broker_closed_between_two_requests_is_not_used_twice(method: str) -> None:
    """The next request takes a new connection, or ends as an open question: it is never on the wire two times."""
    async with cut_server(ANSWERS) as server, open_client(access_to(server.url), SystemClock()) as client:
        server.cut = CutAt(send=len(ANSWERS["GET"].encoded()))  # a whole answer, and then the end
        await client.order("o-1")
        server.cut = None
        (ended,) = await asyncio.gather(CALLS[method](client), return_exceptions=True)
        if isinstance(ended, BaseException):
            assert type(ended) is (RetryableError if method == "GET" else AmbiguousError)
        assert len(server.begun) <= 2


@pytest.mark.parametrize("method", ANSWERS)
async def test_without_a_listener_nothing_was_sent_and_the_budget_keeps_its_request(method: str) -> None:
    async with cut_server(ANSWERS) as server:
        url = server.url
    async with open_client(access_to(url), SystemClock()) as client:
        with pytest.raises(RetryableError) as caught:
            await CALLS[method](client)
        assert caught.value.status_code is None
        assert client.budget.remaining() == client.budget.limit
