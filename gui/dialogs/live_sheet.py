"""Real money asks once: the account's number has to be typed before a live desk may enter positions.

The sheet comes by itself when the desk wants it. Going back leaves the desk locked; the state bar brings the sheet
back. Enter counts only when as much was typed as the account's number is long.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from engine.model.words import Mode
from engine.views import DeskView
from gui.actions import CONFIRM_ACCOUNT, Actions, Refusal
from gui.dialogs.sheet import Centred
from gui.theme import Type, font
from gui.widgets.button import Button
from gui.widgets.mode import ModeChip
from gui.widgets.text import Text

_WIDTH: Final = 480
_FIELD: Final = 170


class LiveSheet(QFrame):
    def __init__(self, mode: Mode, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("live-sheet")
        self._mode = mode
        self._actions = actions
        self._account = ""
        self._wanted = False
        self._sentence = Text(kind=Type.SYMBOL, wrap=True, name="live-sheet-sentence")
        asks = "Type the account's number to let this desk enter positions. Exits and protection work without it."
        self._refusal = Text(kind=Type.MEDIUM, tone="p1_text", wrap=True, name="live-sheet-refusal")
        self._field = QLineEdit()
        self._field.setObjectName("live-sheet-number")
        self._field.setFont(font(Type.MONO))
        self._field.setFixedWidth(_FIELD)
        self._field.setPlaceholderText("account number")
        self._back = Button("Back", name="live-sheet-back")
        self._confirm = Button("Confirm", name="live-sheet-confirm", kind="danger")
        self._field.textEdited.connect(self._edited)
        self._field.returnPressed.connect(self._entered)
        self._back.clicked.connect(self.dismiss)
        self._confirm.clicked.connect(self._go)
        actions.started.connect(lambda _key: self._enable())
        actions.ended.connect(lambda _key: self._enable())
        actions.refused.connect(self._refused)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(ModeChip(mode))
        row.addStretch(1)
        for widget in (self._field, self._back, self._confirm):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(10)
        for words in (self._sentence, Text(asks, tone="mid", wrap=True), self._refusal):
            column.addWidget(words)
        column.addSpacing(2)
        column.addLayout(row)
        QWidget.setTabOrder(self._back, self._field)
        QWidget.setTabOrder(self._field, self._confirm)
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)
        self.hide()

    def show_desk(self, desk: DeskView) -> None:
        """Comes when the desk begins to want the number, goes when it has it."""
        account = desk.health.account or ""
        if account != self._account or not self._sentence.text():
            self._account = account
            named = f"account {account}: real money." if account else "account: real money. Its number is being read."
            self._sentence.say(f"{self._mode.value.upper()} {named}")
        if desk.wants_confirmation is not self._wanted:
            self._wanted = desk.wants_confirmation
            if self._wanted:
                self.ask()
            else:
                self.dismiss()

    def ask(self) -> None:
        self._field.clear()
        self._say_refusal("")
        self._enable()
        self._place.bring()
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def dismiss(self) -> None:
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        super().keyPressEvent(event)

    def _edited(self) -> None:
        self._say_refusal("")
        self._enable()

    def _enable(self) -> None:
        self._confirm.setEnabled(bool(self._typed()) and not self._actions.is_running(CONFIRM_ACCOUNT))

    def _typed(self) -> str:
        return self._field.text().strip()

    def _entered(self) -> None:
        if self._account and len(self._typed()) == len(self._account):
            self._go()

    def _go(self) -> None:
        self._actions.confirm_account(self._typed())

    def _refused(self, command: str, refusal: Refusal) -> None:
        if command == CONFIRM_ACCOUNT:
            self._say_refusal(refusal.text)
            if self.isVisible():
                self._field.setFocus(Qt.FocusReason.OtherFocusReason)
                self._field.selectAll()

    def _say_refusal(self, text: str) -> None:
        self._refusal.say(text)
        self._refusal.setVisible(bool(text))
        if not self.isHidden():
            self._place.place()
