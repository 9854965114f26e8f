"""Leaving while something is on: a sheet that asks what becomes of working entries. Back has the focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from engine.model.words import Mode
from gui import formatting as say
from gui.dialogs.confirm import ConfirmStrip, Question

_WIDTH: Final = 540


class CloseSheet(ConfirmStrip):
    def __init__(self, mode: Mode, parent: QWidget) -> None:
        super().__init__(mode, name="close-sheet", parent=parent)
        self.setProperty("part", "sheet")
        self._mode = mode
        self._over = parent
        parent.installEventFilter(self)

    def ask_to_close(
        self, entries: int, positions: int, *, leave: Callable[[], object], cancel: Callable[[], object]
    ) -> None:
        """``leave`` goes with entries working, ``cancel`` has them canceled first."""
        held = say.plural(positions, "open trade")
        working = say.plural(entries, "working entry" if entries == 1 else "working entrie")
        stays = "Protective exits stay at the broker; what this desk watches or repairs ends with it."
        question = Question(
            "close",
            f"{self._mode.value.upper()}: close the desk with {held} and {working}?",
            stays,
            "Leave working entries" if entries else "Close",
            leave,
            also=("Cancel working entries", cancel) if entries else None,
        )
        self.ask(question)
        self.raise_()
        self._place()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _place(self) -> None:
        self.setFixedWidth(_WIDTH)
        self.adjustSize()
        parent = self._over
        self.move((parent.width() - self.width()) // 2, (parent.height() - self.height()) // 3)
