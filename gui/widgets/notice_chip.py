"""A chip of the state bar that says what is in the way and leads to what can be done about it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import CONTROL_RADIUS, Type, font, metrics, text_width, tone
from gui.widgets.glyph import Glyph, paint_glyph

_MOST_REASON: Final = 220
"""Pixels of the reason; what is longer ends with an ellipsis and stands in the tooltip."""
_LEAST_REASON: Final = 70
"""With less room it would say nothing: the title stands alone."""
_LEFT: Final = 25
_PAD: Final = 9
_GAP: Final = 7


class NoticeChip(QWidget):
    clicked = Signal()

    def __init__(self, title: str, brief: str, *, name: str, parent: QWidget | None = None) -> None:
        """``brief`` stands for title and reason where there is little room."""
        super().__init__(parent)
        self.setObjectName(name)
        self._title = title
        self._brief = brief
        self._reason = ""
        self._room: int | None = None
        self._hot = False
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def text(self) -> str:
        """As it reads now, in the room it has."""
        return " ".join(part for part in self._words() if part)

    @property
    def most(self) -> int:
        """Pixels with all its words."""
        return self._width(self._title, self._elided(_MOST_REASON))

    @property
    def least(self) -> int:
        return self._width(self._brief, "")

    def say(self, reason: str) -> None:
        if reason != self._reason:
            self._reason = reason
            self.setAccessibleName(f"{self._title}: {reason}" if reason else self._title)
            self.updateGeometry()
            self.update()

    def set_room(self, pixels: int) -> None:
        """From ``least`` to ``most``: it says as much as goes in."""
        if pixels != self._room:
            self._room = pixels
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._width(*self._words()), 24)

    def _words(self) -> tuple[str, str]:
        """Title, or what stands for it, and as much of the reason as there is room for."""
        left = self.most if self._room is None else self._room
        left -= self._width(self._title, "")
        if left < 0:
            return self._brief, ""
        left = min(left - _GAP, _MOST_REASON)
        is_enough = left >= min(_LEAST_REASON, text_width(self._reason, Type.BODY))
        return self._title, self._elided(left) if is_enough else ""

    def _elided(self, pixels: int) -> str:
        if text_width(self._reason, Type.BODY) <= pixels:
            return self._reason
        return metrics(Type.BODY).elidedText(self._reason, Qt.TextElideMode.ElideRight, pixels)

    @staticmethod
    def _width(title: str, reason: str) -> int:
        more = _GAP + text_width(reason, Type.BODY) if reason else 0
        return _LEFT + text_width(title, Type.STRONG) + more + _PAD

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hot = True
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hot = False
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tone("low" if self._hot else "line_strong"), 1))
        painter.setBrush(tone("plane2"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CONTROL_RADIUS, CONTROL_RADIUS)
        paint_glyph(painter, QPointF(14, self.height() / 2), 10, Glyph.WARNING, tone("p2_text"))
        title, reason = self._words()
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(Type.STRONG))
        painter.setPen(tone("p2_text"))
        painter.drawText(self.rect().adjusted(_LEFT, 0, 0, 0), middle, title)
        left = _LEFT + text_width(title, Type.STRONG) + _GAP
        painter.setFont(font(Type.BODY))
        painter.setPen(tone("mid"))
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), middle, reason)
        painter.end()
