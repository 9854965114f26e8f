"""A trade's way from signal to protected, a bar a stage; the person's part is hatched.

A decision takes seconds and a rule microseconds, so the time axis is not linear: every stretch between two ends of
spans is given a width by the logarithm of its length. Order and overlap are true, lengths are readable as words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.views import SpanView
from gui.formatting import ms
from gui.theme import Type, font, tone

_ROW: Final = 23
_LABEL: Final = 92
_WORDS: Final = 126


class Waterfall(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("waterfall")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._spans: Sequence[SpanView] = ()
        self._now_ms = 0.0

    def set_spans(self, spans: Sequence[SpanView], now_ms: float) -> None:
        """``now_ms``: since the signal arrived; where running spans end for now."""
        grew = len(spans) != len(self._spans)
        self._spans, self._now_ms = spans, now_ms
        self.setAccessibleName("; ".join(f"{s.label} {self._words(s)}" for s in spans))
        if grew:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, _ROW * max(len(self._spans), 1) + 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def _end(self, span: SpanView) -> float:
        return span.end_ms if span.end_ms is not None else max(self._now_ms, span.start_ms)

    def _words(self, span: SpanView) -> str:
        took = ms(self._end(span) - span.start_ms)
        return took if span.end_ms is not None else f"{took} and counting"

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(Type.BODY))
        if not self._spans:
            painter.setPen(tone("low"))
            painter.drawText(self.rect().adjusted(12, 0, 0, 0), middle, "Starts with the signal")
            painter.end()
            return
        places = _places([(s.start_ms, self._end(s)) for s in self._spans])
        left, width = 12 + _LABEL, self.width() - _LABEL - _WORDS - 16
        for number, span in enumerate(self._spans):
            y = 4 + number * _ROW
            painter.setPen(tone("mid"))
            painter.drawText(QRectF(12, y, _LABEL, _ROW), middle, span.label)
            x0, x1 = places[span.start_ms] * width, places[self._end(span)] * width
            bar = QRectF(left + x0, y + 5, max(x1 - x0, 2.5), _ROW - 11)
            if span.human:
                painter.fillRect(bar, QBrush(tone("low"), Qt.BrushStyle.BDiagPattern))
            else:
                short = self._end(span) - span.start_ms < 5
                painter.fillRect(bar, tone("p1" if span.trouble else "mid" if short else "entry"))
            words = self._words(span)
            painter.setPen(tone("high"))
            room = QFontMetrics(painter.font()).horizontalAdvance(words)
            x = min(bar.right() + 8, self.width() - room - 8)
            painter.drawText(QRectF(x, y, room + 8, _ROW), middle, words)
        painter.end()


def _places(spans: Sequence[tuple[float, float]]) -> dict[float, float]:
    """Every end of a span as a share of the width, 0 to 1."""
    ends = sorted({at for span in spans for at in span})
    weights = [math.log1p(after - before) for before, after in pairwise(ends)]
    whole = sum(weights) or 1.0
    places, sofar = {ends[0]: 0.0}, 0.0
    for at, weight in zip(ends[1:], weights, strict=True):
        sofar += weight
        places[at] = sofar / whole
    return places
