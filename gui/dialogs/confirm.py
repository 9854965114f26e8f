"""A question inside the panel it is about: never modal, Back has the focus, the act is named in full.

The first line is the whole act in one sentence, the second what it leaves behind; the mode stands beside it. A
question that was answered, or whose subject went away, disappears.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from engine.model.commands import Agreement
from engine.model.words import Mode
from gui.theme import CARD_PAD, Type, font, text_width
from gui.widgets.button import Button
from gui.widgets.mode import ModeChip
from gui.widgets.text import Text

SECOND_WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class Question:
    subject: str
    """Key of what it is about: the question goes when this does."""
    sentence: str
    consequence: str
    yes: str
    """The act, in the words of the button: ``Flatten 40 TSLA``."""
    act: Callable[[], object]
    typed: str | None = None
    """A word that has to be typed first."""
    also: tuple[str, Callable[[], object]] | None = None
    """A second way to go on, with its own button."""
    agree: tuple[tuple[str, ...], Callable[[Agreement], object]] | None = None
    """Of whom one has to agree, and the act in place of ``act``, called with who did."""


class ConfirmStrip(QFrame):
    def __init__(self, mode: Mode, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("part", "strip")
        self.setProperty("level", "p1")
        self._question: Question | None = None
        self._chip = ModeChip(mode)
        self._sentence = Text(kind=Type.STRONG, wrap=True, name=f"{name}-sentence")
        self._consequence = Text(tone="mid", wrap=True, name=f"{name}-consequence")
        self._typed = QLineEdit()
        self._typed.setObjectName(f"{name}-typed")
        self._typed.setAccessibleName("The word that is asked for")
        self._typed.setFont(font(Type.MONO))
        self._typed.textChanged.connect(self._check)
        self._second = QLineEdit()
        self._second.setObjectName(f"{name}-second")
        self._second.setAccessibleName("Name of the second person")
        self._second.setPlaceholderText("second person")
        self._word = QLineEdit()
        self._word.setObjectName(f"{name}-word")
        self._word.setAccessibleName("The second person's own word")
        self._word.setPlaceholderText("their word")
        self._word.setEchoMode(QLineEdit.EchoMode.Password)
        for field in (self._second, self._word):
            field.setFixedWidth(SECOND_WIDTH)
            field.textChanged.connect(self._check)
        self._back = Button("Back", name=f"{name}-back")
        self._yes = Button("", name=f"{name}-yes", kind="danger")
        self._also = Button("", name=f"{name}-also", kind="danger")
        self._back.clicked.connect(self.dismiss)
        self._yes.clicked.connect(self._go)
        self._also.clicked.connect(self._go_also)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._sentence)
        words.addWidget(self._consequence)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._chip)
        row.addStretch(1)
        for widget in (self._typed, self._second, self._word, self._back, self._also, self._yes):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(CARD_PAD, 10, CARD_PAD, 10)
        layout.setSpacing(8)
        layout.addLayout(words)
        layout.addLayout(row)
        self.hide()

    @property
    def question(self) -> Question | None:
        return self._question

    def ask(self, question: Question) -> None:
        self._question = question
        self._sentence.say(question.sentence)
        self._consequence.say(question.consequence)
        self._consequence.setVisible(bool(question.consequence))
        self._yes.setText(question.yes)
        self._also.setVisible(question.also is not None)
        if question.also is not None:
            self._also.setText(question.also[0])
        self._typed.setVisible(question.typed is not None)
        self._typed.setFixedWidth(max(120, text_width(f"type {question.typed}", Type.MONO) + 24))
        self._typed.clear()
        self._typed.setPlaceholderText(f"type {question.typed}" if question.typed else "")
        self._second.setVisible(question.agree is not None)
        self._word.setVisible(question.agree is not None)
        names = question.agree[0] if question.agree is not None else ()
        self._second.setText(names[0] if len(names) == 1 else "")
        self._word.clear()
        self._check()
        self.show()
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def dismiss(self) -> None:
        self._question = None
        self._word.clear()
        self.hide()

    def forget(self, subject: str) -> None:
        """The subject is gone: so is the question about it."""
        if self._question is not None and self._question.subject == subject:
            self.dismiss()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        super().keyPressEvent(event)

    def _check(self) -> None:
        question = self._question
        is_typed = question is not None and question.typed in (None, self._typed.text().strip())
        is_agreed = question is not None and (question.agree is None or self._agreement() is not None)
        self._yes.setEnabled(is_typed and is_agreed)

    def _agreement(self) -> Agreement | None:
        name, word = self._second.text().strip(), self._word.text().strip()
        return Agreement(name, word) if name and word else None

    def _go(self) -> None:
        question, agreement = self._question, self._agreement()
        self.dismiss()
        if question is None:
            return
        if question.agree is None:
            question.act()
        elif agreement is not None:
            question.agree[1](agreement)

    def _go_also(self) -> None:
        question = self._question
        self.dismiss()
        if question is not None and question.also is not None:
            question.also[1]()
