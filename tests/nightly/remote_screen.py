"""A screen, a keyboard and a mouse of another process: RFB 3.3, the protocol of VNC, as Qt's own server speaks it.

The window under test is the program itself on Qt's ``vnc`` platform. Nothing of the test runs inside it: keys come
through a socket, and what is seen are pixels.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

type Picture = NDArray[np.uint8]
"""Red, green and blue from 0 to 255, by row and column."""

KEYS: Final = {"Esc": 0xFF1B, "Up": 0xFF52, "Down": 0xFF54, "Left": 0xFF51, "Right": 0xFF53, "Return": 0xFF0D}
"""X11's symbols of keys that are no letters."""
_VERSION: Final = b"RFB 003.003\n"
_NO_PASSWORD: Final = 1
_PIXELS: Final = struct.pack("!BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
_RAW_ONLY: Final = struct.pack("!BxHi", 2, 1, 0)
PATIENCE_S: Final = 30.0
_STEPS: Final = 6


class RemoteScreen:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._pixels: Picture = np.zeros((0, 0, 4), np.uint8)
        self._at = (0, 0)

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int) -> AsyncIterator[Self]:
        """Waits until the server listens."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.1)
        screen = cls(reader, writer)
        try:
            await screen._shake_hands()
            yield screen
        finally:
            writer.close()

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

    # --- seeing ------------------------------------------------------------------------------------------------

    async def picture(self) -> Picture:
        """The whole screen as it is now."""
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

    # --- doing -------------------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """A letter, or one of ``KEYS``."""
        symbol = KEYS.get(key, ord(key[0]))
        for down in (1, 0):
            self._writer.write(struct.pack("!BBxxI", 4, down, symbol))

    def move(self, x: int, y: int, *, held: bool = False) -> None:
        self._at = (x, y)
        self._writer.write(struct.pack("!BBHH", 5, int(held), x, y))

    async def click(self, x: int, y: int, *, hold_s: float = 0.05) -> None:
        self.move(x, y)
        self.move(x, y, held=True)
        await asyncio.sleep(hold_s)
        self.move(x, y)

    async def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """With the button held, in steps, as a hand does."""
        self.move(*start)
        self.move(*start, held=True)
        for step in range(1, _STEPS + 1):
            await asyncio.sleep(0.05)
            x, y = (round(a + (b - a) * step / _STEPS) for a, b in zip(start, end, strict=True))
            self.move(x, y, held=True)
        await asyncio.sleep(0.1)
        self.move(*end)


def pixels_of(picture: Picture, color: str) -> NDArray[np.intp]:
    """Rows and columns, one pair each, of the pixels of exactly this ``#rrggbb``."""
    wanted = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)], np.uint8)
    return np.argwhere((picture == wanted).all(axis=2))
