"""Keys that send at once work only while they are armed: a person has moved to a row or a card since the window has the
focus, and not long ago.

Who comes back to the window by a key meant for another one, or leans on the keyboard, sends nothing. A panel that
floats belongs to the window: going there and back leaves the keys armed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtWidgets import QDockWidget, QWidget

ARMED_FOR_S: Final = 300.0
NOT_ARMED: Final = "Keys are not armed: move to the row or the card first, with an arrow key or a click."


class Arming(QObject):
    changed = Signal(bool)
    not_armed = Signal()
    """A key that would have sent was pressed."""

    def __init__(self, parent: QWidget, now_s: Callable[[], float]) -> None:
        """``now_s`` is on any clock that only goes forward."""
        super().__init__(parent)
        self._window = parent
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.focusWindowChanged.connect(self._focus_moved)
        self._now_s = now_s
        self._until_s = float("-inf")
        self._was_armed = False

    @property
    def is_armed(self) -> bool:
        return self._now_s() < self._until_s

    def arm(self) -> None:
        """A person has moved to what the keys act on."""
        self._until_s = self._now_s() + ARMED_FOR_S
        self.follow()

    def disarm(self) -> None:
        """The focus has gone elsewhere."""
        self._until_s = float("-inf")
        self.follow()

    def may_send(self) -> bool:
        if not self.is_armed:
            self.not_armed.emit()
        return self.is_armed

    def _focus_moved(self, to: QWindow | None) -> None:
        """``to`` is None when another program has it."""
        ours = (self._window, *self._window.findChildren(QDockWidget))
        if to is None or all(widget.windowHandle() != to for widget in ours):
            self.disarm()

    def follow(self) -> None:
        """Time went on."""
        if self.is_armed is not self._was_armed:
            self._was_armed = self.is_armed
            self.changed.emit(self._was_armed)
