"""Everything by name: what is typed is found, Enter does it, and what would send an order asks first."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.model.words import DeskState
from gui.commands import Command, matching
from gui.dialogs.palette import Palette
from gui.keys import KEYS
from tests.gui.conftest import Screen, until

MOVES = {"up", "down", "left", "right", "next_tab", "previous_tab", "escape", "palette"}


def open_palette(screen: Screen, typed: str = "") -> Palette:
    QTest.keyClick(screen.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = screen.find("palette")
    assert isinstance(palette, Palette)
    assert palette.isVisible()
    assert palette.height() > 300
    QTest.keyClicks(screen.find("palette-typed"), typed)
    return palette


def enter(screen: Screen) -> None:
    QTest.keyClick(screen.find("palette-typed"), Qt.Key.Key_Return)


async def test_every_key_and_every_symbol_is_in_it(opened: Any) -> None:
    async with opened("busy") as screen:
        shown = open_palette(screen).shown
        for key in KEYS:
            is_there = any(title.casefold() == key.words.casefold() for title in shown)
            assert is_there is (key.name not in MOVES), key.name
        assert {"AAPL: show the trade", "AAPL: flatten", "AAPL: order ticket", "NVDA: order ticket"} <= set(shown)
        assert "NVDA: flatten" not in shown, "there is no trade to flatten"
        assert {"Reset layout", "Light theme", "Halt the desk"} <= set(shown)


async def test_a_few_letters_and_enter_do_it(opened: Any) -> None:
    async with opened("busy") as screen:
        palette = open_palette(screen, "msft sh")
        assert palette.shown == ["MSFT: show the trade"]
        enter(screen)
        assert palette.isHidden()
        assert screen.text("detail-title") == "MSFT"
        palette = open_palette(screen, "ladder")
        enter(screen)
        assert screen.find("halt-sheet").isVisible()


async def test_up_and_down_choose_and_a_click_takes(opened: Any) -> None:
    async with opened("busy") as screen:
        palette = open_palette(screen, "aapl")
        assert palette.shown[0] == "AAPL: show the trade"
        field = screen.find("palette-typed")
        for _ in range(2):
            QTest.keyClick(field, Qt.Key.Key_Down)  # a key of the window, too
        QTest.keyClick(field, Qt.Key.Key_Up)
        enter(screen)
        said = screen.text("brackets-confirm-sentence")
        assert "100 AAPL" in said, f"flatten asks, as it always does: {said}"
        assert not screen.desk.commands
        palette = open_palette(screen, "order ticket nvda")
        view = palette._list
        QTest.mouseClick(
            view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(view.model().index(0, 0)).center()
        )
        symbol = screen.find("ticket-symbol")
        assert isinstance(symbol, QLineEdit)
        assert symbol.text() == "NVDA"


@pytest.mark.parametrize("typed", ["approve the armed", "place the exits", "to break-even", "cancel the selected"])
async def test_what_sends_an_order_asks_first(opened: Any, typed: str) -> None:
    async with opened("trouble") as screen:
        screen.choose("bracket-table", "b-TSLA")
        open_palette(screen, typed)
        enter(screen)
        enter(screen)
        assert screen.text("brackets-confirm-sentence").startswith("SIM: ")
        assert not screen.desk.commands


async def test_the_answer_to_the_question_does_it_once(opened: Any) -> None:
    async with opened("busy") as screen:
        await until(lambda: screen.window.signals.current is not None)
        screen.press(Qt.Key.Key_Up)
        open_palette(screen, "approve the armed")
        enter(screen)
        await until(lambda: screen.window.signals.current._details.approve.isEnabled())
        screen.click("brackets-confirm-yes")
        assert [command[:2] for command in await screen.commands()] == [("approve", "s-NVDA")]


async def test_the_desk_is_paused_by_name(opened: Any) -> None:
    async with opened("busy") as screen:
        open_palette(screen, "pause")
        enter(screen)
        assert await screen.commands() == [("set_state", DeskState.PAUSED, None)]


async def test_nothing_found_does_nothing_and_escape_leaves(opened: Any) -> None:
    async with opened("busy") as screen:
        palette = open_palette(screen, "xyzzy")
        assert palette.shown == []
        assert screen.find("palette-none").isVisible()
        enter(screen)
        assert palette.isVisible()
        QTest.keyClick(screen.find("palette-typed"), Qt.Key.Key_Escape)
        assert palette.isHidden()


async def test_what_was_used_lately_stands_on_top(opened: Any) -> None:
    async with opened("busy") as screen:
        for typed in ("light theme", "dark theme"):
            open_palette(screen, typed)
            enter(screen)
        assert open_palette(screen).shown[:2] == ["Dark theme", "Light theme"]


def test_titles_that_begin_with_what_was_typed_come_first() -> None:
    commands = [Command(title, lambda: None, remark) for title, remark in (
        ("Reset layout", "window"), ("Layout of the desk", "x"), ("AAPL: show the trade", "symbol"), ("Play out", ""),
    )]  # fmt: skip
    assert [each.title for each in matching(commands, "lay")] == ["Layout of the desk", "Reset layout", "Play out"]
    assert [each.title for each in matching(commands, "sh aa")] == ["AAPL: show the trade"]
    assert [each.title for each in matching(commands, "symbol")] == ["AAPL: show the trade"]
    assert matching(commands, "nothing") == []
