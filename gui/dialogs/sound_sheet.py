"""How loud each priority is, with a try of each, and the mute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.dialogs.sheet import Centred, Sheet, under_rule
from gui.sounds.sounding import VOLUMES
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.segments import Segments
from gui.widgets.switch import Switch
from gui.widgets.text import Text

_WIDTH: Final = 560
_KINDS: Final = (
    (1, "Priority 1", "now: naked shares, orders of unknown fate. Repeats until acknowledged."),
    (2, "Priority 2", "within minutes: a stuck cancel, a link that is down."),
    (3, "Priority 3", "within ten minutes: a signal about to expire."),
)


class SoundSheet(Sheet):
    chosen = Signal(int, str)
    """A priority, and its volume in a word."""
    muted = Signal(bool)
    spoken = Signal(bool)
    try_spoken = Signal()

    def __init__(self, parent: QWidget, try_it: Callable[[int], object]) -> None:
        super().__init__(parent, name="sound-sheet", width=_WIDTH)
        self._volumes: dict[int, Segments] = {}
        self.mute = Switch("Mute", name="sound-mute")
        self.mute.asked.connect(self.muted)
        self._said = Text(kind=Type.SMALL, tone="p2_text", wrap=True, name="sound-said")
        self._said.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.addWidget(Text("Sounds", kind=Type.SYMBOL), 1)
        head.addWidget(self.mute)
        column.addLayout(head)
        for priority, title, words in _KINDS:
            volume = Segments([(word, word.capitalize()) for word in VOLUMES], name=f"sound-{priority}", said=title)
            volume.changed.connect(lambda word, priority=priority: self.chosen.emit(priority, word))
            self._volumes[priority] = volume
            button = Button("Try", name=f"sound-try-{priority}")
            button.setAccessibleName(f"Try {title}")
            button.clicked.connect(lambda _=False, priority=priority: try_it(priority))
            told = Text(words, kind=Type.SMALL, tone="mid", wrap=True)
            column.addWidget(_line(title, told, volume, button))
        self._speaks = Switch("Spoken", name="sound-spoken")
        self._speaks.asked.connect(self.spoken)
        self._try_spoken = Button("Try", name="sound-try-spoken")
        self._try_spoken.setAccessibleName("Try the spoken words")
        self._try_spoken.clicked.connect(self.try_spoken)
        self._spoken_words = Text(kind=Type.SMALL, tone="mid", wrap=True, name="sound-spoken-words")
        column.addWidget(_line("In words", self._spoken_words, self._speaks, self._try_spoken))
        column.addWidget(self._said)
        foot = QHBoxLayout()
        foot.addWidget(
            Text("A mute is shown in the state bar, and ends with the window.", kind=Type.SMALL, tone="low"), 1
        )
        back = Button("Back", name="sound-back")
        back.clicked.connect(self.dismiss)
        foot.addWidget(back)
        column.addLayout(foot)
        self._place = Centred(self, parent, width=_WIDTH)

    def ask(self) -> None:
        self._place.bring()

    def show_volumes(self, volumes: dict[int, str]) -> None:
        for priority, word in volumes.items():
            self._volumes[priority].choose(word)

    def show_muted(self, muted: bool) -> None:
        self.mute.show_on(muted)

    def show_spoken(self, on: bool, *, can: bool) -> None:
        """``can``: there is something to speak with."""
        words = "what priority 1 is about, once, after its sound and as loud."
        self._spoken_words.say(words if can else "no program for speech is installed (on Linux: espeak-ng).")
        self._speaks.show_on(on)
        self._speaks.setEnabled(can)
        self._try_spoken.setEnabled(can)

    def show_failure(self, sound: str | None, speech: str | None) -> None:
        said = [f"Nothing is heard: {sound}."] if sound else []
        said += [f"Nothing is spoken: {speech}."] if speech else []
        self._said.say(" ".join(said))
        self._said.setVisible(bool(said))


def _line(title: str, words: Text, *controls: QWidget) -> QWidget:
    told = QVBoxLayout()
    told.setSpacing(1)
    told.addWidget(Text(title, kind=Type.MEDIUM))
    told.addWidget(words)
    row = QHBoxLayout()
    row.addLayout(told, 1)
    for control in controls:
        row.addWidget(control)
    line = QWidget()
    under_rule(row, line)
    return line
