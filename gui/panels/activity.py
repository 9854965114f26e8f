"""The log as it happens: fixed width, newest on top, with a filter."""

from __future__ import annotations

from engine.model.words import Mode
from engine.views import ActivityLine
from gui import formatting as say
from gui.tables.blotter import Blotter
from gui.tables.cells import TextCell
from gui.tables.column import Column
from gui.tables.row_model import RowModel
from gui.theme import Type
from gui.widgets.panel import FilterBox, Panel

KEPT = 5_000
PAGE = 100

_TONES = {"bad": "p1_text", "warn": "p2_text", "good": "mid", "info": "mid"}

COLUMNS: tuple[Column[ActivityLine], ...] = (
    Column(
        "at",
        "Time",
        98,
        lambda line: say.clock(line.at, millis=True),
        lambda line: line.seq,
        TextCell("low", Type.MONO),
        tip=lambda line: say.stamp(line.at),
    ),
    Column("symbol", "Symbol", 56, lambda line: line.symbol or "", cell=TextCell(kind=Type.MONO_STRONG)),
    Column(
        "text",
        "What",
        200,
        lambda line: line.text,
        cell=TextCell(lambda line: _TONES.get(line.level, "mid"), Type.MONO),
        tip=lambda line: line.text,
        stretch=True,
    ),
)


class ActivityPanel(Panel):
    def __init__(self, mode: Mode) -> None:
        super().__init__("activity", ["Activity"], mode)
        self.model: RowModel[ActivityLine] = RowModel(COLUMNS, lambda line: str(line.seq), limit=KEPT, page=PAGE)
        self.view = Blotter(self.model)
        self.view.setObjectName("activity-table")
        self.view.setHeaderHidden(True)
        self.view.set_row_height(19, lined=False)
        self.view.sortByColumn(0, self.view.header().sortIndicatorOrder().DescendingOrder)
        self.add_page(self.view, "Nothing yet. Signals, decisions, fills and repairs are written here.")
        self.filter = FilterBox("activity-filter")
        self.filter.textChanged.connect(self.model.set_filter)
        self.header.add_tool(self.filter)
        self.set_empty(0, True)

    def forget(self) -> None:
        """Time has gone back: what was told later is not told yet."""
        self.model.drop_all()

    def take(self, lines: list[ActivityLine]) -> None:
        self.model.stage(lines)
        self.model.flush()
        self.set_empty(0, not self.model.rowCount() and not self.filter.text())
