"""A label that is told its size and tone once, and repaints only when its words change."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from gui.theme import Type, font


def restyle(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet asks for. It costs a look-up of the sheet: only when it changes."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Text(QLabel):
    def __init__(
        self,
        text: str = "",
        kind: Type = Type.BODY,
        tone: str = "high",
        *,
        name: str = "",
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setFont(font(kind))
        self.setProperty("tone", tone)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        if name:
            self.setObjectName(name)

    def say(self, text: str) -> None:
        if text != self.text():
            self.setText(text)

    def set_tone(self, tone: str) -> None:
        restyle(self, "tone", tone)


class ElidedText(Text):
    """A label that ends with an ellipsis where its room ends, and says the rest in its tooltip."""

    def __init__(
        self,
        text: str = "",
        kind: Type = Type.BODY,
        tone: str = "high",
        *,
        name: str = "",
        greedy: bool = True,
        whole: bool = False,
    ) -> None:
        """``greedy`` takes all the room there is; else as much as the words need, and less when there is less.

        ``whole``: what does not fit is left to the tooltip altogether.
        """
        super().__init__(text, kind, tone, name=name)
        self._whole = whole
        wanted = QSizePolicy.Policy.Ignored if greedy else QSizePolicy.Policy.Preferred
        self.setSizePolicy(wanted, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        cut = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        if cut == self.text() or not self._whole:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
        painter.end()
        self.setToolTip(self.text() if cut != self.text() else "")


def rule(*, vertical: bool = True, length: int = 20) -> QWidget:
    """A hairline."""
    line = QWidget()
    line.setProperty("part", "rule")
    line.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    if vertical:
        line.setFixedSize(1, length)
    else:
        line.setFixedHeight(1)
    return line
