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
    ) -> None:
        """``acts`` by the names of ``KEYS``; digits pick a reason, with Ctrl a layout, counted from 1.

        ``others`` are the commands without a key, as of now.
        """
        self._mode = mode
        self._window = window
        self._acts = {**acts, "palette": self.ask}
        self._ask = ask
        self._others = others
        self._palette = Palette(window)
        self._palette.chosen.connect(self._do)
        for key in KEYS:
            self._bind(key.keys, self._acts[key.name], repeat=key.name in ("up", "down"))
        for digit in DIGITS:
            self._bind(digit, partial(pick_reason, int(digit)))
            self._bind(f"Ctrl+{digit}", partial(use_layout, int(digit)))

    def ask(self) -> None:
        self._palette.ask([*of_keys(self._acts), *self._others()])

    def dismiss(self) -> None:
        self._palette.dismiss()

    def _bind(self, keys: str, act: Callable[[], object], *, repeat: bool = False) -> None:
        shortcut = QShortcut(QKeySequence(keys), self._window)
        shortcut.setAutoRepeat(repeat)
        shortcut.activated.connect(act)

    def _do(self, command: Command) -> None:
        """Enter chose it: what would send an order at once is a question first."""
        if not command.sends:
            command.act()
            return
        words = f"{self._mode.value.upper()}: {command.title}?"
        self._ask(Question("palette", words, "It is sent at once.", "Do it", command.act))
