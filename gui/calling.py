"""Calling a person who looks elsewhere: the tray's icon and notifications, and the switch that keeps them quiet."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

from PySide6.QtCore import QObject, Qt

from gui.alerts import Alerts
from gui.bridge import Bridge
from gui.tray import Tray
from gui.window import MainWindow

_KEPT: Final = "notifications"


class Calling(QObject):
    def __init__(self, window: MainWindow, bridge: Bridge, pool: Executor, aside: Callable[[str, str], object]) -> None:
        """``aside`` raises a notification where the system has no tray; it runs in ``pool``."""
        super().__init__(window)
        self._window = window
        self.tray = Tray(window.mode, pool, aside)
        self.alerts = Alerts(window.mode, self.tray.notify, window.isActiveWindow)
        self.tray.asked.connect(self._bring)
        bridge.desk_changed.connect(self.tray.show_desk)
        bridge.incidents_changed.connect(self.alerts.take)
        self._settings = window.settings
        self.alerts.is_on = self._settings.value(_KEPT, "true") != "false"
        switch = window.state_bar.menu.addAction("Notifications")
        switch.setCheckable(True)
        switch.setChecked(self.alerts.is_on)
        switch.toggled.connect(self._switch)

    def put_away(self) -> None:
        self.tray.put_away()

    def _switch(self, on: bool) -> None:
        self.alerts.is_on = on
        self._settings.setValue(_KEPT, "true" if on else "false")

    def _bring(self) -> None:
        """In front of everything else, minimised or not."""
        window = self._window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
