"""A day as a line: where in it one is, and what in it is worth stopping at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.formatting import MARKET_TIME, clock
from gui.theme import Type, font, tone

_EDGE: Final = 8
_TONES: Final = {"incident": "p1", "state": "p2", "decision": "entry", "start": "low"}
"""The earlier ones are drawn over the later ones where they meet."""
_STEP: Final = timedelta(seconds=10)
_LONG_STEP: Final = timedelta(minutes=1)
_STEPS_MIN: Final = (1, 2, 5, 10, 15, 30, 60, 120, 240)
_LABEL_EVERY_PX: Final = 76


class Mark(Protocol):
    @property
    def at(self) -> datetime: ...
    @property
    def kind(self) -> str: ...


class TimeSlider(QWidget):
    asked = Signal(object)
    """The time that a click, a drag or a key asks for."""

    def __init__(self, began_at: datetime, ended_at: datetime, marks: Sequence[Mark]) -> None:
        super().__init__()
        self.setObjectName("time-slider")
        self.setAccessibleName("Time of the day")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setMinimumWidth(120)
        self._began_at = began_at
        self._ended_at = max(ended_at, began_at + timedelta(seconds=1))
        order = list(_TONES)
        self._marks = sorted(marks, key=lambda mark: -order.index(mark.kind))
        self._at = began_at

    @property
    def at(self) -> datetime:
        return self._at

    def show_at(self, at: datetime) -> None:
        if at != self._at:
            self._at = at
            self.setAccessibleDescription(clock(at))
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, 34)

    def x_of(self, at: datetime) -> float:
        share = (at - self._began_at) / (self._ended_at - self._began_at)
        return _EDGE + min(max(share, 0.0), 1.0) * (self.width() - 2 * _EDGE)

    def time_at(self, x: float) -> datetime:
        share = (x - _EDGE) / max(self.width() - 2 * _EDGE, 1)
        return self._began_at + min(max(share, 0.0), 1.0) * (self._ended_at - self._began_at)

    # --- hand --------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.asked.emit(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self.time_at(event.position().x())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.asked.emit(at)
        QToolTip.showText(event.globalPosition().toPoint(), f"{clock(at)} ET", self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _LONG_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _STEP
        match event.key():
            case Qt.Key.Key_Left:
                self.asked.emit(self._at - step)
            case Qt.Key.Key_Right:
                self.asked.emit(self._at + step)
            case Qt.Key.Key_Home:
                self.asked.emit(self._began_at)
            case Qt.Key.Key_End:
                self.asked.emit(self._ended_at)
            case _:
                super().keyPressEvent(event)

    # --- painting ----------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        y, here = 12.0, self.x_of(self._at)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("plane3"))
        painter.drawRoundedRect(QRectF(_EDGE, y - 2, self.width() - 2 * _EDGE, 4), 2, 2)
        painter.setBrush(tone("past"))
        painter.drawRoundedRect(QRectF(_EDGE, y - 2, max(here - _EDGE, 0.0), 4), 2, 2)
        for mark in self._marks:
            x = round(self.x_of(mark.at)) + 0.5
            height = 8 if mark.kind == "incident" else 5
            painter.setPen(QPen(tone(_TONES[mark.kind]), 1))
            painter.drawLine(QPointF(x, y - height), QPointF(x, y + height))
        self._paint_hours(painter)
        painter.setPen(QPen(tone("plane1"), 1.5))
        painter.setBrush(tone("past" if not self.hasFocus() else "high"))
        painter.drawEllipse(QPointF(here, y), 6.5, 6.5)
        painter.end()

    def _paint_hours(self, painter: QPainter) -> None:
        minutes = (self._ended_at - self._began_at) / timedelta(minutes=1)
        wanted = minutes * _LABEL_EVERY_PX / max(self.width() - 2 * _EDGE, 1)
        step = next((each for each in _STEPS_MIN if each >= wanted), _STEPS_MIN[-1])
        local = self._began_at.astimezone(MARKET_TIME)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + timedelta(minutes=step) * (int((local - midnight) / timedelta(minutes=step)) + 1)
        painter.setFont(font(Type.SMALL))
        painter.setPen(tone("low"))
        while at < self._ended_at:
            x = self.x_of(at)
            box = QRectF(x - 24, 20, 48, 14)
            if box.left() >= 0 and box.right() <= self.width():
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{at.astimezone(MARKET_TIME):%H:%M}")
            at += timedelta(minutes=step)
