"""What stands on the candles: the trade's own executions, and the day's volume-weighted average price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from engine.views import BarView, BracketView
from gui.formatting import MARKET_TIME
from gui.theme import tone

MINUTE: Final = timedelta(minutes=1)
_HALF: Final = 4.5
"""Half the width of a mark, in pixels."""


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution: a triangle that points up for shares bought, down for shares sold."""

    at: datetime
    price: Decimal
    buys: bool


def fills_of(trade: BracketView) -> tuple[Fill, ...]:
    """One for each order of the trade that has executed, at its average price and the time of its last word."""
    return tuple(
        Fill(order.updated_at or order.status_since, order.filled_avg_price, order.side.sign > 0)
        for order in trade.orders
        if order.filled_qty > 0 and order.filled_avg_price is not None
    )


def vwap_of(bars: Sequence[BarView]) -> list[float | None]:
    """After each bar, from the first bar of its day in New York on; None while nothing has traded."""
    found: list[float | None] = []
    day, paid, volume = None, 0.0, 0.0
    for bar in bars:
        today = bar.at.astimezone(MARKET_TIME).date()
        if today != day:
            day, paid, volume = today, 0.0, 0.0
        paid += (bar.high + bar.low + bar.close) / 3 * bar.volume
        volume += bar.volume
        found.append(paid / volume if volume > 0 else None)
    return found


def bar_of(bars: Sequence[BarView], at: datetime) -> int | None:
    """Number of the bar in whose minute a moment lies; None when it is not in view."""
    length = min((b.at - a.at for a, b in pairwise(bars)), default=MINUTE)
    for number in range(len(bars) - 1, -1, -1):
        if bars[number].at <= at:
            is_newest = number == len(bars) - 1
            return number if is_newest or at < bars[number].at + length or at < bars[number + 1].at else None
    return None


def paint_vwap(
    painter: QPainter, values: Sequence[float | None], x: Callable[[int], float], y: Callable[[float], float]
) -> None:
    """``x`` of a bar's number, ``y`` of a price; both in pixels."""
    painter.setPen(QPen(tone("mid"), 1, Qt.PenStyle.DotLine))
    line = QPolygonF([QPointF(x(number), y(value)) for number, value in enumerate(values) if value is not None])
    painter.drawPolyline(line)


def paint_fills(
    painter: QPainter,
    fills: Sequence[Fill],
    bars: Sequence[BarView],
    x: Callable[[int], float],
    y: Callable[[float], float],
    plot: QRectF,
) -> None:
    for fill in fills:
        number = bar_of(bars, fill.at)
        if number is None:
            continue
        tip = QPointF(x(number), y(float(fill.price)))
        if not plot.contains(tip):
            continue
        down = 1.0 if fill.buys else -1.0
        base = tip.y() + down * 2 * _HALF
        painter.setPen(QPen(tone("plane1"), 1))
        painter.setBrush(tone("buy" if fill.buys else "sell"))
        painter.drawPolygon(QPolygonF([tip, QPointF(tip.x() - _HALF, base), QPointF(tip.x() + _HALF, base)]))
