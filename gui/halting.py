"""The halt ladder in the window: the button in the state bar, the sheet, and the question before it is left."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from engine.model.words import DeskState, Mode
from gui.actions import RELEASE, Actions
from gui.bridge import Bridge
from gui.dialogs.confirm import Question
from gui.dialogs.halt_sheet import HaltSheet
from gui.panels.state_bar import StateBar

RESUME = "resume"
"""Subject of the question."""


class Halting:
    def __init__(
        self,
        mode: Mode,
        bridge: Bridge,
        actions: Actions,
        bar: StateBar,
        window: QWidget,
        ask: Callable[[Question], object],
    ) -> None:
        """``ask`` puts a question to the operator where the window asks them."""
        self._mode = mode
        self._bridge = bridge
        self._actions = actions
        self._ask = ask
        self._sheet = HaltSheet(actions, window)
        self._sheet.resume_asked.connect(self._ask_resume)
        bar.halt_held.connect(lambda: actions.set_state(DeskState.HALTED))
        bar.ladder_clicked.connect(self.ask)

    def ask(self) -> None:
        self._sheet.ask(self._bridge.ladder())

    def follow(self) -> None:
        """Something about the desk changed: of use only while the sheet is open."""
        if not self._sheet.isHidden():
            self._sheet.follow(self._bridge.ladder())

    def dismiss(self) -> None:
        self._sheet.dismiss()

    def _ask_resume(self) -> None:
        self._sheet.dismiss()
        self._ask(
            Question(
                RESUME,
                f"{self._mode.value.upper()}: let the broker take orders again?",
                "The desk stays halted: releasing it is the next step.",
                "Resume trading",
                self._actions.resume_trading,
                typed=RELEASE,
            )
        )
