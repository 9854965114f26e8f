"""The key sheet (F1): a sheet over the window, gone with any click or Escape."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from gui.dialogs.sheet import Centred
from gui.keys import KEYS
from gui.theme import Type
from gui.widgets.text import Text


class KeySheet(QFrame):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("key-sheet")
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
        cap = Text("Ctrl 1–9", kind=Type.MONO_STRONG)
        cap.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(cap, len(KEYS) + 1, 0)
        grid.addWidget(Text("layouts, in the order of their names", tone="mid"), len(KEYS) + 1, 1)
        note = Text("Keys work while this window has the focus. Enter never sends.", kind=Type.SMALL, tone="low")
        grid.addWidget(note, len(KEYS) + 2, 0, 1, 2)
        self._place = Centred(self, parent)
        self.hide()

    def toggle(self) -> None:
        if self.isVisible():
            self.hide()
            return
        self._place.bring()

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.hide()
