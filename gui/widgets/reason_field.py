"""Where a person types why: an approval over a warning takes no yes without it. Enter does nothing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from gui.theme import Type, font
from gui.widgets.field import Field

LONGEST: Final = 200
LACKING: Final = "A rule warns: say why it is a yes all the same"


class ReasonField(Field):
    def __init__(self, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(LACKING)
        self.setPlaceholderText("why, although a rule warns")
        self.setMaxLength(LONGEST)
        self.setFont(font(Type.BODY))
        self.hide()

    @property
    def reason(self) -> str:
        """Empty where none is wanted."""
        return "" if self.isHidden() else self.text().strip()

    @property
    def is_lacking(self) -> bool:
        return not self.isHidden() and not self.reason

    def want(self, wanted: bool) -> None:
        """What was typed stays while the question comes and goes with the numbers."""
        self.setVisible(wanted)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
