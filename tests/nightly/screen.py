"""A screen, a keyboard and a mouse of another process: keys go in, pixels come out, nothing of the test runs inside."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

type Picture = NDArray[np.uint8]
"""Red, green and blue from 0 to 255, by row and column."""

PATIENCE_S: Final = 30.0
_STEPS: Final = 6


class Screen(ABC):
    environment: dict[str, str]
    """What a program has to be started with so that its window is here."""

    @abstractmethod
    async def meet(self) -> None:
        """Wait until the window is there, and take its keyboard."""

    @abstractmethod
    async def picture(self) -> Picture:
        """The whole screen as it is now."""

    @abstractmethod
    async def press(self, key: str) -> None:
        """A letter, or ``Esc``, ``Up``, ``Down``, ``Left``, ``Right``."""

    @abstractmethod
    async def move(self, x: int, y: int, *, held: bool = False) -> None:
        """The pointer, and whether its first button is down there."""

    async def click(self, x: int, y: int, *, hold_s: float = 0.05) -> None:
        await self.move(x, y)
        await self.move(x, y, held=True)
        await asyncio.sleep(hold_s)
        await self.move(x, y)

    async def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """With the button held, in steps, as a hand does."""
        await self.move(*start)
        await self.move(*start, held=True)
        for step in range(1, _STEPS + 1):
            await asyncio.sleep(0.05)
            x, y = (round(a + (b - a) * step / _STEPS) for a, b in zip(start, end, strict=True))
            await self.move(x, y, held=True)
        await asyncio.sleep(0.1)
        await self.move(*end)


def pixels_of(picture: Picture, color: str) -> NDArray[np.intp]:
    """Rows and columns, one pair each, of the pixels of exactly this ``#rrggbb``."""
    wanted = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)], np.uint8)
    return np.argwhere((picture == wanted).all(axis=2))
