"""Drills: which there are, how the newest went, and a button to begin each. A sheet over the window.

It makes way when a drill begins, since the trouble is to be found where it would be found for real, and comes back with
the score when the drill is over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from engine.views_drills import DrillResultView, DrillsView, DrillView, RunningDrillView
from gui import formatting as say
from gui.actions import DRILL, Actions, Refusal
from gui.dialogs.sheet import Centred, Sheet, under_rule
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.text import Text

_WIDTH: Final = 620
_OUTCOMES: Final = {
    "mended": "mended",
    "time_up": "time was up",
    "stopped": "broken off",
    "not_set": "could not be set",
}


class DrillRow(QWidget):
    """One drill: what it rehearses, the best score so far, Begin."""

    def __init__(self, drill: DrillView, actions: Actions) -> None:
        super().__init__()
        self.setObjectName(f"drill-{drill.name}")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(Text(drill.title, kind=Type.STRONG, name="drill-title"))
        words.addWidget(Text(drill.about, kind=Type.SMALL, tone="mid", wrap=True, name="drill-about"))
        self._best = Text(tone="mid", name="drill-best")
        self.button = Button("Begin", name="drill-begin")
        self.button.clicked.connect(lambda: actions.begin_drill(drill.name))
        row = QHBoxLayout()
        row.addLayout(words, 1)
        row.addWidget(self._best, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        under_rule(row, self, above=8, spacing=14)

    def show_best(self, best: int | None) -> None:
        self._best.say("not tried" if best is None else f"best {best}")


class ResultCard(QFrame):
    """How the newest drill went: the points, what they are for, what to take along."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("drill-result")
        self._title = Text(kind=Type.STRONG, name="drill-result-title")
        self._points = Text(kind=Type.BIG, name="drill-result-points")
        self._parts = Text(tone="mid", wrap=True, name="drill-result-parts")
        self._mistakes = Text(tone="p2_text", wrap=True, name="drill-result-mistakes")
        self._lesson = Text(wrap=True, name="drill-result-lesson")
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self._title, 1, Qt.AlignmentFlag.AlignBottom)
        head.addWidget(self._points, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 6, 10)
        column.setSpacing(5)
        column.addLayout(head)
        for widget in (self._parts, self._mistakes, self._lesson):
            column.addWidget(widget)

    def show_result(self, result: DrillResultView) -> None:
        was_set = result.outcome != "not_set"
        self._title.say(f"{result.title}: {_OUTCOMES.get(result.outcome, result.outcome)}")
        self._points.say(f"{result.points} of 100" if was_set else say.NONE)
        self._parts.setVisible(was_set)
        self._parts.say(_parts_of(result))
        self._mistakes.setVisible(bool(result.mistakes))
        self._mistakes.say(f"Mistake: {', '.join(dict.fromkeys(result.mistakes))}.")
        self._lesson.say(result.lesson)


class DrillSheet(Sheet):
    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, name="drill-sheet", width=_WIDTH)
        self._actions = actions
        self._rows: dict[str, DrillRow] = {}
        self._view = DrillsView(drills=(), running=None, results=())
        self._running = Text(kind=Type.STRONG, wrap=True, name="drill-running")
        self._stop = Button("Break off", name="drill-stop")
        self._stop.clicked.connect(actions.end_drill)
        self._result = ResultCard()
        self._refusal = Text(kind=Type.MEDIUM, tone="p1_text", wrap=True, name="drill-refusal")
        self._back = Button("Back", name="drill-back")
        self._back.clicked.connect(self.dismiss)
        running = QHBoxLayout()
        running.addWidget(self._running, 1)
        running.addWidget(self._stop)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        foot = QHBoxLayout()
        foot.addWidget(Text("On the embedded exchange only. A drill trades five shares.", kind=Type.SMALL, tone="low"))
        foot.addStretch(1)
        foot.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        column.addWidget(Text("Drills", kind=Type.SYMBOL))
        column.addLayout(running)
        column.addWidget(self._result)
        column.addLayout(self._list)
        column.addWidget(self._refusal)
        column.addLayout(foot)
        self._refusal.hide()
        actions.started.connect(lambda _key: self._enable())
        actions.ended.connect(self._ended)
        actions.refused.connect(self._refused)
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)

    def ask(self, view: DrillsView, now: datetime) -> None:
        self._say_refusal("")
        self._show(view, now)
        self._place.bring()
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def follow(self, view: DrillsView, now: datetime) -> None:
        """A newer picture: a drill that is over brings the sheet back with its score."""
        is_over = self._view.running is not None and view.running is None
        if is_over:
            self.ask(view, now)
        elif not self.isHidden():
            self._show(view, now)
        else:
            self._view = view

    def _show(self, view: DrillsView, now: datetime) -> None:
        self._view = view
        for drill in view.drills:
            row = self._rows.get(drill.name)
            if row is None:
                row = self._rows[drill.name] = DrillRow(drill, self._actions)
                self._list.addWidget(row)
            row.show_best(drill.best)
        running = view.running
        self._running.setVisible(running is not None)
        self._stop.setVisible(running is not None)
        self._running.say(running_words(running, now) if running is not None else "")
        newest = view.results[0] if view.results and running is None else None
        self._result.setVisible(newest is not None)
        if newest is not None:
            self._result.show_result(newest)
        self._enable()
        self._place.place()

    def _enable(self) -> None:
        is_busy = self._view.running is not None or self._actions.is_running(DRILL)
        for row in self._rows.values():
            row.button.setEnabled(not is_busy)
        self._stop.setEnabled(not self._actions.is_running(DRILL))

    def _ended(self, command: str) -> None:
        self._enable()
        if command == DRILL and self._refusal.isHidden() and not self.isHidden():
            self.dismiss()

    def _refused(self, command: str, refusal: Refusal) -> None:
        if command == DRILL:
            self._say_refusal(refusal.text)
            self._place.bring()

    def _say_refusal(self, text: str) -> None:
        self._refusal.say(text)
        self._refusal.setVisible(bool(text))


def running_words(running: RunningDrillView, now: datetime) -> str:
    """Which drill runs, and for how long; of the state bar too."""
    since = say.span(max(0.0, (now - running.since).total_seconds()))
    if running.stage == "setting":
        return f"{running.title}: the scene is being set"
    left = say.countdown(max(0.0, (running.ends_at - now).total_seconds())) if running.ends_at is not None else ""
    return f"{running.title} struck {since} ago, {left} left"


def _parts_of(result: DrillResultView) -> str:
    noticed = "Not noticed" if result.noticed_s is None else f"Noticed after {say.seconds(result.noticed_s)}"
    acted = "no right action" if result.act is None else f"{result.act} after {say.seconds(result.act_s or 0.0)}"
    return (
        f"{noticed} ({result.notice_points} of 40) · {acted} ({result.action_points} of 40) · "
        f"naked {say.seconds(result.naked_s)} ({result.cover_points} of 20)"
    )
