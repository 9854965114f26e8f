"""A real X server without a monitor: Xvfb, with xdotool for keys and mouse.

The picture is Xvfb's own frame buffer, which it keeps as a file in the format of ``xwd``: no tool has to read it. There
is no window manager, so nobody gives the window the keyboard: ``meet`` does, as a click into it would.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

import numpy as np
from PySide6.QtCore import QLibraryInfo

from tests.nightly.screen import PATIENCE_S, Picture, Screen

_TOOLS: Final = ("Xvfb", "xdotool")
_KEYS: Final = {"Esc": "Escape"}
"""As xdotool calls those that it calls otherwise."""
_HEADER: Final = struct.Struct(">25I")
"""Of an ``xwd`` file, which is big-endian whatever its pixels are."""
_SIZE, _DEPTH, _WIDTH, _HEIGHT, _BYTE_ORDER, _BITS, _LINE, _COLORS = 0, 3, 4, 5, 7, 11, 12, 19
_COLOR_BYTES: Final = 12


def what_is_missing() -> str:
    """What this machine lacks for such a screen; empty when it has all."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    plugin = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "platforms" / "libqxcb.so"
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        missing.append(str(error).partition(":")[0])  # the library that Qt's plugin would link against
    return ", ".join(missing)


class XScreen(Screen):
    def __init__(self, display: str, frame_buffer: Path) -> None:
        """``display`` as in ``DISPLAY``."""
        self.environment = {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display}
        self._frame_buffer = frame_buffer
        self._is_held = False

    @classmethod
    @asynccontextmanager
    async def opened(cls, width: int, height: int) -> AsyncIterator[Self]:
        with tempfile.TemporaryDirectory() as folder:
            server = await asyncio.create_subprocess_exec(
                "Xvfb",
                *("-displayfd", "1", "-screen", "0", f"{width}x{height}x24", "-fbdir", folder),
                *("-noreset", "-nolisten", "tcp"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                assert server.stdout is not None
                async with asyncio.timeout(PATIENCE_S):
                    number = (await server.stdout.readline()).decode().strip()
                assert number, "Xvfb gave no display"
                yield cls(f":{number}", Path(folder) / "Xvfb_screen0")
            finally:
                if server.returncode is None:
                    server.terminate()
                await server.wait()

    async def meet(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := await self._ask("search", "--onlyvisible", "--name", "Greenlight")):
                await asyncio.sleep(0.1)
        await self._do("windowfocus", "--sync", found.split()[0])

    async def picture(self) -> Picture:
        raw = await asyncio.to_thread(self._frame_buffer.read_bytes)
        header = _HEADER.unpack_from(raw)
        assert (header[_DEPTH], header[_BITS], header[_BYTE_ORDER]) == (24, 32, 0), "pixels are not blue, green, red, 0"
        width, height, line = header[_WIDTH], header[_HEIGHT], header[_LINE]
        at = header[_SIZE] + header[_COLORS] * _COLOR_BYTES
        rows = np.frombuffer(raw, np.uint8, line * height, at).reshape(height, line)
        pixels: Picture = rows[:, : 4 * width].reshape(height, width, 4)[..., [2, 1, 0]]
        return pixels

    async def press(self, key: str) -> None:
        await self._do("key", _KEYS.get(key, key))

    async def move(self, x: int, y: int, *, held: bool = False) -> None:
        button = () if held is self._is_held else ("mousedown" if held else "mouseup", "1")
        self._is_held = held
        await self._do("mousemove", str(x), str(y), *button)

    async def _do(self, *words: str) -> None:
        said, status = await self._xdotool(*words)
        assert status == 0, f"xdotool {' '.join(words)}: {said}"

    async def _ask(self, *words: str) -> str:
        """Empty when it found nothing."""
        said, status = await self._xdotool(*words)
        return said if status == 0 else ""

    async def _xdotool(self, *words: str) -> tuple[str, int]:
        process = await asyncio.create_subprocess_exec(
            "xdotool",
            *words,
            env=os.environ | self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE_S):
            said, _ = await process.communicate()
        assert process.returncode is not None
        return said.decode(), process.returncode
