"""Structured tasks: each has a name, an owner and an end, and a crash is never silent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

log = logging.getLogger(__name__)

Spawn = Callable[[str, Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@asynccontextmanager
async def task_scope() -> AsyncIterator[Spawn]:
    """Children end with the block: leaving cancels them, and one that crashes cancels the block.

    What the block itself raises leaves it as it is; what a child raises comes in a group.
    """
    block_error: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            alive: set[asyncio.Task[None]] = set()

            def spawn(name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
                task = group.create_task(work, name=name)
                alive.add(task)
                task.add_done_callback(alive.discard)
                return task

            try:
                yield spawn
            except Exception as error:
                block_error = error
                raise
            finally:
                for task in tuple(alive):
                    task.cancel()
    except BaseExceptionGroup as errors:
        if block_error is not None and errors.exceptions == (block_error,):
            raise block_error from None
        raise


class SymbolLocks:
    """One lock per symbol, made on first use and dropped when nobody holds or wants it."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def hold(self, symbol: str, within_s: float) -> AsyncIterator[None]:
        """Waits at most ``within_s`` seconds.

        Raises:
            TimeoutError: somebody else kept the symbol for longer.
        """
        lock = self._locks.setdefault(symbol, asyncio.Lock())
        self._users[symbol] = self._users.get(symbol, 0) + 1
        try:
            async with asyncio.timeout(within_s):
                await lock.acquire()
            try:
                yield
            finally:
                lock.release()
        finally:
            self._users[symbol] -= 1
            if self._users[symbol] == 0:
                del self._users[symbol], self._locks[symbol]
