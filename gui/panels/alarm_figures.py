"""How good the alarms are: so many that a person can act on, of the right urgency, seen in time, not the same again.

A control room aims at one in ten minutes, and at near 5, 15 and 80 percent of the three priorities.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from engine.views_truth import AlarmStatsView
from gui import formatting as say
from gui.theme import CARD_PAD, Type
from gui.widgets.text import ElidedText, Text

_WANTED: Final = "wanted 5 · 15 · 80 %"
_PER_HOUR: Final = 6.0
_TOP: Final = 5
_FIGURES: Final = (
    ("hour", "Last hour"),
    ("flood", "Last 10 min"),
    ("shares", "Priorities"),
    ("ack", "Seen after"),
    ("standing", "Standing"),
    ("overdue", "Overdue"),
)


class AlarmFigures(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("alarm-figures")
        self._values: dict[str, Text] = {}
        self._notes: dict[str, Text] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(1)
        for number, (name, title) in enumerate(_FIGURES):
            self._values[name] = Text(kind=Type.STRONG, name=f"figure-{name}")
            self._notes[name] = ElidedText(kind=Type.SMALL, tone="low", name=f"figure-{name}-note")
            for column, widget in enumerate((Text(title, tone="mid"), self._values[name], self._notes[name])):
                grid.addWidget(widget, number, column)
        grid.setColumnStretch(2, 1)
        self._again = ElidedText(kind=Type.SMALL, tone="mid", name="figure-again")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(CARD_PAD, 5, CARD_PAD, 4)
        whole.setSpacing(3)
        whole.addLayout(grid)
        whole.addWidget(self._again)
        whole.addStretch(1)

    def show_stats(self, stats: AlarmStatsView) -> None:
        self._show("hour", f"{stats.per_hour:g}", f"wanted at most {_PER_HOUR:g}", bad=stats.per_hour > _PER_HOUR)
        flood = "a flood: nobody can act on that" if stats.is_flood else "ten or more are a flood"
        self._show("flood", str(stats.last_10_min), flood, bad=stats.is_flood)
        self._show("shares", _shares(stats.by_priority), f"of {stats.raised} · {_WANTED}")
        self._show("ack", _seconds(stats.ack_s_p50), f"p90 {_seconds(stats.ack_s_p90)} · {_share(stats.acked_share)}")
        self._show("standing", str(stats.standing), f"{stats.unacked} unseen · {stats.shelved} on the shelf")
        self._show("overdue", str(stats.overdue), "unseen and late", bad=bool(stats.overdue))
        again = stats.chattering or stats.top
        title = "Comes back again and again" if stats.chattering else "Most frequent"
        words = " · ".join(f"{each.cause} ×{each.count}" for each in again[:_TOP])
        self._again.say(f"{title}: {words}" if words else "")

    def _show(self, name: str, value: str, note: str, *, bad: bool = False) -> None:
        self._values[name].say(value)
        self._values[name].set_tone("p2_text" if bad else "high")
        self._notes[name].say(note)


def _shares(counts: tuple[int, int, int]) -> str:
    total = sum(counts)
    return " · ".join(f"{100 * count / total:.0f}" for count in counts) + " %" if total else say.NONE


def _seconds(value: float | None) -> str:
    return say.NONE if value is None else say.span(value)


def _share(value: float | None) -> str:
    return "none raised" if value is None else f"{100 * value:.0f} % of all"
