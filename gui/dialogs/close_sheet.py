"""Leaving while something is on: a sheet that asks what becomes of working entries. Back has the focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtWidgets import QWidget

from engine.model.words import Mode
from gui import formatting as say
from gui.dialogs.confirm import ConfirmStrip, Question
from gui.dialogs.sheet import Centred

_WIDTH: Final = 540


class CloseSheet(ConfirmStrip):
    def __init__(self, mode: Mode, parent: QWidget) -> None:
        super().__init__(mode, name="close-sheet", parent=parent)
        self._mode = mode
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)

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
        self._place.bring()
