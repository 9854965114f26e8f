"""Cells that stand out for a moment when they change, in the columns that the operator wants that of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from PySide6.QtCore import QObject, QTimer

FLASH_MS: Final = 500

type CellKey = tuple[str, str]
"""A row's key and a column's."""


class Flashes(QObject):
    def __init__(self, over: Callable[[set[CellKey]], object], parent: QObject) -> None:
        """``over`` is told the cells of which the moment is over."""
        super().__init__(parent)
        self._over = over
        self.columns: frozenset[str] = frozenset()
        """By key; none by itself."""
        self._until_s: dict[CellKey, float] = {}
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._end)

    def choose(self, columns: Iterable[str]) -> None:
        """These columns and no others."""
        self.columns = frozenset(columns)

    def begin(self, key: str, column: str) -> None:
        if column in self.columns:
            self._until_s[key, column] = time.monotonic() + FLASH_MS / 1000
            if not self._timer.isActive():
                self._timer.start(FLASH_MS)

    def has(self, key: str, column: str) -> bool:
        return bool(self._until_s) and (key, column) in self._until_s

    def _end(self) -> None:
        now_s = time.monotonic()
        over = {cell for cell, until_s in self._until_s.items() if until_s <= now_s}
        for cell in over:
            del self._until_s[cell]
        self._over(over)
        if self._until_s:
            self._timer.start(max(1, round((min(self._until_s.values()) - now_s) * 1000)))
