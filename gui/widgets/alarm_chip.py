"""The alarm of the state bar, and the counts of open incidents by priority."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import Type, font, tone
from gui.widgets.glyph import Glyph, paint_glyph

PRIORITY_GLYPHS: Final = {1: Glyph.DIAMOND, 2: Glyph.WARNING, 3: Glyph.DISC}
PRIORITY_TONES: Final = {1: "p1_text", 2: "p2_text", 3: "mid"}


class AlarmChip(QWidget):
    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("alarm")
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def text(self) -> str:
        return self._text

    def say(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(font(Type.STRONG)).horizontalAdvance(self._text) + 34, 24)

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.clicked.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("p1"))
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        paint_glyph(painter, QPointF(14, self.height() / 2), 11, Glyph.DIAMOND, tone("p1_ink"))
        painter.setFont(font(Type.STRONG))
        painter.setPen(tone("p1_ink"))
        painter.drawText(
            self.rect().adjusted(24, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._text
        )
        painter.end()


class PriorityCounts(QWidget):
    """``◆ 1  ▲ 0  ● 2``: coloured only where there is one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("incident-counts")
        self._counts = (0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip("Open incidents of priority 1, 2 and 3.")

    @property
    def counts(self) -> tuple[int, int, int]:
        return self._counts

    def show_counts(self, counts: tuple[int, int, int]) -> None:
        if counts != self._counts:
            self._counts = counts
            self.setAccessibleName(f"{counts[0]} urgent, {counts[1]} soon, {counts[2]} later")
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(78, 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        for number, count in enumerate(self._counts):
            priority, left = number + 1, number * 27
            ink = PRIORITY_TONES[priority] if count else "faint"
            paint_glyph(painter, QPointF(left + 5, self.height() / 2 + 0.5), 9, PRIORITY_GLYPHS[priority], tone(ink))
            painter.setFont(font(Type.STRONG if count else Type.BODY))
            painter.setPen(tone("high" if count else "low"))
            painter.drawText(QRectF(left + 13, 0, 16, self.height()), Qt.AlignmentFlag.AlignVCenter, str(count))
        painter.end()
