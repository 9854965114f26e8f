"""The colours of buys and sells, to choose from: each market is used to others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtWidgets import QMenu, QWidget

from gui import theme

CAUTION: Final = "not for every eye"
"""Of pairs that eyes without red or green cones cannot tell apart; the letters B and S say it to everybody."""


class SidesMenu(QMenu):
    def __init__(self, use: Callable[[str], object], parent: QWidget) -> None:
        super().__init__("Buys and sells", parent)
        self._acts = {name: self.addAction(_words(name), partial(use, name)) for name in theme.SIDES}
        for act in self._acts.values():
            act.setCheckable(True)
        self.aboutToShow.connect(self._tick)

    def _tick(self) -> None:
        for name, act in self._acts.items():
            act.setChecked(name == theme.sides())


def _words(name: str) -> str:
    return name if name in theme.FOR_EVERY_EYE else f"{name} ({CAUTION})"
