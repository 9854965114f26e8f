"""Stop, entry, target and the live price on one line.

The losing side is drawn in the stop's colour and the winning side in the target's, so direction needs no word; the
live price is a triangle above. While the broker has not confirmed the exits, marks are hollow and the line is broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.formatting import price
from gui.theme import Type, font, tone

_TRIANGLE: Final = 3.8


@dataclass(frozen=True, slots=True)
class Marks:
    """Prices on the ruler; any may be unknown."""

    stop: Decimal | None
    entry: Decimal | None
    target: Decimal | None
    live: Decimal | None
    confirmed: bool = True
    stale: bool = False
    """The live price is old: its triangle is hollow."""
    targets: tuple[Decimal, ...] = ()
    """Where a trade leaves in parts; ``target`` is one of them."""


def paint_ruler(painter: QPainter, rect: QRectF, marks: Marks) -> dict[str, float]:
    """Draw ``marks`` into ``rect``; tells the x of each mark."""
    known = [float(p) for p in (marks.stop, marks.entry, marks.target, *marks.targets) if p is not None]
    if not known:
        return {}
    low, high = min(known), max(known)
    if marks.live is not None and len(known) == 1:
        low, high = min(low, float(marks.live)), max(high, float(marks.live))
    span = (high - low) or max(high * 0.01, 0.01)
    left, width = rect.left() + 5, rect.width() - 10
    y = rect.center().y() + 1.5

    def x_of(value: Decimal) -> float:
        share = (float(value) - low) / span
        return left + width * min(max(share, -0.015), 1.015)

    xs = {
        name: x_of(value)
        for name, value in (("stop", marks.stop), ("entry", marks.entry), ("target", marks.target))
        if value is not None
    }
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    entry = xs.get("entry", left + width / 2)
    style = Qt.PenStyle.SolidLine if marks.confirmed else Qt.PenStyle.DotLine
    for name, color in (("stop", "stop"), ("target", "target")):
        if name in xs:
            ink = QColor(tone(color))
            ink.setAlpha(120)
            painter.setPen(QPen(ink, 2.4 if marks.confirmed else 2, style, Qt.PenCapStyle.FlatCap))
            parts = [x_of(part) for part in marks.targets] if name == "target" else []
            end = max([xs[name], *parts], key=lambda x: abs(x - entry))
            painter.drawLine(QPointF(end, y), QPointF(entry, y))
    if "entry" in xs:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("mid"))
        painter.drawEllipse(QPointF(entry, y), 3, 3)
    bars = [(xs[name], name, 5.5) for name in ("stop", "target") if name in xs]
    bars += [(x_of(part), "target", 3.5) for part in marks.targets if part != marks.target]
    for x, color, half in bars:
        bar = QRectF(x - 1.5, y - half, 3.5, 2 * half)
        if marks.confirmed:
            painter.fillRect(bar, tone(color))
        else:
            painter.setPen(QPen(tone(color), 1))
            painter.setBrush(tone("plane1"))
            painter.drawRect(bar.adjusted(0, 0.5, 0.5, -0.5))
    xs |= {f"target {number}": x_of(part) for number, part in enumerate(marks.targets, start=1)}
    if marks.live is not None:
        x = xs["live"] = x_of(marks.live)
        points = [QPointF(x - _TRIANGLE, y - 9.5), QPointF(x + _TRIANGLE, y - 9.5), QPointF(x, y - 3.5)]
        painter.setPen(QPen(tone("low"), 1) if marks.stale else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush if marks.stale else tone("high"))
        painter.drawPolygon(QPolygonF(points))
    return xs


class PriceRuler(QWidget):
    """The ruler with its prices beneath, for a card."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: Marks | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, 38)

    def set_marks(self, marks: Marks) -> None:
        if marks != self._marks:
            self._marks = marks
            self.setAccessibleName(
                f"stop {price(marks.stop)}, entry {price(marks.entry)}, target {price(marks.target)}, "
                f"live {price(marks.live)}"
            )
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._marks is None:
            return
        painter = QPainter(self)
        xs = paint_ruler(painter, QRectF(-4, 0, self.width() + 8, 22), self._marks)
        painter.setFont(font(Type.SMALL))
        painter.setPen(tone("low"))
        texts = {"stop": self._marks.stop, "entry": self._marks.entry, "target": self._marks.target}
        taken: list[tuple[float, float]] = []
        for name in ("stop", "target", "entry"):  # the entry gives way when there is no room for it
            if name not in xs:
                continue
            text = price(texts[name])
            width = painter.fontMetrics().horizontalAdvance(text)
            x = min(max(xs[name] - width / 2, 0), self.width() - width)
            if any(x < right + 6 and left < x + width + 6 for left, right in taken):
                continue
            taken.append((x, x + width))
            painter.drawText(QPointF(x, 35), text)
        painter.end()
