"""A button that acts only when held, by mouse or by Space: the bar that fills is the time left to let go."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QElapsedTimer, QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import CONTROL_RADIUS, Type, font, tone

HOLD_MS: Final = 1_000
_STEP_MS: Final = 33


class HoldButton(QWidget):
    held = Signal()
    """Once, after it was held for the whole time."""
    tapped = Signal()
    """It was let go before its time, or only tells something by now."""

    def __init__(
        self, text: str, *, name: str, tip: str = "", hold_ms: int = HOLD_MS, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(text)
        self._text = text
        self._hold_ms = hold_ms
        self._is_armed = True
        self._is_down = False
        self._since = QElapsedTimer()
        self._timer = QTimer(self, interval=_STEP_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._step)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tip)

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(font(Type.STRONG)).horizontalAdvance(self._text) + 26, 28)

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.updateGeometry()
            self.update()

    def arm(self, on: bool) -> None:
        """Whether holding it does anything; a tap is told either way."""
        if on is not self._is_armed:
            self._is_armed = on
            self._let_go()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._press()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._release()

    def event(self, event: QEvent) -> bool:
        """While this has the focus, Space is its key and not the window's."""
        is_key = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space
        if is_key and event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self._press()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._release()

    def _press(self) -> None:
        self._is_down = True
        if self._is_armed and self.isEnabled():
            self._since.start()
            self._timer.start()
            self.update()

    def _release(self) -> None:
        was_down, self._is_down = self._is_down, False
        self._let_go()
        if was_down and self.isEnabled():
            self.tapped.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._is_down = False
        self._let_go()
        super().focusOutEvent(event)

    def _let_go(self) -> None:
        self._timer.stop()
        self.update()

    def _step(self) -> None:
        if self._since.elapsed() >= self._hold_ms:
            self._let_go()
            self._is_down = False
            self.held.emit()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(box, CONTROL_RADIUS, CONTROL_RADIUS)
        on = self.isEnabled() and self._is_armed
        painter.fillPath(shape, tone("p1_wash" if on else "plane2"))
        if self._timer.isActive():
            share = min(self._since.elapsed() / self._hold_ms, 1.0)
            painter.save()
            painter.setClipPath(shape)
            painter.fillRect(QRectF(0, 0, self.width() * share, self.height()), tone("p1"))
            painter.restore()
        painter.setPen(QPen(tone("p1_text" if on else "line"), 2 if self.hasFocus() else 1))
        painter.drawPath(shape)
        painter.setFont(font(Type.STRONG))
        painter.setPen(tone("high" if on else "low"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()
