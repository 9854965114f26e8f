"""The letter of the side on its colour."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from engine.model.words import Side
from gui.tables.cells import paint_badge


class SideBadge(QWidget):
    def __init__(self, side: Side, size: int = 18, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._dim = False
        self.setFixedSize(size, size)
        self.setAccessibleName(side.value)

    def set_dim(self, dim: bool) -> None:
        self._dim = dim
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(0.55 if self._dim else 1.0)
        paint_badge(painter, QPointF(self.width() / 2, self.height() / 2), self._side, self.width() - 1)
        painter.end()
