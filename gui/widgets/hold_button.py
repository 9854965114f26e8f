"""A button that acts only when held: the bar that fills is the time left to let go."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QElapsedTimer, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import CONTROL_RADIUS, Type, font, tone

HOLD_MS: Final = 1_000
_STEP_MS: Final = 33


class HoldButton(QWidget):
    held = Signal()
    """Once, after it was held for the whole time."""

    def __init__(self, text: str, *, name: str, hold_ms: int = HOLD_MS, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(text)
        self._text = text
        self._hold_ms = hold_ms
        self._since = QElapsedTimer()
        self._timer = QTimer(self, interval=_STEP_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._step)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Hold for one second. Stops approvals and entries, cancels working ones; protection stays.")

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(font(Type.STRONG)).horizontalAdvance(self._text) + 26, 28)

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.updateGeometry()
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.isEnabled():
            self._since.start()
            self._timer.start()
            self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._let_go()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._let_go()
        super().focusOutEvent(event)

    def _let_go(self) -> None:
        self._timer.stop()
        self.update()

    def _step(self) -> None:
        if self._since.elapsed() >= self._hold_ms:
            self._let_go()
            self.held.emit()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(box, CONTROL_RADIUS, CONTROL_RADIUS)
        on = self.isEnabled()
        painter.fillPath(shape, tone("p1_wash" if on else "plane2"))
        if self._timer.isActive():
            share = min(self._since.elapsed() / self._hold_ms, 1.0)
            painter.save()
            painter.setClipPath(shape)
            painter.fillRect(QRectF(0, 0, self.width() * share, self.height()), tone("p1"))
            painter.restore()
        painter.setPen(QPen(tone("p1_text" if on else "line"), 1))
        painter.drawPath(shape)
        painter.setFont(font(Type.STRONG))
        painter.setPen(tone("high" if on else "low"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()
