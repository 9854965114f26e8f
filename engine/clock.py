"""The one clock: wall time for records, monotonic time for durations, and sleeping.

Everything in the engine that needs time takes a ``Clock``; nothing calls ``datetime.now`` or
``time.time`` itself, so that the whole desk also runs in simulated time.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""

    def monotonic_s(self) -> float:
        """Seconds on the running loop's own scale; only differences mean anything."""

    async def sleep(self, seconds: float) -> None: ...


class _LoopClock:
    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SystemClock(_LoopClock):
    """Wall time of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class LoopClock(_LoopClock):
    """Wall time derived from the loop's time: under a simulated loop both are virtual."""

    def __init__(self, epoch: datetime) -> None:
        self._epoch = epoch

    def now(self) -> datetime:
        return self._epoch + timedelta(seconds=self.monotonic_s())
