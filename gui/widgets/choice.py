"""A quiet button that says what is chosen and opens the other choices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from gui.theme import tone
from gui.widgets.button import Button
from gui.widgets.glyph import Glyph, paint_glyph

_ARROW = 14
_PAD = 6
_LEAST = 44


class Choice(Button):
    chosen = Signal(object)
    """The choice, None for all."""

    def __init__(self, everything: str, *, name: str, parent: QWidget | None = None) -> None:
        """``everything`` are the words for no choice at all (``All strategies``)."""
        super().__init__(everything, name=name, kind="quiet", parent=parent)
        self._everything = everything
        self._current: str | None = None
        self._menu = QMenu(self)
        self._menu.setObjectName(f"{name}-menu")
        self.setMenu(self._menu)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(_ARROW, 0)

    def minimumSizeHint(self) -> QSize:
        """Where room is short the words are cut; the menu says them in full."""
        return QSize(_LEAST, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(tone("high" if self.underMouse() or self._current is not None else "mid"))
        room = self.width() - _ARROW - _PAD
        words = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRect(_PAD, 0, room, self.height()), middle, words)
        at = QPointF(self.width() - _ARROW / 2, self.height() / 2 + 0.5)
        paint_glyph(painter, at, 10, Glyph.OPENED, tone("low"))
        painter.end()

    @property
    def current(self) -> str | None:
        return self._current

    def offer(self, choices: Sequence[str]) -> None:
        """What there is to choose from now. A choice that is gone stays until another is made."""
        words = [action.text() for action in self._menu.actions()]
        if words == [self._everything, *choices]:
            return
        self._menu.clear()
        for text, value in [(self._everything, None), *((each, each) for each in choices)]:
            self._menu.addAction(text, partial(self.choose, value))

    def choose(self, value: str | None) -> None:
        self._current = value
        self.setText(value or self._everything)
        self.updateGeometry()
        self.chosen.emit(value)
