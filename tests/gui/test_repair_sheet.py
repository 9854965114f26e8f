"""The repair planner as a person meets it: every plan with its requests, one click or a typed word, and none stale."""

from __future__ import annotations

import asyncio
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from gui.dialogs.repair_sheet import GUARD_MS
from tests.gui.conftest import Screen, until
from tests.gui.scene_repair import naked, sound
from tests.gui.scenes import replace

TSLA = "b-TSLA"


def open_sheet(screen: Screen) -> None:
    screen.desk.planner.mending[TSLA] = naked(TSLA)
    screen.choose("bracket-table", TSLA)
    screen.click("detail-plans")


def plan(screen: Screen, kind: str) -> QWidget:
    return screen.find(f"plan-{kind}")


async def test_every_plan_stands_there_with_its_requests_and_its_price(opened: Any) -> None:
    async with opened("trouble") as screen:
        open_sheet(screen)
        assert screen.text("repair-title") == "Repair TSLA · long 40"
        assert screen.text("repair-state") == "The broker rejected both exits after the fill."
        first = plan(screen, "attach_oco")
        assert screen.text("plan-sentence", first).startswith("1  Cancel what still works")
        assert screen.text("plan-cost", first) == "Without a stop for about 0.2 s · at worst $341"
        requests = [label.text() for label in first.findChildren(QLabel, "plan-request")]
        assert requests[0] == "DELETE /v2/orders/7bad611f-6add-4bc6-825d-ec2466699a53"
        assert '"stop_loss": {"stop_price": "409.50"}' in requests[1]
        assert "If it breaks half way: The shares stay naked" in screen.text("plan-if", first)
        assert "no bound on the loss" in screen.text("plan-cost", plan(screen, "run_unprotected"))
        assert not screen.desk.commands


async def test_a_plan_is_carried_out_by_one_click_and_once(opened: Any) -> None:
    async with opened("trouble") as screen:
        open_sheet(screen)
        button = screen.find("plan-do", plan(screen, "attach_oco"))
        QTest.mouseDClick(button, Qt.MouseButton.LeftButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert await screen.commands() == [("repair", TSLA, "p1", None)]
        await until(lambda: "There is nothing to do" in screen.text("repair-state"))
        assert len(screen.desk.commands) == 1


async def test_the_key_opens_it_for_the_selected_trade_and_escape_leaves(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.desk.planner.mending[TSLA] = naked(TSLA)
        screen.choose("bracket-table", TSLA)
        screen.press(Qt.Key.Key_P)
        assert screen.find("repair-sheet").isVisible()
        screen.press(Qt.Key.Key_Escape)
        assert screen.find("repair-sheet").isHidden()


async def test_what_needs_a_word_asks_for_it_where_every_question_is_asked(opened: Any) -> None:
    async with opened("trouble") as screen:
        open_sheet(screen)
        screen.click("plan-do", plan(screen, "run_unprotected"))
        assert screen.find("repair-sheet").isHidden()
        assert "SIM: Run 40 TSLA unprotected" in screen.text("brackets-confirm-sentence")
        assert not screen.find("brackets-confirm-yes").isEnabled()
        QTest.keyClicks(screen.find("brackets-confirm-typed"), "RUN UNPROTECTED")
        screen.click("brackets-confirm-yes")
        assert await screen.commands() == [("repair", TSLA, "p3", "RUN UNPROTECTED")]


async def test_plans_that_no_longer_fit_make_way_and_the_new_ones_take_no_hasty_click(opened: Any) -> None:
    async with opened("trouble") as screen:
        open_sheet(screen)
        _, flatten, _ = naked(TSLA).plans
        screen.desk.planner.mending[TSLA] = replace(sound(TSLA), sentence="The stop stands again.", plans=(flatten,))
        screen.desk.put(replace(screen.desk.bracket(TSLA), attempts=4))
        await until(lambda: screen.text("repair-state") == "The stop stands again.")
        await until(lambda: len(screen.window.findChildren(QWidget, "plan-flatten")) == 1)
        button = screen.find("plan-do", plan(screen, "flatten"))
        assert not button.isEnabled()
        await asyncio.sleep(GUARD_MS / 1_000 + 0.1)
        assert button.isEnabled()


async def test_a_stale_plan_is_refused_in_words_and_the_sheet_reads_again(opened: Any) -> None:
    async with opened("trouble") as screen:
        open_sheet(screen)
        screen.desk.refuse("repair", "PLAN_STALE", "TSLA has changed since that plan was shown: the stop stands.")
        screen.desk.planner.mending[TSLA] = naked(TSLA)
        screen.click("plan-do", plan(screen, "attach_oco"))
        await until(lambda: "has changed since that plan" in screen.text("toast-text"))
        assert screen.find("repair-sheet").isVisible()
