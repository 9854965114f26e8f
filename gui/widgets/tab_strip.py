"""Tabs in a panel's header: words with a count, the chosen one underlined."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import HEADER, Type, font, tone

_GAP: Final = 14


class TabStrip(QWidget):
    chosen = Signal(int)

    def __init__(self, titles: list[str], *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._titles = titles
        self._counts: list[str] = [""] * len(titles)
        self._current = 0
        self._hot = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def current(self) -> int:
        return self._current

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(self._titles)

    def turn(self, by: int) -> None:
        """To the next one, or the one before; behind the last comes the first."""
        self.choose((self._current + by) % len(self._titles))

    def set_count(self, tab: int, count: int | None, total: int | None = None) -> None:
        """``total`` where a filter hides the others: 3/25."""
        text = "" if count is None else str(count) if total is None else f"{count}/{total}"
        if self._counts[tab] != text:
            self._counts[tab] = text
            self.updateGeometry()
            self.update()

    def choose(self, tab: int) -> None:
        if tab != self._current:
            self._current = tab
            self.update()
            self.chosen.emit(tab)

    def tab_rect(self, tab: int) -> QRectF:
        left = 0.0
        for number in range(tab):
            left += self._width(number) + _GAP
        return QRectF(left, 0, self._width(tab), self.height())

    def _width(self, tab: int) -> float:
        width = QFontMetrics(font(Type.STRONG)).horizontalAdvance(self._titles[tab])
        count = self._counts[tab]
        return width + (5 + QFontMetrics(font(Type.BODY)).horizontalAdvance(count) if count else 0)

    def sizeHint(self) -> QSize:
        return QSize(int(sum(self._width(n) + _GAP for n in range(len(self._titles)))), HEADER - 2)

    def _tab_at(self, event: QMouseEvent) -> int:
        hits = (
            n for n in range(len(self._titles)) if self.tab_rect(n).adjusted(-6, 0, 6, 0).contains(event.position())
        )
        return next(hits, -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        tab = self._tab_at(event)
        if tab < 0:
            event.ignore()  # the header below it may be dragged
            return
        self.choose(tab)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hot = self._tab_at(event)
        if hot != self._hot:
            self._hot = hot
            self.update()
        event.ignore()

    def leaveEvent(self, _event: object) -> None:
        self._hot = -1
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for number, title in enumerate(self._titles):
            here = number == self._current
            box = self.tab_rect(number)
            painter.setFont(font(Type.STRONG if here else Type.BODY))
            painter.setPen(tone("high" if here or number == self._hot else "mid"))
            painter.drawText(box, middle, title)
            if self._counts[number]:
                left = painter.fontMetrics().horizontalAdvance(title) + 5
                painter.setFont(font(Type.BODY))
                painter.setPen(tone("low"))
                painter.drawText(box.adjusted(left, 0, 20, 0), middle, self._counts[number])
            if here and len(self._titles) > 1:
                width = QFontMetrics(font(Type.STRONG)).horizontalAdvance(title)
                painter.fillRect(QRectF(box.left(), self.height() - 4, width, 2), tone("high"))
        painter.end()
