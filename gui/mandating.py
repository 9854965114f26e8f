"""Mandates in the window: their count in the state bar leads to the sheet, which follows the desk while it is open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QWidget

from engine.model.words import Mode
from gui.actions import Actions
from gui.bridge import Bridge
from gui.dialogs.mandate_sheet import MandateSheet
from gui.panels.state_bar import StateBar


class Mandating:
    def __init__(
        self,
        mode: Mode,
        bridge: Bridge,
        actions: Actions,
        bar: StateBar,
        window: QWidget,
        now: Callable[[], datetime],
    ) -> None:
        self._bridge = bridge
        self._sheet = MandateSheet(mode, actions, now, window)
        self._sheet.asked_anew.connect(self.follow)
        bar.mandates_clicked.connect(self.ask)

    def ask(self) -> None:
        self._sheet.ask(self._bridge.mandates(), self._bridge.strategies())

    def follow(self) -> None:
        """Something about the desk changed: of use only while the sheet is open."""
        if not self._sheet.isHidden():
            self._sheet.follow(self._bridge.mandates())

    def dismiss(self) -> None:
        self._sheet.dismiss()
