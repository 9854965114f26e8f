"""How much of a bound is used: a bar that fills, and the words. Full is the end of it, never told by colour alone."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from gui.theme import Type, tone
from gui.widgets.text import Text

_HEIGHT: Final = 6
_NEAR: Final = 0.8


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._share = 0.0

    def sizeHint(self) -> QSize:
        return QSize(40, _HEIGHT)

    def show_share(self, share: float) -> None:
        if share != self._share:
            self._share = share
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("line_strong"))
        painter.drawRoundedRect(QRectF(0, 0, self.width(), _HEIGHT), 2, 2)
        painter.setBrush(tone("p2_text" if self._share >= _NEAR else "mid"))
        painter.drawRoundedRect(QRectF(0, 0, self.width() * self._share, _HEIGHT), 2, 2)
        painter.end()


class BurnBar(QWidget):
    """One bound: words above, bar beneath."""

    def __init__(self, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._bar = _Bar()
        self._words = Text(kind=Type.SMALL, tone="mid", name=f"{name}-words")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self._words)
        column.addWidget(self._bar)

    def show_used(self, share: float, words: str) -> None:
        """``share`` of the bound that is used, 0 to 1; more than 1 is drawn as full."""
        self._bar.show_share(min(max(share, 0.0), 1.0))
        self._words.say(words)
        self._words.set_tone("p2_text" if share >= _NEAR else "mid")
        self.setAccessibleName(words)
