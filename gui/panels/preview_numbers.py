"""What a yes would do, in numbers: ruler, risk, size, the same bet, headroom, and every verdict, denies first."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from engine.model.signal import Reason
from engine.model.words import Verdict
from engine.views import PreviewView
from gui import formatting as say
from gui.panels import signal_words as words
from gui.theme import Type, font, tone
from gui.widgets.button import Button
from gui.widgets.glyph import Glyph, paint_glyph
from gui.widgets.headroom_meter import HeadroomMeter, tightest
from gui.widgets.price_ruler import Marks, PriceRuler
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
        # Left out before the card grows wider than its column: half a number would be another one.
        self._remark = ElidedText(kind=Type.SMALL, tone="low", name=f"{name}-remark", whole=True)
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


class PreviewNumbers(QWidget):
    """Fills its parent's width; its height follows the number of verdicts."""

    def __init__(self) -> None:
        super().__init__()
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
        self._verdicts = QVBoxLayout()
        self._verdicts.setSpacing(3)
        self._passes = Button("", name="card-passes", kind="link")
        self._passes.setFont(font(Type.SMALL))
        self._passes.setCheckable(True)
        self._passes.toggled.connect(self._toggle_passes)
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(0, 0, 0, 0)
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

    def show_numbers(self, marks: Marks, preview: PreviewView | None, reasons: tuple[Reason, ...] = ()) -> None:
        """``reasons`` stand in for the verdicts while there is no preview."""
        self._ruler.set_marks(marks)
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
            self._show_verdicts(reasons)
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


def _short_money(value: object) -> str:
    """Thousands are enough where only the order of magnitude matters: ``$184k``."""
    amount = float(str(value))
    if abs(amount) < 10_000:
        return f"${amount:,.0f}".replace("-", say.MINUS)
    if abs(amount) < 10_000_000:
        return f"${amount / 1_000:,.0f}k".replace("-", say.MINUS)
    return f"${amount / 1_000_000:,.1f}M".replace("-", say.MINUS)
