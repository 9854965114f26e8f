"""Why the start gate is locked, and what the operator can settle: a sheet with one row a difference.

It is opened from the state bar and goes by itself when nothing is left to settle. A row that goes moves those beneath
it: their buttons then take no click for ``GUARD_MS``, so that the second half of a double click settles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from engine.views import DeskView
from gui import formatting as say
from gui.actions import SETTLE, Actions, Refusal
from gui.dialogs.sheet import Centred, RowList
from gui.door import Difference
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.text import Text, rule

GUARD_MS: Final = 300
_WIDTH: Final = 640
_PRICE_WIDTH: Final = 76
_MOST_LIST: Final = 320
"""Pixels of the list; more rows than fit are scrolled."""

_MEANING: Final = {
    "ignore": "Ignore: the desk will neither protect nor close it.",
    ("position", "adopt"): "Adopt: it becomes a trade, with the stop you give; a target is optional.",
    ("position", "watch"): "Watch: it stays in sight, unprotected.",
    ("order", "watch"): "Watch: it is followed among the orders.",
    ("order", "cancel"): "Cancel: it is canceled at the broker.",
    ("order", "ignore"): "Ignore: the desk leaves it alone.",
    ("desk", "ignore"): "Ignore: you know that it trades this account too.",
    ("missing", "adopt"): "Adopt: it is over here too.",
}
"""What a settlement means for what it settles."""


def _meaning(difference: Difference, settlement: str) -> str:
    return _MEANING.get((difference.kind, settlement)) or _MEANING.get(settlement, "")


def _price(text: str) -> Decimal | None:
    """A price above zero, or None."""
    try:
        price = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return price if price.is_finite() and price > 0 else None


def _typed(field: QLineEdit | None) -> Decimal | None:
    return _price(field.text()) if field is not None else None


type Settle = Callable[[str, str, Decimal | None, Decimal | None], object]


class DifferenceRow(QWidget):
    """What differs, and a button for each way to settle it."""

    def __init__(self, difference: Difference, settle: Settle) -> None:
        super().__init__()
        self.setObjectName(f"difference-{difference.id}")
        self.difference = difference
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(Text(say.sentence(difference.text), wrap=True, name="difference-text"), 1)
        self._buttons: list[Button] = []
        self._is_ready = True
        self._stop: QLineEdit | None = None
        self._target: QLineEdit | None = None
        self._adopt: Button | None = None
        for settlement in difference.settlements:
            button = Button(settlement.capitalize(), name=f"settle-{settlement}")
            if settlement == "adopt" and difference.kind == "position":
                self._stop = self._price_field("adopt-stop", "Stop")
                self._target = self._price_field("adopt-target", "Target")
                for field in (self._stop, self._target):
                    row.addWidget(field, 0, Qt.AlignmentFlag.AlignVCenter)
                self._adopt = button
            button.clicked.connect(
                lambda _on=False, chosen=settlement: settle(
                    difference.id,
                    chosen,
                    _typed(self._stop) if chosen == "adopt" else None,
                    _typed(self._target) if chosen == "adopt" else None,
                )
            )
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
            self._buttons.append(button)
        self._enable()
        meanings = "  ".join(filter(None, (_meaning(difference, each) for each in difference.settlements)))
        words = QVBoxLayout()
        words.setContentsMargins(0, 9, 6, 9)
        words.setSpacing(4)
        words.addLayout(row)
        words.addWidget(Text(meanings, kind=Type.SMALL, tone="low", wrap=True, name="difference-meaning"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(words)
        column.addWidget(rule(vertical=False))

    def set_ready(self, ready: bool) -> None:
        self._is_ready = ready
        self._enable()

    def _price_field(self, name: str, label: str) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(name)
        field.setAccessibleName(f"{label} price of {self.difference.symbol}")
        field.setPlaceholderText(label)
        field.setFixedWidth(_PRICE_WIDTH)
        field.textChanged.connect(self._enable)
        return field

    def _may_adopt(self) -> bool:
        """With a stop only; a target that is typed but is no price must not be dropped unsaid."""
        has_target = self._target is not None and bool(self._target.text().strip())
        return _typed(self._stop) is not None and (not has_target or _typed(self._target) is not None)

    def _enable(self) -> None:
        """Adopt takes no click until its prices can be sent as they are typed."""
        for button in self._buttons:
            button.setEnabled(self._is_ready and (button is not self._adopt or self._may_adopt()))


class GateSheet(QFrame):
    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("gate-sheet")
        self._actions = actions
        self._rows: dict[str, DifferenceRow] = {}
        self._guard = QTimer(self, singleShot=True, interval=GUARD_MS)
        self._guard.timeout.connect(self._enable)
        self._reason = Text(tone="mid", wrap=True, name="gate-sheet-reason")
        self._refusal = Text(kind=Type.MEDIUM, tone="p1_text", wrap=True, name="gate-sheet-refusal")
        self._list = RowList(name="gate-sheet-list", width=_WIDTH - 40, most=_MOST_LIST)
        self._back = Button("Back", name="gate-sheet-back")
        self._back.clicked.connect(self.dismiss)
        actions.started.connect(lambda _key: self._enable())
        actions.ended.connect(lambda _key: self._enable())
        actions.refused.connect(self._refused)
        foot = QHBoxLayout()
        foot.addWidget(Text("Exits and protection go on.", kind=Type.SMALL, tone="low"))
        foot.addStretch(1)
        foot.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        column.addWidget(Text("Start gate locked", kind=Type.SYMBOL))
        for widget in (self._reason, self._list, self._refusal):
            column.addWidget(widget)
        column.addLayout(foot)
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)
        self.hide()

    def ask(self, desk: DeskView, differences: Sequence[Difference]) -> None:
        self._say_refusal("")
        self._show(desk, differences)
        self._place.bring()
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_desk(self, desk: DeskView, differences: Sequence[Difference]) -> None:
        """A newer picture while it is open."""
        settled = bool(self._rows) and not differences
        self._show(desk, differences)
        if settled or desk.gate_locked_by is None:
            self.dismiss()

    def dismiss(self) -> None:
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        super().keyPressEvent(event)

    def _show(self, desk: DeskView, differences: Sequence[Difference]) -> None:
        there = {difference.id: difference for difference in differences}
        gone = [key for key in self._rows if key not in there]
        fresh = [difference for key, difference in there.items() if key not in self._rows]
        for key in gone:
            self._list.drop(self._rows.pop(key))
        for difference in fresh:
            row = DifferenceRow(difference, self._actions.settle_difference)
            self._rows[difference.id] = row
            self._list.add(row)
        self._list.setVisible(bool(there))
        said = self._reason.text()
        self._reason.say(_why(desk, len(there)))
        if gone and there:
            self._guard.start()
        self._enable()
        if (gone or fresh or said != self._reason.text()) and not self.isHidden():
            self._fit()

    def _fit(self) -> None:
        self._list.updateGeometry()
        self._place.place()

    def _enable(self) -> None:
        for key, row in self._rows.items():
            row.set_ready(not self._guard.isActive() and not self._actions.is_running(f"{SETTLE}{key}"))

    def _refused(self, command: str, refusal: Refusal) -> None:
        if command.startswith(SETTLE):
            self._say_refusal(refusal.text)

    def _say_refusal(self, text: str) -> None:
        self._refusal.say(text)
        self._refusal.setVisible(bool(text))
        if not self.isHidden():
            self._fit()


def _why(desk: DeskView, differences: int) -> str:
    """The lock's own reason; with differences below, only their number, since each says itself."""
    if differences == 0:
        return f"{say.sentence(desk.gate_locked_by or '')}. No entry is sent until then."
    places = say.plural(differences, "point")
    return f"Book and broker differ in {places}. Entries are possible again when each is settled."
