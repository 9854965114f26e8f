"""Memory that glibc keeps goes back to the system in quiet moments.

What a rush leaves is holes between blocks that stay; glibc returns the end of its heap by itself, the holes only when
it is asked (malloc_trim(3)). Other C libraries keep none of this, or have no such call: then nothing is done.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Final

from engine.clock import Clock
from engine.tasks import task_scope

EVERY_S: Final = 60.0
LOOK_EVERY_S: Final = 2.0

type Trim = Callable[[], Awaitable[object]]


@contextmanager
def glibc_trim() -> Iterator[Trim | None]:
    """Some milliseconds in a worker thread, without the interpreter's lock. None where there is no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is None:
        yield None
        return
    # A pool of our own: qasync's default executor makes QThreads that outlive their work.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="heap") as pool:
        yield lambda: asyncio.get_running_loop().run_in_executor(pool, trim, 0)


@asynccontextmanager
async def small_heap(
    clock: Clock, is_quiet: Callable[[], bool], trimmer: Callable[[], AbstractContextManager[Trim | None]] = glibc_trim
) -> AsyncIterator[None]:
    """Within the block free memory is given back at most every minute, and only while ``is_quiet``."""
    with trimmer() as trim:
        async with task_scope() as spawn:
            if trim is not None:
                spawn("heap", _keep_small(clock, is_quiet, trim))
            yield


async def _keep_small(clock: Clock, is_quiet: Callable[[], bool], trim: Trim) -> None:
    while True:
        await clock.sleep(EVERY_S)
        while not is_quiet():
            await clock.sleep(LOOK_EVERY_S)
        await trim()
