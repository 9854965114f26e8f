"""Alpaca's keys: which are there, storing them in the system's keyring, and trying the connection with them.

A secret is typed unseen, is gone from its field as soon as it is stored or the sheet is left, and comes back nowhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Final, Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from engine.errors import EngineError
from engine.model.words import Mode
from gui.actions import Spawn
from gui.dialogs.sheet import Centred, Sheet
from gui.theme import Type, font
from gui.widgets.button import Button
from gui.widgets.segments import Segments
from gui.widgets.text import Text

_WIDTH: Final = 560
_MODES: Final = (("paper", "Paper"), ("live", "Live: real money"))


class KeyState(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...


class Finding(Protocol):
    @property
    def ok(self) -> bool: ...
    @property
    def what(self) -> str: ...
    @property
    def text(self) -> str: ...


class Cabinet(Protocol):
    """Where keys are kept."""

    def state(self, mode: Mode) -> Awaitable[KeyState]: ...
    def store(self, mode: Mode, key_id: str, secret: str) -> Awaitable[KeyState]: ...
    def forget(self, mode: Mode) -> Awaitable[KeyState]: ...
    def test(self, mode: Mode, key_id: str = "", secret: str = "") -> Awaitable[Sequence[Finding]]: ...


class KeysForm(QWidget):
    """The fields and their buttons, for a sheet of their own and for the first start."""

    _has_stored = False

    def __init__(self, cabinet: Cabinet, spawn: Spawn) -> None:
        super().__init__()
        self.setObjectName("keys-form")
        self._cabinet = cabinet
        self._spawn = spawn
        self._mode = Mode.PAPER
        self._is_busy = False
        self._state = Text(kind=Type.MEDIUM, wrap=True, name="keys-state")
        self._key_id = self._field("keys-id", "Key id")
        self._secret = self._field("keys-secret", "Secret key")
        self._secret.setEchoMode(QLineEdit.EchoMode.Password)
        self._said = Text(kind=Type.SMALL, tone="mid", wrap=True, name="keys-said")
        self._test = Button("Test connection", name="keys-test")
        self._store = Button("Store in keyring", name="keys-store", kind="go")
        self._forget = Button("Forget", name="keys-forget")
        self._test.clicked.connect(self._try)
        self._store.clicked.connect(self._keep)
        self._forget.clicked.connect(self._drop)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        for row, (title, field) in enumerate((("Key id", self._key_id), ("Secret key", self._secret))):
            grid.addWidget(Text(title, tone="mid"), row, 0)
            grid.addWidget(field, row, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._test, self._store, self._forget):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(9)
        column.addWidget(self._state)
        column.addLayout(grid)
        column.addLayout(buttons)
        column.addWidget(self._said)

    def _field(self, name: str, said: str) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(name)
        field.setAccessibleName(said)
        field.setFont(font(Type.MONO))
        field.textChanged.connect(self._enable)
        return field

    def show_mode(self, mode: Mode) -> None:
        """Keys typed for one mode are never offered to the other."""
        self._mode = mode
        self.clear()
        self._say("", "mid")
        self._state.say("Looking for keys ...")
        self._run("state")

    def clear(self) -> None:
        for field in (self._key_id, self._secret):
            field.clear()

    # --- inside ----------------------------------------------------------------------------------------------

    @property
    def _is_typed(self) -> bool:
        return bool(self._key_id.text().strip() and self._secret.text().strip())

    def _enable(self) -> None:
        self._test.setEnabled(not self._is_busy)
        self._store.setEnabled(self._is_typed and not self._is_busy)
        self._forget.setEnabled(self._has_stored and not self._is_busy)

    def _try(self) -> None:
        self._say("Asking Alpaca: account, clock, order stream, prices ...", "mid")
        self._run("test")

    def _keep(self) -> None:
        self._say("Storing ...", "mid")
        self._run("store")

    def _drop(self) -> None:
        self._run("forget")

    def _run(self, what: str) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        self._enable()
        self._spawn(f"window:keys-{what}", self._work(what, self._mode, self._key_id.text(), self._secret.text()))

    async def _work(self, what: str, mode: Mode, key_id: str, secret: str) -> None:
        try:
            if what == "test":
                typed = (key_id, secret) if key_id.strip() or secret.strip() else ("", "")
                self._show_findings(await self._cabinet.test(mode, *typed))
            elif what == "store":
                self._show_state(mode, await self._cabinet.store(mode, key_id, secret))
                self.clear()
                self._say(f"Stored. A {mode.value} desk uses them from its next start on.", "go")
            elif what == "forget":
                self._show_state(mode, await self._cabinet.forget(mode))
                self._say("Taken out of the keyring.", "mid")
            else:
                self._show_state(mode, await self._cabinet.state(mode))
        except EngineError as failed:
            self._say(failed.operator_text, "p2_text")
        finally:
            self._is_busy = False
            self._enable()
            if mode is not self._mode:  # the other one was chosen meanwhile
                self.show_mode(self._mode)

    def _show_state(self, mode: Mode, state: KeyState) -> None:
        if mode is self._mode:
            self._has_stored = state.source == "keyring"
            self._state.say(state.text)
            self._state.set_tone("high" if state.source != "none" else "mid")

    def _show_findings(self, findings: Sequence[Finding]) -> None:
        lines = [f"{'✓' if finding.ok else '✗'} {finding.what}: {finding.text}" for finding in findings]
        self._say("\n".join(lines), "go" if all(finding.ok for finding in findings) else "p2_text")

    def _say(self, words: str, ink: str) -> None:
        self._said.say(words)
        self._said.set_tone(ink)
        self._said.setVisible(bool(words))

    def hideEvent(self, event: QHideEvent) -> None:
        """What was typed is not there when it is opened again."""
        self.clear()
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return  # it stores nothing
        super().keyPressEvent(event)


class KeysSheet(Sheet):
    def __init__(self, cabinet: Cabinet, spawn: Spawn, parent: QWidget) -> None:
        super().__init__(parent, name="keys-sheet", width=_WIDTH)
        self._modes = Segments(_MODES, name="keys-mode", said="Account")
        self._form = KeysForm(cabinet, spawn)
        self._modes.changed.connect(lambda mode: self._form.show_mode(Mode(mode)))
        back = Button("Back", name="keys-back")
        back.clicked.connect(self.dismiss)
        foot = QHBoxLayout()
        about = "Kept by this system's keyring, paper and live apart; never in a file of the desk."
        foot.addWidget(Text(about, kind=Type.SMALL, tone="low", wrap=True), 1)
        foot.addWidget(back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(11)
        column.addWidget(Text("Alpaca keys", kind=Type.SYMBOL))
        column.addWidget(self._modes)
        column.addWidget(self._form)
        column.addLayout(foot)
        self._place = Centred(self, parent, width=_WIDTH)

    def ask(self, mode: Mode = Mode.PAPER) -> None:
        self._modes.choose(mode.value)
        self._form.show_mode(mode)
        self._place.bring()
