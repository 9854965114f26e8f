"""What a rule of the prop firm leaves: a bar with what is left now and what a stop-out would take of it, and the words.

Bright is what stays after the stop-out, hatched what it takes; an empty bar is a broken rule. Never by colour alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from engine.model.words import Verdict
from engine.views_limits import PropRuleView
from gui import formatting as say
from gui.theme import Type, tone
from gui.widgets.text import Text

_BAR: Final = 58
_TONES: Final = {Verdict.PASS: "mid", Verdict.WARN: "p2_text", Verdict.DENY: "p1_text"}


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._now = self._after = 0.0
        self._ink = "mid"

    def sizeHint(self) -> QSize:
        return QSize(_BAR, 14)

    def show_shares(self, now: float, after: float, ink: str) -> None:
        if (now, after, ink) != (self._now, self._after, self._ink):
            self._now, self._after, self._ink = now, after, ink
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = self.height() / 2 - 3
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone("line_strong"))
        painter.drawRoundedRect(QRectF(0, top, _BAR, 6), 2, 2)
        painter.setBrush(QBrush(tone(self._ink), Qt.BrushStyle.Dense4Pattern))
        painter.drawRect(QRectF(0, top, _BAR * self._now, 6))
        painter.setBrush(tone(self._ink))
        painter.drawRect(QRectF(0, top, _BAR * self._after, 6))
        painter.end()


class HeadroomMeter(QWidget):
    """One rule in one line; hidden while it has no headroom in money to tell."""

    def __init__(self, *, name: str, is_short: bool = False) -> None:
        """``is_short``: only what is left now is written out; the rest is told by the bar and the tooltip."""
        super().__init__()
        self.setObjectName(name)
        self._is_short = is_short
        self._bar = _Bar()
        self._words = Text(kind=Type.SMALL, tone="mid", wrap=not is_short, name=f"{name}-words")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignVCenter if is_short else Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, 1)
        self.hide()

    def show_rule(self, rule: PropRuleView | None) -> None:
        self.setVisible(rule is not None)
        if rule is None:
            return
        ink = _TONES[rule.verdict]
        now, after = rule.headroom_now, rule.headroom_after_stop
        self._bar.show_shares(_share(now, rule.limit), _share(now if after is None else after, rule.limit), ink)
        self._words.say(f"{say.money(now)} left" if self._is_short else headroom_words(rule))
        self._words.set_tone(ink)
        self.setToolTip(f"{headroom_words(rule)}.\n{rule.text}")
        self.setAccessibleName(headroom_words(rule))


def tightest(rules: tuple[PropRuleView, ...], most: int) -> list[PropRuleView]:
    """Those in money, the one with the least left after a stop-out first."""
    known = [rule for rule in rules if rule.unit == "usd" and rule.headroom_now is not None and rule.floor is not None]
    return sorted(known, key=_left_after)[:most]


def headroom_words(rule: PropRuleView) -> str:
    """``Daily loss: $1,240 left, $964 if stopped out``."""
    words = f"{rule.name}: {say.money(rule.headroom_now)} left"
    if rule.headroom_after_stop is not None and rule.headroom_after_stop != rule.headroom_now:
        words += f", {say.money(rule.headroom_after_stop)} if stopped out"
    if rule.headroom_after_all_stops is not None and rule.headroom_after_all_stops != rule.headroom_after_stop:
        words += f", {say.money(rule.headroom_after_all_stops)} if all are"
    return words


def _left_after(rule: PropRuleView) -> Decimal:
    left = rule.headroom_after_stop if rule.headroom_after_stop is not None else rule.headroom_now
    return left if left is not None else Decimal(0)


def _share(left: Decimal | None, limit: Decimal | None) -> float:
    if left is None or not limit:
        return 0.0
    return min(max(float(left / limit), 0.0), 1.0)
