"""The armed card's lower part: its numbers, the fields to change them, and the buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.model.commands import NO_EDITS
from engine.views import PreviewView, SignalView
from engine.views_batch import RejectReasonView
from gui import formatting as say, keys
from gui.panels import signal_words as words
from gui.panels.preview_numbers import PreviewNumbers
from gui.panels.signal_edit import EditStrip
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.reason_field import LACKING, ReasonField
from gui.widgets.text import ElidedText, Text


class SignalDetails(QWidget):
    approve_clicked = Signal()
    edit_clicked = Signal()
    reason_typed = Signal()
    rejected = Signal(object)
    """Code of a usual reason, None without one."""

    def __init__(self, reasons: Sequence[RejectReasonView]) -> None:
        super().__init__()
        self._codes = {reason.code for reason in reasons}
        self._preview: PreviewView | None = None
        self.why = ""
        """Why it cannot be approved; empty when it can."""
        self._numbers = PreviewNumbers()
        self._changed = Text(kind=Type.SMALL_STRONG, tone="p2_text", wrap=True, name="card-changed")
        self.approve = Button("Approve", name="approve", kind="go", key="A")
        self.edit = Button("Edit", name="edit", key="E")
        self.edit.setToolTip("Change quantity or prices before the yes")
        self.reject = Button("Reject", name="reject", key="R")
        self.fields = EditStrip()
        self.reason = ReasonField(name="approve-reason")
        self.reason.textChanged.connect(self.reason_typed)
        self._state = ElidedText(kind=Type.SMALL, tone="low", name="card-state", greedy=False)
        self.approve.clicked.connect(self.approve_clicked)
        self.edit.clicked.connect(self.edit_clicked)
        self.reject.clicked.connect(self.ask_reject)
        self._reasons = QWidget()
        self._reasons.setObjectName("reasons")
        choices = QVBoxLayout(self._reasons)
        choices.setContentsMargins(0, 2, 0, 0)
        choices.setSpacing(4)
        for reason in reasons:
            button = Button(say.sentence(reason.text), name=f"reason-{reason.code}", key=str(reason.code))
            button.clicked.connect(lambda _checked=False, code=reason.code: self._reject(code))
            choices.addWidget(button)
        none = Button("No reason", name="reason-none", key="R")
        none.clicked.connect(lambda: self._reject(None))
        choices.addWidget(none)
        self._reasons.hide()
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.approve)
        row.addWidget(self.edit)
        row.addWidget(self.reject)
        row.addStretch(1)
        row.addWidget(self._state)
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(0, 2, 0, 0)
        column_layout.setSpacing(7)
        column_layout.addWidget(self._numbers)
        column_layout.addWidget(self._changed)
        column_layout.addWidget(self.fields)
        column_layout.addWidget(self.reason)
        column_layout.addLayout(row)
        column_layout.addWidget(self._reasons)

    def show_numbers(self, signal: SignalView, preview: PreviewView | None, changed: str) -> None:
        self._preview = preview
        self._changed.say(f"Changed since shown: {changed}" if changed else "")
        self._changed.setVisible(bool(changed))
        self._numbers.show_numbers(words.marks(signal, preview), preview, signal.reasons)
        self.reason.want(preview is not None and preview.wants_reason)

    def set_ready(self, ready: bool, busy: bool, *, takes_key: bool) -> None:
        """``ready`` is the card's own yes; the desk's verdict comes on top. ``takes_key``: the key approves at once."""
        preview = self._preview
        approvable = preview is not None and preview.approvable
        sound = self.fields.isHidden() or self.fields.is_sound
        told = not self.reason.is_lacking
        self.approve.setEnabled(ready and approvable and sound and told)
        self.edit.setEnabled(not busy and preview is not None)
        self.reject.setEnabled(not busy)
        why = "" if approvable else (preview.blocked_by or "not approvable") if preview else "waiting for a price"
        why = why if sound else "A field holds no number"
        why = why or ("" if told else LACKING)
        self.why = why
        edited = not self.fields.isHidden() and self.fields.edits != NO_EDITS
        self.approve.setToolTip(why or "Approve exactly these numbers")
        self.approve.show_twice(not takes_key)
        ready_word = "edited" if edited else "armed" if takes_key else f"{keys.shown_for('A')} arms it"
        self._state.say(
            "sending" if busy else ready_word if approvable and sound and told else "blocked" if told else "why?"
        )
        self._state.setToolTip(why)

    def ask_reject(self) -> None:
        if self._reasons.isHidden():
            self._reasons.show()
        else:
            self._reject(None)

    def close_reasons(self) -> None:
        self._reasons.hide()

    def pick_reason(self, number: int) -> bool:
        """Reject with the usual reason of that digit; False when the reasons are not open or there is none."""
        if self._reasons.isHidden() or number not in self._codes:
            return False
        self._reject(number)
        return True

    def _reject(self, code: int | None) -> None:
        self._reasons.hide()
        self.rejected.emit(code)
