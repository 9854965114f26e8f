"""A server that breaks the connection at a chosen byte of the request or of its own answer.

Nothing of HTTP is interpreted beyond where a request begins and ends, so that a second request cannot hide: every one
whose first byte arrived is counted, whole or not.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tests.wire.adapter.raw_server import Answer

HEAD_END: Final = b"\r\n\r\n"
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset: what the other side has not read yet is gone."""


@dataclass(frozen=True)
class CutAt:
    """Read so many bytes of the request (None: all of it), send so many of the answer, then break off."""

    read: int | None = None
    send: int = 0
    reset: bool = False


class CutServer:
    """Answers the first requests properly, then breaks off as told."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self._answers = answers
        self.cut: CutAt | None = None
        self.begun: list[str] = []
        """First bytes of each request, in order of arrival."""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while first := await reader.read(1):
                self.begun.append("?")
                number = len(self.begun) - 1
                cut = self.cut
                if cut is not None and cut.read is not None:
                    if cut.read > 1:
                        first += await reader.readexactly(cut.read - 1)
                    self.begun[number] = first.split(b" ")[0].decode()
                    self._break_off(writer, cut)
                    return
                head = first + await reader.readuntil(HEAD_END)
                self.begun[number] = method = head.split(b" ")[0].decode()
                await reader.readexactly(_length_in(head))
                answer = self._answers[method].encoded()
                if cut is None:
                    writer.write(answer)
                    await writer.drain()
                    continue
                writer.write(answer[: cut.send])
                await writer.drain()
                self._break_off(writer, cut)
                return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away, as it may
        finally:
            writer.close()

    @staticmethod
    def _break_off(writer: asyncio.StreamWriter, cut: CutAt) -> None:
        if cut.reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


def _length_in(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


@asynccontextmanager
async def cut_server(answers: dict[str, Answer]) -> AsyncIterator[CutServer]:
    server = CutServer(answers)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        listening.close_clients()
        await listening.wait_closed()
