"""Which key does what, as the operator wants it: changed one at a time, clashes refused, kept with the layout."""

from __future__ import annotations

from typing import Any, Final, cast

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QKeySequence

from gui import keys
from gui.keys import DIGITS, KEYS

_KEPT: Final = "keys"
_NAMES: Final = {key.name: key for key in KEYS}
RESERVED: Final[dict[str, str]] = {
    "Return": "Enter shows the detail and never sends",
    "Enter": "Enter shows the detail and never sends",
    "Esc": "Esc leads out of everything",
    "Tab": "Tab moves from field to field",
    "Backtab": "Tab moves from field to field",
    **dict.fromkeys(DIGITS, "digits choose the reason of a rejection"),
    **{f"Ctrl+{digit}": "Ctrl and a digit choose a layout" for digit in DIGITS},
}
FIXED: Final = frozenset({"escape"})
"""They cannot be changed."""
_MODIFIERS: Final = frozenset({Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr})


def is_whole(sequence: QKeySequence) -> bool:
    """A key was pressed, and not only something held beside it."""
    return sequence.count() == 1 and cast("Any", sequence)[0].key() not in _MODIFIERS


class KeyMap(QObject):
    changed = Signal(str)
    """Name of what has another key now."""

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self._settings = settings
        self._own: dict[str, str] = {}
        for key in KEYS:
            kept = str(settings.value(f"{_KEPT}/{key.name}", ""))
            if kept and self.refusal(key.name, QKeySequence(kept)) is None:
                self._own[key.name] = kept
        self._tell()

    def keys(self, name: str) -> str:
        """As ``QKeySequence`` reads it."""
        return self._own.get(name, _NAMES[name].keys)

    def shown(self, name: str) -> str:
        return keys.shown_of(_NAMES[name], self._own.get(name))

    def is_own(self, name: str) -> bool:
        return name in self._own

    def refusal(self, name: str, sequence: QKeySequence) -> str | None:
        """Why it cannot be that one; None when it can."""
        text = sequence.toString()
        if name in FIXED:
            return "this one stays as it is"
        if not is_whole(sequence):
            return "that is no key"
        if text in RESERVED:
            return RESERVED[text]
        for key in KEYS:
            if key.name != name and QKeySequence(self.keys(key.name)) == sequence:
                return f"it is taken: {key.words}"
        return None

    def change(self, name: str, sequence: QKeySequence) -> str | None:
        """Take another key; why not, when it cannot be."""
        why = self.refusal(name, sequence)
        if why is not None:
            return why
        text = sequence.toString()
        if text == QKeySequence(_NAMES[name].keys).toString():
            self._own.pop(name, None)
            self._settings.remove(f"{_KEPT}/{name}")
        else:
            self._own[name] = text
            self._settings.setValue(f"{_KEPT}/{name}", text)
        self._tell()
        self.changed.emit(name)
        return None

    def reset(self) -> None:
        """All as they come."""
        self._own.clear()
        self._settings.remove(_KEPT)
        self._tell()
        for key in KEYS:
            self.changed.emit(key.name)

    def _tell(self) -> None:
        keys.show_own({_NAMES[name].shown: self.shown(name) for name in self._own})
