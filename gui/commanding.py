"""The window's commands by key and by name: shortcuts bound once, and the palette over all that can be done now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from engine.model.words import Mode
from gui.commands import Command, of_keys
from gui.dialogs.confirm import Question
from gui.dialogs.palette import Palette
from gui.key_map import KeyMap
from gui.keys import DIGITS, KEYS


class Commanding:
    def __init__(
        self,
        mode: Mode,
        window: QWidget,
        acts: Mapping[str, Callable[[], object]],
        *,
        pick_reason: Callable[[int], object],
        use_layout: Callable[[int], object],
        ask: Callable[[Question], object],
        others: Callable[[], list[Command]],
        keys: KeyMap,
        may_send: Callable[[], bool],
    ) -> None:
        """``acts`` by the names of ``KEYS``; digits pick a reason, with Ctrl a layout, counted from 1.

        ``may_send``: the keys that send at once are armed; it says so when they are not.

        ``others`` are the commands without a key, as of now.
        """
        self._mode = mode
        self._window = window
        self._acts = {**acts, "palette": self.ask}
        self._ask = ask
        self._others = others
        self._palette = Palette(window)
        self._palette.chosen.connect(self._do)
        self._may_send = may_send
        self._keys = keys
        self._shortcuts = {
            key.name: self._bind(
                keys.keys(key.name),
                partial(self._send, self._acts[key.name]) if key.sends else self._acts[key.name],
                repeat=key.name in ("up", "down"),
            )
            for key in KEYS
        }
        keys.changed.connect(self._rebind)
        for digit in DIGITS:
            self._bind(digit, partial(pick_reason, int(digit)))
            self._bind(f"Ctrl+{digit}", partial(use_layout, int(digit)))

    def ask(self) -> None:
        self._palette.ask([*of_keys(self._acts), *self._others()])

    def dismiss(self) -> None:
        self._palette.dismiss()

    def _send(self, act: Callable[[], object]) -> None:
        if self._may_send():
            act()

    def _rebind(self, name: str) -> None:
        self._shortcuts[name].setKey(QKeySequence(self._keys.keys(name)))

    def _bind(self, keys: str, act: Callable[[], object], *, repeat: bool = False) -> QShortcut:
        shortcut = QShortcut(QKeySequence(keys), self._window)
        shortcut.setAutoRepeat(repeat)
        shortcut.activated.connect(act)
        return shortcut

    def _do(self, command: Command) -> None:
        """Enter chose it: what would send an order at once is a question first."""
        if not command.sends:
            command.act()
            return
        words = f"{self._mode.value.upper()}: {command.title}?"
        self._ask(Question("palette", words, "It is sent at once.", "Do it", command.act))
