"""The fields of an order ticket, and the signal that they make: the desk's own form, as a strategy would send it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from engine.views import SignalView
from gui import formatting as say
from gui.theme import Type, font
from gui.widgets.segments import Segments
from gui.widgets.text import Text, restyle

STRATEGY: Final = "manual"
TTL_S: Final = 120
"""Should the desk die between the receipt and the yes: so long the ticket waits in the queue for a person."""
_SIDES: Final = (("buy", "Buy"), ("sell", "Short"))
_ENTRIES: Final = (("market", "Market"), ("limit", "Limit"), ("stop", "Stop"), ("stop_limit", "Stop limit"))
_LASTS: Final = (("day", "Day"), ("gtc", "Until canceled"))
_SIZES: Final = (("qty", "Shares"), ("notional", "$"), ("risk_pct", "Risk %"), ("risk_usd", "Risk $"))
_STOPS: Final = (("stop_price", "Price"), ("percent", "%"), ("trail_percent", "Trail %"))
_TARGETS: Final = (("limit_price", "Price"), ("percent", "%"), ("r", "R"))
_WITH_LIMIT: Final = frozenset({"limit", "stop_limit"})
_WITH_TRIGGER: Final = frozenset({"stop", "stop_limit"})
_FIELD_OF: Final = {
    "entry.limit_price": "limit",
    "entry.stop_price": "trigger",
    "qty": "size",
    "stop_loss": "stop",
    "take_profit": "target",
}
"""The desk's name of a field, or the beginning of it -> the name it has here."""


_SPOKEN: Final = {
    r"entry\.limit_price": "the limit",
    r"entry\.stop_price": "the trigger",
    r"stop_loss(\.\w+)?": "the stop",
    r"take_profit(\.\w+)?": "the target",
    r"qty(\.\w+)?": "the size",
    "symbol": "the symbol",
}
"""What a refusal of the desk calls by the name that the field has in a signal."""


def in_words(text: str) -> str:
    """A refusal as a person reads it who sees the form and not the signal."""
    for name, spoken in _SPOKEN.items():
        text = re.sub(rf"\b{name}\b", spoken, text)
    return say.sentence(text)


class TicketForm(QWidget):
    changed = Signal()
    """The fields say something else now."""
    symbol_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("ticket-form")
        self._known = QStringListModel(self)
        self.symbol = self._line("symbol", "Symbol", "AAPL")
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.symbol.setCompleter(completer)
        self.side = Segments(_SIDES, name="ticket-side", said="Side", tinted=True)
        self.entry = Segments(_ENTRIES, name="ticket-entry", said="Entry")
        self.lasts = Segments(_LASTS, name="ticket-lasts", said="Lasts")
        self.sizing = Segments(_SIZES, name="ticket-sizing", said="Size in")
        self.stopping = Segments(_STOPS, name="ticket-stopping", said="Stop as")
        self.aiming = Segments(_TARGETS, name="ticket-aiming", said="Target as")
        self._lines = {
            "symbol": self.symbol,
            "limit": self._line("limit", "Limit price", "limit", width=92),
            "trigger": self._line("trigger", "Trigger price", "trigger", width=92),
            "size": self._line("size", "Size", "desk's sizer"),
            "stop": self._line("stop", "Stop", "required"),
            "target": self._line("target", "Target", "none"),
        }
        self._quote = Text(kind=Type.SMALL, tone="mid", name="ticket-quote")
        self._choices = (self.side, self.entry, self.lasts, self.sizing, self.stopping, self.aiming)
        for choice in self._choices:
            choice.changed.connect(self._tell)
        self._lay_out()
        self._show_prices()

    def _lay_out(self) -> None:
        first = self._row(self.symbol, self.side, self._quote)
        second = self._row(self.entry, self._lines["limit"], self._lines["trigger"], self.lasts)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        rows = (("Size", "size", self.sizing), ("Stop", "stop", self.stopping), ("Target", "target", self.aiming))
        for number, (title, name, unit) in enumerate(rows):
            grid.addWidget(Text(title, tone="mid"), number, 0)
            grid.addWidget(self._lines[name], number, 1)
            grid.addWidget(unit, number, 2, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(2, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(9)
        column.addLayout(first)
        column.addLayout(second)
        column.addLayout(grid)

    @staticmethod
    def _row(*widgets: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        for widget in widgets:
            row.addWidget(widget)
        row.addStretch(1)
        return row

    def _line(self, name: str, title: str, hint: str, *, width: int = 112) -> QLineEdit:
        line = QLineEdit()
        line.setObjectName(f"ticket-{name}")
        line.setAccessibleName(title)
        line.setPlaceholderText(hint)
        line.setFont(font(Type.BODY))
        line.setFixedWidth(width)
        line.textChanged.connect(self._tell)
        return line

    # --- filling ---------------------------------------------------------------------------------------------

    def begin(self, symbols: Sequence[str], symbol: str = "", side: str = "buy") -> None:
        """Empty but for the symbol, with the units of last time; the cursor where the next word goes."""
        self._known.setStringList(list(symbols))
        self.side.choose(side)
        self.entry.choose("market")
        for name, line in self._lines.items():
            line.setText(symbol if name == "symbol" else "")
        first = self._lines["size"] if symbol else self.symbol
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def copy(self, signal: SignalView) -> list[str]:
        """The order that a signal proposed; returns what of it a ticket cannot say."""
        left_out: list[str] = []
        self.side.choose(signal.side.value)
        entry, stop, target = signal.entry, signal.stop_loss, signal.take_profit
        for choice, value, offered in (
            (self.entry, entry.type.value, _ENTRIES),
            (self.lasts, entry.time_in_force.value, _LASTS),
        ):
            if value in {each for each, _ in offered}:
                choice.choose(value)
            else:
                left_out.append(value.replace("_", " "))
        self.sizing.choose("qty")
        self.stopping.choose("stop_price")
        self.aiming.choose("limit_price")
        if stop is not None and stop.limit_price is not None:
            left_out.append(f"the limit {say.price(stop.limit_price)} of its stop")
        numbers = {
            "limit": entry.limit_price,
            "trigger": entry.stop_price,
            "size": signal.qty,
            "stop": stop.stop_price if stop is not None else None,
            "target": target.limit_price if target is not None else None,
        }
        for name, number in numbers.items():
            self._lines[name].setText(format(number, "f") if number is not None else "")
        return left_out

    def show_quote(self, words: str) -> None:
        self._quote.say(words)

    def mark(self, field: str | None) -> str | None:
        """Mark what a refusal of the desk is about; returns its own name, None when that field is empty."""
        name = None
        if field is not None:
            name = next((own for known, own in _FIELD_OF.items() if field.startswith(known)), field)
        wrong = name if name in self._lines and self._lines[name].text().strip() else None
        for own, line in self._lines.items():
            restyle(line, "wrong", own == wrong)
        return wrong

    def allow(self, on: bool) -> None:
        for widget in (*self._lines.values(), *self._choices):
            widget.setEnabled(on)

    # --- what it says ----------------------------------------------------------------------------------------

    @property
    def symbol_typed(self) -> str:
        return self.symbol.text().strip().upper()

    @property
    def buys(self) -> bool:
        return self.side.value == "buy"

    def body(self, ticket: str) -> dict[str, Any]:
        """The signal; ``ticket`` is the id that makes a second click the same order."""
        entry: dict[str, Any] = {"type": self.entry.value, "time_in_force": self.lasts.value}
        if self.entry.value in _WITH_LIMIT and self._said("limit"):
            entry["limit_price"] = self._said("limit")
        if self.entry.value in _WITH_TRIGGER and self._said("trigger"):
            entry["stop_price"] = self._said("trigger")
        body: dict[str, Any] = {
            "id": ticket,
            "strategy": STRATEGY,
            "symbol": self.symbol_typed,
            "side": self.side.value,
            "intent": "open",
            "entry": entry,
            "expires_in_s": TTL_S,
        }
        if size := self._said("size"):
            body["qty"] = size if self.sizing.value == "qty" else {self.sizing.value: size}
        if stop := self._said("stop"):
            body["stop_loss"] = {self.stopping.value: stop}
        if target := self._said("target"):
            body["take_profit"] = {self.aiming.value: target}
        return body

    def _said(self, name: str) -> str:
        return self._lines[name].text().replace(",", "").replace("$", "").replace("%", "").strip()

    def _tell(self) -> None:
        self._show_prices()
        if self.sender() is self.symbol:
            self.symbol_changed.emit(self.symbol_typed)
        self.changed.emit()

    def _show_prices(self) -> None:
        self._lines["limit"].setVisible(self.entry.value in _WITH_LIMIT)
        self._lines["trigger"].setVisible(self.entry.value in _WITH_TRIGGER)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # Enter never sends
            super().keyPressEvent(event)
