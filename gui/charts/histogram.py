"""How one stage's latencies are spread: bins of equal width on a log scale, with p50, p95 and p99."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui.formatting import ms
from gui.theme import Type, font, tone

LEAST_SAMPLES: Final = 20
"""Below this no percentile is shown: it would be an anecdote."""

_BINS_A_DECADE: Final = 26
_FOOT: Final = 20
_HEAD: Final = 30


def log_bins(log_ms: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts and edges (log10 ms), from whole tenths of decades around the data."""
    low = math.floor(float(log_ms.min()) * 10 - 0.5) / 10
    high = max(math.ceil(float(log_ms.max()) * 10 + 0.5) / 10, low + 0.5)
    counts, edges = np.histogram(log_ms, bins=max(round((high - low) * _BINS_A_DECADE), 1), range=(low, high))
    return counts, edges


class Histogram(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("latency-histogram")
        self._color = "entry"
        self._total = 0
        self._bins: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None
        self._marks: list[tuple[str, float]] = []

    def show_stage(self, log_ms: NDArray[np.float64], color: str) -> None:
        self._color = color
        self._total = len(log_ms)
        self._bins = log_bins(log_ms) if len(log_ms) else None
        self._marks = []
        if len(log_ms) >= LEAST_SAMPLES:
            values = np.percentile(log_ms, [50, 95, 99])
            self._marks = [(name, float(v)) for name, v in zip(("p50", "p95", "p99"), values, strict=True)]
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(font(Type.SMALL))
        if self._bins is None:
            painter.setPen(tone("low"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No samples yet")
            painter.end()
            return
        counts, edges = self._bins
        plot = QRectF(14, _HEAD, self.width() - 28, self.height() - _HEAD - _FOOT)
        low, span = float(edges[0]), float(edges[-1] - edges[0])
        tallest = max(int(counts.max()), 1)
        fill = QColor(tone(self._color))
        fill.setAlpha(170)
        width = plot.width() / len(counts)
        for number, count in enumerate(counts):
            height = plot.height() * int(count) / tallest
            left = plot.left() + number * width
            painter.fillRect(QRectF(left, plot.bottom() - height, max(width - 1.5, 1), height), fill)
        painter.setPen(tone("line_strong"))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.setPen(tone("low"))
        for decade in range(math.floor(low), math.floor(low + span) + 1):
            for times in (1, 2, 5):
                x = plot.left() + plot.width() * (decade + math.log10(times) - low) / span
                if plot.left() + 20 <= x <= plot.right() - 20:
                    box = QRectF(x - 40, plot.bottom() + 3, 80, 16)
                    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, ms(times * 10.0**decade))
        self._paint_marks(painter, plot, low, span)
        painter.end()

    def _paint_marks(self, painter: QPainter, plot: QRectF, low: float, span: float) -> None:
        if not self._marks:
            painter.setPen(tone("mid"))
            painter.drawText(QPointF(plot.left(), 16), f"n={self._total}: no percentiles below {LEAST_SAMPLES} samples")
            return
        floor = -math.inf
        for name, value in self._marks:
            x = plot.left() + plot.width() * (value - low) / span
            painter.setPen(QPen(tone("high"), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, plot.top() - 8), QPointF(x, plot.bottom()))
            text = f"{name} {ms(10**value)}"
            left = max(x + 4, floor)
            painter.setPen(tone("high"))
            painter.drawText(QPointF(left, plot.top() - 12), text)
            floor = left + painter.fontMetrics().horizontalAdvance(text) + 12
