"""The account as the broker last told it, marked with live prices, and what of it is promised."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from engine.views import DeskView
from gui import formatting as say
from gui.theme import CARD_PAD, Type
from gui.widgets.text import Text

_COLUMNS: Final = 3
_FIGURES: Final = (
    ("equity", "Equity"),
    ("day", "Day"),
    ("power", "Buying power"),
    ("cash", "Cash"),
    ("gross", "Gross exposure"),
    ("reserved", "Promised to entries"),
    ("naked", "Naked share-seconds today"),
    ("status", "Status"),
    ("read", "Read"),
)


class AccountPage(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("account-page")
        self._values: dict[str, Text] = {}
        self._notes: dict[str, Text] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(CARD_PAD, 10, CARD_PAD, 10)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(3)
        for number, (name, title) in enumerate(_FIGURES):
            row, column = 4 * (number // _COLUMNS), number % _COLUMNS
            self._values[name] = Text(kind=Type.STRONG, name=f"account-{name}")
            self._notes[name] = Text(kind=Type.SMALL, tone="low", name=f"account-{name}-note")
            for line, widget in enumerate(
                (Text(title, kind=Type.SMALL, tone="low"), self._values[name], self._notes[name])
            ):
                widget.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                grid.addWidget(widget, row + line, column)
            grid.setRowMinimumHeight(row + 3, 6)
        grid.setRowStretch(4 * (len(_FIGURES) // _COLUMNS) + 4, 1)
        for column in range(_COLUMNS):
            grid.setColumnStretch(column, 1)

    def show_desk(self, desk: DeskView) -> None:
        account = desk.account
        self._show("equity", say.money(account.equity), f"last close {say.money(account.last_equity)}")
        self._show("day", say.money(account.day_pl, signed=True), _percent(account.day_pl, account.last_equity))
        self._show("power", say.money(account.buying_power), "")
        self._show("cash", say.money(account.cash), "")
        self._show("gross", say.money(account.gross_exposure), _percent(account.gross_exposure, account.equity))
        self._show("reserved", say.money(account.reserved), "not counted by the broker yet")
        self._show("naked", f"{desk.naked_share_s_today:,.0f}", "shares without a stop, times seconds")
        self._show("status", account.status or say.NONE, account.blocked or "", bad=account.blocked is not None)
        self._show("read", say.clock(account.as_of), f"request {account.request_id or say.NONE}")

    def _show(self, name: str, value: str, note: str, *, bad: bool = False) -> None:
        self._values[name].say(value)
        self._values[name].set_tone("p1_text" if bad else "high")
        self._notes[name].say(note)


def _percent(part: Decimal | None, whole: Decimal | None) -> str:
    return f"{100 * part / whole:+.2f} % of {say.money(whole)}" if part is not None and whole else ""
