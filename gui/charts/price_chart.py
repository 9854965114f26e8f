"""Minute candles of one symbol with its stop, entry, target and the live price.

Painted by hand: a few hundred candles cost under a millisecond, and tags, hollow labels and their order of
precedence are ours to decide. Floats are fine here: nothing is computed back into money.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from engine.views import BarView
from gui.charts.price_marks import Fill, paint_fills, paint_vwap, vwap_of
from gui.formatting import MARKET_TIME, price
from gui.theme import Type, font, tone

_AXIS: Final = 58
_FOOT: Final = 18
_LEAST_BARS: Final = 30
_MOST_AT_FIRST: Final = 240
_TAG_H: Final = 18
_VWAP_PX: Final = 130
"""At the foot, where the average price stands."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Price levels of the trade or proposal shown."""

    stop: Decimal | None = None
    entry: Decimal | None = None
    target: Decimal | None = None
    confirmed: bool = True
    """False: the broker has not confirmed the exits; their labels are hollow."""
    targets: tuple[Decimal, ...] = ()
    """Where a trade leaves in parts; ``target`` is one of them."""
    wanted_stop: Decimal | None = None
    wanted_target: Decimal | None = None
    """Moves that the broker has not confirmed yet: drawn hollow, beside where the exit still stands."""


class PriceChart(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("price-chart")
        self.setMinimumHeight(140)
        self._bars: Sequence[BarView] = ()
        self._vwap: Sequence[float | None] = ()
        self._vwap_words = ""
        self._fills: Sequence[Fill] = ()
        self._lines = Lines()
        self._live: float | None = None
        self._stale = False
        self._shown = 60
        self._shows_all = False
        self._scale: Scale | None = None
        """Of the newest paint."""
        self._held_scale: Scale | None = None
        """While something is dragged: prices that come meanwhile do not move the ground under it."""

    def sizeHint(self) -> QSize:
        return QSize(320, 300)

    def show_all_of_next(self) -> None:
        """The bars that come next are of another length of time: as many as there are."""
        self._shows_all = True

    def set_bars(self, bars: Sequence[BarView]) -> None:
        if self._shows_all and bars:
            self._shows_all = False
            self._shown = min(max(len(bars), _LEAST_BARS), _MOST_AT_FIRST)
        self._bars = bars
        self._vwap = vwap_of(bars)
        self.update()

    def set_fills(self, fills: Sequence[Fill]) -> None:
        if fills != self._fills:
            self._fills = fills
            self.update()

    def set_lines(self, lines: Lines) -> None:
        if lines != self._lines:
            self._lines = lines
            self.update()

    def set_live(self, value: Decimal | None, stale: bool) -> None:
        live = float(value) if value is not None else None
        if (live, stale) != (self._live, self._stale):
            self._live, self._stale = live, stale
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """More or fewer minutes."""
        factor = 0.85 if event.angleDelta().y() > 0 else 1.18
        self._shown = int(min(max(self._shown * factor, _LEAST_BARS), max(len(self._bars), _LEAST_BARS)))
        self.update()

    # --- painting --------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bars = self._bars[-self._shown :]
        lines = self._lines
        standing = (lines.stop, lines.entry, lines.target, *lines.targets, lines.wanted_stop, lines.wanted_target)
        levels = [float(p) for p in standing if p is not None]
        values = [b.high for b in bars] + [b.low for b in bars] + levels
        if self._live is not None:
            values.append(self._live)
        if not values:
            painter.setFont(font(Type.BODY))
            painter.setPen(tone("low"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No prices yet")
            painter.end()
            return
        low, high = min(values), max(values)
        pad = (high - low) * 0.09 or high * 0.01 or 1.0
        plot = QRectF(0, 6, self.width() - _AXIS, self.height() - _FOOT - 6)
        scale = self._scale = self._held_scale or Scale(low - pad, high + pad, plot)
        self._vwap_words = ""
        tags = apart([*self._tags(scale), *self.more_tags(scale)])
        self._paint_grid(painter, plot, scale, [tag.at for tag in tags])
        self._paint_bars(painter, plot, scale, bars)
        self._paint_marks(painter, plot, scale, bars)
        self._paint_lines(painter, plot, tags)
        if not self._lines.confirmed:
            self._paint_caption(painter, self.height() - 5, "hollow: not confirmed by the broker")
        if self._vwap_words:
            foot = self.height() - 5 if self._lines.confirmed else plot.bottom() - 4
            self._paint_caption(painter, foot, self._vwap_words)
        self.paint_more(painter, plot)
        painter.end()

    def more_tags(self, _scale: Scale) -> list[Tag]:
        """For a chart that shows more than lines that stand."""
        return []

    def paint_more(self, painter: QPainter, plot: QRectF) -> None:
        """On top of everything."""

    def _paint_caption(self, painter: QPainter, foot: float, words: str) -> None:
        """On the left, over any line that goes there: on a low chart the stop's does."""
        painter.setFont(font(Type.SMALL))
        width = painter.fontMetrics().horizontalAdvance(words)
        painter.fillRect(QRectF(4, foot - 11, width + 8, 15), tone("plane1"))
        painter.setPen(tone("low"))
        painter.drawText(QPointF(8, foot), words)

    def _paint_grid(self, painter: QPainter, plot: QRectF, scale: Scale, taken: list[float]) -> None:
        painter.setFont(font(Type.SMALL))
        for level in nice_steps(scale.low, scale.high, max(int(plot.height() / 56), 2)):
            y = round(scale.y(level)) + 0.5
            painter.setPen(QPen(tone("line"), 1))
            painter.drawLine(QPointF(0, y), QPointF(plot.right(), y))
            if any(abs(y - tag) < _TAG_H for tag in taken):
                continue  # the tag is the more precise label
            painter.setPen(tone("low"))
            box = QRectF(plot.right() + 4, y - 8, _AXIS - 12, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, price(level))

    def _paint_marks(self, painter: QPainter, plot: QRectF, scale: Scale, bars: Sequence[BarView]) -> None:
        if not bars:
            return
        step, right = _step(plot, bars), plot.right() - 8

        def x(number: int) -> float:
            return right - (len(bars) - 1 - number + 0.5) * step

        vwap = self._vwap[-len(bars) :]
        paint_vwap(painter, vwap, x, scale.y)
        if vwap and (newest := vwap[-1]) is not None:
            self._vwap_words = f"VWAP {price(newest)}"
        paint_fills(painter, self._fills, bars, x, scale.y, plot)

    def _paint_bars(self, painter: QPainter, plot: QRectF, scale: Scale, bars: Sequence[BarView]) -> None:
        if not bars:
            return
        step = _step(plot, bars)
        body = max(min(step * 0.62, 9.0), 1.0)
        ink = tone("candle")
        right = plot.right() - 8
        painter.setFont(font(Type.SMALL))
        last_label = math.inf
        days = _new_days(bars)
        for number, bar in enumerate(reversed(bars)):
            x = right - (number + 0.5) * step
            painter.setPen(QPen(ink, 1))
            painter.drawLine(QPointF(x, scale.y(bar.high)), QPointF(x, scale.y(bar.low)))
            top, bottom = scale.y(max(bar.open, bar.close)), scale.y(min(bar.open, bar.close))
            rising = bar.close >= bar.open
            painter.setBrush(tone("candle_hollow") if rising else ink)
            painter.drawRect(QRectF(x - body / 2, top, body, max(bottom - top, 1.0)))
            local = bar.at.astimezone(MARKET_TIME)
            if len(bars) - 1 - number in days:
                last_label = self._paint_day(painter, plot, x - step / 2, local, last_label)
            elif local.minute % 15 == 0 and last_label - x > 70 and x > _VWAP_PX and self._lines.confirmed:
                last_label = x
                painter.setPen(tone("low"))
                box = QRectF(x - 30, plot.bottom() + 1, 60, _FOOT)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{local:%H:%M}")

    def _paint_day(self, painter: QPainter, plot: QRectF, x: float, local: datetime, last_label: float) -> float:
        """A new day begins: a dotted line, and which one, where there is room. Tells where the newest label is."""
        painter.setPen(QPen(tone("line_strong"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        if last_label - x <= 44 or x <= _VWAP_PX or not self._lines.confirmed:
            return last_label
        painter.setPen(tone("mid"))
        box = QRectF(x - 30, plot.bottom() + 1, 60, _FOOT)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{local:%a} {local.day}")
        return x

    def _tags(self, scale: Scale) -> list[Tag]:
        hollow = not self._lines.confirmed
        wanted = [
            Tag(
                scale.y(float(value)),
                scale.y(float(value)),
                f"{name} {price(value)}",
                color,
                hollow and name != "Entry",
            )
            for value, name, color in (
                (self._lines.target, "Target", "target"),
                (self._lines.entry, "Entry", "entry"),
                (self._lines.stop, "Stop", "stop"),
            )
            if value is not None
        ]
        for number, part in enumerate(self._lines.targets, start=1):
            if part != self._lines.target:
                y = scale.y(float(part))
                wanted.append(Tag(y, y, f"Target {number} {price(part)}", "target", hollow))
        for moved, name, color in (
            (self._lines.wanted_target, "Target", "target"),
            (self._lines.wanted_stop, "Stop", "stop"),
        ):
            if moved is not None:
                y = scale.y(float(moved))
                wanted.append(Tag(y, y, f"{name} → {price(moved)}", color, hollow=True))
        if self._live is not None:
            y = scale.y(self._live)
            wanted.append(Tag(y, y, price(self._live), "low" if self._stale else "high", self._stale))
        return wanted

    def _paint_lines(self, painter: QPainter, plot: QRectF, tags: list[Tag]) -> None:
        styles = {"entry": Qt.PenStyle.SolidLine, "high": Qt.PenStyle.DotLine, "low": Qt.PenStyle.DotLine}
        for tag in tags:
            y = round(tag.level) + 0.5
            style = styles.get(tag.color, Qt.PenStyle.DashLine)
            painter.setPen(QPen(tone(tag.color), 1 if style is Qt.PenStyle.DotLine else 1.2, style))
            painter.drawLine(QPointF(0, y), QPointF(plot.right(), y))
        for tag in tags:
            self._paint_tag(painter, tag)

    def _paint_tag(self, painter: QPainter, tag: Tag) -> None:
        ink = tone(tag.color)
        painter.setFont(font(Type.SMALL_STRONG))
        width = max(QFontMetrics(painter.font()).horizontalAdvance(tag.text) + 14, _AXIS - 4)
        box = QRectF(self.width() - width - 3, tag.at - _TAG_H / 2, width, _TAG_H)
        painter.setPen(QPen(ink, 1))
        painter.setBrush(tone("plane1") if tag.hollow else ink)
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(ink if tag.hollow else tone("plane1"))
        middle = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box.adjusted(0, 0, -6, 0), middle, tag.text)


@dataclass(frozen=True, slots=True)
class Tag:
    level: float
    """Where its line is."""
    at: float
    """Where the tag is: lower than its line when another stands there."""
    text: str
    color: str
    hollow: bool


@dataclass(frozen=True, slots=True)
class Scale:
    low: float
    high: float
    plot: QRectF

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.plot.bottom() - share * self.plot.height()

    def value(self, y: float) -> float:
        """The price at a height."""
        share = (self.plot.bottom() - y) / self.plot.height()
        return self.low + share * (self.high - self.low)


def _new_days(bars: Sequence[BarView]) -> frozenset[int]:
    """Numbers of the bars with which a day of New York begins, but for the first."""
    dates = [bar.at.astimezone(MARKET_TIME).date() for bar in bars]
    return frozenset(number for number in range(1, len(dates)) if dates[number] != dates[number - 1])


def _step(plot: QRectF, bars: Sequence[BarView]) -> float:
    """Pixels from one bar to the next."""
    return (plot.width() - 12) / max(len(bars), _LEAST_BARS)


def apart(tags: list[Tag]) -> list[Tag]:
    """Tags moved down until none covers another."""
    placed: list[Tag] = []
    for tag in sorted(tags, key=lambda tag: tag.level):
        least = placed[-1].at + _TAG_H + 2 if placed else tag.level
        placed.append(replace(tag, at=max(tag.level, least)))
    return placed


def nice_steps(low: float, high: float, about: int) -> list[float]:
    """Round numbers between ``low`` and ``high``, roughly ``about`` of them."""
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    step = next((m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw), 10 * power)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]
