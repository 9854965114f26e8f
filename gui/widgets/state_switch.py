"""The desk's state as four segments, in rising order of caution."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.model.words import DeskState
from gui.theme import CONTROL_RADIUS, Type, font, tone

_MEANING: Final = {
    DeskState.ACTIVE: "Active: approvals send.",
    DeskState.PAUSED: "Paused: nothing new is sent, working entries stay.",
    DeskState.REDUCING: "Reducing: working entries are canceled too; exits only.",
    DeskState.HALTED: "Halted: no approvals, no mandates. Protection is kept.",
}


class StateSwitch(QWidget):
    asked = Signal(object)
    """The ``DeskState`` clicked; what is shown changes only when the desk has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("desk-state")
        self._state = DeskState.ACTIVE
        self._hot: DeskState | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip("\n".join(_MEANING.values()))

    @property
    def state(self) -> DeskState:
        return self._state

    def show_state(self, state: DeskState) -> None:
        if state is not self._state:
            self._state = state
            self.setAccessibleName(f"Desk {state.value}")
            self.update()

    def segment(self, state: DeskState) -> QRectF:
        left = 2.0
        for each in DeskState:
            width = self._width(each)
            if each is state:
                return QRectF(left, 2, width, self.height() - 4)
            left += width
        raise ValueError(state)

    def _width(self, state: DeskState) -> float:
        return QFontMetrics(font(Type.MEDIUM)).horizontalAdvance(state.value.capitalize()) + 16.0

    def sizeHint(self) -> QSize:
        return QSize(int(sum(self._width(state) for state in DeskState)) + 4, 26)

    def _state_at(self, event: QMouseEvent) -> DeskState | None:
        return next((s for s in DeskState if self.segment(s).contains(event.position())), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        state = self._state_at(event)
        if state is not None and state is not self._state and event.button() is Qt.MouseButton.LeftButton:
            self.asked.emit(state)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hot = self._state_at(event)
        self.update()

    def leaveEvent(self, _event: object) -> None:
        self._hot = None
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(tone("line"), 1))
        painter.setBrush(tone("plane0"))
        painter.drawRoundedRect(box, CONTROL_RADIUS, CONTROL_RADIUS)
        for state in DeskState:
            part = self.segment(state)
            here = state is self._state
            if here:
                fill, ink = {
                    DeskState.ACTIVE: ("plane3", "high"),
                    DeskState.PAUSED: ("p2", "p2_ink"),
                    DeskState.REDUCING: ("p2", "p2_ink"),
                    DeskState.HALTED: ("p1", "p1_ink"),
                }[state]
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(tone(fill))
                painter.drawRoundedRect(part, 4, 4)
            else:
                ink = "high" if state is self._hot else "low"
            painter.setFont(font(Type.MEDIUM))
            painter.setPen(tone(ink))
            painter.drawText(part, Qt.AlignmentFlag.AlignCenter, state.value.capitalize())
        painter.end()
