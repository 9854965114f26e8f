"""The repair planner in the window: the button of a trade, the sheet with its plans, and the word that some ask for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from engine.model.words import Mode
from engine.views import BracketView, PlanView
from gui import formatting as say
from gui.actions import Actions
from gui.bridge import Bridge
from gui.dialogs.confirm import Question
from gui.dialogs.repair_sheet import RepairSheet


class Repairing:
    def __init__(
        self, mode: Mode, bridge: Bridge, actions: Actions, window: QWidget, ask: Callable[[Question], object]
    ) -> None:
        """``ask`` puts a question to the operator where the window asks them."""
        self._mode = mode
        self._bridge = bridge
        self._actions = actions
        self._ask = ask
        self._sheet = RepairSheet(actions, window)
        self._sheet.chosen.connect(self._choose)
        self._sheet.asked_anew.connect(self.follow)

    def ask(self, subject: object) -> None:
        """Open it for a trade; nothing of what is none."""
        plans = self._bridge.plans(subject.id) if isinstance(subject, BracketView) else None
        if plans is not None and isinstance(subject, BracketView):
            side = "long" if subject.side.sign > 0 else "short"
            self._sheet.ask(f"Repair {subject.symbol} · {side} {say.qty(subject.held_qty)}", plans)

    def follow(self) -> None:
        """Something changed: of use only while the sheet is open."""
        bracket_id = self._sheet.bracket_id
        if bracket_id is not None:
            self._sheet.follow(self._bridge.plans(bracket_id))

    def dismiss(self) -> None:
        self._sheet.dismiss()

    def _choose(self, bracket_id: str, plan: PlanView) -> None:
        if plan.confirm is None:
            self._actions.repair(bracket_id, plan.id)
            return
        self._sheet.dismiss()
        self._ask(
            Question(
                bracket_id,
                f"{self._mode.value.upper()}: {plan.sentence}",
                plan.if_step_two_fails,
                "Do this",
                lambda: self._actions.repair(bracket_id, plan.id, plan.confirm),
                typed=plan.confirm,
            )
        )
