"""Qt's own ``vnc`` platform, seen through RFB 3.3, the protocol of VNC: needs nothing that the machine may not have."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

import numpy as np

from tests.nightly.screen import PATIENCE_S, Picture, Screen

KEYS: Final = {"Esc": 0xFF1B, "Up": 0xFF52, "Down": 0xFF54, "Left": 0xFF51, "Right": 0xFF53}
"""X11's symbols of keys that are no letters."""
_VERSION: Final = b"RFB 003.003\n"
_NO_PASSWORD: Final = 1
_PIXELS: Final = struct.pack("!BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
_RAW_ONLY: Final = struct.pack("!BxHi", 2, 1, 0)


class RemoteScreen(Screen):
    def __init__(self, width: int, height: int) -> None:
        self._port = _free_port()
        self.environment = {"QT_QPA_PLATFORM": f"vnc:size={width}x{height}:port={self._port}"}
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._pixels: Picture = np.zeros((0, 0, 4), np.uint8)

    @classmethod
    @asynccontextmanager
    async def opened(cls, width: int, height: int) -> AsyncIterator[Self]:
        screen = cls(width, height)
        try:
            yield screen
        finally:
            if screen._streams is not None:
                screen._writer.close()

    @property
    def _reader(self) -> asyncio.StreamReader:
        assert self._streams is not None
        return self._streams[0]

    @property
    def _writer(self) -> asyncio.StreamWriter:
        assert self._streams is not None
        return self._streams[1]

    async def meet(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self._streams is None:
                try:
                    self._streams = await asyncio.open_connection("127.0.0.1", self._port)
                except OSError:
                    await asyncio.sleep(0.1)
            await self._shake_hands()

    async def _shake_hands(self) -> None:
        await self._reader.readexactly(len(_VERSION))
        self._writer.write(_VERSION)
        [security] = struct.unpack("!I", await self._reader.readexactly(4))
        assert security == _NO_PASSWORD
        self._writer.write(b"\x01")
        width, height = struct.unpack("!HH", await self._reader.readexactly(4))
        await self._reader.readexactly(16)
        [length] = struct.unpack("!I", await self._reader.readexactly(4))
        await self._reader.readexactly(length)
        self._pixels = np.zeros((height, width, 4), np.uint8)
        self._writer.write(_PIXELS + _RAW_ONLY)

    async def picture(self) -> Picture:
        height, width, _ = self._pixels.shape
        self._writer.write(struct.pack("!BBHHHH", 3, 0, 0, 0, width, height))
        async with asyncio.timeout(PATIENCE_S):
            kind, count = struct.unpack("!BxH", await self._reader.readexactly(4))
            assert kind == 0, f"the server told {kind} and no picture"
            for _ in range(count):
                x, y, wide, high, encoding = struct.unpack("!HHHHi", await self._reader.readexactly(12))
                assert encoding == 0
                raw = await self._reader.readexactly(4 * wide * high)
                self._pixels[y : y + high, x : x + wide] = np.frombuffer(raw, np.uint8).reshape(high, wide, 4)
        return self._pixels[..., [2, 1, 0]].copy()

    async def press(self, key: str) -> None:
        symbol = KEYS.get(key, ord(key[0]))
        for down in (1, 0):
            self._writer.write(struct.pack("!BBxxI", 4, down, symbol))
        await self._writer.drain()

    async def move(self, x: int, y: int, *, held: bool = False) -> None:
        self._writer.write(struct.pack("!BBHH", 5, int(held), x, y))
        await self._writer.drain()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
