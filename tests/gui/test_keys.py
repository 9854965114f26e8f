"""Alpaca's keys and the first start in the window: typed unseen, tried, stored, gone from the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.alpaca.credentials import NoCredentials
from engine.doctor import Finding
from engine.key_cabinet import KeyState
from engine.model.words import Mode
from gui.app import show_window
from gui.widgets.segments import Segments
from tests.gui.conftest import Screen, until
from tests.gui.stage import desk_of
from tests.gui.test_palette import enter, open_palette
from tests.gui.test_signals import moved_to

NONE = KeyState(source="none", hint="", text="No API keys.")
STORED = KeyState(source="keyring", hint="…XQ7K", text="…XQ7K from the system's keyring.")


class Cabinet:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.kept: dict[Mode, KeyState] = {}
        self.fails = False
        self.gate: asyncio.Event | None = None

    async def state(self, mode: Mode) -> KeyState:
        return self.kept.get(mode, NONE)

    async def store(self, mode: Mode, key_id: str, secret: str) -> KeyState:
        self.calls.append(("store", mode, key_id, secret))
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise NoCredentials("The system's keyring cannot be used.")
        self.kept[mode] = STORED
        return STORED

    async def forget(self, mode: Mode) -> KeyState:
        self.calls.append(("forget", mode))
        self.kept.pop(mode, None)
        return NONE

    async def test(self, mode: Mode, key_id: str = "", secret: str = "") -> list[Finding]:
        self.calls.append(("test", mode, key_id, secret))
        return [
            Finding(ok=True, what="account", text="PA3 is ACTIVE."),
            Finding(ok=False, what="order stream", text="taken"),
        ]


@asynccontextmanager
async def opened(folder: Path, *, welcome: bool = False) -> AsyncIterator[tuple[Screen, Cabinet]]:
    desk, cabinet = desk_of("busy"), Cabinet()
    async with show_window(
        desk,
        layout_file=folder / "layout.ini",
        on_close=lambda: None,
        clock=desk.clock,
        keys=cabinet,
        welcome=welcome,
    ) as window:
        window.resize(1366, 768)
        window.activateWindow()
        await asyncio.sleep(0.02)
        yield Screen(desk, window, []), cabinet


async def open_keys(screen: Screen) -> Any:
    open_palette(screen, "alpaca keys")
    enter(screen)
    sheet = screen.find("keys-sheet")
    await until(lambda: screen.text("keys-state", sheet) == NONE.text)
    return sheet


def field(screen: Screen, name: str, sheet: Any) -> QLineEdit:
    found = screen.find(name, sheet)
    assert isinstance(found, QLineEdit)
    return found


def type_keys(screen: Screen, sheet: Any) -> None:
    QTest.keyClicks(field(screen, "keys-id", sheet), "PKABCXQ7K")
    QTest.keyClicks(field(screen, "keys-secret", sheet), "geheim")


async def test_keys_are_typed_unseen_stored_and_gone_from_the_screen(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path) as (screen, cabinet):
        sheet = await open_keys(screen)
        assert not screen.find("keys-store", sheet).isEnabled()
        type_keys(screen, sheet)
        secret = field(screen, "keys-secret", sheet)
        assert secret.displayText() != "geheim"
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            QTest.keyClick(secret, key)
        assert cabinet.calls == [], "Enter stores nothing"
        screen.click("keys-store", sheet)
        await until(lambda: screen.text("keys-state", sheet) == STORED.text)
        assert cabinet.calls == [("store", Mode.PAPER, "PKABCXQ7K", "geheim")]
        assert secret.text() == field(screen, "keys-id", sheet).text() == ""
        assert "next start" in screen.text("keys-said", sheet)
        screen.click("keys-forget", sheet)
        await until(lambda: screen.text("keys-state", sheet) == NONE.text)
        assert not screen.find("keys-forget", sheet).isEnabled()


async def test_a_double_click_stores_once_and_a_keyring_that_fails_leaves_what_was_typed(
    qapp: Any, tmp_path: Path
) -> None:
    async with opened(tmp_path) as (screen, cabinet):
        sheet = await open_keys(screen)
        type_keys(screen, sheet)
        cabinet.gate, cabinet.fails = asyncio.Event(), True
        screen.click("keys-store", sheet)
        screen.click("keys-store", sheet)
        await asyncio.sleep(0.02)
        assert len(cabinet.calls) == 1
        cabinet.gate.set()
        await until(lambda: "cannot be used" in screen.text("keys-said", sheet))
        assert field(screen, "keys-secret", sheet).text() == "geheim"


async def test_the_connection_is_tried_with_what_is_typed_and_each_finding_is_said(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path) as (screen, cabinet):
        sheet = await open_keys(screen)
        type_keys(screen, sheet)
        screen.click("keys-test", sheet)
        await until(lambda: "✗ order stream: taken" in screen.text("keys-said", sheet))
        assert "✓ account: PA3 is ACTIVE." in screen.text("keys-said", sheet)
        assert cabinet.calls == [("test", Mode.PAPER, "PKABCXQ7K", "geheim")]


async def test_what_was_typed_for_paper_is_never_offered_to_live(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path) as (screen, cabinet):
        sheet = await open_keys(screen)
        type_keys(screen, sheet)
        modes = screen.find("keys-mode", sheet)
        assert isinstance(modes, Segments)
        modes.choose("live")
        assert field(screen, "keys-secret", sheet).text() == ""
        assert not screen.find("keys-store", sheet).isEnabled()
        type_keys(screen, sheet)
        screen.press(Qt.Key.Key_Escape)
        assert not sheet.isVisible()
        assert field(screen, "keys-secret", sheet).text() == "", "a sheet that was left remembers nothing"
        assert cabinet.calls == []


async def test_the_first_start_shows_the_first_steps_and_goes_when_it_is_skipped(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path, welcome=True) as (screen, _):
        sheet = screen.find("welcome-sheet")
        assert sheet.isVisible()
        QTest.keyClick(screen.find("welcome-skip", sheet), Qt.Key.Key_Space)
        assert not sheet.isVisible()
        open_palette(screen, "first steps")
        enter(screen)
        assert sheet.isVisible()
        screen.press(Qt.Key.Key_Escape)
        assert not sheet.isVisible()


async def test_the_simulator_is_five_steps_and_the_desk_goes_on_meanwhile(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path, welcome=True) as (screen, _):
        screen.click("welcome-choose", screen.find("welcome-sim"))
        assert screen.text("welcome-count") == "1 of 5"
        await moved_to(screen)
        screen.press(Qt.Key.Key_A)
        assert (await screen.commands())[0][0] == "approve", "nothing blocks the desk"
        for number in (2, 3, 4, 5):
            screen.click("welcome-next")
            assert screen.text("welcome-count") == f"{number} of 5"
        screen.click("welcome-before")
        assert screen.text("welcome-count") == "4 of 5"
        screen.click("welcome-next")
        assert screen.text("welcome-next") == "Done"
        screen.click("welcome-next")
        assert not screen.find("welcome-sheet").isVisible()


async def test_paper_and_live_lead_to_keys_and_to_the_command_that_starts_them(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path, welcome=True) as (screen, cabinet):
        sheet = screen.find("welcome-sheet")
        for mode, said in ((Mode.PAPER, "--broker paper"), (Mode.LIVE, "--broker live")):
            screen.click("welcome-choose", screen.find(f"welcome-{mode.value}"))
            await until(lambda: screen.text("keys-state", sheet) == NONE.text)
            assert said in screen.text("welcome-command")
            screen.click("welcome-copy")
            assert QGuiApplication.clipboard().text() == screen.text("welcome-command")
            type_keys(screen, sheet)
            screen.click("keys-store", sheet)
            await until(lambda mode=mode: mode in cabinet.kept)  # type: ignore[misc]
            screen.click("welcome-all")
        assert {call[1] for call in cabinet.calls} == {Mode.PAPER, Mode.LIVE}


async def test_later_starts_do_not_show_it(qapp: Any, tmp_path: Path) -> None:
    async with opened(tmp_path) as (screen, _):
        assert screen.window.findChild(QWidget, "welcome-sheet") is None
