"""The drills in the window: the sheet, the chip in the state bar, and the clock that both follow while one runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QWidget

from gui.actions import Actions
from gui.dialogs.drill_sheet import DrillSheet, running_words
from gui.door import DrillDoor
from gui.panels.state_bar import StateBar


class Drills:
    def __init__(
        self, drills: DrillDoor, actions: Actions, bar: StateBar, window: QWidget, now: Callable[[], datetime]
    ) -> None:
        self._drills = drills
        self._bar = bar
        self._now = now
        self._sheet = DrillSheet(actions, window)
        self._one_runs = False
        bar.drill_clicked.connect(self.ask)

    def ask(self) -> None:
        self._sheet.ask(self._drills.view(), self._now())

    def dismiss(self) -> None:
        self._sheet.dismiss()

    def follow(self) -> None:
        """Something about the desk changed."""
        view, now = self._drills.view(), self._now()
        self._one_runs = view.running is not None
        self._bar.show_drill(running_words(view.running, now) if view.running is not None else None)
        self._sheet.follow(view, now)

    def beat(self) -> None:
        """Time went on: of use only while a drill runs."""
        if self._one_runs:
            self.follow()
