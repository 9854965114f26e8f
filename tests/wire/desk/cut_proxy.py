"""Between the desk and its broker, a wire that breaks at a chosen byte of one chosen request or of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

HEAD_END: Final = b"\r\n\r\n"


@dataclass(frozen=True)
class Message:
    """A whole request or answer, as it was on the wire."""

    head: bytes
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    @property
    def whole(self) -> bytes:
        return self.head + self.body


type Length = Callable[[Message], int]
"""How many bytes of a message get through."""


@dataclass(frozen=True, kw_only=True)
class Break:
    """The next request of this method below this path breaks; everything before and after it passes."""

    method: str
    path: str
    request: Length | None = None
    """None: the broker gets all of it."""
    answer: Length | None = None
    instead: bytes | None = None
    """The desk gets this for an answer, and the connection stands."""


class CutProxy:
    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self.armed: Break | None = None
        self.broke = 0
        self.mutes: str | None = None
        """Websockets below this path pass on their pings alone."""
        self.arrived: list[Message] = []
        """Writes that the broker got whole."""
        self._serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        try:
            while (request := await _message(reader)) is not None:
                if b"upgrade: websocket" in request.head.lower():
                    up_writer.write(request.whole)
                    await self._websocket(request.path, (reader, up_writer), (up_reader, writer))
                    return
                broken = self._take(request)
                if broken is not None and broken.request is not None:
                    up_writer.write(request.whole[: broken.request(request)])
                    await up_writer.drain()
                    return
                if request.method != "GET":
                    self.arrived.append(request)
                up_writer.write(request.whole)
                answer = await _message(up_reader)
                if answer is None:
                    return
                if broken is not None and broken.instead is not None:
                    writer.write(broken.instead)
                elif broken is not None and broken.answer is not None:
                    writer.write(answer.whole[: broken.answer(answer)])
                    await writer.drain()
                    return
                else:
                    writer.write(answer.whole)
                await writer.drain()
        except ConnectionError:
            pass  # one of the two went away, as they may
        finally:
            writer.close()
            up_writer.close()
            self._serving.discard(task)

    async def _websocket(
        self,
        path: str,
        up: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        down: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(*up), name="up")
            group.create_task(self._down(path, *down), name="down")

    async def _down(self, path: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            sink.write(await source.readuntil(HEAD_END))
            while True:
                frame = await _frame(source)
                is_data = frame[0] & 0x0F in (0, 1, 2)
                if not (is_data and self.mutes is not None and path.startswith(self.mutes)):
                    sink.write(frame)
                    await sink.drain()
        sink.close()

    async def close(self) -> None:
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _take(self, request: Message) -> Break | None:
        armed = self.armed
        if armed is None or armed.method != request.method or not request.path.startswith(armed.path):
            return None
        self.armed = None
        self.broke += 1
        return armed


async def _message(reader: asyncio.StreamReader) -> Message | None:
    try:
        head = await reader.readuntil(HEAD_END)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return Message(head, await reader.readexactly(length))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


async def _frame(source: asyncio.StreamReader) -> bytes:
    """One unmasked websocket frame."""
    frame = await source.readexactly(2)
    extra = {126: 2, 127: 8}.get(frame[1], 0)
    frame += await source.readexactly(extra)
    length = int.from_bytes(frame[2:]) if extra else frame[1]
    return frame + await source.readexactly(length)


@asynccontextmanager
async def cut_proxy(host: str, port: int, upstream: str) -> AsyncIterator[CutProxy]:
    proxy = CutProxy(upstream, port)
    listening = await asyncio.start_server(proxy.serve, host, port)
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.close()
