"""A few choices side by side, of which one is made."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from gui.widgets.button import Button


class Segments(QWidget):
    changed = Signal(str)
    """The value that is chosen now."""

    def __init__(self, choices: Sequence[tuple[str, str]], *, name: str, said: str, tinted: bool = False) -> None:
        """``choices`` are values with their words; ``said`` is what a screen reader calls the whole.

        ``tinted``: the one that is made has the colour that the theme gives its value.
        """
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(said)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, Button] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        for value, words in choices:
            button = self._buttons[value] = Button(words, name=f"{name}-{value}")
            button.setCheckable(True)
            if tinted:
                button.setProperty("tint", value)
            button.setAccessibleName(f"{said}: {words}")
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.toggled.connect(lambda on, value=value: self.changed.emit(value) if on else None)
            self._group.addButton(button)
            row.addWidget(button)
        self.choose(choices[0][0])

    @property
    def value(self) -> str:
        return next(value for value, button in self._buttons.items() if button.isChecked())

    def choose(self, value: str) -> None:
        self._buttons[value].setChecked(True)
