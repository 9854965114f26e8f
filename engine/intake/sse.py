"""Server-sent events: the journal, live, to any number of readers.

Every reader pulls at its own pace from ``Door.records``; nothing is queued for it here, so a slow one costs nothing but
its socket's buffer. One that takes nothing at all for ``stall_s`` is cut and may resume by the id that it saw last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from aiohttp import web

from engine.clock import Clock
from engine.intake.asking import start_of
from engine.intake.door import Door
from engine.intake.encode import server_sent
from engine.model.events import Recorded

HEARTBEAT_S: Final = 15.0
STALL_S: Final = 20.0
END_WAIT_S: Final = 0.5
"""For the last chunk to a reader when the API ends."""
_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a reverse proxy must not collect events
}


class EventStreams:
    def __init__(self, door: Door, clock: Clock, *, heartbeat_s: float = HEARTBEAT_S, stall_s: float = STALL_S) -> None:
        self._door = door
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._stall_s = stall_s
        self._ending = asyncio.Event()

    def end(self) -> None:
        """All streams end now, and new ones at once."""
        self._ending.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Raises:
        CommandRefused: 422, for a start that is no number or lies behind the journal's end.
        """
        after = start_of(request, self._door.health().journal_seq)
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        # The first bytes tell the reader that it is connected, long before the first event.
        await response.write(b"retry: 1000\n\n")
        reader = _Reader(response, self._clock)
        name = f"events for {request.remote}"
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[object]] = [
            loop.create_task(reader.relay(self._door.records(after)), name=name),
            loop.create_task(reader.watch(request, self._heartbeat_s, self._stall_s), name=f"{name}: watch"),
            loop.create_task(self._ending.wait(), name=f"{name}: end"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            if (error := task.exception()) is not None and not isinstance(error, ConnectionError):
                raise error
        await _end(request, response)
        return response


class _Reader:
    """One connection, what it was last sent, and since when it has not taken that."""

    def __init__(self, response: web.StreamResponse, clock: Clock) -> None:
        self._response = response
        self._clock = clock
        self._sent_s = clock.monotonic_s()
        self._sending = False

    async def relay(self, records: AsyncIterator[Recorded]) -> None:
        try:
            async for record in records:
                await self._send(server_sent(record))
        finally:
            if isinstance(records, AsyncGenerator):
                await records.aclose()

    async def watch(self, request: web.Request, heartbeat_s: float, stall_s: float) -> None:
        """Sends a comment when nothing else was sent; returns when the reader is gone or stuck."""
        while request.transport is not None and not request.transport.is_closing():
            await self._clock.sleep(min(heartbeat_s, stall_s) / 4)
            silent_s = self._clock.monotonic_s() - self._sent_s
            if self._sending:
                if silent_s >= stall_s:
                    return
            elif silent_s >= heartbeat_s * 0.75:
                await self._send(b": still here\n\n")

    async def _send(self, chunk: bytes) -> None:
        self._sending = True
        self._sent_s = self._clock.monotonic_s()
        await self._response.write(chunk)
        self._sending = False


async def _end(request: web.Request, response: web.StreamResponse) -> None:
    try:
        async with asyncio.timeout(END_WAIT_S):
            await response.write_eof()
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()
