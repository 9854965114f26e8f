"""A loop whose clock jumps: hours of waiting pass at once, in order.

When nothing is ready the time jumps to the next timer. Sockets on loopback work (what was sent is there at the next
look); threads don't, since the clock would run past them.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from engine.clock import LoopClock

EPOCH = datetime(2026, 8, 21, 14, 0, tzinfo=UTC)


class JumpingSelector(selectors.DefaultSelector):
    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.now_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


def run_virtually[T](main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtual_clock() -> LoopClock:
    """Wall and monotonic time of the running virtual loop."""
    return LoopClock(EPOCH)
