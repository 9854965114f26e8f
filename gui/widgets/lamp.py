"""A link's state: a dot, a name, and an age or a delay instead of a word."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import Type, font, tone
from gui.widgets.glyph import Glyph, paint_glyph


class Light(Enum):
    UP = "up"
    QUIET = "quiet"
    """Up, with nothing to report for a while, which is no fault."""
    LATE = "late"
    DOWN = "down"
    UNKNOWN = "unknown"


_LOOK = {
    Light.UP: (Glyph.DISC, "covered", "high"),
    Light.QUIET: (Glyph.DISC, "covered", "low"),
    Light.LATE: (Glyph.HALF, "p2_text", "p2_text"),
    Light.DOWN: (Glyph.CROSS_HEAVY, "p1_text", "p1_text"),
    Light.UNKNOWN: (Glyph.RING, "low", "low"),
}


class Lamp(QWidget):
    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"lamp-{title.lower()}")
        self._title = title
        self._value = ""
        self._light = Light.UNKNOWN
        self._widest = 0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def light(self) -> Light:
        return self._light

    @property
    def value(self) -> str:
        return self._value

    def show_link(self, light: Light, value: str, why: str = "") -> None:
        self.setToolTip(why)
        if (light, value) == (self._light, self._value):
            return
        if light is not self._light:
            self._widest = 0
            self.updateGeometry()
        self._light, self._value = light, value
        self.setAccessibleName(f"{self._title} {light.value} {value}")
        # While its light stays, it grows with its text and never shrinks: its neighbours stand still.
        width = QFontMetrics(font(Type.BODY)).horizontalAdvance(value)
        if width > self._widest:
            self._widest = width
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        title = QFontMetrics(font(Type.BODY)).horizontalAdvance(self._title)
        return QSize(13 + title + (5 + self._widest if self._widest else 0), 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        glyph, dot, ink = _LOOK[self._light]
        painter = QPainter(self)
        paint_glyph(painter, QPointF(5, self.height() / 2 + 0.5), 9, glyph, tone(dot))
        painter.setFont(font(Type.BODY))
        painter.setPen(tone("mid" if self._light in (Light.UP, Light.QUIET) else ink))
        box = self.rect().adjusted(13, 0, 0, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._title)
        if self._value:
            left = painter.fontMetrics().horizontalAdvance(self._title) + 5
            painter.setPen(tone(ink))
            painter.drawText(
                box.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._value
            )
        painter.end()
