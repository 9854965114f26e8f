"""The armed card's lower part: ruler, numbers, verdicts, and the two buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from engine.model.commands import NO_EDITS
from engine.model.signal import Reason
from engine.model.words import Verdict
from engine.views import PreviewView, SignalView
from engine.views_batch import RejectReasonView
from gui import formatting as say
from gui.panels import signal_words as words
from gui.panels.signal_edit import EditStrip
from gui.theme import Type, font, tone
from gui.widgets.button import Button
from gui.widgets.glyph import Glyph, paint_glyph
from gui.widgets.headroom_meter import HeadroomMeter, tightest
from gui.widgets.price_ruler import PriceRuler
from gui.widgets.text import ElidedText, Text, rule

_VERDICT_LOOK: Final = {
    Verdict.DENY: (Glyph.CROSS_HEAVY, "p1_text"),
    Verdict.WARN: (Glyph.WARNING, "p2_text"),
    Verdict.PASS: (Glyph.CHECK, "low"),
}


class Figure(QWidget):
    """A number with its name above and a smaller remark behind."""

    def __init__(self, title: str, name: str) -> None:
        super().__init__()
        self._value = Text(kind=Type.FIGURE, name=name)
        # Cut before the card grows wider than its column.
        self._remark = ElidedText(kind=Type.SMALL, tone="low", name=f"{name}-remark")
        head = ElidedText(title, kind=Type.SMALL, tone="low")
        line = QHBoxLayout()
        line.setSpacing(5)
        line.addWidget(self._value)
        line.addWidget(self._remark, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(head)
        column.addLayout(line)

    def say(self, value: str, remark: str = "") -> None:
        self._value.say(value)
        self._remark.say(remark)


class VerdictLine(QWidget):
    def __init__(self, reason: Reason) -> None:
        super().__init__()
        self._glyph, self._tone = _VERDICT_LOOK[reason.verdict]
        quiet = reason.verdict is Verdict.PASS
        text = Text(words.verdict_text(reason), kind=Type.SMALL, tone="low" if quiet else "high", wrap=True)
        text.setToolTip(reason.code)
        row = QHBoxLayout(self)
        row.setContentsMargins(17, 0, 0, 0)
        row.addWidget(text)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_glyph(painter, QPointF(6, 8), 10, self._glyph, tone(self._tone))
        painter.end()


class SignalDetails(QWidget):
    approve_clicked = Signal()
    edit_clicked = Signal()
    rejected = Signal(object)
    """Code of a usual reason, None without one."""

    def __init__(self, reasons: Sequence[RejectReasonView]) -> None:
        super().__init__()
        self._codes = {reason.code for reason in reasons}
        self._preview: PreviewView | None = None
        self._shown_verdicts: tuple[Reason, ...] | None = None
        self._all_shown = False
        self._ruler = PriceRuler()
        self._figures = {
            "risk": Figure("Risk, 1 R", "risk"),
            "rr": Figure("Reward / risk", "reward-risk"),
            "drift": Figure("Drift", "drift"),
            "size": Figure("Size", "size"),
            "live": Figure("Live", "live"),
            "after": Figure("Power after", "after"),
        }
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(7)
        for number, figure in enumerate(self._figures.values()):
            grid.addWidget(figure, number // 3, number % 3)
        for column in range(3):
            grid.setColumnStretch(column, 1)
        self._size_reason = Text(kind=Type.SMALL, tone="low", wrap=True, name="size-reason")
        self._same_bet = Text(kind=Type.SMALL, tone="mid", wrap=True, name="same-bet")
        self._headroom = [HeadroomMeter(name=f"headroom-{number}") for number in (1, 2)]
        """The tightest rules of the prop firm; none while the mode is off."""
        self._changed = Text(kind=Type.SMALL_STRONG, tone="p2_text", wrap=True, name="card-changed")
        self._verdicts = QVBoxLayout()
        self._verdicts.setSpacing(3)
        self._passes = Button("", name="card-passes", kind="link")
        self._passes.setFont(font(Type.SMALL))
        self._passes.setCheckable(True)
        self._passes.toggled.connect(self._toggle_passes)
        self.approve = Button("Approve", name="approve", kind="go", key="A")
        self.edit = Button("Edit", name="edit", key="E")
        self.edit.setToolTip("Change quantity or prices before the yes")
        self.reject = Button("Reject", name="reject", key="R")
        self.fields = EditStrip()
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
        row.setSpacing(8)
        row.addWidget(self.approve)
        row.addWidget(self.edit)
        row.addWidget(self.reject)
        row.addStretch(1)
        row.addWidget(self._state)
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(0, 2, 0, 0)
        column_layout.setSpacing(7)
        column_layout.addWidget(self._ruler)
        column_layout.addLayout(grid)
        column_layout.addWidget(self._size_reason)
        column_layout.addWidget(self._same_bet)
        for meter in self._headroom:
            column_layout.addWidget(meter)
        column_layout.addWidget(rule(vertical=False))
        column_layout.addLayout(self._verdicts)
        column_layout.addWidget(self._passes, 0, Qt.AlignmentFlag.AlignLeft)
        column_layout.addWidget(self._changed)
        column_layout.addWidget(self.fields)
        column_layout.addLayout(row)
        column_layout.addWidget(self._reasons)

    def show_numbers(self, signal: SignalView, preview: PreviewView | None, changed: str) -> None:
        self._preview = preview
        self._ruler.set_marks(words.marks(signal, preview))
        self._changed.say(f"Changed since shown: {changed}" if changed else "")
        self._changed.setVisible(bool(changed))
        figures = self._figures
        same_bet = words.same_bet(preview) if preview is not None else ""
        self._same_bet.say(same_bet)
        self._same_bet.setVisible(bool(same_bet))
        rules = tightest(preview.prop_firm, len(self._headroom)) if preview is not None else []
        for number, meter in enumerate(self._headroom):
            meter.show_rule(rules[number] if number < len(rules) else None)
        if preview is None:
            for figure in figures.values():
                figure.say(say.NONE)
            self._size_reason.say("")
            self._show_verdicts(signal.reasons)
            return
        risk, headroom = preview.risk, preview.headroom
        if risk is not None:
            figures["risk"].say(say.money(risk.usd), say.percent(risk.pct_of_equity))
            sent = f"sent {words.ratio(risk.reward_risk_sent)}" if risk.reward_risk_sent is not None else ""
            figures["rr"].say(words.ratio(risk.reward_risk), sent)
        else:
            figures["risk"].say(say.NONE)
            figures["rr"].say(say.NONE)
        drift = f"{say.signed(preview.drift_r)} R" if preview.drift_r is not None else say.NONE
        ticks = preview.drift_ticks
        figures["drift"].say(drift, f"{say.signed(ticks, 0)} ticks" if ticks is not None else "")
        figures["size"].say(say.qty(preview.qty), "shares")
        age = say.seconds(preview.price_age_s) if preview.price_age_s is not None else "no quote"
        figures["live"].say(say.price(preview.price), age)
        figures["after"].say(_short_money(headroom.buying_power_after) if headroom is not None else say.NONE)
        self._size_reason.say(f"Size: {preview.size_reason}" if preview.size_reason else "")
        self._size_reason.setVisible(bool(preview.size_reason))
        self._show_verdicts(preview.verdicts)

    def _show_verdicts(self, reasons: tuple[Reason, ...]) -> None:
        if reasons == self._shown_verdicts:
            return
        self._shown_verdicts = reasons
        while (item := self._verdicts.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        denies, warnings, passes = words.split_verdicts(reasons)
        for reason in denies + warnings + (passes if self._all_shown else []):
            self._verdicts.addWidget(VerdictLine(reason))
        self._passes.setVisible(bool(passes))
        self._passes.setText(f"{say.plural(len(passes), 'rule')} pass{'es' if len(passes) == 1 else ''}")

    def _toggle_passes(self, shown: bool) -> None:
        self._all_shown = shown
        reasons, self._shown_verdicts = self._shown_verdicts, None
        self._show_verdicts(reasons or ())

    def set_ready(self, ready: bool, busy: bool) -> None:
        """``ready`` is the card's own yes; the desk's verdict comes on top."""
        preview = self._preview
        approvable = preview is not None and preview.approvable
        sound = self.fields.isHidden() or self.fields.is_sound
        self.approve.setEnabled(ready and approvable and sound)
        self.edit.setEnabled(not busy and preview is not None)
        self.reject.setEnabled(not busy)
        why = "" if approvable else (preview.blocked_by or "not approvable") if preview else "waiting for a price"
        why = why if sound else "A field holds no number"
        edited = not self.fields.isHidden() and self.fields.edits != NO_EDITS
        self.approve.setToolTip(why or "Approve exactly these numbers")
        ready_word = "edited" if edited else "armed"
        self._state.say("sending" if busy else ready_word if approvable and sound else "blocked")
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


def _short_money(value: object) -> str:
    """Thousands are enough where only the order of magnitude matters: ``$184k``."""
    amount = float(str(value))
    if abs(amount) < 10_000:
        return f"${amount:,.0f}".replace("-", say.MINUS)
    if abs(amount) < 10_000_000:
        return f"${amount / 1_000:,.0f}k".replace("-", say.MINUS)
    return f"${amount / 1_000_000:,.1f}M".replace("-", say.MINUS)
