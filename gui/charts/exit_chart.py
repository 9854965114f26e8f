"""The price chart of a trade whose stop and target can be dragged.

A line is taken within some pixels, moves with the pointer from tick to tick, and says what it would mean. Letting go
asks for the move; Escape, or a place where it cannot be, leaves everything as it was. What was asked for stays hollow
until the broker has confirmed it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPen

from engine.model.money import round_to_tick
from gui.charts.price_chart import PriceChart, Scale, Tag
from gui.exit_words import Exit
from gui.formatting import price
from gui.theme import Type, font, tone

REACH: Final = 6
"""Pixels above and below a line in which it is taken."""
START: Final = 4
"""A press that moves less is no drag."""
_BANNER_H: Final = 22

type Meaning = Callable[[Exit, Decimal], tuple[str, bool]]
"""Of an exit at a price: what it would mean in words, and whether it can be there."""


class ExitChart(PriceChart):
    dropped = Signal(str, object)
    """``stop`` or ``target``, and the price that it was let go at."""

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self._trade = ""
        self._movable: frozenset[Exit] = frozenset()
        self._meaning: Meaning = lambda _which, _at: ("", False)
        self._pressed: tuple[Exit, float] | None = None
        """What was taken, and at which height."""
        self._at: Decimal | None = None
        """Where it is while it is dragged."""

    def set_movable(self, trade: str, movable: frozenset[Exit], meaning: Meaning) -> None:
        """Which lines can be dragged now, and of which trade.

        One that is in hand is let go when it cannot be moved any more, or when it is another trade's.
        """
        if self._pressed is not None and (self._pressed[0] not in movable or trade != self._trade):
            self.leave()
        self._trade, self._movable, self._meaning = trade, movable, meaning

    @property
    def is_dragging(self) -> bool:
        return self._at is not None

    def leave(self) -> None:
        """Back to where it stands."""
        self._pressed, self._at, self._held_scale = None, None, None
        self.unsetCursor()
        self.update()

    # --- the mouse -------------------------------------------------------------------------------------------

    def _line_at(self, y: float) -> Exit | None:
        scale = self._scale
        if scale is None:
            return None
        prices: dict[Exit, Decimal | None] = {"stop": self._lines.stop, "target": self._lines.target}
        reached = {
            which: abs(scale.y(float(at)) - y)
            for which, at in prices.items()
            if at is not None and which in self._movable
        }
        nearest = min(reached, key=lambda which: reached[which], default=None)
        return nearest if nearest is not None and reached[nearest] <= REACH else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        which = self._line_at(event.position().y())
        if event.button() is not Qt.MouseButton.LeftButton or which is None:
            super().mousePressEvent(event)
            return
        self._pressed = (which, event.position().y())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        y = event.position().y()
        if self._pressed is None:
            can = self._line_at(y) is not None
            self.setCursor(Qt.CursorShape.SizeVerCursor if can else Qt.CursorShape.ArrowCursor)
            return
        if self._at is None and abs(y - self._pressed[1]) < START:
            return
        self._held_scale = self._held_scale or self._scale
        assert self._held_scale is not None
        self._at = round_to_tick(Decimal(str(max(self._held_scale.value(y), 0.0001))))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or self._pressed is None:
            super().mouseReleaseEvent(event)
            return
        which, at = self._pressed[0], self._at
        self.leave()
        if at is not None and at != (self._lines.stop if which == "stop" else self._lines.target):
            _, can = self._meaning(which, at)
            if can:
                self.dropped.emit(which, at)

    # --- painting --------------------------------------------------------------------------------------------

    def more_tags(self, _scale: Scale) -> list[Tag]:
        if self._pressed is None or self._at is None:
            return []
        which, y = self._pressed[0], _scale.y(float(self._at))
        return [Tag(y, y, f"{which.capitalize()} {price(self._at)}", which, hollow=True)]

    def paint_more(self, painter: QPainter, plot: QRectF) -> None:
        if self._pressed is None or self._at is None:
            return
        words, can = self._meaning(self._pressed[0], self._at)
        painter.setFont(font(Type.SMALL_STRONG))
        box = self._banner(words, plot)
        painter.setPen(QPen(tone("line_strong"), 1))
        painter.setBrush(tone("plane3"))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(tone("high" if can else "p1_text"))
        inside = box.adjusted(10, 0, -6, 0)
        cut = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(inside.width()))
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, cut)

    def _banner(self, words: str, plot: QRectF) -> QRectF:
        """Where it stands what the place would mean: beneath what lies on the chart."""
        width = QFontMetrics(font(Type.SMALL_STRONG)).horizontalAdvance(words) + 20
        top = max(plot.top() + 4, self.childrenRect().bottom() + 6)
        return QRectF(8, top, min(width, self.width() - 16), _BANNER_H)

    def point_of(self, which: Exit) -> QPointF:
        """Where a line can be taken, in the widget's own pixels."""
        at = self._lines.stop if which == "stop" else self._lines.target
        assert self._scale is not None
        assert at is not None
        return QPointF(self.width() / 3, self._scale.y(float(at)))

    def point_at(self, value: Decimal) -> QPointF:
        assert self._scale is not None
        return QPointF(self.width() / 3, self._scale.y(float(value)))
