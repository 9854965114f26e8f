"""Every call ends by its deadline, and says whether the broker may have read the request."""

from __future__ import annotations

import asyncio
import socket

import pytest

from engine.alpaca.budget import Lane
from engine.alpaca.client import open_client
from engine.alpaca.errors import Purpose
from engine.clock import SystemClock
from engine.errors import AmbiguousError, RetryableError
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock
from tests.wire.adapter.raw_server import Answer, Silence, raw_server
from tests.wire.adapter.samples import BRACKET, CLOCK, ORDER, access_to


def test_a_silent_broker_ends_a_read_as_retryable_and_a_write_as_ambiguous() -> None:
    async def main() -> None:
        clock = virtual_clock()
        async with raw_server(Silence()) as server, open_client(access_to(server.url), clock) as client:
            for call, expected in [
                (client.account(deadline_s=5), RetryableError),
                (client.submit(BRACKET, purpose=Purpose.ENTRY, deadline_s=5), AmbiguousError),
                (client.cancel("o-1", deadline_s=5), AmbiguousError),
            ]:
                started_at_s = clock.monotonic_s()
                with pytest.raises(expected):
                    await call
                assert clock.monotonic_s() - started_at_s == pytest.approx(5, abs=0.01)
            assert len(server.seen) == 3

    run_virtually(main())


def test_a_write_is_on_its_way_until_its_first_byte_has_left_and_not_until_its_answer() -> None:
    async def main() -> None:
        async with raw_server(Silence()) as server, open_client(access_to(server.url), virtual_clock()) as client:
            read = asyncio.create_task(client.account(deadline_s=5))
            await server.was_asked.wait()
            assert not client.transport.is_sending
            write = asyncio.create_task(client.submit(BRACKET, purpose=Purpose.ENTRY, deadline_s=5))
            seen = []
            while len(server.seen) < 2:
                await asyncio.sleep(0)
                seen.append(client.transport.is_sending)
            assert True in seen
            assert not seen[-1]
            await asyncio.gather(read, write, return_exceptions=True)
            assert not client.transport.is_sending

    run_virtually(main())


async def test_nobody_listening_means_that_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with open_client(access_to(url), SystemClock()) as client:
            with pytest.raises(RetryableError) as caught:
                await client.submit(BRACKET, purpose=Purpose.ENTRY)
            assert "nothing was opened" in caught.value.operator_text
            assert client.budget.remaining(Lane.EXIT) == client.budget.limit, "what was not sent is not charged"
            assert not client.transport.is_sending


async def test_a_failed_handshake_means_that_nothing_was_sent() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 This is no TLS\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_client(access_to(f"https://127.0.0.1:{port}"), SystemClock()) as client:
            with pytest.raises(RetryableError, match="No secure connection"):
                await client.submit(BRACKET, purpose=Purpose.ENTRY)


async def test_a_handshake_that_never_ends_means_that_nothing_was_sent() -> None:
    async with raw_server(Answer(200, CLOCK)) as server:
        secure = access_to(server.url.replace("http", "https"))
        async with open_client(secure, SystemClock()) as client:
            with pytest.raises(RetryableError):
                await client.submit(BRACKET, purpose=Purpose.ENTRY, deadline_s=0.2)
    assert server.seen == []


async def test_a_canceled_caller_gets_its_cancellation() -> None:
    async with raw_server(Silence()) as server, open_client(access_to(server.url), SystemClock()) as client:
        task = asyncio.create_task(client.submit(BRACKET, purpose=Purpose.ENTRY), name="submit")
        await server.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_the_deadline_counts_from_the_slot_not_from_the_wait_for_it() -> None:
    async def main() -> None:
        clock = virtual_clock()
        async with (
            raw_server(Answer(200, ORDER)) as server,
            open_client(access_to(server.url), clock, requests_per_minute=4) as client,
        ):
            for _ in range(3):
                await client.submit(BRACKET, purpose=Purpose.ENTRY)
            answer = await client.submit(BRACKET, purpose=Purpose.ENTRY, deadline_s=1)
            assert answer.sent_at_s >= 60
            assert answer.value.id == "o-1"

    run_virtually(main())
