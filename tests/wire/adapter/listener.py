"""A running stream on a real socket, in virtual time, and the items it yields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from engine.alpaca.stream import Stream
from engine.alpaca.transport import Transport, open_transport
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock
from tests.wire.adapter.samples import access_to
from tests.wire.adapter.stream_server import Refuse, Script, StreamServer, stream_server


class Listener[S: Stream[Any]]:
    """A running stream and its items."""

    def __init__(self, stream: S, task: asyncio.Task[None]) -> None:
        self.stream = stream
        self.task = task
        self._items = aiter(stream)

    async def next(self) -> Any:
        return await anext(self._items)

    async def expect[T](self, kind: type[T]) -> T:
        item = await self.next()
        assert isinstance(item, kind), item
        return item


@asynccontextmanager
async def listening[S: Stream[Any]](server: StreamServer, make: Callable[[Transport], S]) -> AsyncIterator[Listener[S]]:
    async with open_transport(access_to(server.url), virtual_clock()) as transport:
        stream = make(transport)
        task = asyncio.create_task(stream.run(), name="stream")
        try:
            yield Listener(stream, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


type MakeScript = Callable[[StreamServer], Script]


def play[S: Stream[Any]](
    make: Callable[[Transport], S],
    scene: Callable[[StreamServer, Listener[S]], Coroutine[Any, Any, None]],
    *scripts: MakeScript | Refuse,
    answers_pings: bool = True,
) -> None:
    """One connection a script."""

    async def main() -> None:
        async with stream_server() as server:
            server.answers_pings = answers_pings
            server.scripts.extend(s if isinstance(s, Refuse) else s(server) for s in scripts)
            async with listening(server, make) as listener:
                await scene(server, listener)

    run_virtually(main())


async def leave(_: web.WebSocketResponse) -> None:
    """A script's end: close at once."""
