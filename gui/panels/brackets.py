"""Every trade with its cover: open brackets, positions, and what is closed. Trouble stands on top."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from PySide6.QtCore import Signal

from engine.model.words import BracketStatus, Mode
from engine.views import BracketView, PositionView
from gui import formatting as say
from gui.actions import Actions
from gui.dialogs.confirm import Question
from gui.panels import bracket_columns, bracket_extras, positions
from gui.panels.account import AccountPage
from gui.status_words import bracket_face
from gui.tables.blotter import Blotter
from gui.tables.row_model import RowModel
from gui.widgets.panel import FilterBox, Panel

BRACKETS_TAB = 0
POSITIONS_TAB = 1
HISTORY_TAB = 2
ACCOUNT_TAB = 3


class BracketsPanel(Panel):
    chosen = Signal(object)
    """The ``BracketView`` or ``PositionView`` moved to."""

    def __init__(self, mode: Mode, actions: Actions, now: Callable[[], datetime]) -> None:
        """``now`` makes the ages."""
        super().__init__("brackets", ["Brackets", "Positions", "History", "Account"], mode)
        self._actions = actions
        self._mode = mode
        self.model: RowModel[BracketView] = RowModel(
            bracket_columns.open_columns(bracket_extras.extras(now)),
            lambda b: b.id,
            accepts=lambda b: b.status is not BracketStatus.CLOSED,
            stays=bracket_columns.is_trouble,
            rank=bracket_columns.rank,
            children=lambda b: b.orders,
        )
        self.positions: RowModel[PositionView] = RowModel(
            positions.COLUMNS,
            lambda p: p.symbol,
            stays=lambda p: positions.wash(p) is not None,
            rank=positions.rank,
        )
        self.history: RowModel[BracketView] = RowModel(
            bracket_columns.closed_columns(),
            lambda b: b.id,
            accepts=lambda b: b.status is BracketStatus.CLOSED,
            children=lambda b: b.orders,
            limit=5_000,
        )
        self.view = self._blotter(self.model, "bracket-table", bracket_columns.wash, expandable=True)
        self.position_view = self._blotter(self.positions, "position-table", positions.wash)
        self.history_view = self._blotter(self.history, "bracket-history", lambda _row: None, expandable=True)
        self.history_view.sortByColumn(
            len(self.history.columns) - 1, self.view.header().sortIndicatorOrder().DescendingOrder
        )
        self.add_page(self.view, "No open trades. An approved signal appears here, with its stop and target.")
        self.add_page(self.position_view, "No positions. What the account holds appears here, whoever bought it.")
        self.add_page(self.history_view, "No closed trades yet.")
        for model in (self.model, self.positions, self.history):
            model.filtered.connect(self._count)
        self.account = AccountPage()
        self.add_page(self.account)
        self.filter = FilterBox("bracket-filter")
        self.filter.textChanged.connect(self._filter)
        self.header.add_tool(self.filter)
        self._count()

    def _blotter(self, model: RowModel[Any], name: str, wash: Any, *, expandable: bool = False) -> Blotter:
        view = Blotter(model, wash=wash, expandable=expandable)
        view.setObjectName(name)
        view.pressed.connect(self._pressed)
        view.chosen.connect(self.chosen)
        return view

    @property
    def views(self) -> tuple[Blotter, ...]:
        """In the order of the tabs."""
        return (self.view, self.position_view, self.history_view)

    def current_view(self) -> Blotter:
        """The table in sight; behind the account, that of the open trades."""
        tab = self.header.tabs.current
        return self.views[tab] if tab < ACCOUNT_TAB else self.view

    def take(self, brackets: list[BracketView], gone: list[str]) -> None:
        self.model.stage(brackets)
        self.model.drop(gone)
        self.model.flush()
        self.history.stage(b for b in brackets if b.status is BracketStatus.CLOSED)
        self.history.drop([*gone, *(b.id for b in brackets if b.status is not BracketStatus.CLOSED)])
        self.history.flush()
        for bracket in brackets:
            if not bracket.can_flatten:
                self.confirm.forget(bracket.id)
        self._count()

    def take_positions(self, views: list[PositionView], gone: list[str]) -> None:
        self.positions.stage(views)
        self.positions.drop(gone)
        self.positions.flush()
        for symbol in gone:
            self.confirm.forget(symbol)
        self._count()

    def show_time(self) -> None:
        """Ages move, where somebody wants to see them."""
        if self.view.isVisible() and self.view.brought:
            self.view.show_time()

    def retry_current(self) -> str:
        """Why nothing is placed again; empty when it is."""
        row = self.view.current_row()
        if row is None:
            return "No trade is selected."
        if not row.can_retry:
            return f"{row.symbol} is {bracket_face(row).word}: it has no exits to place again."
        self._actions.retry(row.id)
        return ""

    def flatten_current(self) -> None:
        row = self.current_view().current_row()
        if row is not None:
            self._pressed("flatten", row)

    def ask_flatten(self, bracket: BracketView) -> None:
        if not bracket.can_flatten:
            return
        held, symbol = say.qty(bracket.held_qty), bracket.symbol
        verb = "Sell" if bracket.side.sign > 0 else "Buy back"
        price = say.price(bracket.market_price)
        pl = say.money(bracket_columns.profit(bracket), signed=True)
        self.confirm.ask(
            Question(
                bracket.id,
                f"{self._mode.value.upper()}: {verb} {held} {symbol} near {price} and cancel its exits; "
                f"closes the trade at about {pl}.",
                "The stop stays at the broker until the close has filled wherever the broker allows it.",
                f"Flatten {held} {symbol}",
                lambda: self._actions.flatten(bracket.id),
            )
        )

    def _ask_flatten_symbol(self, position: PositionView) -> None:
        held = say.qty(abs(position.qty))
        self.confirm.ask(
            Question(
                position.symbol,
                f"{self._mode.value.upper()}: close {held} {position.symbol} near {say.price(position.market_price)}.",
                "All trades of this symbol end; their exits are canceled by the close.",
                f"Flatten {held} {position.symbol}",
                lambda: self._actions.flatten_symbol(position.symbol),
            )
        )

    def _pressed(self, name: str, row: object) -> None:
        match name, row:
            case "retry", BracketView():
                self._actions.retry(row.id)
            case "flatten", BracketView():
                self.ask_flatten(row)
            case "flatten", PositionView():
                self._ask_flatten_symbol(row)

    def _filter(self, text: str) -> None:
        for model in (self.model, self.positions, self.history):
            model.set_filter(text)

    def _count(self) -> None:
        for tab, model in ((BRACKETS_TAB, self.model), (POSITIONS_TAB, self.positions), (HISTORY_TAB, self.history)):
            count = model.rowCount()
            total = model.total if model.is_filtered else None
            self.header.tabs.set_count(tab, count if count or total or tab == BRACKETS_TAB else None, total)
            self.set_empty(tab, not count and not model.is_filtered)
