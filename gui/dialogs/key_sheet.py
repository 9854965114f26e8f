"""The key sheet (F1): what each key does, and another key for it by a click. Clashes are refused with who has it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from gui.dialogs.sheet import Centred
from gui.key_map import FIXED, KeyMap, is_whole
from gui.keys import KEYS
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.text import Text

_NOTE: Final = "Click a key to change it. Keys work while this window has the focus; Enter never sends."
_WAITS: Final = "press the new key, or Esc"
_CAP: Final = 74
_FIXED_LINES: Final = (
    ("Enter", "the detail of what is selected; it never sends"),
    ("Ctrl 1–9", "layouts, in the order of their names"),
)


class KeySheet(QFrame):
    def __init__(self, keys: KeyMap, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("key-sheet")
        self._keys = keys
        self._asked: str | None = None
        self._caps: dict[str, Button] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(2)
        half = (len(KEYS) + len(_FIXED_LINES) + 1) // 2  # two columns: the smallest window is high enough for one half
        for number, key in enumerate(KEYS):
            cap = self._caps[key.name] = Button("", name=f"key-{key.name}")
            cap.setMinimumWidth(_CAP)
            cap.setEnabled(key.name not in FIXED)
            cap.setAccessibleName(f"Key: {key.words}")
            cap.clicked.connect(lambda _=False, name=key.name: self._ask(name))
            _put(grid, number, half, cap, Text(key.words, tone="high" if key.sends else "mid"))
        for number, (shown, words) in enumerate(_FIXED_LINES, len(KEYS)):
            _put(grid, number, half, Text(shown, kind=Type.MONO_STRONG), Text(words, tone="mid"))
        grid.setColumnMinimumWidth(2, 18)
        self._note = Text(_NOTE, kind=Type.SMALL, tone="low", name="key-note")
        self._reset = Button("Reset all", name="key-reset", kind="quiet")
        self._reset.clicked.connect(keys.reset)
        foot = QHBoxLayout()
        foot.addWidget(self._note, 1)
        foot.addWidget(self._reset)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 14)
        column.setSpacing(8)
        column.addWidget(Text("Keys", kind=Type.SYMBOL))
        column.addLayout(grid)
        column.addLayout(foot)
        self._place = Centred(self, parent)
        keys.changed.connect(lambda _name: self._show())
        self._show()
        self.hide()

    def toggle(self) -> None:
        if self.isVisible():
            self.hide()
            return
        self._leave(_NOTE)
        self._place.bring()

    def _show(self) -> None:
        for name, cap in self._caps.items():
            cap.setText(self._keys.shown(name))
            cap.setProperty("kind", "plain")
        self._reset.setEnabled(any(self._keys.is_own(name) for name in self._caps))

    # --- another key -----------------------------------------------------------------------------------------

    def _ask(self, name: str) -> None:
        self._leave(_NOTE)
        self._asked = name
        self._caps[name].setText("…")
        self._note.say(f"{next(key.words for key in KEYS if key.name == name)}: {_WAITS}")
        self._note.set_tone("high")
        self.window().installEventFilter(self)
        self._caps[name].setFocus(Qt.FocusReason.OtherFocusReason)
        self._caps[name].installEventFilter(self)

    def _leave(self, words: str, ink: str = "low") -> None:
        if self._asked is not None:
            self._caps[self._asked].removeEventFilter(self)
            self.window().removeEventFilter(self)
        self._asked = None
        self._note.say(words)
        self._note.set_tone(ink)
        self._show()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """While a key is waited for, the next one is taken and does nothing else."""
        if self._asked is None or not isinstance(event, QKeyEvent):
            return False
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() is QEvent.Type.KeyPress:
            self._take(event)
            return True
        return False

    def _take(self, event: QKeyEvent) -> None:
        sequence = QKeySequence(event.keyCombination())
        if event.key() == Qt.Key.Key_Escape:
            self._leave(_NOTE)
        elif is_whole(sequence) and self._asked is not None:
            name = self._asked
            why = self._keys.change(name, sequence)
            self._leave(_NOTE if why is None else f"Not changed: {why}.", "low" if why is None else "p2_text")

    def hideEvent(self, event: QHideEvent) -> None:
        self._leave(_NOTE)
        super().hideEvent(event)

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """A click beside the keys closes it, unless a key is waited for: then it only gives that up."""
        if self._asked is not None:
            self._leave(_NOTE)
        else:
            self.hide()


def _put(grid: QGridLayout, number: int, half: int, cap: QWidget, words: QWidget) -> None:
    column, row = divmod(number, half)
    grid.addWidget(cap, row, 3 * column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    grid.addWidget(words, row, 3 * column + 1)
