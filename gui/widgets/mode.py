"""Simulated, paper or live money: in words, as a chip, and as a frame around the whole window."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.model.words import Mode
from gui.theme import FRAME, Type, font, tone


def paint_mode_frame(painter: QPainter, width: int, height: int, mode: Mode) -> None:
    """Hatched grey, solid blue-grey or solid vermillion, ``FRAME`` pixels wide."""
    paint_frame(painter, width, height, "plane0" if mode is Mode.SIM else mode.value)
    if mode is Mode.SIM:
        painter.fillRect(0, 0, width, height, QBrush(tone("sim"), Qt.BrushStyle.BDiagPattern))


def paint_frame(painter: QPainter, width: int, height: int, colour: str) -> None:
    """Afterwards the painter is clipped to the frame."""
    inner = QRegion(FRAME, FRAME, width - 2 * FRAME, height - 2 * FRAME)
    painter.setClipRegion(QRegion(0, 0, width, height).subtracted(inner))
    painter.fillRect(0, 0, width, height, tone(colour))


def paint_armed(painter: QPainter, width: int, height: int) -> None:
    """A line within the frame: keys that send are armed."""
    painter.setClipping(False)
    painter.setPen(QPen(tone("go"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(FRAME, FRAME, width - 2 * FRAME - 1, height - 2 * FRAME - 1)


class ModeChip(QWidget):
    def __init__(self, mode: Mode, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mode")
        self.mode = mode
        self.setAccessibleName(f"{mode.value.upper()} mode")
        self.setToolTip(
            {
                Mode.SIM: "Simulated: orders go to the exchange inside this program.",
                Mode.PAPER: "Paper: orders go to Alpaca's paper account.",
                Mode.LIVE: "LIVE: orders go to a real account, with real money.",
            }[mode]
        )
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(font(Type.STRONG)).horizontalAdvance(self.mode.value.upper()) + 18, 24)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        edge = tone(self.mode.value)
        painter.setPen(QPen(edge, 1))
        painter.setBrush(tone("plane1") if self.mode is Mode.SIM else edge)
        painter.drawRoundedRect(box, 5, 5)
        if self.mode is Mode.SIM:
            hatch = QColor(edge)
            hatch.setAlpha(90)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QBrush(hatch, Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(box, 5, 5)
        painter.setFont(font(Type.STRONG))
        painter.setPen(tone("high" if self.mode is Mode.SIM else "p1_ink"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.mode.value.upper())
        painter.end()
