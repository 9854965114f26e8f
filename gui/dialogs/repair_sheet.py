"""What is wrong with a trade and each way to mend it: the very requests, what it costs, and what if it breaks half way.

A plan names the picture that it was made from. The desk reads the broker again before it acts, and refuses a plan whose
picture has changed: the sheet then shows the new ones.
"""

from __future__ import annotations

import json
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.views import PlansView, PlanView, RequestView
from gui import formatting as say
from gui.actions import REPAIR, Actions
from gui.dialogs.sheet import Centred, RowList, Sheet, under_rule
from gui.theme import Type
from gui.widgets.button import Button
from gui.widgets.text import Text

GUARD_MS: Final = 300
"""Plans that have just changed take no click for so long."""
_WIDTH: Final = 720
_MOST_LIST: Final = 470


class PlanRow(QWidget):
    chosen = Signal(object)

    def __init__(self, number: int, plan: PlanView) -> None:
        super().__init__()
        self.setObjectName(f"plan-{plan.kind}")
        self.button = Button(
            "Do this…" if plan.confirm is not None else "Do this", name="plan-do", kind="go" if number == 1 else "plain"
        )
        self.button.setAccessibleName(f"Do this: {plan.sentence}")
        self.button.clicked.connect(lambda: self.chosen.emit(plan))
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(Text(f"{number}  {plan.sentence}", kind=Type.MEDIUM, wrap=True, name="plan-sentence"))
        self._cost = Text(_cost_words(plan), kind=Type.SMALL, tone="mid", wrap=True, name="plan-cost")
        words.addWidget(self._cost)
        for request in plan.requests:
            words.addWidget(Text(_request_words(request), kind=Type.MONO, tone="low", wrap=True, name="plan-request"))
        if plan.if_step_two_fails:
            text = f"If it breaks half way: {plan.if_step_two_fails}"
            words.addWidget(Text(text, kind=Type.SMALL, tone="low", wrap=True, name="plan-if"))
        row = QHBoxLayout()
        row.addLayout(words, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        under_rule(row, self, above=11)

    def show_cost(self, plan: PlanView) -> None:
        """The same plan at another price."""
        self._cost.say(_cost_words(plan))


class RepairSheet(Sheet):
    chosen = Signal(str, object)
    """Id of the trade, and the plan."""
    asked_anew = Signal()
    """The picture is out of date."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, name="repair-sheet", width=_WIDTH)
        self._actions = actions
        self._shown: PlansView | None = None
        self._rows: list[PlanRow] = []
        self._guard = QTimer(self, singleShot=True, interval=GUARD_MS)
        self._guard.timeout.connect(self._enable)
        self._title = Text(kind=Type.SYMBOL, name="repair-title")
        self._state = Text(tone="mid", wrap=True, name="repair-state")
        self._list = RowList(name="repair-list", width=_WIDTH - 40, most=_MOST_LIST)
        self._back = Button("Back", name="repair-sheet-back")
        self._back.clicked.connect(self.dismiss)
        foot = QHBoxLayout()
        foot.addWidget(Text("The broker is read again before anything is sent.", kind=Type.SMALL, tone="low"))
        foot.addStretch(1)
        foot.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        for widget in (self._title, self._state, self._list):
            column.addWidget(widget)
        column.addLayout(foot)
        actions.started.connect(lambda _key: self._enable())
        actions.ended.connect(self._ended)
        self._place = Centred(self, parent, width=_WIDTH, above=0.5)

    @property
    def bracket_id(self) -> str | None:
        """Of the trade it is open for."""
        return self._shown.bracket_id if self._shown is not None and not self.isHidden() else None

    def ask(self, title: str, plans: PlansView) -> None:
        self._title.say(title)
        self._shown = None
        self._show(plans)
        self._place.bring()
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def follow(self, plans: PlansView | None) -> None:
        """A newer picture while it is open; None: there is no such trade any more."""
        if plans is None:
            self.dismiss()
        elif self._shown is None or _picture(plans) != _picture(self._shown):
            self._show(plans)
            self._guard.start()
            self._enable()
        else:
            for row, plan in zip(self._rows, plans.plans, strict=True):
                row.show_cost(plan)

    def _show(self, plans: PlansView) -> None:
        self._shown = plans
        self._state.say(plans.sentence if plans.plans else f"{plans.sentence} There is nothing to do.")
        for row in self._rows:
            self._list.drop(row)
        self._rows = [PlanRow(number, plan) for number, plan in enumerate(plans.plans, start=1)]
        for row in self._rows:
            row.chosen.connect(lambda plan: self.chosen.emit(plans.bracket_id, plan))
            self._list.add(row)
        self._list.setVisible(bool(self._rows))
        self._enable()
        if not self.isHidden():
            self._list.updateGeometry()
            self._place.place()

    def _enable(self) -> None:
        key = f"{REPAIR}{self._shown.bracket_id}" if self._shown is not None else ""
        for row in self._rows:
            row.button.setEnabled(not self._guard.isActive() and not self._actions.is_running(key))

    def _ended(self, key: str) -> None:
        self._enable()
        if key.startswith(REPAIR) and not self.isHidden():
            self.asked_anew.emit()


def _picture(plans: PlansView) -> tuple[str, tuple[str, ...]]:
    return plans.sentence, tuple(plan.id for plan in plans.plans)


def _cost_words(plan: PlanView) -> str:
    if plan.naked_s is None:
        naked = "without a stop at the broker for as long as it lasts"
    elif plan.naked_s <= 0:
        naked = "never without a stop"
    else:
        naked = f"without a stop for about {say.seconds(plan.naked_s)}"
    worst = "no bound on the loss" if plan.worst_loss_usd is None else f"at worst {say.money(plan.worst_loss_usd)}"
    return f"{say.sentence(naked)} · {worst}"


def _request_words(request: RequestView) -> str:
    """With a blank behind every comma and colon: a line can only break where one stands."""
    body = f" {json.dumps(request.body)}" if request.body else ""
    return f"{request.method} {request.path}{body}"
