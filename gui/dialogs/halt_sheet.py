"""The halt ladder: five rungs with what proves them, each engaged by holding its button. A sheet over the window.

Up is a matter of a second; down goes one rung at a time by a typed word, asked where every question is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.model.order import Evidence
from engine.model.words import DeskState
from engine.views_halt import HaltView, RungView
from gui import formatting as say
from gui.actions import HALT, Actions
from gui.dialogs.sheet import Centred, Sheet, under_rule
from gui.theme import Type, tone
from gui.widgets.button import Button
from gui.widgets.glyph import Glyph, paint_glyph
from gui.widgets.hold_button import HoldButton
from gui.widgets.text import Text, rule

_WIDTH: Final = 680
_MARK: Final = 15
_FLAT, _SUSPENDED = "flat", "suspended"


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    hold: str
    tip: str


WORDS: Final = {
    "paused": Words("Paused", "Hold to pause", "Nothing new is sent. Working entries stay."),
    "reducing": Words("Reducing", "Hold to reduce", "Working entries are canceled too. Exits only."),
    "halted": Words("Halted", "Hold to halt", "No approvals, no mandates either. Protection is kept."),
    _FLAT: Words("Flat", "Hold to flatten", "Asks every trade to leave. In a closed market exits stay."),
    _SUSPENDED: Words(
        "Suspended",
        "Hold to suspend",
        "The broker takes no new order, exits included. Only once flat is proved.",
    ),
}


class Mark(QWidget):
    """A ring, half a disc or a check: not engaged, engaged, proved."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(_MARK + 4, _MARK + 4)
        self._shown = (Glyph.RING, "low")

    def show_mark(self, glyph: Glyph, ink: str, said: str) -> None:
        self.setAccessibleName(said)
        if (glyph, ink) != self._shown:
            self._shown = (glyph, ink)
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        glyph, ink = self._shown
        painter = QPainter(self)
        paint_glyph(painter, QPointF(self.width() / 2, self.height() / 2), _MARK, glyph, tone(ink))
        painter.end()


class RungRow(QWidget):
    def __init__(self, name: str, engage: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName(f"rung-{name}")
        self._mark = Mark()
        self._sentence = Text(tone="mid", wrap=True, name="rung-sentence")
        self._proof = Text(kind=Type.SMALL, tone="low", wrap=True, name="rung-proof")
        self.hold = HoldButton(WORDS[name].hold, name="rung-hold", tip=WORDS[name].tip)
        self.hold.held.connect(engage)
        self.also = Button("", name="rung-also")
        words = QVBoxLayout()
        words.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(10)
        title = Text(WORDS[name].title, kind=Type.STRONG)
        title.setFixedWidth(84)
        head.addWidget(title, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._sentence, 1, Qt.AlignmentFlag.AlignTop)
        words.addLayout(head)
        words.addWidget(self._proof)
        row = QHBoxLayout()
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self.also, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.hold, 0, Qt.AlignmentFlag.AlignVCenter)
        under_rule(row, self)

    def show_rung(self, rung: RungView) -> None:
        if rung.is_proved:
            self._mark.show_mark(Glyph.CHECK, "high", "proved")
        elif rung.is_reached:
            self._mark.show_mark(Glyph.HALF, "p2_text", "engaged, not proved")
        else:
            self._mark.show_mark(Glyph.RING, "low", "not engaged")
        self._sentence.say(rung.sentence)
        self._sentence.set_tone("high" if rung.is_reached else "mid")
        said = _proof_words(rung)
        self._proof.say(said)
        self._proof.set_tone("p2_text" if rung.is_reached and rung.missing else "low")
        self._proof.setVisible(bool(said))

    def offer(self, *, hold: bool, may_hold: bool, also: bool = False, is_busy: bool) -> None:
        """Which buttons stand there, and whether they take anything now."""
        self.hold.setVisible(hold)
        self.hold.setEnabled(may_hold and not is_busy)
        self.also.setVisible(also)
        self.also.setEnabled(not is_busy)


class HaltSheet(Sheet):
    resume_asked = Signal()

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, name="halt-sheet", width=_WIDTH)
        self._actions = actions
        self._view: HaltView | None = None
        self._back = Button("Back", name="halt-sheet-back")
        self._back.clicked.connect(self.dismiss)
        acts: dict[str, Callable[[], object]] = {
            **{state.value: self._setter(state) for state in DeskState if state is not DeskState.ACTIVE},
            _FLAT: actions.flatten_all,
            _SUSPENDED: actions.suspend_trading,
        }
        self._rows = {name: RungRow(name, acts[name]) for name in WORDS}
        widest = max(row.hold.sizeHint().width() for row in self._rows.values())
        for row in self._rows.values():
            row.hold.setMinimumWidth(widest)
        self._rows[_FLAT].also.setText("Prove now")
        self._rows[_FLAT].also.clicked.connect(actions.prove_flat)
        self._rows[_SUSPENDED].also.setText("Resume")
        self._rows[_SUSPENDED].also.clicked.connect(self.resume_asked)
        foot = QHBoxLayout()
        down = "Down again one rung at a time, by a typed word: the states by the switch in the state bar."
        foot.addWidget(Text(down, kind=Type.SMALL, tone="low"))
        foot.addStretch(1)
        foot.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(6)
        column.addWidget(Text("Halt ladder", kind=Type.SYMBOL))
        for row in self._rows.values():
            column.addWidget(row)
        column.addWidget(rule(vertical=False))
        column.addLayout(foot)
        actions.started.connect(lambda _key: self._again())
        actions.ended.connect(lambda _key: self._again())
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)

    def ask(self, view: HaltView) -> None:
        self._show(view)
        self._place.bring()
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def follow(self, view: HaltView) -> None:
        """A newer picture while it is open."""
        if view != self._view:
            self._show(view)

    def _setter(self, state: DeskState) -> Callable[[], object]:
        return lambda: self._actions.set_state(state)

    def _show(self, view: HaltView) -> None:
        self._view = view
        rungs = {rung.name: rung for rung in view.rungs}
        is_busy = self._actions.is_running("state") or any(
            self._actions.is_running(f"{HALT}{what}") for what in ("flat", "prove", "suspend")
        )
        flat, suspended = rungs[_FLAT], rungs[_SUSPENDED]
        is_halted = view.desk_state is DeskState.HALTED
        for name, row in self._rows.items():
            row.show_rung(rungs[name])
            row.offer(hold=not rungs[name].is_reached, may_hold=True, is_busy=is_busy)
        self._rows[_FLAT].offer(
            hold=not flat.is_proved, may_hold=bool(flat.missing), also=not flat.is_proved, is_busy=is_busy
        )
        self._rows[_SUSPENDED].offer(
            hold=not suspended.is_proved,
            may_hold=is_halted and flat.is_proved,
            also=suspended.is_reached,
            is_busy=is_busy,
        )
        if not self.isHidden():
            self._place.place()

    def _again(self) -> None:
        if self._view is not None and not self.isHidden():
            self._show(self._view)


def _proof_words(rung: RungView) -> str:
    """Who engaged it and when, what is missing, and the requests that prove it."""
    parts = []
    if rung.is_reached and rung.since is not None:
        who = {"window": "you", "desk": "the desk"}.get(rung.actor, rung.actor)
        parts.append(f"since {say.clock(rung.since)}" + (f" by {who}" if who else ""))
    if rung.cause:
        parts.append(rung.cause)
    if rung.missing:
        parts.append("still: " + "; ".join(rung.missing))
    elif rung.is_reached:
        parts += [_evidence_words(each) for each in rung.evidence]
    return " · ".join(parts)


def _evidence_words(evidence: Evidence) -> str:
    return f"{evidence.source.value} {evidence.id or say.NONE} {say.clock(evidence.at)}"
