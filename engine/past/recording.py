"""Writes the tape of a running desk: what it shows and does not journal, every two seconds.

It stands outside the desk's door and asks as the window does. What it cannot write (a full disk) is not kept: the
journal is the record, the tape a convenience.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Executor as Pool, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from engine.bus import Bus, Change
from engine.clock import Clock
from engine.market.quotes import QuoteView
from engine.model.order import Evidence
from engine.model.words import SignalStatus
from engine.past.frame import Frame, Prices
from engine.past.tape_file import KEY_EVERY_S, Row, append, forget
from engine.tasks import task_scope
from engine.views import DeskView, PreviewView, SignalView
from engine.views_limits import MandateView

log = logging.getLogger(__name__)

FRAME_EVERY_S: Final = 2.0
DESK_EVERY: Final = 5
"""Frames from one state bar to the next."""
PREVIEWS_A_FRAME: Final = 8
"""Waiting signals, the newest: a preview costs some 0.4 ms of the loop."""
PREVIEWS_KEPT: Final = 64
WRITE_EVERY: Final = 3
"""Frames written in one go: a crash loses so many."""
MOST_WAITING: Final = 60
"""Frames that wait for a disk that takes none; older ones are let go."""
FORGET_EVERY_S: Final = 6 * 3_600.0


class Mandates(Protocol):
    def views(self) -> Sequence[MandateView]: ...


class Shown(Protocol):
    """What is asked of the desk."""

    @property
    def bus(self) -> Bus: ...
    @property
    def mandates(self) -> Mandates: ...
    def view(self) -> DeskView: ...
    def proofs(self) -> Mapping[str, Evidence]: ...
    def quote(self, symbol: str) -> QuoteView | None: ...
    def signals(self, status: SignalStatus, limit: int, /) -> Sequence[SignalView]: ...


@asynccontextmanager
async def taping(desk: Shown, path: Path, clock: Clock, *, keep_days: int) -> AsyncIterator[None]:
    """Within the block the tape is written; 0 days keep none."""
    if keep_days == 0:
        yield
        return
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tape")
    recording = Recording(desk, path, clock, pool, keep_days)
    stop_listening = desk.bus.on_changes(recording.note)
    try:
        async with task_scope() as spawn:
            spawn("tape", recording.run())
            yield
        await recording.end()
    finally:
        stop_listening()
        pool.shutdown(wait=False, cancel_futures=True)


class Recording:
    def __init__(self, desk: Shown, path: Path, clock: Clock, pool: Pool, keep_days: int) -> None:
        self._desk = desk
        self._path = path
        self._clock = clock
        self._pool = pool
        self._keep = timedelta(days=keep_days)
        self._symbols: set[str] = set()
        self._moved: set[str] = set()
        self._previews: dict[str, PreviewView] = {}
        """Signal -> its preview as it was taken last, the oldest first; what a key frame holds."""
        self._taken_at: dict[str, int] = {}
        """Signal -> the frame in which that was."""
        self._proofs: Mapping[str, Evidence] = {}
        self._frames = 0
        self._waiting: list[Row] = []
        self._is_failing = False

    def note(self, changes: frozenset[Change]) -> None:
        self._moved.update(change.key for change in changes if change.kind == "quote")

    async def run(self) -> None:
        keyed_s = forgot_s = float("-inf")
        while True:
            now_s = self._clock.monotonic_s()
            if now_s - forgot_s >= FORGET_EVERY_S:
                forgot_s = now_s
                await self._forget()
            is_key = now_s - keyed_s >= KEY_EVERY_S
            if is_key:
                keyed_s = now_s
            self._waiting.append(Row(self._clock.now(), is_key, self.take(whole=is_key)))
            del self._waiting[:-MOST_WAITING]
            if self._frames % WRITE_EVERY == 0:
                await self._write()
            await self._clock.sleep(FRAME_EVERY_S)

    async def end(self) -> None:
        """The desk stops: what is shown last is kept too."""
        self._waiting.append(Row(self._clock.now(), True, self.take(whole=True)))
        await self._write()

    def take(self, *, whole: bool) -> Frame:
        """What is shown now, or what of it has changed since the last one."""
        desk = self._desk
        self._symbols |= self._moved
        symbols, self._moved = self._symbols if whole else self._moved, set()
        quotes = [quote for symbol in sorted(symbols) if (quote := desk.quote(symbol)) is not None]
        fresh = self._fresh_previews()
        has_desk = whole or self._frames % DESK_EVERY == 0
        self._frames += 1
        known = self._proofs
        if has_desk:
            self._proofs = desk.proofs()
        return Frame(
            prices={q.symbol: Prices(q.bid, q.ask, q.last, q.at) for q in quotes},
            previews=dict(self._previews) if whole else fresh,
            proofs={key: proof for key, proof in self._proofs.items() if whole or known.get(key) is not proof},
            mandates=tuple(desk.mandates.views()) if has_desk else None,
            desk=desk.view() if has_desk else None,
        )

    def _fresh_previews(self) -> dict[str, PreviewView]:
        """Of the newest waiting signals, those that were not taken lately: asking computes each anew."""
        fresh = {}
        for signal in self._desk.signals(SignalStatus.PENDING, PREVIEWS_A_FRAME):
            taken_at = self._taken_at.get(signal.id)
            if signal.preview is not None and (taken_at is None or self._frames - taken_at >= DESK_EVERY):
                fresh[signal.id] = signal.preview
        for key, preview in fresh.items():
            self._previews.pop(key, None)
            self._previews[key] = preview
            self._taken_at[key] = self._frames
        while len(self._previews) > PREVIEWS_KEPT:
            oldest = next(iter(self._previews))
            del self._previews[oldest], self._taken_at[oldest]
        return fresh

    async def _write(self) -> None:
        rows, self._waiting = self._waiting, []
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, append, self._path, rows)
        except (sqlite3.Error, OSError) as why:
            self._waiting = rows + self._waiting
            if not self._is_failing:
                log.warning("the tape of prices is not written, a replay of this time will miss them: %s", why)
            self._is_failing = True
        else:
            self._is_failing = False

    async def _forget(self) -> None:
        oldest = self._clock.now() - self._keep
        try:
            gone = await asyncio.get_running_loop().run_in_executor(self._pool, forget, self._path, oldest)
        except sqlite3.Error as why:
            log.warning("old frames of the tape are not deleted: %s", why)
        else:
            if gone:
                log.info("%d frames of the tape, older than %d days, are deleted", gone, self._keep.days)
