"""Drills as a person meets them: from the menu to the score."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtCore import Qt

from engine.errors import CommandRefused
from gui.app import show_window
from gui.widgets.notice_chip import NoticeChip
from tests.gui.conftest import Screen, until
from tests.gui.scene_drills import SceneDrills, result
from tests.gui.stage import desk_of


@asynccontextmanager
async def on_the_simulator(tmp_path: Path) -> AsyncIterator[tuple[Screen, SceneDrills]]:
    desk = desk_of("busy")
    drills = SceneDrills(desk.bus, desk.clock.now())
    async with show_window(
        desk, layout_file=tmp_path / "layout.ini", on_close=lambda: None, clock=desk.clock, drills=drills
    ) as window:
        window.resize(1600, 900)
        window.reset_layout()
        window.activateWindow()
        await asyncio.sleep(0.02)
        yield Screen(desk, window, []), drills


def open_sheet(screen: Screen) -> None:
    (action,) = [each for each in screen.window.state_bar.menu.actions() if each.text() == "Drills"]
    action.trigger()


async def test_a_desk_on_a_real_account_has_no_drills(opened: object) -> None:
    async with opened("busy") as screen:  # type: ignore[operator]
        assert "Drills" not in [each.text() for each in screen.window.state_bar.menu.actions()]
        assert screen.window.findChild(type(screen.window), "drill-sheet") is None


async def test_the_sheet_lists_every_drill_with_its_best_score(tmp_path: Path) -> None:
    async with on_the_simulator(tmp_path) as (screen, _):
        open_sheet(screen)
        assert screen.find("drill-sheet").isVisible()
        row = screen.find("drill-rejected_stop")
        assert (screen.text("drill-title", row), screen.text("drill-best", row)) == ("Rejected stop", "best 84")
        assert screen.text("drill-best", screen.find("drill-stuck_cancel")) == "not tried"
        assert screen.find("drill-result").isHidden()
        screen.press(Qt.Key.Key_Escape)
        assert screen.find("drill-sheet").isHidden()


async def test_a_drill_that_begins_takes_the_sheet_away_and_its_score_brings_it_back(tmp_path: Path) -> None:
    async with on_the_simulator(tmp_path) as (screen, drills):
        open_sheet(screen)
        screen.click("drill-begin", screen.find("drill-rejected_stop"))
        await until(lambda: screen.find("drill-sheet").isHidden())
        assert drills.asked == [("rejected_stop", "window")]
        chip = screen.find("drill-chip")
        assert isinstance(chip, NoticeChip)
        await until(lambda: chip.isVisible() and "struck" in chip.accessibleName())
        screen.click("drill-chip")
        assert screen.text("drill-running") == "Rejected stop struck 12 s ago, 1:18 left"
        assert not screen.find("drill-begin", screen.find("drill-lost_reply")).isEnabled()
        screen.click("drill-back")
        drills.is_over(result())
        await until(lambda: screen.find("drill-sheet").isVisible())
        assert screen.text("drill-result-title") == "Rejected stop: mended"
        assert screen.text("drill-result-points") == "84 of 100"
        assert screen.text("drill-result-parts") == (
            "Noticed after 3.2 s (40 of 40) · retry after 5.1 s (40 of 40) · naked 48 s (4 of 20)"
        )
        assert screen.find("drill-result-mistakes").isHidden()
        assert chip.isHidden()


async def test_a_second_click_begins_nothing_more(tmp_path: Path) -> None:
    async with on_the_simulator(tmp_path) as (screen, drills):
        open_sheet(screen)
        row = screen.find("drill-lost_reply")
        for _ in range(3):
            screen.click("drill-begin", row)
        await until(lambda: screen.find("drill-sheet").isHidden())
        assert drills.asked == [("lost_reply", "window")]


async def test_a_drill_can_be_broken_off(tmp_path: Path) -> None:
    async with on_the_simulator(tmp_path) as (screen, drills):
        drills.strike("dead_stream")
        await until(lambda: screen.find("drill-chip").isVisible())
        screen.click("drill-chip")
        screen.click("drill-stop")
        await until(lambda: screen.find("drill-result").isVisible())
        assert drills.asked == [("end", "window")]
        assert "broken off" in screen.text("drill-result-title")
        assert screen.text("drill-result-parts").startswith("Not noticed (0 of 40) · no right action (0 of 40)")


async def test_a_refusal_is_said_on_the_sheet(tmp_path: Path) -> None:
    async with on_the_simulator(tmp_path) as (screen, drills):
        drills.refusal = CommandRefused("DRILL_NOT_READY", "A drill begins on a sound desk.")
        open_sheet(screen)
        screen.click("drill-begin", screen.find("drill-partial_fill"))
        await until(lambda: screen.find("drill-refusal").isVisible())
        assert screen.text("drill-refusal") == "A drill begins on a sound desk."
        assert screen.find("drill-sheet").isVisible()


async def test_mistakes_and_what_could_not_be_set_are_told(tmp_path: Path) -> None:
    async with on_the_simulator(tmp_path) as (screen, drills):
        drills.strike("dead_stream")
        await until(lambda: screen.find("drill-chip").isVisible())
        drills.is_over(result("dead_stream", mistakes=("flatten", "flatten"), points=60))
        await until(lambda: screen.find("drill-sheet").isVisible())
        assert screen.text("drill-result-mistakes") == "Mistake: flatten."
        drills.strike("dead_stream")
        await until(lambda: screen.find("drill-running").isVisible())
        drills.is_over(result("dead_stream", outcome="not_set", points=0, lesson="The entry was refused."))
        await until(lambda: "could not be set" in screen.text("drill-result-title"))
        assert screen.text("drill-result-lesson") == "The entry was refused."
        assert screen.find("drill-result-parts").isHidden()
