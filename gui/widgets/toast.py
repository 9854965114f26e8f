"""A refusal or a note at the lower edge of the window: names its code, goes by itself, stops nothing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from gui.theme import CARD_PAD, GAP, Type
from gui.widgets.button import Button
from gui.widgets.text import Text

_SHOWN_MS: Final = 9_000
_MARGIN: Final = 18


class Toast(QFrame):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.setProperty("part", "strip")
        self.setProperty("level", "p1")
        self._code = Text(kind=Type.MONO_STRONG, tone="p1_text", name="toast-code")
        self._words = Text(name="toast-text", wrap=False)
        close = Button("Dismiss", name="toast-dismiss", kind="quiet")
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(CARD_PAD, GAP, GAP, GAP)
        row.setSpacing(10)
        row.addWidget(self._code)
        row.addWidget(self._words)
        row.addWidget(close)
        self._timer = QTimer(self, singleShot=True, interval=_SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        self._over = parent
        parent.installEventFilter(self)
        self.hide()

    def tell(self, code: str, words: str) -> None:
        self._code.say(code)
        self._words.say(words)
        self.show()
        self.raise_()
        self._place()
        self._timer.start()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        parent = self._over
        most = parent.width() - 2 * _MARGIN
        self._words.setWordWrap(self.sizeHint().width() > most)
        self.adjustSize()
        self.resize(min(self.width(), most), self.height())
        self.move((parent.width() - self.width()) // 2, parent.height() - self.height() - _MARGIN)
