"""A push button that can show its key, and is never pressed by Enter."""

from __future__ import annotations

from typing import Literal, cast

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QWidget

from gui.keys import shown_for
from gui.theme import Type, font, tone

Kind = Literal["plain", "go", "danger", "quiet", "link", "notice"]


class Button(QPushButton):
    def __init__(
        self, text: str, *, name: str, kind: Kind = "plain", key: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self.setObjectName(name)
        self.setProperty("kind", kind)
        self._kind = kind
        self._key = key
        self._twice = False
        self.setFont(font(Type.MEDIUM if kind not in ("quiet", "link", "notice") else Type.BODY))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)

    def show_twice(self, twice: bool) -> None:
        """Its key has to be pressed two times."""
        if twice is not self._twice:
            self._twice = twice
            self.updateGeometry()
            self.update()

    @property
    def shown_key(self) -> str:
        shown = shown_for(self._key)
        return f"{shown} {shown}" if self._twice else shown

    def _key_width(self) -> int:
        return QFontMetrics(font(Type.TINY)).horizontalAdvance(self.shown_key) + 9 if self._key else 0

    def sizeHint(self) -> QSize:
        width = QFontMetrics(self.font()).horizontalAdvance(self.text())
        pad = {"quiet": 12, "link": 2, "notice": 2}.get(self._kind, 22)
        height = 18 if self._kind in ("link", "notice") else 26
        return QSize(width + pad + (self._key_width() + 8 if self._key else 0), height)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        """Space presses the button that has the focus, though it is a key of the window elsewhere."""
        if event.type() is QEvent.Type.ShortcutOverride and cast("QKeyEvent", event).key() == Qt.Key.Key_Space:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._key:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        self.style().drawControl(QStyle.ControlElement.CE_PushButton, option, painter, self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = "high"
        if not self.isEnabled():
            ink = "low"
        elif self._kind == "go":
            ink = "go_ink"
        elif self._kind == "danger":
            ink = "p1_text"
        painter.setFont(self.font())
        painter.setPen(tone(ink))
        text = QFontMetrics(self.font()).horizontalAdvance(self.text())
        left = (self.width() - text - 8 - self._key_width()) / 2
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(left, 0, text + 4, self.height()), middle, self.text())
        cap = QRectF(left + text + 8, self.height() / 2 - 7.5, self._key_width(), 15)
        edge = tone(ink)
        painter.setOpacity(0.55)
        painter.setPen(QPen(edge, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(cap, 3, 3)
        painter.setOpacity(0.85)
        painter.setFont(font(Type.TINY))
        painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, self.shown_key)
        painter.end()
