"""The window's beat: many changes, one frame.

Trailing by design: the first request of a frame starts a precise single-shot timer, all further ones ride along, and
``frame`` fires once when it ends. Nothing runs while nothing changes. When frames cost much they come more rarely: the
loop belongs to the desk, and nobody reads a thousand changes a second. And what goes out to the broker goes first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

FRAME_MS: Final = 80
"""About 12 frames a second: below what the eye calls late, far above what it can read."""

BEAT_MS: Final = 250
"""Ages, countdowns and naked seconds move four times a second."""


SHARE: Final = 0.15
"""Of the loop's time, which frames may take."""

LONGEST_MS: Final = 250
"""However much a frame costs, the next one is no later: a click has to show its effect."""


MOST_HELD_MS: Final = 50
"""A disk that stands still, or requests without a pause, must not stop the screen."""


class Pace:
    """When the next frame may begin, by what the last one has cost."""

    def __init__(self, now_s: Callable[[], float] = time.perf_counter) -> None:
        self._now_s = now_s
        self._began_s = float("-inf")
        self._spent_s = 0.0

    @contextmanager
    def spending(self) -> Iterator[None]:
        """What is done within the block belongs to the frame."""
        started_s = self._now_s()
        try:
            yield
        finally:
            self._spent_s += self._now_s() - started_s

    def begin(self) -> None:
        self._began_s, self._spent_s = self._now_s(), 0.0

    def wait_ms(self) -> int:
        """From now on, until a frame may begin; 0: at once."""
        due_s = self._began_s + min(self._spent_s / SHARE, LONGEST_MS / 1000)
        return round(max(0.0, due_s - self._now_s()) * 1000)


class RightOfWay:
    """What is on its way to the broker goes before a frame, which waits ``MOST_HELD_MS`` for it and no longer."""

    def __init__(self, is_sending: Callable[[], bool], now_s: Callable[[], float] = time.perf_counter) -> None:
        self._is_sending = is_sending
        self._now_s = now_s
        self._since_s: float | None = None

    def is_taken(self) -> bool:
        """Whether a frame has to wait now."""
        if not self._is_sending():
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = self._now_s()
        return (self._now_s() - self._since_s) * 1000 < MOST_HELD_MS


class FrameClock(QObject):
    frame = Signal()
    beat = Signal()

    def __init__(self, parent: QObject | None = None, *, frame_ms: int = FRAME_MS, beat_ms: int = BEAT_MS) -> None:
        super().__init__(parent)
        self._frame = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._frame.timeout.connect(self._fire)
        self._frame_ms = frame_ms
        self._is_coming = False
        self.pace = Pace()
        self._beat = QTimer(self, interval=beat_ms, timerType=Qt.TimerType.CoarseTimer)
        self._beat.timeout.connect(self.beat)

    def start(self) -> None:
        self._beat.start()

    def request(self) -> None:
        """Ask for a frame; free when one is coming already."""
        if not self._is_coming:  # asked a thousand times a frame: not of Qt
            self._is_coming = True
            self._frame.start(self._frame_ms)

    def _fire(self) -> None:
        wait_ms = self.pace.wait_ms()
        if wait_ms:
            self._frame.start(wait_ms)
            return
        self.pace.begin()
        self._is_coming = False
        self.frame.emit()

    def stop(self) -> None:
        self._is_coming = False
        self._frame.stop()
        self._beat.stop()
