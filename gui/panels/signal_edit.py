"""Changing a signal's numbers before the yes: quantity, limit, stop, target.

Every keystroke that makes a number asks for a new preview of exactly what stands in the fields; a field that holds no
number is marked, and while one does there is nothing to approve. What was proposed stands beside what was changed.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from engine.model.commands import NO_EDITS, Edits
from engine.model.money import plain
from engine.model.words import OrderType
from engine.views import PreviewView
from gui.theme import Type, font
from gui.widgets.text import Text, restyle

_NUMBER: Final = re.compile(r"\d{1,9}(\.\d{0,9})?|\.\d{1,9}", re.ASCII)
_FIELDS: Final = (
    ("qty", "Quantity"),
    ("limit_price", "Limit"),
    ("stop_price", "Stop"),
    ("take_profit_price", "Target"),
)


class NumberField(QLineEdit):
    """One number. ``value`` is None while it is as proposed, and while it is no number."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(f"edit-{name}")
        self.setFont(font(Type.BODY))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._proposed: Decimal | None = None

    def propose(self, value: Decimal | None) -> None:
        self._proposed = value
        self.setText("" if value is None else plain(value))
        self._mark(wrong=False)

    @property
    def proposed(self) -> Decimal | None:
        return self._proposed

    @property
    def is_number(self) -> bool:
        return not self.text().strip() or self._number() is not None

    @property
    def value(self) -> Decimal | None:
        number = self._number()
        return None if number == self._proposed else number

    def check(self) -> bool:
        self._mark(wrong=not self.is_number)
        return self.is_number

    def _number(self) -> Decimal | None:
        text = self.text().strip().replace(",", "")
        number = Decimal(text) if _NUMBER.fullmatch(text) else None
        return number if number else None  # nothing costs nothing, and nobody sends none

    def _mark(self, *, wrong: bool) -> None:
        restyle(self, "wrong", wrong)


class EditStrip(QWidget):
    edited = Signal()
    """The fields say something else now."""
    left = Signal()
    """Escape: back to what was proposed."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("edit-strip")
        self._fields = {name: NumberField(name) for name, _ in _FIELDS}
        self._was = {name: Text(kind=Type.SMALL, tone="p2_text", name=f"edit-{name}-was") for name, _ in _FIELDS}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for number, (name, title) in enumerate(_FIELDS):
            row, column = 3 * (number // 2), number % 2
            self._fields[name].setAccessibleName(title)
            grid.addWidget(Text(title, kind=Type.SMALL, tone="low"), row, column)
            grid.addWidget(self._fields[name], row + 1, column)
            grid.addWidget(self._was[name], row + 2, column, Qt.AlignmentFlag.AlignRight)
            self._fields[name].textEdited.connect(self._type)
        self.hide()

    def begin(self, preview: PreviewView) -> None:
        """Show what was proposed, with the cursor in the quantity."""
        for name, field in self._fields.items():
            field.propose(getattr(preview, name))
        # A market entry has no limit until somebody types one: then it becomes a limit order.
        self._fields["limit_price"].setPlaceholderText("market" if preview.entry_type is OrderType.MARKET else "")
        self._fields["take_profit_price"].setPlaceholderText("none")
        self._tell()
        self.show()
        self._fields["qty"].setFocus(Qt.FocusReason.OtherFocusReason)
        self._fields["qty"].selectAll()

    @property
    def is_sound(self) -> bool:
        """Every field holds a number, or is as empty as what was proposed."""
        return all(
            field.is_number and bool(field.text().strip()) >= (field.proposed is not None)
            for field in self._fields.values()
        )

    @property
    def edits(self) -> Edits:
        return Edits(**{name: field.value for name, field in self._fields.items()}) if self.is_sound else NO_EDITS

    def _type(self) -> None:
        for field in self._fields.values():
            field.check()
        self._tell()
        self.edited.emit()

    def _tell(self) -> None:
        for name, field in self._fields.items():
            changed = field.value is not None
            was = plain(field.proposed) if field.proposed is not None else "none"
            self._was[name].say(f"was {was}" if changed else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return  # it never sends
        super().keyPressEvent(event)
