"""What is left of a signal's time to live, as a bar with its seconds."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.formatting import countdown
from gui.theme import Type, font, tone

_BAR: Final = 58
URGENT_S: Final = 10.0


class TtlBar(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ttl")
        self._share = 0.0
        self._left_s = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(_BAR + 44, 18)

    def show_left(self, left_s: float, whole_s: float) -> None:
        share = min(max(left_s / whole_s, 0.0), 1.0) if whole_s > 0 else 0.0
        if int(left_s) == int(self._left_s) and abs(share - self._share) * _BAR < 0.5:
            return
        self._share, self._left_s = share, left_s
        self.setAccessibleName(f"{countdown(left_s)} left")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        urgent = self._left_s < URGENT_S
        bar = QRectF(0, self.height() / 2 - 2, _BAR, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("line_strong"))
        painter.drawRoundedRect(bar, 2, 2)
        if self._share > 0:
            painter.setBrush(tone("p2_text" if urgent else "mid"))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), max(bar.width() * self._share, 4), 4), 2, 2)
        painter.setFont(font(Type.STRONG if urgent else Type.BODY))
        painter.setPen(tone("p2_text" if urgent else "high"))
        painter.drawText(
            self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, countdown(self._left_s)
        )
        painter.end()
