"""A server that answers byte for byte what the test says, and remembers what it was sent.

For faults that a well-behaved server cannot commit: a connection cut after the request, half an answer, garbage,
silence. Each request takes the next entry of the script; when the script is empty the ``usual`` entry answers.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True)
class Answer:
    """A proper HTTP answer. ``body`` is sent as JSON unless it is bytes."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        if self.status == 204:
            content = b""
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Scripted\r\n{lines}\r\n".encode() + content


@dataclass(frozen=True)
class Cut:
    """Send these bytes, then close: nothing at all, half an answer, or garbage."""

    first: bytes = b""


@dataclass(frozen=True)
class Silence:
    """Read the request, and never answer."""


type Entry = Answer | Cut | Silence


class RawServer:
    def __init__(self, usual: Entry) -> None:
        self.usual = usual
        self.script: deque[Entry] = deque()
        self.seen: list[Seen] = []
        self.was_asked = asyncio.Event()
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            while (request := await self._request(reader, connection)) is not None:
                self.seen.append(request)
                self.was_asked.set()
                entry = self.script.popleft() if self.script else self.usual
                if isinstance(entry, Silence):
                    await reader.read()  # until the client gives up
                    return
                writer.write(entry.encoded() if isinstance(entry, Answer) else entry.first)
                await writer.drain()
                if isinstance(entry, Cut):
                    return
        except ConnectionError:
            pass  # the client went away, as it may
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, connection: int) -> Seen | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        start, *lines = head.strip().split("\r\n")
        method, path, _ = start.split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Seen(method, path, headers, body, connection)


@asynccontextmanager
async def raw_server(usual: Entry) -> AsyncIterator[RawServer]:
    scripted = RawServer(usual)
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield scripted
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()
