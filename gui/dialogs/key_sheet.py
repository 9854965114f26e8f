"""The key sheet (F1): a sheet over the window, gone with any click or Escape."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from gui.keys import KEYS
from gui.theme import Type
from gui.widgets.text import Text


class KeySheet(QFrame):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("key-sheet")
        self.setProperty("part", "sheet")
        grid = QGridLayout(self)
        grid.setContentsMargins(24, 18, 24, 18)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(7)
        grid.addWidget(Text("Keys", kind=Type.SYMBOL), 0, 0, 1, 2)
        for row, key in enumerate(KEYS, start=1):
            cap = Text(key.shown, kind=Type.MONO_STRONG)
            cap.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(cap, row, 0)
            grid.addWidget(Text(key.words, tone="mid"), row, 1)
        note = Text("Keys work while this window has the focus. Enter never sends.", kind=Type.SMALL, tone="low")
        grid.addWidget(note, len(KEYS) + 1, 0, 1, 2)
        self._over = parent
        parent.installEventFilter(self)
        self.hide()

    def toggle(self) -> None:
        if self.isVisible():
            self.hide()
            return
        self.show()
        self.raise_()
        self._place()

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.hide()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _place(self) -> None:
        self.adjustSize()
        parent = self._over
        self.move((parent.width() - self.width()) // 2, (parent.height() - self.height()) // 2)
