"""Latency over time: submit, bracket and total on a logarithmic axis, with the targets as dashed lines.

The logarithm is taken once a sample, when it comes in: pyqtgraph's own log mode would take it of all of them at every
frame. Each curve is given what its width can show, peaks kept (``SampleSeries.course``): a million samples cost what a
thousand do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPen, QResizeEvent

from gui.charts.samples import SampleSeries
from gui.formatting import MARKET_TIME, ms
from gui.theme import Type, font, tone

STAGES: Final = ("submit", "bracket", "total")
STAGE_TONES: Final = {"lag": "low", "rest": "mid", "submit": "entry", "bracket": "covered", "total": "high"}
"""Of each curve, the lowest first: the loop's lag and the plain questions lie beneath the stages."""
BESIDE: Final = ("rest", "lag")
"""Not of a trade."""
TARGETS_MS: Final = (300.0, 600.0)
TARGET_WORDS: Final = "targets: submit and bracket 300 ms, total 600 ms"
_SOLID, _DOTTED = Qt.PenStyle.SolidLine, Qt.PenStyle.DotLine
_LOWEST: Final = -0.3
_FEW: Final = 40
"""Up to here every sample is a dot: a line alone would show nothing of the first."""
_POINTS_A_PIXEL: Final = 2
_SPARSE: Final = 600
"""Up to so many points a line is smoothed; where every pixel has its own, smoothing costs half a frame and shows
nothing."""
_LEAST_SPAN_S: Final = 600.0
_WORDS_PX: Final = 19.0
_NEAR_PX: Final = 6.0
"""From a mark, to say what it is of."""
_TICKS_MS: Final = (0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)


def _event_pen() -> QPen:
    return pg.mkPen(tone("p2_text"), width=1, style=Qt.PenStyle.DotLine)


class _MsAxis(pg.AxisItem):
    def tickValues(self, low: float, high: float, _size: float) -> list[tuple[float, list[float]]]:
        shown = [math.log10(tick) for tick in _TICKS_MS if low <= math.log10(tick) <= high]
        return [(1.0, shown)]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:
        return [f"{10**value:,.0f} ms" if 10**value >= 0.95 else f"{10**value:.1f} ms" for value in values]


class _ClockAxis(pg.AxisItem):
    def tickStrings(self, values: list[float], _scale: float, spacing: float) -> list[str]:
        form = "%H:%M" if spacing >= 60 else "%H:%M:%S"
        return [f"{datetime.fromtimestamp(value, UTC).astimezone(MARKET_TIME):{form}}" for value in values]


class LatencySeriesChart(pg.PlotWidget):
    def __init__(self) -> None:
        super().__init__(
            axisItems={"left": _MsAxis("left"), "bottom": _ClockAxis("bottom")},
            background=tone("plane1"),
            enableMenu=False,
        )
        self.setObjectName("latency-series")
        item = self.getPlotItem()
        item.hideButtons()
        item.setContentsMargins(4, 4, 10, 0)
        self.setMouseEnabled(x=True, y=False)
        self.enableAutoRange(x=False, y=False)
        self._by_hand = False
        self._series: Mapping[str, SampleSeries] = {}
        self._span: tuple[float, float] | None = None
        self._most_ms = TARGETS_MS[-1]
        self._curves: dict[str, Any] = {}
        self._targets = [pg.InfiniteLine(math.log10(target), angle=0) for target in TARGETS_MS]
        for line in self._targets:
            self.addItem(line)
        self._words = pg.TextItem(TARGET_WORDS, anchor=(1, 1))
        self.addItem(self._words, ignoreBounds=True)
        for stage in STAGE_TONES:
            self._curves[stage] = self.plot([], [], antialias=True)
        self._events: list[tuple[float, str]] = []
        self._event_lines: list[Any] = []
        self._cross = pg.InfiniteLine(angle=90)
        self._cross.hide()
        self._said = pg.TextItem("", anchor=(0, 0))
        self.addItem(self._cross, ignoreBounds=True)
        self.addItem(self._said, ignoreBounds=True)
        self.scene().sigMouseMoved.connect(self._point)
        self.getViewBox().sigRangeChangedManually.connect(lambda *_: self._zoomed())
        self.getViewBox().sigRangeChanged.connect(lambda *_: self._place_words())
        self.getViewBox().sigXRangeChanged.connect(lambda *_: self._draw())
        self.restyle()

    def restyle(self) -> None:
        """Take the colours of the palette in use."""
        for stage, curve in self._curves.items():
            curve.setPen(QPen(tone(STAGE_TONES[stage]), 0, _DOTTED if stage == "rest" else _SOLID))
            curve.setSymbolBrush(tone(STAGE_TONES[stage]))
            curve.setSymbolPen(None)
            curve.setSymbolSize(5)
        for line in self._targets:
            line.setPen(pg.mkPen(tone("p2_text"), width=1, style=Qt.PenStyle.DashLine))
            line.setOpacity(0.55)
        self._cross.setPen(pg.mkPen(tone("line_strong"), width=1))
        self._said.setColor(tone("high"))
        self._said.fill = pg.mkBrush(tone("plane2"))
        self._said.setFont(font(Type.SMALL))
        for line in self._event_lines:
            line.setPen(_event_pen())
        self._words.setColor(tone("low"))
        self._words.setFont(font(Type.SMALL))
        self.setBackground(tone("plane1"))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(pg.mkPen(tone("line")))
            axis.setTextPen(pg.mkPen(tone("low")))
            axis.setTickFont(font(Type.SMALL))
            axis.setStyle(tickLength=0, tickTextOffset=6)
        self.getAxis("left").setWidth(58)
        self.getAxis("bottom").setHeight(20)

    def show_series(self, series: Mapping[str, SampleSeries]) -> None:
        """Follow what has come in."""
        self._series = series
        known = [data for data in series.values() if len(data)]
        self._most_ms = max([TARGETS_MS[-1], *(10**data.most_log_ms for data in known)])
        if known:
            last = max(float(data.at_s[-1]) for data in known)
            self._span = (min(*(float(data.at_s[0]) for data in known), last - _LEAST_SPAN_S), last)
        before = self.getViewBox().viewRange()[0]
        self._fit_width()
        self._fit_height()
        if self.getViewBox().viewRange()[0] == before:
            self._draw()

    def show_events(self, events: Sequence[tuple[float, str]]) -> None:
        """Seconds since the epoch, and what happened: a dotted line each, its words where the pointer is."""
        if list(events) == self._events:
            return
        self._events = list(events)
        for line in self._event_lines:
            self.removeItem(line)
        self._event_lines = [pg.InfiniteLine(at_s, angle=90, pen=_event_pen()) for at_s, _ in events]
        for line in self._event_lines:
            self.addItem(line, ignoreBounds=True)

    def words_at(self, at_s: float) -> str:
        """What stands there: the time, each curve's newest value up to then, an event close by."""
        first_s, last_s = self.getViewBox().viewRange()[0]
        near_s = (last_s - first_s) * _NEAR_PX / max(self.getViewBox().width(), 1.0)
        parts = [f"{datetime.fromtimestamp(at_s, UTC).astimezone(MARKET_TIME):%H:%M:%S}"]
        for stage in (*STAGES, *BESIDE):
            data = self._series.get(stage)
            number = int(np.searchsorted(data.at_s, at_s, "right")) - 1 if data is not None else -1
            if data is not None and number >= 0:
                parts.append(f"{stage} {ms(10 ** float(data.log_ms[number]))}")
        close = [(abs(when - at_s), words) for when, words in self._events if abs(when - at_s) <= near_s]
        return " · ".join([*parts, *([min(close)[1]] if close else [])])

    def _point(self, at: QPointF) -> None:
        box = self.getViewBox()
        is_inside = box.sceneBoundingRect().contains(at)
        self._cross.setVisible(is_inside)
        self._said.setVisible(is_inside)
        if is_inside:
            at_s = box.mapSceneToView(at).x()
            self._cross.setPos(at_s)
            self._said.setText(self.words_at(at_s))
            first_s, last_s = box.viewRange()[0]
            self._said.setAnchor((0, 0) if at_s < (first_s + last_s) / 2 else (1, 0))
            self._said.setPos(at_s, box.viewRange()[1][1])

    def leaveEvent(self, event: QEvent) -> None:
        self._cross.hide()
        self._said.hide()
        super().leaveEvent(event)

    def _draw(self) -> None:
        """One ``setData`` a stage, of the part in view."""
        first_s, last_s = self.getViewBox().viewRange()[0]
        for stage, data in self._series.items():
            at_s, log_ms = data.course(first_s, last_s, _POINTS_A_PIXEL * max(self.width(), 1))
            curve = self._curves[stage]
            # A stage that took no time at all still has its line, at the foot.
            curve.setData(at_s, np.maximum(log_ms, _LOWEST + 0.06), antialias=len(at_s) <= _SPARSE)
            curve.setSymbol("o" if len(data) <= _FEW else None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back from a zoom by hand to all there is."""
        self._by_hand = False
        self._fit_width()
        super().mouseDoubleClickEvent(event)

    def _fit_width(self) -> None:
        if self._span is not None and not self._by_hand:
            self.setXRange(*self._span, padding=0.01)

    def _zoomed(self) -> None:
        self._by_hand = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_curves"):
            self._fit_height()

    def _fit_height(self) -> None:
        """From one half of a millisecond up to the slowest, with room for a line of words over the highest target."""
        share = min(_WORDS_PX / max(self.getViewBox().height(), 1.0), 0.5)
        over_target = (math.log10(TARGETS_MS[-1]) - share * _LOWEST) / (1 - share)
        self.setYRange(_LOWEST, max(over_target, math.log10(self._most_ms) + 0.1), padding=0)
        self._place_words()

    def _place_words(self) -> None:
        self._words.setPos(self.getViewBox().viewRange()[0][1], math.log10(TARGETS_MS[-1]))
