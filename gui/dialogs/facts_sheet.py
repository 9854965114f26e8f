"""What the journal holds about a trade or a signal: every request as it was sent, every reply as it was taken in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from engine.views import BracketView, SignalView
from engine.views_truth import FactView
from gui import formatting as say
from gui.actions import FACTS, Actions, Refusal
from gui.dialogs.sheet import Centred, Sheet
from gui.theme import Type, font
from gui.widgets.button import Button
from gui.widgets.text import Text

_WIDTH: Final = 780
_HIGH: Final = 470


def subjects_of(subject: object) -> list[str]:
    """Ids under which the journal files what it knows of it; empty for what it does not file."""
    match subject:
        case BracketView():
            return [subject.signal_id, subject.id, *(order.id for order in subject.orders)]
        case SignalView():
            return [subject.id, *filter(None, (subject.bracket_id,)), *subject.order_ids]
    return []


def text_of(facts: Sequence[FactView], needle: str = "") -> str:
    """A block each: time, number, kind, subject, then its fields."""
    blocks = (
        f"{say.clock(fact.at, millis=True)} ET   {fact.seq}   {fact.kind}   {fact.subject}\n{fact.payload}"
        for fact in facts
    )
    wanted = needle.strip().casefold()
    return "\n\n".join(block for block in blocks if wanted in block.casefold())


class FactsSheet(Sheet):
    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, name="facts-sheet", width=_WIDTH)
        self._actions = actions
        self._facts: Sequence[FactView] = ()
        self._title = Text(kind=Type.SYMBOL, name="facts-title")
        self._find = QLineEdit()
        self._find.setObjectName("facts-find")
        self._find.setAccessibleName("Find in the facts")
        self._find.setPlaceholderText("find")
        self._find.setFont(font(Type.BODY))
        self._find.textChanged.connect(lambda _text: self._show())
        self._text = QPlainTextEdit()
        self._text.setObjectName("facts-text")
        self._text.setAccessibleName("Facts")
        self._text.setReadOnly(True)
        self._text.setFont(font(Type.MONO))
        self._text.setFixedHeight(_HIGH)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        copy = Button("Copy", name="facts-copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._text.toPlainText()))
        back = Button("Back", name="facts-back")
        back.clicked.connect(self.dismiss)
        self._count = Text(kind=Type.SMALL, tone="low", name="facts-count")
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._find)
        foot = QHBoxLayout()
        foot.addWidget(self._count, 1)
        foot.addWidget(copy)
        foot.addWidget(back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(9)
        column.addLayout(head)
        column.addWidget(self._text)
        column.addLayout(foot)
        actions.refused.connect(self._refused)
        self._place = Centred(self, parent, width=_WIDTH)

    def ask(self, subject: object) -> None:
        subjects = subjects_of(subject)
        if not subjects:
            return
        self._title.say(f"Facts about {getattr(subject, 'symbol', '')} {subjects[0]}")
        self._count.say("Reading the journal ...")
        self._text.clear()
        self._find.clear()
        self._place.bring()
        self._text.setFocus(Qt.FocusReason.OtherFocusReason)
        self._actions.load_facts(subjects, self._take)

    def _take(self, facts: Sequence[FactView]) -> None:
        self._facts = facts
        self._show()
        self._text.verticalScrollBar().setValue(self._text.verticalScrollBar().maximum())

    def _show(self) -> None:
        self._text.setPlainText(text_of(self._facts, self._find.text()))
        self._count.say(f"{say.plural(len(self._facts), 'fact')}, the newest below; as they stand in the journal")

    def _refused(self, command: str, refusal: Refusal) -> None:
        if command == FACTS:
            self._count.say(refusal.text)
