"""Websocket servers whose every connection follows a script of its own."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

type Script = Callable[[web.WebSocketResponse], Awaitable[None]]
"""What one connection does; it closes when the script returns."""


class Refuse(Exception):
    """Instead of a script: refuse the handshake with this status."""

    def __init__(self, status: int) -> None:
        self.status = status


class StreamServer:
    def __init__(self) -> None:
        self.scripts: deque[Script | Refuse] = deque()
        self.handshakes: list[dict[str, str]] = []
        self.received: list[Any] = []
        self.closed = asyncio.Event()
        """A connection has ended."""
        self.url = ""
        self.answers_pings = True

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.handshakes.append({name.lower(): value for name, value in request.headers.items()})
        script = self.scripts.popleft() if self.scripts else Refuse(503)
        if isinstance(script, Refuse):
            return web.Response(status=script.status, text="refused")
        socket = web.WebSocketResponse(autoping=self.answers_pings)
        await socket.prepare(request)
        try:
            await script(socket)
        finally:
            await socket.close()
            self.closed.set()
        return socket

    async def hear(self, socket: web.WebSocketResponse) -> Any:
        """The next message of the client, decoded."""
        message = json.loads((await socket.receive()).data)
        self.received.append(message)
        return message

    async def greet_orders(self, socket: web.WebSocketResponse) -> None:
        """As Alpaca's order stream does; paper sends binary frames."""
        await self.hear(socket)
        granted = {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
        await socket.send_bytes(json.dumps(granted).encode())
        await self.hear(socket)
        await socket.send_bytes(b'{"stream":"listening","data":{"streams":["trade_updates"]}}')

    async def greet_data(self, socket: web.WebSocketResponse) -> None:
        """As Alpaca's data stream does."""
        await socket.send_str('[{"T":"success","msg":"connected"}]')
        await self.hear(socket)
        await socket.send_str('[{"T":"success","msg":"authenticated"}]')


async def until_closed(socket: web.WebSocketResponse) -> None:
    """Read and forget until the client goes."""
    async for _ in socket:
        pass


@asynccontextmanager
async def stream_server() -> AsyncIterator[StreamServer]:
    scripted = StreamServer()
    app = web.Application()
    app.router.add_get("/stream", scripted.handle)
    app.router.add_get("/v2/iex", scripted.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield scripted
    finally:
        await runner.cleanup()
