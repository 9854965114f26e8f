"""One account request after fills or busts, however many came together; an approval by itself causes none.

Until the new picture is here, what was filled stays reserved (``pipeline/standing.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from engine.clock import Clock
from engine.model.events import ExecutionsTakenBack, OrderReported, Recorded

LOOK_S: Final = 1.0
"""Executions within this time are one request."""


class AccountAfterFills:
    def __init__(self, clock: Clock, doubt_account: Callable[[], None]) -> None:
        self._clock = clock
        self._doubt_account = doubt_account
        self._has_filled = False

    def note(self, records: Sequence[Recorded]) -> None:
        """Facts of the recorder. What only repeats a fill is never recorded."""
        for record in records:
            event = record.event
            is_fill = isinstance(event, OrderReported) and event.report.filled_qty > 0
            if is_fill or isinstance(event, ExecutionsTakenBack):
                self._has_filled = True

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._clock.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        if self._has_filled:
            self._has_filled = False
            self._doubt_account()
