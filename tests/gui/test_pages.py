"""Pages of the panels, reached without a mouse."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest


async def test_every_page_is_reached_by_keys_alone(opened: Any) -> None:
    async with opened("busy") as screen:
        window = screen.window
        screen.press(Qt.Key.Key_Right)
        for title in ("Positions", "History", "Account", "Brackets"):
            screen.press(Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
            tabs = window.brackets.header.tabs
            assert tabs.titles[tabs.current] == title
        screen.press(Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
        assert window.brackets.header.tabs.current == 3
        assert not screen.desk.commands


async def test_a_page_is_found_by_name_and_brought_into_sight(opened: Any) -> None:
    async with opened("busy") as screen:
        window = screen.window
        window._docks["latency"].hide()
        screen.press(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
        typed = screen.find("palette-typed")
        QTest.keyClicks(typed, "requests latency")
        QTest.keyClick(typed, Qt.Key.Key_Return)
        assert not window._docks["latency"].isHidden()
        assert window.latency.header.tabs.titles[window.latency.header.tabs.current] == "Requests"
