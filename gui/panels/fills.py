"""What has executed: one line for each order that the broker has filled, all or in part, the newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from PySide6.QtGui import QShowEvent

from engine.views import OrderView
from gui import formatting as say
from gui.panels.order_columns import FILLED, ROLE, SIDE, STATUS, SYMBOL
from gui.tables.blotter import Blotter
from gui.tables.cells import TextCell
from gui.tables.column import Column
from gui.tables.row_model import RowModel

KEPT: Final = 20_000
"""Lines, at most: the newest."""
CSV_HEAD: Final = (
    "time",
    "symbol",
    "side",
    "role",
    "filled_qty",
    "filled_avg_price",
    "value",
    "order_id",
    "bracket_id",
)


def executed_at(order: OrderView) -> datetime:
    """The broker's stamp of the newest word about it; without one, since when it is as it is."""
    return order.updated_at or order.status_since


def value(order: OrderView) -> Decimal | None:
    """Of what was executed, in account currency."""
    return None if order.filled_avg_price is None else order.filled_qty * order.filled_avg_price


COLUMNS: Final[tuple[Column[OrderView], ...]] = (
    Column(
        "time",
        "Time",
        86,
        lambda o: say.clock(executed_at(o)),
        executed_at,
        TextCell("mid"),
        tip=lambda o: say.stamp(executed_at(o)),
    ),
    SYMBOL,
    SIDE,
    ROLE,
    replace(FILLED, spare=0),
    Column(
        "price",
        "Average",
        82,
        lambda o: say.price(o.filled_avg_price),
        lambda o: o.filled_avg_price,
        right=True,
        least=66,
    ),
    Column("value", "Value", 92, lambda o: say.money(value(o)), value, TextCell("mid"), right=True, spare=2),
    replace(STATUS, title="Order", stretch=True, spare=4),
)


class Fills(Blotter):
    """Rows wait while the page is out of sight: under load most of what changes are executions."""

    def __init__(self) -> None:
        model: RowModel[OrderView] = RowModel(COLUMNS, lambda o: o.id, limit=KEPT)
        super().__init__(model)
        self._model = model
        self.setObjectName("fill-table")
        self.show_sorted("time", descending=True)
        self._waiting: dict[str, OrderView | None] = {}
        self._known: dict[str, None] = {}
        """The one that executed first is the first."""

    @property
    def count(self) -> int:
        """Orders with executions, in sight or not."""
        return len(self._known)

    def take(self, orders: Iterable[OrderView], gone: Iterable[str]) -> None:
        for order in orders:
            if order.filled_qty:
                self._known[order.id] = None
                self._waiting[order.id] = order
            elif order.id in self._known:  # the venue took all of it back
                self._forget(order.id)
        for key in self._known.keys() & set(gone):
            self._forget(key)
        while len(self._known) > KEPT:
            self._forget(next(iter(self._known)))
        if self.isVisible():
            self._show_waiting()

    def _forget(self, order_id: str) -> None:
        del self._known[order_id]
        if self._model.row(order_id) is not None:
            self._waiting[order_id] = None
        else:
            self._waiting.pop(order_id, None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_waiting()

    def filter(self, text: str) -> None:
        self._model.set_filter(text)

    def csv_rows(self) -> list[tuple[object, ...]]:
        """As shown, beneath ``CSV_HEAD``."""
        return [
            (
                *(executed_at(o).isoformat(), o.symbol, o.side.value, o.role.value),
                *(o.filled_qty, o.filled_avg_price, value(o), o.id, o.bracket_id),
            )
            for o in self._model.rows()
        ]

    def _show_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self._model.stage(order for order in waiting.values() if order is not None)
        self._model.drop(key for key, order in waiting.items() if order is None)
        self._model.flush()
