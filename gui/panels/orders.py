"""Every order at the broker or on its way there, with what may be done about it, and what has executed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication

from engine.model.words import TERMINAL, Mode, OrderRole, OrderStatus
from engine.views import BracketView, OrderView
from engine.views_truth import UnknownView
from gui import formatting as say
from gui.actions import Actions
from gui.dialogs.confirm import Question
from gui.order_words import Number
from gui.panels.fills import CSV_HEAD, Fills
from gui.panels.order_columns import FILLED, ROLE, SIDE, STATUS, SYMBOL
from gui.panels.order_edit import OrderEdit
from gui.panels.order_extras import TradeOf, extras
from gui.status_words import order_face, role_words
from gui.tables.blotter import Blotter
from gui.tables.cells import ButtonsCell, HollowCell, RowButton, TextCell
from gui.tables.column import Column
from gui.tables.row_model import RowModel
from gui.widgets.button import Button
from gui.widgets.panel import FilterBox, Panel

ORDERS_TAB: Final = 0
FILLS_TAB: Final = 1


def is_open(order: OrderView) -> bool:
    return order.status not in TERMINAL or order.unresolved_since is not None


def order_rank(order: OrderView) -> int:
    """Unsettled ones first, then what is on its way, then the rest."""
    if order.unresolved_since is not None:
        return 0
    if order.status is OrderStatus.SENDING:
        return 1
    return 2 if is_open(order) else 3


def _buttons(order: OrderView) -> Sequence[RowButton]:
    if order.unresolved_since is not None:
        return (
            RowButton("lookup", "Look up", tip="Ask the broker now whether it has this order"),
            RowButton("attest", "Attest", tip="Settle it by your word: the broker never had it"),
        )
    if not is_open(order):
        return ()
    tip = order.cancel_consequence or "Ask the broker to cancel it  (C)"
    return (RowButton("cancel", "Cancel", enabled=order.can_cancel, tip=tip),)


def _note(order: OrderView) -> str:
    if order.status is OrderStatus.UNRECOGNISED and order.raw_status:
        return f"the broker's word: {order.raw_status}"
    return order.last_error or order.note


PRICE: Final = HollowCell(lambda order: order.status is OrderStatus.SENDING)
"""Hollow until the broker has the order."""


def columns(now: Callable[[], datetime], trade_of: TradeOf = lambda _order: None) -> tuple[Column[OrderView], ...]:
    """``now`` makes the ages, ``trade_of`` knows the trade of an order."""

    def age(order: OrderView) -> str:
        return say.age(order.unresolved_since or order.status_since, now())

    def note(order: OrderView) -> str:
        return _note(order) if order.unknown is None else unknown_words(order.unknown, now())

    return (
        STATUS,
        SYMBOL,
        SIDE,
        ROLE,
        FILLED,
        Column(
            "limit",
            "Limit",
            74,
            lambda o: say.price(o.limit_price),
            lambda o: o.limit_price,
            PRICE,
            right=True,
            least=66,
        ),
        Column(
            "stop", "Stop", 74, lambda o: say.price(o.stop_price), lambda o: o.stop_price, PRICE, right=True, least=66
        ),
        Column("age", "In state", 66, age, lambda o: o.created_at, TextCell("mid"), right=True, tip=_since, spare=5),
        Column("note", "Note", 110, note, note, TextCell(_note_tone, inset=6), tip=_note_tip, stretch=True, spare=9),
        *extras(now, trade_of),
        Column("acts", "", 122, lambda _o: "", cell=ButtonsCell(_buttons), firm=True),
    )


def unknown_words(unknown: UnknownView, now: datetime) -> str:
    """What the newest look-up found, and when the next one is."""
    said = unknown.said or "fate at the broker unknown"
    if unknown.next_look_at is None:
        return f"{said} · being asked, or left to you"
    left = max(0.0, (unknown.next_look_at - now).total_seconds())
    return f"{said} · asked again in {say.seconds(left)}"


def _note_tip(order: OrderView) -> str:
    unknown = order.unknown
    if unknown is None:
        return _note(order)
    lines = [unknown.said, f"asked {unknown.looks} times, not known {unknown.misses} times"]
    if unknown.looked_at is not None:
        lines.append(f"newest {say.stamp(unknown.looked_at)} · request {unknown.request_id or say.NONE}")
    return "\n".join(filter(None, lines))


_NUMBERS: Final[dict[str, Number]] = {"filled": "qty", "limit": "limit_price", "stop": "stop_price"}
"""Column -> the number of an order that stands in it."""


def _since(order: OrderView) -> str:
    lines = [f"since {say.stamp(order.status_since)}", f"created {say.stamp(order.created_at)}"]
    if order.evidence is not None:
        lines.append(f"{order.evidence.source.value} {order.evidence.id or ''} {say.stamp(order.evidence.at)}")
    return "\n".join(lines)


def _note_tone(order: OrderView) -> str:
    return "high" if order.last_error and is_open(order) else "low"


class OrdersPanel(Panel):
    chosen = Signal(object)
    change_asked = Signal(object, object)
    """An order, and the ``OrderChange`` that was typed."""

    def __init__(self, mode: Mode, actions: Actions, now: Callable[[], datetime]) -> None:
        super().__init__("orders", ["Live orders", "Fills"], mode)
        self._actions = actions
        self._mode = mode
        self._trade_of: TradeOf = lambda _order: None
        self.model: RowModel[OrderView] = RowModel(
            columns(now, lambda order: self._trade_of(order)),
            lambda o: o.id,
            accepts=is_open,
            stays=lambda o: o.unresolved_since is not None,
            rank=order_rank,
            limit=20_000,
        )
        self.model.filtered.connect(lambda: self._count())
        self.view = Blotter(self.model)
        self.view.setObjectName("order-table")
        self.view.show_sorted("age", descending=True)
        self.view.pressed.connect(self._pressed)
        self.view.chosen.connect(self.chosen)
        self.add_page(self.view, "No working orders. An approval sends one; its stop and target follow beneath it.")
        self.fills = Fills()
        self.fills.chosen.connect(self.chosen)
        self.add_page(self.fills, "Nothing has executed yet. Every order that the broker fills has a line here.")
        self.show_all = Button("Open", name="orders-all", kind="quiet")
        self.show_all.setToolTip("Show closed orders too")
        self.show_all.clicked.connect(self._toggle_all)
        self.filter = FilterBox("order-filter")
        self.filter.textChanged.connect(self._filter)
        copy = Button("Copy CSV", name="orders-copy", kind="quiet")
        copy.clicked.connect(self.copy_csv)
        for tool in (self.filter, self.show_all, copy):
            self.header.add_tool(tool)
        self.header.tabs.chosen.connect(lambda tab: self.show_all.setVisible(tab == ORDERS_TAB))
        self._all = False
        self.edit = OrderEdit(mode, self.view, lambda order: self._trade_of(order))
        self.edit.change_asked.connect(self.change_asked)
        self.add_foot(self.edit)
        self.view.cell_opened.connect(lambda column, order: self.edit.begin(order, _NUMBERS.get(column)))
        self._count()

    @property
    def views(self) -> tuple[Blotter, ...]:
        """In the order of the tabs."""
        return (self.view, self.fills)

    def current_view(self) -> Blotter:
        """The table in sight."""
        return self.views[self.header.tabs.current]

    def follow_trades(self, trade_of: Callable[[OrderView], BracketView | None]) -> None:
        """Where the trade of an order is shown."""
        self._trade_of = trade_of

    def look_at_trades(self, changed: Sequence[str]) -> None:
        """These trades are others now: an order may be sorted or filtered by what its trade says."""
        trades = frozenset(changed)
        self.model.look_again(lambda order: order.bracket_id in trades)
        self.model.flush()

    def take(self, orders: list[OrderView], gone: list[str]) -> None:
        self.model.stage(orders)
        self.model.drop(gone)
        self.model.flush()
        self.fills.take(orders, gone)
        question = self.confirm.question
        if question is not None:
            asked = self.model.row(question.subject)
            if asked is None or not (asked.can_cancel or asked.unresolved_since):
                self.confirm.dismiss()
        self.edit.follow()
        self._count()

    def show_time(self) -> None:
        """Ages move."""
        if self.view.isVisible():
            self.view.show_time()

    def reveal(self, order_id: str) -> None:
        """Choose its row, whatever hides it."""
        order = self.model.row(order_id)
        if order is None:
            return
        self.header.tabs.choose(ORDERS_TAB)
        self.filter.clear()
        if not self._all and not is_open(order):
            self._toggle_all()
        self.view.choose(order_id)
        self.view.scrollTo(self.model.index_of(order_id))

    def edit_current(self) -> None:
        row = self.view.current_row()
        if row is not None and self.header.tabs.current == ORDERS_TAB:
            self.edit.begin(row)

    def cancel_current(self) -> str:
        """Why nothing is canceled; empty when it is, or asked."""
        row = self.view.current_row() if self.header.tabs.current == ORDERS_TAB else None
        if row is None:
            return "No order is selected."
        if not row.can_cancel:
            return f"There is nothing to cancel: {row.symbol} is {order_face(row).word}."
        self._pressed("cancel", row)
        return ""

    def csv_text(self) -> str:
        """The rows as shown, with the values behind them."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        if self.header.tabs.current == FILLS_TAB:
            writer.writerow(CSV_HEAD)
            writer.writerows(["" if value is None else value for value in row] for row in self.fills.csv_rows())
            return out.getvalue()
        writer.writerow(
            [
                "id",
                "client_order_id",
                "broker_id",
                "symbol",
                "side",
                "role",
                "type",
                "status",
                "qty",
                "filled_qty",
                "filled_avg_price",
                "limit_price",
                "stop_price",
                "time_in_force",
                "created_at",
                "note",
            ]
        )
        for o in self.model.rows():
            values = (
                *(o.id, o.client_order_id, o.broker_id, o.symbol, o.side.value, o.role.value, o.type.value),
                *(o.status.value, o.qty, o.filled_qty, o.filled_avg_price, o.limit_price, o.stop_price),
                *(o.time_in_force.value, o.created_at.isoformat(), _note(o)),
            )
            writer.writerow(["" if value is None else value for value in values])
        return out.getvalue()

    def copy_csv(self) -> None:
        QGuiApplication.clipboard().setText(self.csv_text())

    def _pressed(self, name: str, order: OrderView) -> None:
        match name:
            case "lookup":
                self._actions.lookup_order(order.id)
            case "attest":
                self._ask_attest(order)
            case "cancel" if order.cancel_consequence is None:
                self._actions.cancel_order(order.id)
            case "cancel":
                self._ask_cancel(order)

    def _ask_cancel(self, order: OrderView) -> None:
        role = role_words(order)
        what = f"{role} of {say.qty(order.qty)} {order.symbol}"
        price = order.stop_price if order.role is OrderRole.STOP_LOSS else order.limit_price
        at = f" at {say.price(price)}" if price is not None else ""
        self.confirm.ask(
            Question(
                order.id,
                f"{self._mode.value.upper()}: cancel the {what}{at}: {order.cancel_consequence}.",
                "Canceling one leg of a bracket takes its sibling with it.",
                f"Cancel, {order.cancel_consequence}",
                lambda: self._actions.cancel_order(order.id),
            )
        )

    def _ask_attest(self, order: OrderView) -> None:
        self.confirm.ask(
            Question(
                order.id,
                f"{self._mode.value.upper()}: state that the broker never had this {role_words(order)} "
                f"of {say.qty(order.qty)} {order.symbol}.",
                "It is recorded as your word. If the order exists after all, it is found and comes back.",
                "It never reached the broker",
                lambda: self._actions.attest_never_reached(order.id),
            )
        )

    def _toggle_all(self) -> None:
        self._all = not self._all
        self.show_all.setText("All" if self._all else "Open")
        self.model.set_accepts((lambda _order: True) if self._all else is_open)
        self._count()

    def _filter(self, text: str) -> None:
        self.model.set_filter(text)
        self.fills.filter(text)

    def _count(self) -> None:
        count = self.model.rowCount()
        self.header.tabs.set_count(ORDERS_TAB, count, self.model.total if self.model.is_filtered else None)
        self.set_empty(ORDERS_TAB, not count and not self.model.is_filtered)
        shown = self.fills.rows.rowCount() if self.fills.rows.is_filtered else None
        self.header.tabs.set_count(
            FILLS_TAB, *((shown, self.fills.count) if shown is not None else (self.fills.count or None,))
        )
        self.set_empty(FILLS_TAB, not self.fills.count)
