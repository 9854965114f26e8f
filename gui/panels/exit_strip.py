"""Stop and target of the trade in view: what they mean in money, to be put elsewhere by hand, or to break-even."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.model.money import round_to_tick
from engine.views import BracketView
from gui import formatting as say
from gui.exit_words import Exit, movable, moved_words, standing_words, stands_at, why_not
from gui.panels.signal_edit import NumberField
from gui.theme import CARD_PAD, Type
from gui.widgets.button import Button
from gui.widgets.text import Text

_TITLES: Final[tuple[tuple[Exit, str], ...]] = (("stop", "Stop"), ("target", "Target"))


class ExitStrip(QWidget):
    move_asked = Signal(object, object)
    """Stop and target as typed; None where it stays."""
    break_even_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("exit-strip")
        self._bracket: BracketView | None = None
        self._is_busy = False
        self._is_given = False
        """What is typed was asked for: the next picture says where the exits are to be."""
        self._fields: dict[Exit, NumberField] = {which: NumberField(which) for which, _ in _TITLES}
        self.move_button = Button("Move", name="exit-move")
        self.even_button = Button("Break-even", name="exit-break-even", key="=")
        self.even_button.setToolTip("The stop to the average entry, plus a tick for its costs")
        self._says = Text(kind=Type.SMALL, tone="mid", wrap=True, name="exit-says")
        typed = QHBoxLayout()
        typed.setSpacing(6)
        for which, title in _TITLES:
            field = self._fields[which]
            field.setObjectName(f"exit-{which}")
            field.setAccessibleName(title)
            field.setFixedWidth(66)
            field.textEdited.connect(self._type)
            typed.addWidget(Text(title, kind=Type.SMALL, tone="low"))
            typed.addWidget(field)
        typed.addWidget(self.move_button)
        typed.addStretch(1)
        told = QHBoxLayout()
        told.setSpacing(8)
        told.addWidget(self._says, 1)
        told.addWidget(self.even_button, 0, Qt.AlignmentFlag.AlignTop)
        self.move_button.clicked.connect(self._move)
        self.even_button.clicked.connect(self.break_even_asked)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(CARD_PAD, 6, CARD_PAD, 6)
        whole.setSpacing(4)
        whole.addLayout(typed)
        whole.addLayout(told)
        self.hide()

    # --- what it shows ---------------------------------------------------------------------------------------

    def show_trade(self, bracket: BracketView | None) -> None:
        """A newer picture. What is being typed stays, as long as it is about the same trade."""
        can = movable(bracket) if bracket is not None else frozenset()
        is_same = bracket is not None and self._bracket is not None and bracket.id == self._bracket.id
        keeps = is_same and self._is_typed and not self._is_given and bool(can)
        self._is_given = False
        self._bracket = bracket
        self.setVisible(bool(can))
        if bracket is None or not can:
            return
        for which, field in self._fields.items():
            field.setEnabled(which in can)
            if not keeps:
                field.propose(stands_at(bracket, which))
        self._tell()

    def show_busy(self, busy: bool) -> None:
        self._is_busy = busy
        self._tell()

    def begin(self) -> None:
        """The cursor goes where the stop is typed."""
        if not self.isHidden():
            self._fields["stop"].setFocus(Qt.FocusReason.ShortcutFocusReason)
            self._fields["stop"].selectAll()

    def leave(self) -> None:
        """Back to where they stand."""
        if self._bracket is not None:
            for which, field in self._fields.items():
                field.propose(stands_at(self._bracket, which))
            self._tell()

    # --- inside ----------------------------------------------------------------------------------------------

    @property
    def _is_typed(self) -> bool:
        return any(field.value is not None or not field.is_number for field in self._fields.values())

    @property
    def _is_sound(self) -> bool:
        """Every field holds a price, or is as empty as what stands."""
        return all(
            field.is_number and bool(field.text().strip()) >= (field.proposed is not None)
            for field in self._fields.values()
        )

    def _wanted(self, which: Exit) -> Decimal | None:
        """What is typed and is another price than where it stands."""
        value = self._fields[which].value if self._fields[which].isEnabled() else None
        return round_to_tick(value) if value is not None else None

    def _type(self) -> None:
        for field in self._fields.values():
            field.check()
        self._tell()

    def _tell(self) -> None:
        bracket = self._bracket
        if bracket is None or self.isHidden():
            return
        wanted = {which: price for which, _ in _TITLES if (price := self._wanted(which)) is not None}
        against = next((why for which, price in wanted.items() if (why := why_not(bracket, which, price))), None)
        is_wrong = not self._is_sound or against is not None
        self._says.say(self._words(bracket, wanted, against))
        self._says.set_tone("p2_text" if is_wrong else "mid")
        self.move_button.setEnabled(bool(wanted) and not is_wrong and not self._is_busy)
        self.even_button.setEnabled(bracket.stop_price is not None and not self._is_busy)

    def _words(self, bracket: BracketView, wanted: dict[Exit, Decimal], against: str | None) -> str:
        if not self._is_sound:
            return "A field holds no price"
        if against is not None:
            return say.sentence(against)
        if not wanted and bracket.move_refused is not None:
            return f"Not moved: {bracket.move_refused}"
        if wanted:
            return "\n".join(moved_words(bracket, which, price) for which, price in wanted.items())
        return "\n".join(filter(None, (standing_words(bracket, which) for which, _ in _TITLES)))

    def _move(self) -> None:
        if self.move_button.isEnabled():
            self._is_given = True
            self.move_asked.emit(self._wanted("stop"), self._wanted("target"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return  # it never sends
        super().keyPressEvent(event)
