"""The order ticket in the window: the key and the symbols that open it, its prices, and the way to the desk."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import uuid4

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from engine.model.words import Mode
from engine.views import SignalView
from gui.actions import TICKET, Actions, Refusal
from gui.bridge import Bridge
from gui.dialogs.ticket_sheet import TicketSheet

LOOK_AFTER_MS: Final = 300
"""A symbol is asked for when nobody has typed for so long."""


class Ticketing(QObject):
    sent = Signal(str)
    """Id of the signal that a ticket became."""

    def __init__(self, mode: Mode, bridge: Bridge, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._actions = actions
        self._sheet = TicketSheet(mode, window)
        self._looked_at = ""
        self._pause = QTimer(self, singleShot=True, interval=LOOK_AFTER_MS)
        self._pause.timeout.connect(self._look)
        self._sheet.changed.connect(self.follow)
        self._sheet.form.symbol_changed.connect(lambda _symbol: self._pause.start())
        self._sheet.send_asked.connect(self._send)
        self._sheet.closed.connect(self._leave)
        bridge.each_beat(self.follow)
        actions.ended.connect(self._ended)
        actions.refused.connect(self._refused)

    def ask(self, symbol: str = "", side: str = "buy") -> None:
        """Open it, for a symbol where one is at hand. What is being typed stays."""
        if self._sheet.isHidden() and not self._actions.is_running(TICKET):
            self._looked_at = ""
            self._sheet.ask(_name(), self._bridge.symbols(), symbol, side)
            self.follow()
            self._look()

    def fill(self, symbol: str) -> None:
        """The same for a symbol that somebody pointed at, also while it is open."""
        if self._sheet.isHidden():
            self.ask(symbol)
        else:
            self._sheet.form.symbol.setText(symbol)

    def copy(self, signal: SignalView) -> None:
        """What a signal proposed that is decided, to be looked at and sent as an order of one's own."""
        if not self._sheet.isHidden() or self._actions.is_running(TICKET):
            self._sheet.refuse("What is typed stays: leave this ticket first.")
            return
        self.ask(signal.symbol, signal.side.value)
        self._sheet.copy(signal)
        self.follow()

    def dismiss(self) -> None:
        self._sheet.dismiss()

    def follow(self) -> None:
        """A keystroke, a price, a second: of use only while the ticket is open, and not while it is being sent."""
        if self._sheet.isHidden() or self._actions.is_running(TICKET):
            return
        self._sheet.show_quote(self._bridge.quote(self._sheet.form.symbol_typed))
        self._sheet.show_preview(self._bridge.preview_ticket(_encoded(self._sheet.body)))

    def _look(self) -> None:
        """Prices and history of what was typed."""
        symbol = self._sheet.form.symbol_typed
        if symbol and symbol != self._looked_at and not self._sheet.isHidden():
            self._looked_at = symbol
            self._actions.look_at(symbol)

    def _send(self, body: dict[str, Any], preview_id: str, reason: str) -> None:
        self._actions.send_ticket(_encoded(body), preview_id, self._done, reason)
        self._sheet.show_busy(self._actions.is_running(TICKET))

    def _done(self, signal_id: str) -> None:
        self._sheet.dismiss()
        self.sent.emit(signal_id)

    def _leave(self) -> None:
        self._pause.stop()
        self._looked_at = ""
        self._actions.leave_ticket()

    def _ended(self, key: str) -> None:
        if key == TICKET:
            self._sheet.show_busy(False)
        elif key.startswith(f"{TICKET}:"):
            if self._sheet.isHidden():
                self._actions.leave_ticket()  # it was closed while the symbol was looked up
                return
            self._look()  # another symbol was typed meanwhile
            self.follow()

    def _refused(self, key: str, refusal: Refusal) -> None:
        if key == TICKET:
            self._sheet.rename(_name())
            self.follow()
            self._sheet.refuse(refusal.text)
        elif key.startswith(f"{TICKET}:") and not self._sheet.isHidden():
            self._sheet.refuse(refusal.text)


def _name() -> str:
    return f"ticket-{uuid4().hex}"


def _encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
