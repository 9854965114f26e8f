"""A thread that notices when the loop stands still, while nothing on the loop can.

The loop beats; a thread that hears nothing for two seconds writes down where every thread stands (places in the code,
no values, so no secret) and raises a notification of the operating system. When the loop goes on, the stall is told
with its length. A machine that sleeps is none: its monotonic clock stands still with the loop.
"""

from __future__ import annotations

import faulthandler
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from engine.clock import Clock, machine_monotonic_s
from engine.notify import notify_operator
from engine.tasks import task_scope

log = logging.getLogger(__name__)

STALLED_AFTER_S: Final = 2.0
BEATS_PER_LIMIT: Final = 8
"""How often the loop beats, and the thread looks, within the time that makes a stall."""
KEPT: Final = 10
"""Files of stalls; older ones go."""


class Stall(msgspec.Struct, frozen=True, kw_only=True):
    began_at: datetime
    lasted_s: float
    file: str | None
    """Where every thread stood; None when it could not be written."""


class Watchdog:
    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        stalled_after_s: float = STALLED_AFTER_S,
        notify: Callable[[str, str], bool] = notify_operator,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._stalled_after_s = stalled_after_s
        self._notify = notify
        self._look_s = stalled_after_s / BEATS_PER_LIMIT
        self._beaten_at = clock.now()
        self._beaten_s = machine_monotonic_s()
        self._noticed: tuple[float, str | None] | None = None
        """The beat after which nothing came, and the file about it. Set by the thread, taken by the loop."""
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    # --- on the loop -------------------------------------------------------------------------------------------------

    async def beat(self, told: Callable[[Stall], None]) -> None:
        """For ever; ``told`` hears of each stall when it is over."""
        while True:
            stall = self._beat()
            if stall is not None:
                log.warning("the loop stood still for %.1f s; see %s", stall.lasted_s, stall.file or "nothing written")
                told(stall)
            await self._clock.sleep(self._look_s)

    def _beat(self) -> Stall | None:
        now_s, before_s, before = machine_monotonic_s(), self._beaten_s, self._beaten_at
        self._beaten_s, self._beaten_at = now_s, self._clock.now()
        noticed, self._noticed = self._noticed, None
        if noticed is None or noticed[0] != before_s:
            return None
        return Stall(began_at=before, lasted_s=round(now_s - before_s, 1), file=noticed[1])

    # --- on the thread -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        self._thread.join()

    def _watch(self) -> None:
        about = None
        while not self._ends.wait(self._look_s):
            beaten_s, began_at = self._beaten_s, self._beaten_at
            if beaten_s == about or machine_monotonic_s() - beaten_s < self._stalled_after_s:
                continue
            about = beaten_s
            file = self._write_down(began_at)
            self._noticed = (beaten_s, file)
            text = f"The desk has not answered for {self._stalled_after_s:g} s. Stops stand at the broker."
            if not self._notify("Greenlight stands still", text):
                log.warning("no notification could be raised: %s", text)

    def _write_down(self, began_at: datetime) -> str | None:
        path = self._folder / f"stall-{began_at:%Y%m%d-%H%M%S-%f}.txt"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8") as file:
                file.write(f"The loop last moved at {began_at:%Y-%m-%d %H:%M:%S.%f} UTC.\n\n")
                file.flush()
                faulthandler.dump_traceback(file, all_threads=True)
            for old in sorted(self._folder.glob("stall-*.txt"))[:-KEPT]:
                old.unlink()
        except OSError as why:
            log.warning("where the loop stands could not be written down: %s", why)
            return None
        return str(path)


@asynccontextmanager
async def watched_loop(watchdog: Watchdog, told: Callable[[Stall], None]) -> AsyncIterator[None]:
    """The running loop is watched for as long as the block lasts."""
    async with task_scope() as spawn:
        spawn("watchdog-beat", watchdog.beat(told))
        watchdog.start()
        try:
            yield
        finally:
            watchdog.stop()
