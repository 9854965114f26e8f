"""The form for a new mandate. What it would approve stands below as a sentence, after every keystroke.

It is read by the very rules of ``POST /v1/mandates``. Nothing in it sends but the button that is held: a yes given in
advance is worth a second of holding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from engine.errors import CommandRefused
from engine.intake.fields import Fields
from engine.intake.mandate_form import DEFAULT_COUNT, mandate_from
from engine.model.mandate import MandateTerms
from engine.model.words import Mode, Side
from gui import formatting as say
from gui.dialogs.mandate_words import bounds_words, names_of
from gui.theme import Type, font
from gui.widgets.button import Button
from gui.widgets.hold_button import HoldButton
from gui.widgets.text import Text, restyle

_FIELDS: Final = (
    ("strategy", "Strategy", "of the signals"),
    ("symbols", "Symbols", "every symbol"),
    ("max_notional_each", "Each, at most $", "such as 5,000"),
    ("max_notional_day", "A day, at most $", "such as 20,000"),
    ("max_count", "Approvals in all", f"{DEFAULT_COUNT} when empty"),
    ("max_loss_day", "Loss a day, at most $", "no bound"),
    ("until", "Until, New York", "such as 15:30"),
    ("days", "Further days", "0: today only"),
    ("note", "Note", "what it is for"),
)
_COLUMNS: Final = 3
_SPOKEN: Final = {
    "max_notional_each": "the amount of each",
    "max_notional_day": "the amount of a day",
    "max_count": "the number of approvals",
    "max_loss_day": "the loss of a day",
    "until": "the end",
    "days": "further days",
    "sides": "the choice of longs or shorts",
}
"""What a refusal of the API calls by its field's name."""
_SIDES: Final = ((Side.BUY, "Longs"), (Side.SELL, "Shorts"))


class MandateFields(QWidget):
    granted = Signal(object)
    """The whole form, once its button was held."""
    resized = Signal()
    """It says more, or less, than before."""

    def __init__(self, mode: Mode, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.setObjectName("mandate-form")
        self._mode = mode
        self._now = now
        self._edits = {name: self._field(name, title, hint) for name, title, hint in _FIELDS}
        self._known = QStringListModel(self)
        self._edits["strategy"].setCompleter(QCompleter(self._known, self))
        self._sides = {side: Button(words, name=f"mandate-side-{side.value}") for side, words in _SIDES}
        for button in self._sides.values():
            button.setCheckable(True)
            button.toggled.connect(self._look)
        self._sentence = Text(wrap=True, name="mandate-sentence")
        self.hold = HoldButton("Hold to grant", name="mandate-hold", tip="It approves without you from then on.")
        self.hold.held.connect(self._hold)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(3)
        for number, (name, title, _) in enumerate(_FIELDS):
            row, at = 2 * (number // _COLUMNS), number % _COLUMNS
            grid.addWidget(Text(title, kind=Type.SMALL, tone="low"), row, at)
            grid.addWidget(self._edits[name], row + 1, at)
            grid.setColumnStretch(at, 1)
        sides = QHBoxLayout()
        sides.setSpacing(6)
        sides.addWidget(Text("It approves", tone="mid"))
        for button in self._sides.values():
            sides.addWidget(button)
        sides.addWidget(Text("never a close, never a reversal", kind=Type.SMALL, tone="low"))
        sides.addStretch(1)
        sides.addWidget(self.hold)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(9)
        column.addLayout(grid)
        column.addLayout(sides)
        column.addWidget(self._sentence)

    def begin(self, strategies: Sequence[str]) -> None:
        """Empty, with the cursor in the first field; ``strategies`` are offered while typing."""
        self._known.setStringList(list(strategies))
        for field in self._edits.values():
            field.clear()
        for side, button in self._sides.items():
            button.setChecked(side is Side.BUY)
        if len(strategies) == 1:
            self._edits["strategy"].setText(strategies[0])
        self._look()
        self._edits["strategy"].setFocus(Qt.FocusReason.OtherFocusReason)

    def refuse(self, text: str) -> None:
        """The desk's own no."""
        self._tell(_in_words(text), "p1_text")

    def allow(self, on: bool) -> None:
        """Whether it takes anything now: not while a mandate is being granted."""
        for field in (*self._edits.values(), *self._sides.values()):
            field.setEnabled(on)
        self.hold.setEnabled(on and self._read() is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # Enter never sends
            super().keyPressEvent(event)

    def _field(self, name: str, title: str, hint: str) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(f"mandate-{name}")
        field.setAccessibleName(title)
        field.setPlaceholderText(hint)
        field.setFont(font(Type.BODY))
        field.textChanged.connect(self._look)
        return field

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {name: field.text() for name, field in self._edits.items() if field.text().strip()}
        if "symbols" in values:
            values["symbols"] = names_of(values["symbols"])
        for name in ("max_notional_each", "max_notional_day", "max_loss_day"):
            if name in values:
                values[name] = values[name].replace(",", "").replace("$", "")
        return values | {"sides": [side.value for side, button in self._sides.items() if button.isChecked()]}

    def _read(self) -> MandateTerms | None:
        try:
            return mandate_from(Fields(self._values()), self._now())
        except CommandRefused:
            return None

    def _look(self) -> None:
        wrong = ""
        try:
            form = mandate_from(Fields(self._values()), self._now())
        except CommandRefused as refused:
            wrong = (refused.field or "").partition("[")[0]
            is_typed = wrong in self._edits and bool(self._edits[wrong].text().strip())
            self._tell(_in_words(refused.operator_text), "p2_text" if is_typed else "low")
            self.hold.setEnabled(False)
        else:
            words = bounds_words(form, self._now())
            self._tell(f"{self._mode.value.upper()}: approves without you {form.strategy}'s {words}.", "high")
            self.hold.setEnabled(True)
        for name, field in self._edits.items():
            restyle(field, "wrong", name == wrong and bool(field.text().strip()))

    def _tell(self, text: str, ink: str) -> None:
        self._sentence.say(text)
        self._sentence.set_tone(ink)
        self.resized.emit()

    def _hold(self) -> None:
        form = self._read()
        if form is not None:
            self.granted.emit(form)


def _in_words(text: str) -> str:
    for name, spoken in _SPOKEN.items():
        text = re.sub(rf"\b{name}\b", spoken, text)
    return say.sentence(text)
