"""The order ticket: an entry by hand, with everything that a card shows beneath it, and one button.

It is judged by the gate with every keystroke and with every price. What the button sends is the preview that stands
there; when that changes in what it would send under the pointer, the button takes no click for a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.errors import CommandRefused
from engine.model.words import Mode
from engine.views import PreviewView, SignalView
from gui import formatting as say
from gui.dialogs.sheet import Centred, RowList, Sheet
from gui.dialogs.ticket_form import TicketForm, in_words
from gui.door import Quote
from gui.formatting import tinted_sentence
from gui.panels import signal_words as words
from gui.panels.preview_numbers import PreviewNumbers
from gui.theme import Type, tokens
from gui.widgets.button import Button
from gui.widgets.price_ruler import Marks
from gui.widgets.reason_field import LACKING, ReasonField
from gui.widgets.text import Text, rule

GUARD_MS: Final = 300
_WIDTH: Final = 700
_NUMBERS_HIGH: Final = 262
_SENTENCE_HIGH: Final = 38
"""Two lines."""
NO_MARKS: Final = Marks(None, None, None, None)


class TicketSheet(Sheet):
    send_asked = Signal(object, str, str)
    """The form, the preview id of the numbers shown, and why, where a rule warns."""
    changed = Signal()
    """The form says something else: judge it again."""
    closed = Signal()

    def __init__(self, mode: Mode, parent: QWidget) -> None:
        super().__init__(parent, name="ticket-sheet", width=_WIDTH)
        self._mode = mode
        self._ticket = ""
        self._shown: PreviewView | None = None
        self._is_busy = False
        self._guard = QTimer(self, singleShot=True, interval=GUARD_MS)
        self._guard.timeout.connect(self._enable)
        self.form = TicketForm()
        self.form.changed.connect(self.changed)
        self._sentence = Text(kind=Type.SENTENCE, wrap=True, name="ticket-sentence")
        self._sentence.setTextFormat(Qt.TextFormat.RichText)
        self._sentence.setMinimumHeight(_SENTENCE_HIGH)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._numbers = PreviewNumbers()
        self._room = RowList(name="ticket-numbers", width=_WIDTH - 40, most=_NUMBERS_HIGH)
        self._room.add(self._numbers)
        self._room.setFixedHeight(_NUMBERS_HIGH)  # whatever is typed, nothing jumps
        self._copied = Text(kind=Type.SMALL, tone="p2_text", wrap=True, name="ticket-copied")
        self._copied.hide()
        self._said = Text(kind=Type.SMALL_STRONG, tone="p2_text", wrap=True, name="ticket-said")
        self._reason = ReasonField(name="ticket-reason")
        self._reason.textChanged.connect(lambda _text: self._enable())
        self._send_words = f"Send to {mode.value.upper()}"
        self.send = Button(self._send_words, name="ticket-send", kind="go")
        self.send.clicked.connect(self._send)
        self._back = Button("Back", name="ticket-back")
        self._back.clicked.connect(self.dismiss)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._said, 1)
        foot.addWidget(self.send)
        foot.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(9)
        column.addWidget(Text(f"{mode.value.upper()} · Order ticket", kind=Type.SYMBOL, name="ticket-title"))
        for widget in (self._copied, self.form, rule(vertical=False), self._sentence, self._room, self._reason):
            column.addWidget(widget)
        column.addLayout(foot)
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)

    # --- opening and closing ---------------------------------------------------------------------------------

    def ask(self, ticket: str, symbols: Sequence[str], symbol: str = "", side: str = "buy") -> None:
        """Empty; ``ticket`` names the order that it may become."""
        self._ticket = ticket
        self._shown = None
        self._said.say("")
        self._copied.hide()
        self._reason.clear()
        self._reason.want(False)
        self.show_busy(False)
        self._numbers.show_numbers(NO_MARKS, None)
        self._place.bring()
        self.form.begin(symbols, symbol, side)
        self._place.place()

    def copy(self, signal: SignalView) -> None:
        """What a signal proposed, in place of what stands there; what of it a ticket cannot say is told."""
        left_out = self.form.copy(signal)
        said = f"As {signal.strategy} proposed it at {say.clock(signal.received_at)}: look at every number."
        self._copied.say(said if not left_out else f"{said} Not copied: {', '.join(left_out)}.")
        self._copied.show()
        self._place.place()

    def rename(self, ticket: str) -> None:
        """After a refusal: what is sent next is another order."""
        self._ticket = ticket

    def dismiss(self) -> None:
        if not self.isHidden():
            super().dismiss()
            self.closed.emit()

    @property
    def body(self) -> dict[str, Any]:
        return self.form.body(self._ticket)

    # --- what it shows ---------------------------------------------------------------------------------------

    def show_quote(self, quote: Quote | None) -> None:
        if not self.form.symbol_typed:
            self.form.show_quote("")
        elif quote is None or quote.bid is None or quote.ask is None:
            self.form.show_quote("no price yet")
        else:
            age = say.seconds(quote.age_s)
            self.form.show_quote(f"{say.price(quote.bid)} bid · {say.price(quote.ask)} ask · {age} old")

    def show_preview(self, preview: PreviewView | CommandRefused) -> None:
        """What the form would do now, or why it is none yet."""
        if isinstance(preview, CommandRefused):
            self._shown = None
            wrong = self.form.mark(preview.field)
            self._sentence.say(escape(in_words(preview.operator_text)))
            self._sentence.set_tone("p2_text" if wrong is not None else "low")
            self._numbers.show_numbers(NO_MARKS, None)
        else:
            before, self._shown = self._shown, preview
            self.form.mark(None)
            self._sentence.say(tinted_sentence(preview.sentence, tokens().buy if self.form.buys else tokens().sell))
            self._sentence.set_tone("high")
            self._numbers.show_numbers(words.marks_of(preview), preview)
            is_other = before is None or before.sentence != preview.sentence or before.approvable != preview.approvable
            if is_other and self.send.underMouse():
                self._guard.start()
        self._enable()

    def show_busy(self, busy: bool) -> None:
        self._is_busy = busy
        self.form.allow(not busy)
        self._enable()

    def refuse(self, text: str) -> None:
        self._said.say(text)
        self._said.set_tone("p2_text")

    # --- sending ---------------------------------------------------------------------------------------------

    def _enable(self) -> None:
        shown = self._shown
        wanted = shown is not None and shown.wants_reason
        if wanted is self._reason.isHidden():
            self._reason.want(wanted)
            self._place.place()
        self.send.setText("Sending" if self._is_busy else self._send_words)
        self.send.setEnabled(
            shown is not None
            and shown.approvable
            and not self._reason.is_lacking
            and not self._is_busy
            and not self._guard.isActive()
        )
        why = (shown.blocked_by or "") if shown is not None and not shown.approvable else ""
        lacking = LACKING if self._reason.is_lacking else ""
        self.send.setToolTip(why or lacking or "Send exactly these numbers")
        if why:
            self._said.say(why)
            self._said.set_tone("p1_text")
        elif self._said.property("tone") == "p1_text":
            self._said.say("")

    def _send(self) -> None:
        if self._shown is not None and self.send.isEnabled():
            self._said.say("")
            self.send_asked.emit(self.body, self._shown.preview_id, self._reason.reason)
