"""Tells when the main window has been painted for the first time, and how much memory that took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

PAINTED: Final = "painted "


def rss_mb(pid: int | str = "self", what: str = "VmRSS") -> float:
    """Resident memory of a process on Linux, in MB of 10^6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/{pid}/status has no {what}")


class FirstPaint(QObject):
    """Watches the application's events until the main window is painted."""

    def __init__(self, launched_s: float) -> None:
        super().__init__()
        self._launched_s = launched_s

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint and watched.objectName() == "window":
            QApplication.instance().removeEventFilter(self)
            QTimer.singleShot(0, self._tell)  # the panels are painted in the same pass, after the window beneath them
        return False

    def _tell(self) -> None:
        sys.stdout.write(f"{PAINTED}{time.monotonic() - self._launched_s:.3f} {rss_mb():.1f}\n")
        sys.stdout.flush()


def announcing(make: Callable[[Sequence[str]], QApplication], launched_s: float) -> Callable[..., QApplication]:
    """``make_application``, with a watcher on what it makes."""

    def made(argv: Sequence[str]) -> QApplication:
        application = make(argv)
        watcher = FirstPaint(launched_s)
        watcher.setParent(application)
        application.installEventFilter(watcher)
        return application

    return made
