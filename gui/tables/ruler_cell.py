"""The price ruler as a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QRectF

from gui.tables.cells import PAD, Cell, Paint
from gui.widgets.price_ruler import Marks, paint_ruler


class RulerCell(Cell):
    def __init__(self, marks: Callable[[Any], Marks]) -> None:
        self._marks = marks

    def paint(self, on: Paint, row: Any) -> None:
        paint_ruler(on.painter, QRectF(on.rect).adjusted(PAD - 5, 1, -PAD, 0), self._marks(row))

    def face(self, _text: str, row: Any) -> object:
        return self._marks(row)
