"""A square that is ticked or not: chosen for what is done to several at once."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui.theme import tone
from gui.widgets.glyph import Glyph, paint_glyph

_SIDE = 16


class Tick(QWidget):
    toggled = Signal(bool)

    def __init__(self, *, name: str, said: str, parent: QWidget | None = None) -> None:
        """``said`` is what a screen reader calls it."""
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(said)
        self.setFixedSize(_SIDE + 2, _SIDE + 2)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._on = False

    @property
    def is_on(self) -> bool:
        return self._on

    def set_on(self, on: bool) -> None:
        if on is not self._on:
            self._on = on
            self.setAccessibleDescription("chosen" if on else "not chosen")
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.toggled.emit(not self._on)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tone("high" if self._on else "line_strong"), 1.2))
        painter.setBrush(tone("plane3"))
        painter.drawRoundedRect(QRectF(1.5, 1.5, _SIDE - 1, _SIDE - 1), 3, 3)
        if self._on:
            paint_glyph(painter, QPointF(1 + _SIDE / 2, 1 + _SIDE / 2), 13, Glyph.CHECK, tone("high"))
        painter.end()
