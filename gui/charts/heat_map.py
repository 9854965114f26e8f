"""Stages by the hour: the median of each, darker where it took longer, so that a slow hour is seen as a stripe.

A cell with few samples says how many there are in place of a median. Hours are New York's, the newest to the right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from gui.charts.histogram import LEAST_SAMPLES
from gui.charts.samples import SampleSeries
from gui.formatting import MARKET_TIME, ms
from gui.theme import Type, font, tone

HOURS: Final = 24
"""Shown at most, the newest."""
_HOUR_S: Final = 3_600
_NAMES_PX: Final = 74
_FOOT: Final = 20
_LEAST_PX: Final = 46
_FAST, _SLOW = 0.0, 3.5
"""log10 of milliseconds: from one to some three thousand."""


@dataclass(frozen=True, slots=True)
class Cell:
    hour: int
    """Since the epoch."""
    count: int
    median_ms: float
    worst_ms: float


def cells_of(at_s: NDArray[np.float64], log_ms: NDArray[np.float64]) -> dict[int, Cell]:
    """By hour since the epoch. Samples come in the order of time."""
    if not len(at_s):
        return {}
    hours = (at_s // _HOUR_S).astype(int)
    begins = np.flatnonzero(np.diff(hours, prepend=hours[0] - 1))
    found = {}
    for begin, end in zip(begins, [*begins[1:], len(hours)], strict=True):
        part, hour = log_ms[begin:end], int(hours[begin])
        found[hour] = Cell(hour, len(part), float(10 ** np.median(part)), float(10 ** part.max()))
    return found


class HeatMap(QWidget):
    def __init__(self, stages: Sequence[tuple[str, str]]) -> None:
        """``stages`` with their words, from top to bottom."""
        super().__init__()
        self.setObjectName("latency-heat")
        self.setMinimumHeight(80)
        self._stages = tuple(stages)
        self._cells: dict[str, dict[int, Cell]] = {}

    def show_series(self, series: Mapping[str, SampleSeries]) -> None:
        self._cells = {stage: cells_of(data.at_s, data.log_ms) for stage, data in series.items()}
        self.setAccessibleDescription("; ".join(self._said(stage, words) for stage, words in self._stages))
        self.update()

    def cell_at(self, stage: str, hour: int) -> Cell | None:
        return self._cells.get(stage, {}).get(hour)

    def hours(self) -> list[int]:
        """In sight, oldest first: without a hole between the first and the newest."""
        known = [hour for cells in self._cells.values() for hour in cells]
        if not known:
            return []
        fit = max(min(HOURS, int((self.width() - _NAMES_PX - 12) / _LEAST_PX)), 1)
        newest = max(known)
        return list(range(max(min(known), newest - fit + 1), newest + 1))

    def _said(self, stage: str, words: str) -> str:
        newest = max(self._cells.get(stage, {}).values(), key=lambda cell: cell.hour, default=None)
        return f"{words}: {_words(newest)}" if newest is not None else f"{words}: none"

    def _box(self, row: int, column: int, columns: int) -> QRectF:
        high = min((self.height() - _FOOT - 6) / max(len(self._stages), 1), 26.0)
        wide = min((self.width() - _NAMES_PX - 12) / max(columns, 1), 90.0)
        return QRectF(_NAMES_PX + column * wide, 4 + row * high, wide - 2, high - 2)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        hours = self.hours()
        if not hours:
            painter.setFont(font(Type.BODY))
            painter.setPen(tone("low"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No samples yet")
            painter.end()
            return
        for row, (stage, words) in enumerate(self._stages):
            box = self._box(row, 0, len(hours))
            painter.setFont(font(Type.SMALL))
            painter.setPen(tone("mid"))
            name = QRectF(12, box.top(), _NAMES_PX - 18, box.height())
            painter.drawText(name, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
            for column, hour in enumerate(hours):
                self._paint_cell(painter, self._box(row, column, len(hours)), self.cell_at(stage, hour))
        painter.setFont(font(Type.SMALL))
        painter.setPen(tone("low"))
        foot = self._box(len(self._stages), 0, len(hours)).top()
        for column, hour in enumerate(hours):
            box = self._box(0, column, len(hours))
            local = datetime.fromtimestamp(hour * _HOUR_S, UTC).astimezone(MARKET_TIME)
            painter.drawText(QRectF(box.left(), foot, box.width(), 16), Qt.AlignmentFlag.AlignCenter, f"{local:%H:%M}")
        painter.end()

    @staticmethod
    def _paint_cell(painter: QPainter, box: QRectF, cell: Cell | None) -> None:
        if cell is None:
            painter.fillRect(box, tone("plane2"))
            return
        few = cell.count < LEAST_SAMPLES
        fill = QColor(tone("plane3" if few else "sell"))
        if not few:
            share = (math.log10(max(cell.median_ms, 1.0)) - _FAST) / (_SLOW - _FAST)
            fill.setAlpha(int(24 + 130 * min(max(share, 0.0), 1.0)))
        painter.fillRect(box, fill)
        painter.setFont(font(Type.SMALL))
        painter.setPen(tone("low" if few else "high"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"n={cell.count}" if few else ms(cell.median_ms))

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos().x(), event.pos().y()), self)
            return True
        return super().event(event)

    def tip_at(self, x: float, y: float) -> str:
        """What is said of the cell there; empty where there is none."""
        hours = self.hours()
        for row, (stage, words) in enumerate(self._stages):
            for column, hour in enumerate(hours):
                cell = self.cell_at(stage, hour)
                if cell is not None and self._box(row, column, len(hours)).contains(x, y):
                    return f"{words}: {_words(cell)}, most {ms(cell.worst_ms)}"
        return ""


def _words(cell: Cell) -> str:
    if cell.count < LEAST_SAMPLES:
        return f"n={cell.count}"
    return f"median {ms(cell.median_ms)} of {cell.count}"
