"""The first start: what a desk can stand on (simulator, paper, live), and the first steps with each. Skippable.

It never changes the mode: which account a desk trades is said on its command line, where nobody does it by accident.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from engine.model.words import Mode
from gui.actions import Spawn
from gui.dialogs.keys_sheet import Cabinet, KeysForm
from gui.dialogs.sheet import Centred, Sheet
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.mode import ModeChip
from gui.widgets.text import Text

_WIDTH: Final = 720
_CHOICES: Final = (
    (
        Mode.SIM,
        "Simulator",
        "An exchange inside this program, with prices of its own. No keys, no account, no risk.",
        "Show me",
    ),
    (
        Mode.PAPER,
        "Alpaca paper",
        "Alpaca's own rehearsal: real prices, orders that trade nothing. Needs a pair of keys.",
        "Set up",
    ),
    (
        Mode.LIVE,
        "Alpaca live",
        "Real money. Rehearse on the other two first; a live desk asks for its account's number.",
        "Set up",
    ),
)
_STEPS: Final = (
    (
        "A signal waits for your yes",
        "A card comes on the left within half a minute: the order in one sentence, its risk, every rule's verdict. "
        "Nothing has been sent.",
    ),
    (
        "Approve it with A",
        "Exactly what the card says goes out: entry, stop and target in one request. If anything got worse since you "
        "looked, the click is refused.",
    ),
    (
        "See it protected",
        "The trade stands under Brackets with its cover bar, the stop and target that protect it under Live orders. "
        "A held stop behind a filled entry is armed.",
    ),
    (
        "Mend one",
        "About one trade in six loses its exits here on purpose. Its row turns NAKED with a running clock: press B, "
        "or Retry.",
    ),
    (
        "Stop everything",
        "Hold the button on the upper right for a second: entries stop, working ones are canceled, protection stays. "
        "F1 shows all keys, Ctrl K everything by name.",
    ),
)
_COMMANDS: Final = {
    Mode.PAPER: "uv run main.py --broker paper",
    Mode.LIVE: "uv run main.py --broker live",
}


class Choice(QFrame):
    """One of the three, as a card."""

    def __init__(self, mode: Mode, title: str, words: str, act: str, begin: Callable[[Mode], object]) -> None:
        super().__init__()
        self.setObjectName(f"welcome-{mode.value}")
        self.setProperty("part", "card")
        button = Button(act, name="welcome-choose", kind="go" if mode is Mode.SIM else "plain")
        button.setAccessibleName(f"{act}: {title}")
        button.clicked.connect(lambda: begin(mode))
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        column.addWidget(ModeChip(mode), 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(Text(title, kind=Type.STRONG))
        column.addWidget(Text(words, tone="mid", wrap=True))
        column.addStretch(1)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)


class Steps(QWidget):
    """One at a time, so that each can be tried before the next is read."""

    finished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._count = Text(kind=Type.SMALL, tone="low", name="welcome-count")
        self._title = Text(kind=Type.STRONG, name="welcome-step")
        self._words = Text(tone="mid", wrap=True, name="welcome-words")
        self._words.setMinimumHeight(54)
        self._before = Button("Before", name="welcome-before")
        self._next = Button("Next", name="welcome-next", kind="go")
        self._before.clicked.connect(lambda: self.show_step(self._at - 1))
        self._next.clicked.connect(self._go_on)
        row = QHBoxLayout()
        row.addWidget(self._count, 1)
        row.addWidget(self._before)
        row.addWidget(self._next)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self._title, self._words):
            column.addWidget(widget)
        column.addLayout(row)

    def show_step(self, number: int) -> None:
        self._at = max(number, 0)
        title, words = _STEPS[self._at]
        self._title.say(title)
        self._words.say(words)
        self._count.say(f"{self._at + 1} of {len(_STEPS)}")
        self._before.setEnabled(self._at > 0)
        self._next.setText("Next" if self._at + 1 < len(_STEPS) else "Done")

    def _go_on(self) -> None:
        if self._at + 1 < len(_STEPS):
            self.show_step(self._at + 1)
        else:
            self.finished.emit()


class WelcomeSheet(Sheet):
    def __init__(self, cabinet: Cabinet, spawn: Spawn, parent: QWidget) -> None:
        super().__init__(parent, name="welcome-sheet", width=_WIDTH)
        self._mode = Mode.SIM
        self._title = Text(kind=Type.SYMBOL, name="welcome-title")
        choices = QWidget()
        cards = QHBoxLayout(choices)
        cards.setContentsMargins(0, 0, 0, 0)
        cards.setSpacing(10)
        for mode, title, words, act in _CHOICES:
            cards.addWidget(Choice(mode, title, words, act, self._begin), 1)
        self._steps = Steps()
        self._steps.finished.connect(self.dismiss)
        self._form = KeysForm(cabinet, spawn)
        account = QWidget()
        column = QVBoxLayout(account)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self._about = Text(tone="mid", wrap=True, name="welcome-about")
        self._command = Text(kind=Type.MONO_STRONG, name="welcome-command")
        copy = Button("Copy", name="welcome-copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._command.text()))
        start = QHBoxLayout()
        start.addWidget(Text("Then start it:", tone="mid"))
        start.addWidget(self._command)
        start.addWidget(copy)
        start.addStretch(1)
        for widget in (self._about, self._form):
            column.addWidget(widget)
        column.addLayout(start)
        self._pages = (choices, self._steps, account)
        self._all = Button("All three", name="welcome-all")
        self._all.clicked.connect(self.show_choices)
        self._skip = Button("Skip", name="welcome-skip")
        self._skip.clicked.connect(self.dismiss)
        foot = QHBoxLayout()
        again = "Layout → First steps brings this back."
        foot.addWidget(Text(again, kind=Type.SMALL, tone="low"), 1)
        foot.addWidget(self._all)
        foot.addWidget(self._skip)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 14)
        whole.setSpacing(12)
        whole.addWidget(self._title)
        for page in self._pages:
            whole.addWidget(page)
        whole.addLayout(foot)
        self._place = Centred(self, parent, width=_WIDTH)

    def ask(self) -> None:
        self.show_choices()
        self._place.bring()
        self._skip.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_choices(self) -> None:
        self._show(0, "Greenlight: strategies propose, you give the green light")

    def _begin(self, mode: Mode) -> None:
        self._mode = mode
        if mode is Mode.SIM:
            self._steps.show_step(0)
            self._show(1, "Five steps on the simulator")
            return
        self._form.show_mode(mode)
        self._command.say(_COMMANDS[mode])
        where = "Alpaca's paper page" if mode is Mode.PAPER else "Alpaca's live page"
        told = f"Make a pair of keys on {where}, type it here, try the connection, and store it."
        told += (
            " Stop this desk first: one works in a data folder at a time."
            if mode is Mode.PAPER
            else (" At its start the desk asks for the account's number before it lets anything in.")
        )
        self._about.say(told)
        self._show(2, "Alpaca paper" if mode is Mode.PAPER else "Alpaca live: real money")

    def _show(self, page: int, title: str) -> None:
        self._title.say(title)
        for number, each in enumerate(self._pages):
            each.setVisible(number == page)
        self._all.setVisible(page != 0)
        self._skip.setText("Skip" if page == 0 else "Close")
