"""Keeps the pending signals' previews true: marked out of date by what happened, each told at most four times a second.

Nothing is polled: a quote marks the signals of its symbol, anything that moves the account or the exposures marks them
all. Whoever shows a signal asks for it when it is told of it; one that is not out of date is not computed again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.book import Book
from engine.bus import Bus, Change
from engine.clock import Clock
from engine.recorder import Recorder
from engine.views import PreviewView

TELL_EVERY_S: Final = 0.25
"""Of one signal."""
TICK_S: Final = 0.025
TOLD_AT_ONCE: Final = 10
"""Each that is told is computed anew, some 0.3 ms of the loop. When more have moved, the others take their turn in the
next ticks: a hundred are all new within ``TELL_EVERY_S``, and no tick holds the loop for longer than some 5 ms."""
OLD_AFTER_S: Final = 1.0
"""Ages grow and time runs out without any event: a preview older than this is out of date."""
MOVES_ALL: Final = frozenset({"account", "signal", "order", "bracket", "position", "desk"})


class PreviewFeed:
    def __init__(
        self, preview: Callable[[str], PreviewView], book: Book, recorder: Recorder, clock: Clock, bus: Bus
    ) -> None:
        """``preview`` computes one anew."""
        self._preview = preview
        self._book = book
        self._recorder = recorder
        self._clock = clock
        self._kept: dict[str, tuple[PreviewView, float]] = {}
        self._stale: set[str] = set()
        self._untold: dict[str, None] = {}
        """In the order of their turn."""
        self._told_at: dict[str, float] = {}
        """On the monotonic clock."""
        self._own: frozenset[Change] = frozenset()
        bus.on_changes(self.note)

    def get(self, signal_id: str) -> PreviewView:
        """The preview as of now. Raises ``CommandRefused`` as the queue's own."""
        kept = self._kept.get(signal_id)
        now_s = self._clock.monotonic_s()
        if kept is not None and signal_id not in self._stale and now_s - kept[1] < OLD_AFTER_S:
            return kept[0]
        view = self._preview(signal_id)
        self._kept[signal_id] = view, now_s
        self._stale.discard(signal_id)
        return view

    def notional(self, signal_id: str) -> Decimal | None:
        """Of the newest preview, in account currency; None when there is none, or no price."""
        kept = self._kept.get(signal_id)
        return None if kept is None else kept[0].notional

    def note(self, changes: frozenset[Change]) -> None:
        """What happened, seen by the pending signals."""
        if changes == self._own or not self._book.pending:
            return
        if any(change.kind in MOVES_ALL for change in changes):
            self._mark(list(self._book.pending))
            return
        quoted = {change.key for change in changes if change.kind == "quote"}
        if quoted:
            self._mark([key for key in self._book.pending if self._book.signals[key].signal.symbol in quoted])

    def _mark(self, signal_ids: list[str]) -> None:
        self._stale.update(signal_ids)
        self._untold |= dict.fromkeys(signal_ids)

    async def run(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            self.tell()

    def tell(self) -> None:
        """Those whose picture moved since they were told the last time, and those that have only grown old."""
        pending, now_s = self._book.pending, self._clock.monotonic_s()
        for of_all in (self._kept, self._told_at):
            for gone in of_all.keys() - pending.keys():
                del of_all[gone]
        old = {key for key, (_, made_s) in self._kept.items() if now_s - made_s >= OLD_AFTER_S}
        self._stale &= pending.keys()
        self._untold |= dict.fromkeys(sorted(old))
        waiting = [key for key in self._untold if key in pending]
        due = (key for key in waiting if now_s - self._told_at.get(key, -math.inf) >= TELL_EVERY_S)
        told = list(itertools.islice(due, TOLD_AT_ONCE))
        self._untold = dict.fromkeys(key for key in waiting if key not in told)
        self._told_at |= dict.fromkeys(told, now_s)
        if told:
            self._own = frozenset(Change("signal", key) for key in told)
            self._recorder.tell(*self._own)
