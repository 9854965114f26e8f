"""An on/off switch with its name; it shows what the desk says, and only asks when clicked."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from gui.theme import Type, font, tone


class Switch(QAbstractButton):
    asked = Signal(bool)

    def __init__(self, title: str, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._title = title
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(lambda: self.asked.emit(not self.isChecked()))
        self._name()

    @property
    def is_on(self) -> bool:
        return self.isChecked()

    def show_on(self, on: bool) -> None:
        self.setChecked(on)
        self._name()

    def _name(self) -> None:
        self.setAccessibleName(f"{self._title} {'on' if self.isChecked() else 'off'}")

    def nextCheckState(self) -> None:
        """A click asks; what became of it is shown by ``show_on``."""

    def event(self, event: QEvent) -> bool:
        """Space is its key while it has the focus, though it is a key of the window elsewhere."""
        if event.type() is QEvent.Type.ShortcutOverride and cast("QKeyEvent", event).key() == Qt.Key.Key_Space:
            event.accept()
            return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(font(Type.BODY)).horizontalAdvance(self._title) + 38, 22)

    def paintEvent(self, _event: QPaintEvent) -> None:
        is_on, is_there = self.isChecked(), self.isEnabled()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(Type.BODY))
        painter.setPen(tone("mid" if is_on else "low"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._title)
        track = QRectF(self.width() - 29, self.height() / 2 - 7.5, 28, 15)
        outline = "high" if self.hasFocus() else "low" if is_on else "line_strong"
        painter.setPen(QPen(tone(outline if is_there else "line"), 1))
        painter.setBrush(tone("mid" if is_on else "plane0"))
        painter.drawRoundedRect(track, 7.5, 7.5)
        knob = QPointF(track.right() - 7.5 if is_on else track.left() + 7.5, track.center().y())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("plane0" if is_on else "low" if is_there else "line"))
        painter.drawEllipse(knob, 4.5, 4.5)
        painter.end()
