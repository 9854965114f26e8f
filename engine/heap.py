"""Memory that glibc keeps goes back to the system in quiet moments.

What a rush leaves is holes between blocks that stay; glibc returns the end of its heap by itself, the holes only when
it is asked (malloc_trim(3)). Other C libraries keep none of this, or have no such call: then nothing is done.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from engine.clock import Clock
from engine.tasks import task_scope

EVERY_S: Final = 60.0
LOOK_EVERY_S: Final = 2.0

type Trim = Callable[[], Awaitable[object]]


def glibc_trim() -> Trim | None:
    """Some milliseconds in a worker thread, without the interpreter's lock. None where there is no such call."""
    if sys.platform != "linux":
        return None
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return partial(asyncio.to_thread, trim, 0) if trim is not None else None


@asynccontextmanager
async def small_heap(clock: Clock, is_quiet: Callable[[], bool], trim: Trim | None) -> AsyncIterator[None]:
    """Within the block free memory is given back at most every minute, and only while ``is_quiet``."""
    if trim is None:
        yield
        return
    async with task_scope() as spawn:
        spawn("heap", _keep_small(clock, is_quiet, trim))
        yield


async def _keep_small(clock: Clock, is_quiet: Callable[[], bool], trim: Trim) -> None:
    while True:
        await clock.sleep(EVERY_S)
        while not is_quiet():
            await clock.sleep(LOOK_EVERY_S)
        await trim()
