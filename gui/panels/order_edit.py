"""An order's numbers changed where they stand: a field over each cell, and the whole change in a sentence beneath.

Nothing is sent by Enter, and nothing shows as changed before the broker has said so: the order that is to replace this
one comes in as a row of its own, its prices hollow until then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from engine.model.commands import OrderChange
from engine.model.money import round_to_tick
from engine.model.words import Mode
from engine.views import BracketView, OrderView
from gui.order_words import Number, change_against, change_means, change_sentence, changeable
from gui.panels.signal_edit import NumberField
from gui.tables.blotter import Blotter
from gui.theme import CARD_PAD, Type
from gui.widgets.button import Button
from gui.widgets.text import Text

_COLUMNS: Final[dict[Number, str]] = {"qty": "filled", "limit_price": "limit", "stop_price": "stop"}
_TITLES: Final[dict[Number, str]] = {"qty": "Quantity", "limit_price": "Limit", "stop_price": "Stop"}


class OrderEdit(QFrame):
    change_asked = Signal(object, object)
    """The order, and its ``OrderChange``."""

    def __init__(self, mode: Mode, view: Blotter, trade_of: Callable[[OrderView], BracketView | None]) -> None:
        super().__init__()
        self.setObjectName("order-edit")
        self.setProperty("part", "strip")
        self._mode = mode
        self._view = view
        self._trade_of = trade_of
        self._order: OrderView | None = None
        self._fields: dict[Number, NumberField] = {}
        for name, title in _TITLES.items():
            field = self._fields[name] = NumberField(name)
            field.setParent(view.viewport())
            field.setObjectName(f"order-{name}")
            field.setAccessibleName(title)
            field.textEdited.connect(self._type)
            field.installEventFilter(self)
            field.hide()
        self._sentence = Text(kind=Type.STRONG, wrap=True, name="order-edit-sentence")
        self._means = Text(tone="mid", wrap=True, name="order-edit-means")
        self._change = Button("Change", name="order-edit-change", kind="go")
        back = Button("Back", name="order-edit-back")
        self._change.clicked.connect(self._ask)
        back.clicked.connect(self.leave)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._sentence)
        words.addWidget(self._means)
        row = QHBoxLayout(self)
        row.setContentsMargins(CARD_PAD, 8, CARD_PAD, 8)
        row.setSpacing(8)
        row.addLayout(words, 1)
        row.addWidget(back, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._change, 0, Qt.AlignmentFlag.AlignVCenter)
        view.viewport().installEventFilter(self)
        view.verticalScrollBar().valueChanged.connect(self.place)
        view.header().sectionResized.connect(self.place)
        view.rows.layoutChanged.connect(self.place)
        view.rows.rowsInserted.connect(self.place)
        view.rows.rowsRemoved.connect(self.place)
        self.hide()

    @property
    def order(self) -> OrderView | None:
        """What is being changed."""
        return self._order

    def begin(self, order: OrderView, first: Number | None = None) -> bool:
        """Fields over its numbers, the cursor in ``first``; False when nothing of it can be changed."""
        can = changeable(order)
        if not can:
            return False
        self._order = order
        for name, field in self._fields.items():
            field.propose(getattr(order, name) if name in can else None)
            field.setEnabled(name in can)
        self._tell()
        self.show()
        self.place()
        wanted = first if first in can else next(name for name in ("limit_price", "stop_price", "qty") if name in can)
        self._fields[wanted].setFocus(Qt.FocusReason.OtherFocusReason)
        self._fields[wanted].selectAll()
        return True

    def follow(self) -> None:
        """Newer pictures have come: what is typed stays, unless there is nothing left to change."""
        if self._order is None:
            return
        newest: OrderView | None = self._view.rows.row(self._order.id)
        if newest is None or not changeable(newest):
            self.leave()
            return
        self._order = newest
        for name, field in self._fields.items():
            if field.isEnabled() and field.value is None and field.is_number:
                stands = getattr(newest, name)
                if field.proposed != stands and not field.hasFocus():
                    field.propose(stands)
        self._tell()

    def leave(self) -> None:
        if self._order is None:
            return
        self._order = None
        self.hide()
        for field in self._fields.values():
            field.hide()
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    def place(self) -> None:
        """The fields stand where the numbers do, whatever moves them."""
        order = self._order
        for name, field in self._fields.items():
            box = self._view.cell_rect(order.id, _COLUMNS[name]) if order is not None else None
            shown = box is not None and not box.isEmpty() and field.isEnabled()
            if shown and box is not None:
                field.setGeometry(box.adjusted(2, 1, 0, -2))
            field.setVisible(shown)

    # --- inside ----------------------------------------------------------------------------------------------

    @property
    def _wanted(self) -> OrderChange:
        values = {name: field.value for name, field in self._fields.items() if field.isEnabled()}
        prices = {
            name: value if name == "qty" or value is None else round_to_tick(value) for name, value in values.items()
        }
        return OrderChange(**prices)

    @property
    def _is_sound(self) -> bool:
        return all(
            field.is_number and bool(field.text().strip()) for field in self._fields.values() if field.isEnabled()
        )

    def _type(self) -> None:
        for field in self._fields.values():
            field.check()
        self._tell()

    def _tell(self) -> None:
        order = self._order
        if order is None:
            return
        change, trade = self._wanted, self._trade_of(order)
        against = change_against(order, trade, change) if self._is_sound else "A field holds no number."
        is_changed = change != OrderChange()
        self._sentence.say(f"{self._mode.value.upper()}: {change_sentence(order, change)}")
        words = against or (
            change_means(order, trade, change) if is_changed else "Type another number. Enter sends nothing."
        )
        self._means.say(words)
        self._means.set_tone("p2_text" if against is not None else "mid")
        self._change.setEnabled(is_changed and against is None)

    def _ask(self) -> None:
        order, change = self._order, self._wanted
        if order is not None and self._change.isEnabled():
            self.leave()
            self.change_asked.emit(order, change)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and watched is self._view.viewport():
            self.place()
        if (
            event.type() is QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and watched is not self._view.viewport()
        ):
            if event.key() == Qt.Key.Key_Escape:
                self.leave()
                return True
            return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)  # it never sends
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
            return
        super().keyPressEvent(event)
