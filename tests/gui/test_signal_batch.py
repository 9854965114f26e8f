"""Deciding several signals at once, taking an approval back, and looking at one strategy alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from engine.model.words import SignalStatus
from gui.widgets.button import Button
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace
from tests.gui.test_signals import ready


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def tick(screen: Screen, symbol: str) -> None:
    click(screen.find("card-tick", screen.find(f"card-s-{symbol}")))


async def test_ticks_are_offered_on_demand_and_what_is_ticked_is_summed(opened: Any) -> None:
    async with opened("trouble") as screen:
        await ready(screen)
        card = screen.find("card-s-NVDA")
        assert not screen.find("card-tick", card).isVisible()
        click(screen.find("signals-select"))
        tick(screen, "NVDA")
        tick(screen, "META")
        assert screen.text("batch-title") == "2 signals chosen"
        assert "risk $510 (0.73 %)" in screen.text("batch-sums")
        assert screen.find("batch-approve").text() == "Approve 2"


async def test_one_click_approves_exactly_the_batch_shown(opened: Any) -> None:
    async with opened("trouble") as screen:
        click(screen.find("signals-select"))
        tick(screen, "META")
        tick(screen, "NVDA")
        click(screen.find("batch-approve"))
        sent = await screen.commands()
        assert sent == [("approve_batch", ("s-META", "s-NVDA"), "batch s-META s-NVDA")]
        await until(lambda: not screen.find("batch-bar").isVisible())


async def test_what_would_not_go_is_named_and_not_counted(opened: Any) -> None:
    async with opened("trouble") as screen:
        click(screen.find("signals-select"))
        tick(screen, "NVDA")
        tick(screen, "AMD")
        assert screen.find("batch-approve").text() == "Approve 1"
        assert "1 signal would not go: AMD" in screen.text("batch-denied")
        assert screen.find("batch-reject").text() == "Reject 2"


async def test_space_chooses_the_armed_signal_and_clear_forgets_them(opened: Any) -> None:
    async with opened("trouble") as screen:
        await ready(screen)
        screen.press(Qt.Key.Key_Space)
        assert screen.text("batch-title") == "1 signal chosen"
        click(screen.find("batch-clear"))
        assert not screen.find("batch-bar").isVisible()
        assert not screen.find("card-tick", screen.find("card-s-NVDA")).isVisible()


async def test_a_signal_that_is_decided_elsewhere_leaves_the_batch(opened: Any) -> None:
    async with opened("trouble") as screen:
        click(screen.find("signals-select"))
        tick(screen, "NVDA")
        tick(screen, "META")
        screen.desk.put(replace(screen.desk.signal("s-META"), status=SignalStatus.EXPIRED, preview=None))
        await until(lambda: screen.text("batch-title") == "1 signal chosen")


async def test_an_approval_can_be_taken_back_while_nothing_is_sent(opened: Any) -> None:
    async with opened("trouble") as screen:
        until_then = screen.desk.clock.now() + timedelta(seconds=3)
        approved = replace(
            screen.desk.signal("s-NVDA"), status=SignalStatus.APPROVED, preview=None, undo_until=until_then
        )
        screen.desk.put(approved)
        card = screen.find("card-s-NVDA")
        undo: Button = screen.find("card-undo", card)
        await until(undo.isVisible)
        assert undo.text() == "Undo 3 s"
        screen.press(Qt.Key.Key_U)
        assert await screen.commands() == [("undo", "s-NVDA")]


async def test_without_an_undo_time_there_is_no_button(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.desk.put(replace(screen.desk.signal("s-NVDA"), status=SignalStatus.APPROVED, preview=None))
        card = screen.find("card-s-NVDA")
        await until(lambda: screen.text("card-outcome", card) == "Approved")
        assert not screen.find("card-undo", card).isVisible()
        screen.press(Qt.Key.Key_U)
        assert screen.desk.commands == []


async def test_one_strategy_alone(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.window.signals.strategies.choose("mean-rev-5")
        assert screen.window.signals.pending_ids() == ["s-META"]
        assert not screen.find("card-s-NVDA").isVisible()
        current = screen.window.signals.current
        assert current is not None
        assert current.signal.id == "s-META"
        screen.window.signals.strategies.choose(None)
        assert screen.window.signals.pending_ids()[0] == "s-NVDA"
