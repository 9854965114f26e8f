"""The window's beat: many changes, one frame.

Trailing by design: the first request of a frame starts a precise single-shot timer, all further ones ride along, and
``frame`` fires once when it ends. Nothing runs while nothing changes.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

FRAME_MS: Final = 80
"""About 12 frames a second: below what the eye calls late, far above what it can read."""

BEAT_MS: Final = 250
"""Ages, countdowns and naked seconds move four times a second."""


class FrameClock(QObject):
    frame = Signal()
    beat = Signal()

    def __init__(self, parent: QObject | None = None, *, frame_ms: int = FRAME_MS, beat_ms: int = BEAT_MS) -> None:
        super().__init__(parent)
        self._frame = QTimer(self, interval=frame_ms, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._frame.timeout.connect(self._fire)
        self._is_coming = False
        self._beat = QTimer(self, interval=beat_ms, timerType=Qt.TimerType.CoarseTimer)
        self._beat.timeout.connect(self.beat)

    def start(self) -> None:
        self._beat.start()

    def request(self) -> None:
        """Ask for a frame; free when one is coming already."""
        if not self._is_coming:  # asked a thousand times a frame: not of Qt
            self._is_coming = True
            self._frame.start()

    def _fire(self) -> None:
        self._is_coming = False
        self.frame.emit()

    def stop(self) -> None:
        self._is_coming = False
        self._frame.stop()
        self._beat.stop()
