"""The settings as a person meets them: found by a word, checked as they are typed, saved into their own file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.config_file import load_config
from engine.settings import SettingsFile
from gui.app import show_window
from gui.dialogs.settings_sheet import SettingRow
from tests.gui.conftest import Screen
from tests.gui.stage import desk_of
from tests.gui.test_palette import enter, open_palette


@asynccontextmanager
async def opened_settings(folder: Path, text: str = "") -> AsyncIterator[Screen]:
    path = folder / "greenlight.toml"
    path.write_text(text)
    desk = desk_of("busy")
    async with show_window(
        desk, layout_file=folder / "layout.ini", on_close=lambda: None, clock=desk.clock, settings=SettingsFile(path)
    ) as window:
        screen = Screen(desk, window, [])
        window.activateWindow()
        await asyncio.sleep(0.02)
        open_palette(screen, "settings")
        enter(screen)
        assert screen.find("settings-sheet").isVisible()
        yield screen


def field(screen: Screen, section: str, key: str) -> QLineEdit:
    found = screen.find(f"set-{section}-{key}")
    assert isinstance(found, QLineEdit)
    return found


async def test_what_is_typed_is_saved_in_its_file_for_the_next_start(qapp: Any, tmp_path: Path) -> None:
    async with opened_settings(tmp_path, "[limits]\nmax_open_positions = 5 # five\n") as screen:
        assert field(screen, "limits", "max_open_positions").text() == "5"
        assert not screen.find("settings-save").isEnabled()
        field(screen, "limits", "max_open_positions").setText("8")
        field(screen, "limits", "max_order_notional").setText("25,000")
        assert screen.text("settings-save") == "Save 2"
        QTest.keyClick(field(screen, "limits", "max_order_notional"), Qt.Key.Key_Return)
        assert "5 # five" in (tmp_path / "greenlight.toml").read_text(), "Enter does not save"
        screen.click("settings-save")
        assert "2 settings saved" in screen.text("settings-said")
        assert not screen.find("settings-save").isEnabled()
    config = load_config(tmp_path / "greenlight.toml", required=True)
    assert (config.limits.max_open_positions, config.limits.max_order_notional) == (8, 25_000)


async def test_what_is_not_allowed_is_said_where_it_is_typed(qapp: Any, tmp_path: Path) -> None:
    async with opened_settings(tmp_path) as screen:
        for typed in ("many", "0", "-1"):
            field(screen, "limits", "max_open_positions").setText(typed)
            row = screen.find("setting-limits-max_open_positions")
            assert "max_open_positions" in screen.text("setting-wrong", row), typed
            assert not screen.find("settings-save").isEnabled()
        field(screen, "limits", "max_open_positions").setText("3")
        assert screen.find("settings-save").isEnabled()
        screen.click("settings-undo")
        assert field(screen, "limits", "max_open_positions").text() == ""


async def test_a_setting_is_found_by_its_words(qapp: Any, tmp_path: Path) -> None:
    async with opened_settings(tmp_path) as screen:
        find = screen.find("settings-find")
        QTest.keyClicks(find, "open positions")
        rows = [row for row in screen.window.findChildren(SettingRow) if not row.isHidden()]
        assert "max_open_positions" in {row.setting.key for row in rows}
        assert len(rows) < 6
        screen.press(Qt.Key.Key_Escape)
        assert screen.find("settings-sheet").isHidden()


async def test_a_broken_file_is_said_and_not_written_over(qapp: Any, tmp_path: Path) -> None:
    async with opened_settings(tmp_path, "limits = [") as screen:
        assert "not valid TOML" in screen.text("settings-said")
        field(screen, "limits", "max_open_positions").setText("3")
        assert not screen.find("settings-save").isEnabled()
    assert (tmp_path / "greenlight.toml").read_text() == "limits = ["
