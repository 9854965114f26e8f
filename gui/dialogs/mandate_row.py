"""One mandate of the sheet: what it speaks of, how much of each bound is burned, and the button that ends it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.views_limits import MandateView
from gui import formatting as say
from gui.dialogs.mandate_words import scope_words, share
from gui.dialogs.sheet import under_rule
from gui.theme import Type
from gui.widgets.burn_bar import BurnBar
from gui.widgets.button import Button
from gui.widgets.text import Text

_STATUS: Final = {
    "live": ("live", "go"),
    "unconfirmed": ("unconfirmed: approves nothing until you confirm it", "p2_text"),
    "used_up": ("used up: approves nothing more", "p2_text"),
    "over": ("over", "low"),
    "revoked": ("revoked", "low"),
}


class MandateRow(QWidget):
    revoke_asked = Signal(str)
    confirm_asked = Signal(str)

    def __init__(self, mandate_id: str) -> None:
        super().__init__()
        self.setObjectName(f"mandate-{mandate_id}")
        self._head = Text(kind=Type.STRONG, name="mandate-head")
        self._status = Text(kind=Type.SMALL_STRONG, name="mandate-status")
        self._scope = Text(tone="mid", wrap=True, name="mandate-scope")
        self._day, self._count, self._loss = (BurnBar(name=f"burn-{what}") for what in ("day", "count", "loss"))
        self._refusal = Text(kind=Type.SMALL, tone="low", wrap=True, name="mandate-refusal")
        self.confirm = Button("Confirm", name="mandate-confirm")
        self.confirm.clicked.connect(lambda: self.confirm_asked.emit(mandate_id))
        self.revoke = Button("Revoke", name="mandate-revoke", kind="danger")
        self.revoke.clicked.connect(lambda: self.revoke_asked.emit(mandate_id))
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self._head)
        head.addWidget(self._status)
        head.addStretch(1)
        bars = QHBoxLayout()
        bars.setSpacing(18)
        for bar in (self._day, self._count, self._loss):
            bars.addWidget(bar, 1)
        words = QVBoxLayout()
        words.setSpacing(5)
        words.addLayout(head)
        words.addWidget(self._scope)
        words.addLayout(bars)
        words.addWidget(self._refusal)
        row = QHBoxLayout()
        row.addLayout(words, 1)
        row.addWidget(self.confirm, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.revoke, 0, Qt.AlignmentFlag.AlignTop)
        under_rule(row, self, above=11)

    def show_mandate(self, mandate: MandateView, now: datetime) -> None:
        self._head.say(f"{mandate.strategy} · {mandate.id}")
        words, ink = _STATUS[mandate.status]
        self._status.say(words)
        self._status.set_tone(ink)
        note = f" · “{mandate.note}”" if mandate.note else ""
        self._scope.say(say.sentence(scope_words(mandate, now)) + note)
        self._day.show_used(
            share(mandate.notional_today, mandate.max_notional_day),
            f"Today {say.money(mandate.notional_today)} of {say.money(mandate.max_notional_day)}",
        )
        self._count.show_used(
            share(mandate.count, mandate.max_count), f"Approvals {mandate.count} of {mandate.max_count}"
        )
        self._loss.setVisible(mandate.max_loss_day is not None)
        if mandate.max_loss_day is not None and mandate.loss_today is not None:
            self._loss.show_used(
                share(mandate.loss_today, mandate.max_loss_day),
                f"Lost and at risk {say.money(mandate.loss_today)} of {say.money(mandate.max_loss_day)}",
            )
        self._refusal.say(f"Left to you: {mandate.last_refusal}" if mandate.last_refusal else "")
        self._refusal.setVisible(bool(mandate.last_refusal))
        self.confirm.setVisible(mandate.status == "unconfirmed")

    def offer(self, *, is_busy: bool) -> None:
        self.confirm.setEnabled(not is_busy)
        self.revoke.setEnabled(not is_busy)
