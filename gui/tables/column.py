"""A column as data: its title, what it says of a row, how it sorts, and the cell that paints it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gui.tables.cells import Cell, TextCell


def _nothing(_row: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Column[R]:
    """One column over rows of type ``R``; with ``child_*`` also over the lines beneath them."""

    key: str
    title: str
    width: int
    text: Callable[[R], str]
    """The cell in words: shown by text cells, copied to the clipboard, searched by the filter."""
    sort: Callable[[R], Any] | None = None
    """Value to sort by, None last. Absent: the column cannot be sorted by."""
    cell: Cell = field(default_factory=TextCell)
    right: bool = False
    tip: Callable[[R], str] = _nothing
    child_text: Callable[[Any], str] = _nothing
    child_cell: Cell | None = None
    """Absent: the line beneath shows nothing in this column."""
    stretch: bool = False
    """Takes the width that is left; one column a table."""
    least: int = 0
    """Pixels it can do with when room is short: it gives first. Absent: as wide as ``width``."""
    firm: bool = False
    """Never narrower than ``width``: it holds buttons."""
    spare: int = 0
    """Goes when the table is narrow, the highest first; 0 stays."""
    follows: bool = False
    """What it says changes without its row: an order's trade, say."""
    group: str = ""
    """Not in sight until somebody wants it: the menu of the head offers it among these."""
