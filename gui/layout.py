"""Where the window's panels are: default proportions, and what the operator made of them, kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QSplitter

from gui import theme

LAYOUT_VERSION: Final = 1
_SIDES: Final = (0.2, 0.213)
"""Share of the width that the queue and the detail take."""
_BOTTOM: Final = 0.232


class Layout:
    def __init__(
        self, window: QMainWindow, docks: Mapping[str, QDockWidget], middle: QSplitter, layout_file: Path
    ) -> None:
        """Made when the window is complete: what it is then is what ``reset`` goes back to."""
        self._window = window
        self._docks = docks
        self._middle = middle
        self._settings = QSettings(str(layout_file), QSettings.Format.IniFormat)
        self._default = window.saveState(LAYOUT_VERSION)

    def use_theme(self, name: str) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.use(app, name)
        self._settings.setValue("theme", name)

    def reset(self) -> None:
        self._window.restoreState(self._default, LAYOUT_VERSION)
        for dock in self._docks.values():
            dock.show()
        self.share_out()

    def save(self) -> None:
        self._settings.setValue("geometry", self._window.saveGeometry())
        self._settings.setValue("state", self._window.saveState(LAYOUT_VERSION))
        self._settings.setValue("middle", self._middle.saveState())
        self._settings.sync()

    def restore(self) -> bool:
        """As it was left; False when there is nothing to go back to."""
        name = self._settings.value("theme")
        if name in theme.PALETTES and name != theme.tokens().name:
            self.use_theme(str(name))
        geometry, state = self._settings.value("geometry"), self._settings.value("state")
        if geometry is None or state is None:
            return False
        self._window.restoreGeometry(geometry)
        self._middle.restoreState(self._settings.value("middle"))
        return self._window.restoreState(state, LAYOUT_VERSION)

    def share_out(self) -> None:
        """The default proportions, of whatever size the window has."""
        window, docks = self._window, self._docks
        width, height = window.width(), window.height()
        left, right = (int(width * share) for share in _SIDES)
        window.resizeDocks(
            [docks["signals"], docks["detail"]], [max(left, 322), max(right, 270)], Qt.Orientation.Horizontal
        )
        bottom = [docks["incidents"], docks["latency"], docks["activity"]]
        window.resizeDocks(bottom, [int(width * 0.25), int(width * 0.45), int(width * 0.3)], Qt.Orientation.Horizontal)
        window.resizeDocks(bottom[:1], [max(int(height * _BOTTOM), 176)], Qt.Orientation.Vertical)
        self._middle.setSizes([43, 57])
