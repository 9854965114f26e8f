"""State glyphs, drawn instead of typed: the text font lacks half of them and aligns the other half unevenly.

Each is a few strokes in a square of 1×1 around the origin, scaled to the row. One shape has one meaning everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF


class Glyph(Enum):
    DISC = auto()
    RING = auto()
    DOTTED = auto()
    HALF = auto()
    CLOCK = auto()
    SQUARE = auto()
    SQUARE_HOLLOW = auto()
    DIAMOND = auto()
    DIAMOND_HOLLOW = auto()
    WARNING = auto()
    PLAY = auto()
    SEND = auto()
    SWAP = auto()
    CROSS = auto()
    CROSS_HEAVY = auto()
    PAUSE = auto()
    QUESTION = auto()
    CYCLE = auto()
    LAPSED = auto()
    EYE = auto()
    CHECK = auto()
    OPENED = auto()
    SHUT = auto()
    NONE = auto()


_Draw = Callable[[QPainter, QColor], None]


def paint_glyph(painter: QPainter, center: QPointF, size: float, glyph: Glyph, color: QColor) -> None:
    """Draw ``glyph`` into a square of ``size`` pixels around ``center``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(center)
    painter.scale(size, size)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _DRAW[glyph](painter, color)
    painter.restore()


def _pen(color: QColor, width: float = 0.13, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    return QPen(color, width, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.MiterJoin)


def _disc(p: QPainter, c: QColor) -> None:
    p.setBrush(c)
    p.drawEllipse(QPointF(0, 0), 0.36, 0.36)


def _ring(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c))
    p.drawEllipse(QPointF(0, 0), 0.32, 0.32)


def _dotted(p: QPainter, c: QColor) -> None:
    pen = _pen(c, 0.12)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setDashPattern([1.3, 1.05])
    p.setPen(pen)
    p.drawEllipse(QPointF(0, 0), 0.33, 0.33)


def _half(p: QPainter, c: QColor) -> None:
    _ring(p, c)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(c)
    p.drawPie(QRectF(-0.36, -0.36, 0.72, 0.72), 90 * 16, 180 * 16)


def _clock(p: QPainter, c: QColor) -> None:
    _ring(p, c)
    p.setPen(_pen(c, 0.11))
    p.drawPolyline(QPolygonF([QPointF(0, -0.19), QPointF(0, 0.02), QPointF(0.15, 0.02)]))


def _square(p: QPainter, c: QColor) -> None:
    p.fillRect(QRectF(-0.31, -0.31, 0.62, 0.62), c)


def _square_hollow(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c))
    p.drawRect(QRectF(-0.27, -0.27, 0.54, 0.54))


def _polygon(p: QPainter, points: list[tuple[float, float]]) -> None:
    p.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))


def _diamond(p: QPainter, c: QColor) -> None:
    p.setBrush(c)
    _polygon(p, [(0, -0.46), (0.42, 0), (0, 0.46), (-0.42, 0)])


def _diamond_hollow(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.12))
    _polygon(p, [(0, -0.4), (0.36, 0), (0, 0.4), (-0.36, 0)])


def _warning(p: QPainter, c: QColor) -> None:
    p.setBrush(c)
    _polygon(p, [(0, -0.4), (0.44, 0.36), (-0.44, 0.36)])


def _play(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.12))
    _polygon(p, [(-0.24, -0.32), (0.34, 0), (-0.24, 0.32)])


def _send(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.14))
    p.drawLine(QPointF(-0.28, 0.28), QPointF(0.26, -0.26))
    p.drawPolyline(QPolygonF([QPointF(-0.1, -0.28), QPointF(0.28, -0.28), QPointF(0.28, 0.1)]))


def _swap(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.12))
    for up in (1, -1):
        p.drawLine(QPointF(-0.36, -0.15 * up), QPointF(0.36, -0.15 * up))
        p.drawLine(QPointF(0.36 * up, -0.15 * up), QPointF(0.18 * up, -0.33 * up))


def _cross(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.13))
    p.drawLine(QPointF(-0.26, -0.26), QPointF(0.26, 0.26))
    p.drawLine(QPointF(-0.26, 0.26), QPointF(0.26, -0.26))


def _cross_heavy(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.2))
    p.drawLine(QPointF(-0.28, -0.28), QPointF(0.28, 0.28))
    p.drawLine(QPointF(-0.28, 0.28), QPointF(0.28, -0.28))


def _pause(p: QPainter, c: QColor) -> None:
    p.fillRect(QRectF(-0.28, -0.34, 0.17, 0.68), c)
    p.fillRect(QRectF(0.11, -0.34, 0.17, 0.68), c)


def _question(p: QPainter, c: QColor) -> None:
    path = QPainterPath(QPointF(-0.22, -0.2))
    path.cubicTo(QPointF(-0.2, -0.52), QPointF(0.3, -0.5), QPointF(0.24, -0.16))
    path.cubicTo(QPointF(0.2, 0.02), QPointF(0.0, 0.0), QPointF(0.0, 0.18))
    p.setPen(_pen(c, 0.15))
    p.drawPath(path)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(c)
    p.drawEllipse(QPointF(0, 0.4), 0.1, 0.1)


def _cycle(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.12))
    p.drawArc(QRectF(-0.32, -0.32, 0.64, 0.64), 70 * 16, 290 * 16)
    p.drawPolyline(QPolygonF([QPointF(0.12, -0.46), QPointF(0.12, -0.28), QPointF(0.3, -0.26)]))


def _lapsed(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.11))
    _polygon(p, [(-0.26, -0.38), (0.26, -0.38), (-0.26, 0.38), (0.26, 0.38)])


def _eye(p: QPainter, c: QColor) -> None:
    path = QPainterPath(QPointF(-0.44, 0))
    path.quadTo(QPointF(0, -0.52), QPointF(0.44, 0))
    path.quadTo(QPointF(0, 0.52), QPointF(-0.44, 0))
    p.setPen(_pen(c, 0.11))
    p.drawPath(path)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(c)
    p.drawEllipse(QPointF(0, 0), 0.13, 0.13)


def _check(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.14))
    p.drawPolyline(QPolygonF([QPointF(-0.3, 0.02), QPointF(-0.08, 0.25), QPointF(0.32, -0.25)]))


def _opened(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.13))
    p.drawPolyline(QPolygonF([QPointF(-0.24, -0.12), QPointF(0, 0.13), QPointF(0.24, -0.12)]))


def _shut(p: QPainter, c: QColor) -> None:
    p.setPen(_pen(c, 0.13))
    p.drawPolyline(QPolygonF([QPointF(-0.12, -0.24), QPointF(0.13, 0), QPointF(-0.12, 0.24)]))


_DRAW: Final[dict[Glyph, _Draw]] = {
    Glyph.DISC: _disc,
    Glyph.RING: _ring,
    Glyph.DOTTED: _dotted,
    Glyph.HALF: _half,
    Glyph.CLOCK: _clock,
    Glyph.SQUARE: _square,
    Glyph.SQUARE_HOLLOW: _square_hollow,
    Glyph.DIAMOND: _diamond,
    Glyph.DIAMOND_HOLLOW: _diamond_hollow,
    Glyph.WARNING: _warning,
    Glyph.PLAY: _play,
    Glyph.SEND: _send,
    Glyph.SWAP: _swap,
    Glyph.CROSS: _cross,
    Glyph.CROSS_HEAVY: _cross_heavy,
    Glyph.PAUSE: _pause,
    Glyph.QUESTION: _question,
    Glyph.CYCLE: _cycle,
    Glyph.LAPSED: _lapsed,
    Glyph.EYE: _eye,
    Glyph.CHECK: _check,
    Glyph.OPENED: _opened,
    Glyph.SHUT: _shut,
    Glyph.NONE: lambda _p, _c: None,
}
