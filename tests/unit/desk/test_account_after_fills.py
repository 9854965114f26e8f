"""When the account is read anew: after executions, once for all that came together."""

from __future__ import annotations

from engine.account_after_fills import AccountAfterFills
from engine.model.words import OrderStatus
from tests.unit.builders import ENTRY_ID, Story
from tests.unit.desk.desk_parts import HandClock


class Scene(Story):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.after_fills = AccountAfterFills(HandClock(), self.ask)

    def ask(self) -> None:
        self.asked += 1

    def look(self) -> int:
        """How often it was asked for in all, after the newest facts were told."""
        self.after_fills.note(self.facts)
        self.after_fills.look()
        self.facts.clear()
        return self.asked


def test_an_approved_and_answered_entry_causes_no_request() -> None:
    scene = Scene()
    scene.approve()
    scene.enter()
    scene.answer()
    assert scene.look() == 0


def test_executions_that_come_together_cause_one_request_and_later_ones_another() -> None:
    scene = Scene()
    scene.approve()
    scene.enter()
    scene.answer()
    for filled in (3, 6):
        scene.report(ENTRY_ID, OrderStatus.PARTIALLY_FILLED, filled, filled=filled, execution_id=f"x{filled}")
    assert scene.look() == 1
    assert scene.look() == 1, "nothing new"
    scene.report(ENTRY_ID, OrderStatus.FILLED, 9, filled=10, execution_id="x10")
    assert scene.look() == 2
