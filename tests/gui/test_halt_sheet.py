"""The halt ladder as a person meets it: a tap opens it, holding engages a rung, a typed word leaves one."""

from __future__ import annotations

import asyncio
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from engine.model.words import DeskState
from gui.widgets.hold_button import HOLD_MS
from tests.gui.conftest import Screen, hold, until
from tests.gui.scene_halt import flat, halting
from tests.gui.scenes import replace


def rung(screen: Screen, name: str) -> QWidget:
    return screen.find(f"rung-{name}")


def hold_of(screen: Screen, name: str) -> QWidget:
    return screen.find("rung-hold", rung(screen, name))


async def test_a_tap_on_the_halt_button_opens_the_ladder_and_halts_nothing(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.click("halt")
        assert screen.find("halt-sheet").isVisible()
        assert screen.text("rung-sentence", rung(screen, "flat")) == "Not flat."
        assert "2 positions (AAPL, TSLA)" in screen.text("rung-proof", rung(screen, "flat"))
        assert not hold_of(screen, "suspended").isEnabled()
        screen.press(Qt.Key.Key_Escape)
        assert screen.find("halt-sheet").isHidden()
        screen.press(Qt.Key.Key_H)
        assert screen.find("halt-sheet").isVisible()
        assert not screen.desk.commands


async def test_a_rung_is_engaged_by_holding_and_by_no_click(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.click("halt")
        button = hold_of(screen, "reducing")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands
        await hold(button)
        assert await screen.commands() == [("set_state", DeskState.REDUCING, None)]
        await hold(hold_of(screen, "flat"))
        assert (await screen.commands(2))[1] == ("flatten", None)


async def test_space_held_engages_a_rung_as_the_mouse_does(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.click("halt")
        button = hold_of(screen, "paused")
        button.setFocus()
        QTest.keyPress(button, Qt.Key.Key_Space)
        await asyncio.sleep(HOLD_MS / 1_000 + 0.1)
        QTest.keyRelease(button, Qt.Key.Key_Space)
        assert await screen.commands() == [("set_state", DeskState.PAUSED, None)]


async def test_what_is_missing_is_named_until_it_is_proved(opened: Any) -> None:
    async with opened("busy") as screen:
        ladder = screen.desk.ladder
        ladder.shown = halting(screen.desk.clock.now())
        screen.click("halt")
        assert screen.text("rung-proof", rung(screen, "reducing")).endswith("2 entries (MSFT, JPM) still at work")
        assert hold_of(screen, "reducing").isHidden()
        screen.click("rung-also", rung(screen, "flat"))
        assert await screen.commands() == [("prove",)]
        ladder.shown = flat(screen.desk.clock.now())
        screen.desk.put(screen.desk.view())
        await until(lambda: "b2c1f6e0a5" in screen.text("rung-proof", rung(screen, "flat")))
        assert hold_of(screen, "suspended").isEnabled()
        await hold(hold_of(screen, "suspended"))
        assert (await screen.commands(2))[1] == ("suspend",)


async def test_a_suspended_account_is_resumed_by_the_typed_word(opened: Any) -> None:
    async with opened("halted") as screen:
        screen.desk.ladder.shown = flat(screen.desk.clock.now(), suspended=True)
        screen.click("halt")
        screen.click("rung-also", rung(screen, "suspended"))
        assert screen.find("halt-sheet").isHidden()
        yes = screen.find("brackets-confirm-yes")
        assert not yes.isEnabled()
        QTest.keyClicks(screen.find("brackets-confirm-typed"), "RELEASE")
        screen.click("brackets-confirm-yes")
        assert await screen.commands() == [("resume", "RELEASE")]


async def test_a_refused_suspension_says_why(opened: Any) -> None:
    async with opened("halted") as screen:
        screen.desk.ladder.shown = flat(screen.desk.clock.now())
        screen.desk.refuse("suspend", "NOT_FLAT", "The account is not flat: 5 JPM at the broker.")
        screen.click("halt")
        await hold(hold_of(screen, "suspended"))
        await until(lambda: "5 JPM at the broker" in screen.text("toast-text"))


async def test_the_halt_button_tells_how_far_the_desk_is_stopped(opened: Any) -> None:
    async with opened("busy") as screen:
        button, view = screen.find("halt"), screen.desk.view()
        assert button.accessibleName() == "Hold to halt"
        halted = replace(view, health=replace(view.health, desk_state=DeskState.HALTED))
        screen.desk.put(halted)
        await until(lambda: button.accessibleName() == "Halted")
        screen.desk.put(replace(halted, flat_proved_at=screen.desk.clock.now()))
        await until(lambda: button.accessibleName() == "Halted, flat")
        screen.desk.put(replace(halted, is_suspended=True))
        await until(lambda: button.accessibleName() == "Halted, suspended")
        await hold(button)
        assert not screen.desk.commands
