"""A pending signal as a card: compact, or armed with all its numbers and buttons.

The armed card's numbers hold still for ``HOLD_S`` so that they can be clicked, and a click approves exactly those, by
their preview id; numbers that cannot be approved follow at once. A card that has just come, that changed under the
pointer or that has just become approvable takes no yes for ``GUARD_MS``.

The key approves only what a person has moved to: a card that the queue opened by itself, maybe in the place of the one
that was meant, is moved to by the first press.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from PySide6.QtCore import QElapsedTimer, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.model.commands import NO_EDITS, Edits
from engine.model.words import Side
from engine.views import PreviewView, SignalView
from engine.views_batch import RejectReasonView
from gui.formatting import tinted_sentence
from gui.panels import signal_words as words
from gui.panels.signal_details import SignalDetails
from gui.theme import CARD_PAD, Type, tokens
from gui.widgets.badge import SideBadge
from gui.widgets.button import Button
from gui.widgets.text import ElidedText, Text, restyle
from gui.widgets.tick import Tick
from gui.widgets.ttl_bar import TtlBar

HOLD_S: Final = 5.0
GUARD_MS: Final = 300


class SignalCard(QFrame):
    chosen = Signal(str)
    approve_asked = Signal(str, object, object, str)
    """Signal id, the preview id of the numbers shown, what the person changed in them, and why, where a rule warns."""
    edited = Signal(str)
    """Signal id: its fields say something else, the numbers have to follow."""
    reject_asked = Signal(str, object)
    """Signal id, and the code of a usual reason or None."""
    undo_asked = Signal(str)
    ticked = Signal(str, bool)
    """Signal id, and whether it is to be decided together with others."""

    def __init__(self, signal: SignalView, reasons: Sequence[RejectReasonView], parent: QWidget | None = None) -> None:
        """``reasons`` are the usual ones for a no."""
        super().__init__(parent)
        self._reasons = reasons
        self.setObjectName(f"card-{signal.id}")
        self.setProperty("part", "card")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.signal = signal
        self.shown: PreviewView | None = None
        self._armed = False
        self._is_moved_to = False
        self._has_changed_words = False
        self._busy = False
        self._outcome: str | None = None
        self._held = QElapsedTimer()
        self._guard = QTimer(self, singleShot=True, interval=GUARD_MS)
        self._guard.timeout.connect(self._enable)
        self._details: SignalDetails | None = None
        self._tick = Tick(name="card-tick", said=f"{signal.symbol}, decide together")
        self._tick.toggled.connect(lambda on: self.ticked.emit(self.signal.id, on))
        self._tick.hide()
        self._badge = SideBadge(signal.side)
        self._symbol = Text(signal.symbol, kind=Type.SYMBOL, name="card-symbol")
        strategy = ElidedText(signal.strategy, tone="mid", name="card-strategy")
        self._ttl = TtlBar()
        self._outcome_text = Text(tone="mid", name="card-outcome")
        self._outcome_text.hide()
        self._undo = Button("Undo", name="card-undo", key="U")
        self._undo.setToolTip("Take the approval back: nothing has been sent yet")
        self._undo.clicked.connect(lambda: self.undo_asked.emit(self.signal.id))
        self._undo.hide()
        self._sentence = Text(kind=Type.SENTENCE, wrap=True, name="card-sentence")
        self._sentence.setTextFormat(Qt.TextFormat.RichText)
        self._foot = Text(tone="low", kind=Type.SMALL, wrap=True, name="card-foot")
        head = QHBoxLayout()
        head.setSpacing(8)
        for widget, stretch in (
            (self._tick, 0),
            (self._badge, 0),
            (self._symbol, 0),
            (strategy, 1),
            (self._ttl, 0),
            (self._outcome_text, 0),
            (self._undo, 0),
        ):
            head.addWidget(widget, stretch)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(CARD_PAD, 10, CARD_PAD, 10)
        self._column.setSpacing(5)
        self._column.addLayout(head)
        self._column.addWidget(self._sentence)
        self._column.addWidget(self._foot)
        self.show_preview(signal.preview)

    # --- what the panel tells it -----------------------------------------------------------------------------

    @property
    def is_armed(self) -> bool:
        return self._armed

    @property
    def is_gone(self) -> bool:
        return self._outcome is not None

    @property
    def holds(self) -> bool:
        """Its numbers are being held still: there is something to click, or what has changed to read."""
        matters = self._has_changed_words or (self.shown is not None and self.shown.approvable)
        return self._armed and matters and self._held.isValid() and self._held.elapsed() < HOLD_S * 1_000

    def take(self, signal: SignalView) -> None:
        """A newer picture. An armed card that has numbers keeps them until the hold is over."""
        self.signal = signal
        if not self._armed or self.shown is None:
            self.show_preview(signal.preview)

    def arm(self, preview: PreviewView | None) -> None:
        """Open, with the numbers that a click would approve."""
        if self._details is None:
            self._details = SignalDetails(self._reasons)
            self._details.approve_clicked.connect(self._approve)
            self._details.rejected.connect(lambda code: self.reject_asked.emit(self.signal.id, code))
            self._details.edit_clicked.connect(self.edit)
            self._details.reason_typed.connect(self._enable)
            self._details.fields.edited.connect(lambda: self.edited.emit(self.signal.id))
            self._details.fields.left.connect(self.leave_edit)
            self._column.addWidget(self._details)
        self._armed = True
        self._is_moved_to = False
        self._details.show()
        self._foot.hide()
        restyle(self, "chosen", True)
        self._guard.start()
        self.show_preview(preview or self.signal.preview)

    def move_to(self) -> None:
        """A person has come to it: the key approves it from now on."""
        self._is_moved_to = True
        self._enable()

    def disarm(self) -> None:
        self._armed = False
        if self._details is not None:
            self._details.close_reasons()
            self._details.fields.hide()
            self._details.hide()
        self._foot.show()
        restyle(self, "chosen", False)
        self.show_preview(self.signal.preview)

    def show_preview(self, preview: PreviewView | None, changed: str = "") -> None:
        """Show these numbers; ``changed`` says what is different from those a click was refused for."""
        old, self.shown = self.shown, preview
        self._held.start()
        self._has_changed_words = bool(changed)
        if self._outcome is not None:
            return
        self._tint()
        if not self._armed or self._details is None:
            self._foot.say(words.foot(preview))
            return
        was_blocked = old is not None and not old.approvable
        if (
            old is not None
            and preview is not None
            and _is_material(old, preview)
            and (was_blocked or self.underMouse())
        ):
            self._guard.start()
        self._details.show_numbers(self.signal, preview, changed)
        self._enable()

    def show_tick(self, *, offered: bool, on: bool) -> None:
        """Whether it can be chosen for a batch, and whether it is."""
        self._tick.setVisible(offered and not self.is_gone)
        self._tick.set_on(on)

    @property
    def can_undo(self) -> bool:
        return not self._undo.isHidden()

    def show_time(self, now: datetime) -> None:
        if self.is_gone:
            until = self.signal.undo_until
            left_s = (until - now).total_seconds() if until is not None else 0.0
            self._undo.setVisible(left_s > 0)
            self._undo.setText(f"Undo {left_s:.0f} s" if left_s >= 1 else "Undo")
            return
        left = (self.signal.expires_at - now).total_seconds()
        whole = (self.signal.expires_at - self.signal.received_at).total_seconds()
        self._ttl.show_left(left, whole)

    def show_busy(self, busy: bool) -> None:
        self._busy = busy
        self._enable()

    @property
    def edits(self) -> Edits:
        """What the person has changed so far."""
        return self._details.fields.edits if self._is_editing and self._details is not None else NO_EDITS

    @property
    def _is_editing(self) -> bool:
        return self._details is not None and self._armed and not self._details.fields.isHidden()

    def edit(self) -> None:
        """Open the fields, or close them and go back to what was proposed."""
        if self._is_editing:
            self.leave_edit()
        elif self._details is not None and self._armed and self.shown is not None and not self._busy:
            self._details.fields.begin(self.shown)
            self.edited.emit(self.signal.id)

    def leave_edit(self) -> None:
        """Back to what was proposed."""
        if self._is_editing and self._details is not None:
            self._details.fields.hide()
            self.edited.emit(self.signal.id)

    def open_reasons(self) -> None:
        """First call shows the usual reasons, the second rejects without one."""
        if self._details is not None and self._armed:
            self._details.ask_reject()

    def pick_reason(self, number: int) -> bool:
        return self._details is not None and self._armed and self._details.pick_reason(number)

    def show_outcome(self, signal: SignalView) -> None:
        """It is decided: nothing to click any more, its end in words until it leaves."""
        if self._armed:
            self.disarm()
        self.signal = signal
        self._outcome = words.OUTCOMES[signal.status]
        self._ttl.hide()
        self._tick.hide()
        self._outcome_text.say(self._outcome)
        self._outcome_text.show()
        self._badge.set_dim(True)
        self._symbol.set_tone("mid")
        self._foot.say(words.outcome_reason(signal))
        self._foot.setVisible(bool(self._foot.text()))
        self._tint()
        restyle(self, "gone", True)

    def approve_now(self) -> str:
        """The key's way to the button; why it does nothing, empty when it did or a decision is under way."""
        if self._details is None or self._busy:
            return ""
        if self._guard.isActive():
            return f"{self.signal.symbol} has just come or changed: look, and press again."
        if not self._is_moved_to:
            self.move_to()
            return ""
        if self._details.reason.is_lacking:
            self._details.reason.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not self._details.approve.isEnabled():
            return f"{self.signal.symbol}: {self._details.why}"
        self._approve()
        return ""

    # --- inside ----------------------------------------------------------------------------------------------

    def _tint(self) -> None:
        palette = tokens()
        tint = palette.buy if self.signal.side is Side.BUY else palette.sell
        if self._outcome is not None:
            tint = palette.mid
        text = tinted_sentence(words.sentence(self.signal, self.shown), tint)
        if text != self._sentence.text():
            self._sentence.setText(text)
        self._sentence.set_tone("high" if self._outcome is None else "low")

    def _enable(self) -> None:
        if self._details is not None:
            ready = not self._busy and not self._guard.isActive()
            self._details.set_ready(ready, self._busy, takes_key=self._is_moved_to)

    def _approve(self) -> None:
        if self.shown is not None and self._details is not None and not self._guard.isActive():
            reason = self._details.reason.reason
            self.approve_asked.emit(self.signal.id, self.shown.preview_id, self.edits, reason)

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        if self._outcome is None:
            self.chosen.emit(self.signal.id)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_sentence"):
            self._tint()  # rich text holds its own colour


def _is_material(old: PreviewView, new: PreviewView) -> bool:
    """Different in what is sent or allowed, not only in the price of the moment."""
    risk = (old.risk.usd if old.risk else None, new.risk.usd if new.risk else None)
    return old.sentence != new.sentence or old.qty != new.qty or old.approvable != new.approvable or risk[0] != risk[1]
