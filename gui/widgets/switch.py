"""An on/off switch with its name; it shows what the desk says, and only asks when clicked."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import Type, font, tone


class Switch(QWidget):
    asked = Signal(bool)

    def __init__(self, title: str, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._title = title
        self._on = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def is_on(self) -> bool:
        return self._on

    def show_on(self, on: bool) -> None:
        self.setAccessibleName(f"{self._title} {'on' if on else 'off'}")
        if on is not self._on:
            self._on = on
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(font(Type.BODY)).horizontalAdvance(self._title) + 38, 22)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.asked.emit(not self._on)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(Type.BODY))
        painter.setPen(tone("mid" if self._on else "low"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._title)
        track = QRectF(self.width() - 29, self.height() / 2 - 7.5, 28, 15)
        painter.setPen(QPen(tone("low" if self._on else "line_strong"), 1))
        painter.setBrush(tone("mid" if self._on else "plane0"))
        painter.drawRoundedRect(track, 7.5, 7.5)
        knob = QPointF(track.right() - 7.5 if self._on else track.left() + 7.5, track.center().y())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("plane0" if self._on else "low"))
        painter.drawEllipse(knob, 4.5, 4.5)
        painter.end()
