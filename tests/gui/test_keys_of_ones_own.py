"""Keys as the operator wants them, clashes refused; and keys that send, once a person has moved to something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from engine.model.words import Side, SignalStatus
from gui import keys
from gui.arming import ARMED_FOR_S, Arming
from gui.key_map import KeyMap
from gui.keys import KEYS
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace
from tests.gui.test_signals import moved_to, ready


@pytest.fixture(autouse=True)
def _as_they_come() -> Any:
    yield
    keys.show_own({})


def settings(folder: Path) -> QSettings:
    return QSettings(str(folder / "keys.ini"), QSettings.Format.IniFormat)


async def rebind(screen: Screen, name: str, key: Qt.Key) -> None:
    """On the key sheet: click the old key, press the new one."""
    sheet = screen.window.findChild(QWidget, "key-sheet")
    if sheet is None or not sheet.isVisible():
        screen.press(Qt.Key.Key_F1)
    screen.click(f"key-{name}")
    QTest.keyClick(screen.find(f"key-{name}"), key)


# --- the map ---------------------------------------------------------------------------------------------------------


def test_no_two_keys_are_the_same_as_they_come() -> None:
    assert len({QKeySequence(key.keys).toString() for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize(
    ("name", "wanted", "said"),
    [
        ("approve", "R", "taken"),
        ("approve", "Return", "never sends"),
        ("approve", "Esc", "out of everything"),
        ("approve", "3", "reason"),
        ("approve", "Ctrl+3", "layout"),
        ("escape", "Q", "stays"),
        ("approve", "", "no key"),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_why(tmp_path: Path, name: str, wanted: str, said: str) -> None:
    known = KeyMap(settings(tmp_path))
    why = known.change(name, QKeySequence(wanted))
    assert why is not None
    assert said in why
    assert not known.is_own(name)


def test_a_key_of_ones_own_is_kept_given_free_and_reset(tmp_path: Path) -> None:
    first = KeyMap(settings(tmp_path))
    assert first.change("approve", QKeySequence("Ctrl+Y")) is None
    assert first.change("reject", QKeySequence("A")) is None, "its old key is free"
    second = KeyMap(settings(tmp_path))
    assert (second.keys("approve"), second.shown("approve"), second.keys("reject")) == ("Ctrl+Y", "Ctrl Y", "A")
    assert second.change("approve", QKeySequence("A")) is not None
    second.reset()
    third = KeyMap(settings(tmp_path))
    assert (third.keys("approve"), third.keys("reject")) == ("A", "R")


def test_kept_keys_that_clash_with_newer_ones_are_left_out(tmp_path: Path) -> None:
    kept = settings(tmp_path)
    kept.setValue("keys/approve", "R")
    kept.setValue("keys/cancel", "Return")
    known = KeyMap(kept)
    assert (known.keys("approve"), known.keys("cancel")) == ("A", "C")


# --- in the window ---------------------------------------------------------------------------------------------------


async def test_another_key_is_taken_by_pressing_it_and_the_old_one_does_nothing(opened: Any) -> None:
    async with opened("busy") as screen:
        await rebind(screen, "approve", Qt.Key.Key_G)
        assert screen.text("key-approve") == "G"
        screen.press(Qt.Key.Key_F1)
        button = await moved_to(screen)
        screen.press(Qt.Key.Key_A)
        assert screen.desk.commands == []
        screen.press(Qt.Key.Key_G)
        assert (await screen.commands())[0][0] == "approve"
        assert button is not None
        assert keys.shown_for("A") == "G", "buttons say the key that works"


async def test_a_key_that_is_waited_for_does_nothing_else_and_a_clash_is_said(opened: Any) -> None:
    async with opened("busy") as screen:
        await rebind(screen, "approve", Qt.Key.Key_H)
        assert "taken: the halt ladder" in screen.text("key-note")
        assert not screen.find("halt-sheet").isVisible()
        assert screen.text("key-approve") == "A"
        screen.click("key-approve")
        QTest.keyClick(screen.find("key-approve"), Qt.Key.Key_Escape)
        assert screen.find("key-sheet").isVisible(), "Esc only gives the question up"
        await rebind(screen, "approve", Qt.Key.Key_G)
        screen.click("key-reset")
        assert screen.text("key-approve") == "A"


async def test_keys_that_send_work_only_once_a_person_has_moved_to_something(opened: Any) -> None:
    async with opened("busy") as screen:
        await ready(screen)
        screen.window.arming.disarm()
        screen.press(Qt.Key.Key_A)
        await until(lambda: screen.find("toast").isVisible())
        assert "not armed" in screen.text("toast-text")
        assert screen.desk.commands == []
        edge = screen.window.grab().toImage().pixelColor(4, 300)
        screen.press(Qt.Key.Key_Down)
        screen.press(Qt.Key.Key_Up)
        assert screen.window.arming.is_armed
        await until(lambda: screen.window.grab().toImage().pixelColor(4, 300) != edge)
        await ready(screen)
        screen.press(Qt.Key.Key_A)
        assert (await screen.commands())[0][0] == "approve"


async def test_a_card_that_comes_and_opens_by_itself_arms_nothing(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window.arming.disarm()
        screen.desk.put(make.signal("s-NEW", "NFLX", Side.BUY, left_s=3))  # the soonest: the next to open
        screen.desk.put(replace(screen.desk.signal("s-NVDA"), status=SignalStatus.EXPIRED, preview=None))
        await until(lambda: screen.window.signals.current.signal.id == "s-NEW")
        assert not screen.window.arming.is_armed


async def test_a_click_on_a_row_arms_and_losing_the_focus_disarms(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window.arming.disarm()
        screen.choose("bracket-table", "b-AAPL")
        assert screen.window.arming.is_armed
        other = QWidget()
        other.show()
        other.activateWindow()
        await until(lambda: not screen.window.isActiveWindow())
        assert not screen.window.arming.is_armed
        other.close()


async def test_a_panel_on_another_monitor_has_the_keys_too(opened: Any) -> None:
    async with opened("trouble") as screen:
        window = screen.window
        dock = window._docks["orders"]
        dock.setFloating(True)
        await until(lambda: dock.isVisible() and dock.windowHandle() is not None)
        window.activateWindow()
        await until(window.isActiveWindow)
        window.arming.disarm()
        screen.choose("order-table", "b-JPM")
        dock.activateWindow()  # as the click does, and later than its effect
        await until(dock.isActiveWindow)
        assert window.arming.is_armed, "the eye is still at the desk"
        QTest.keyClick(screen.find("order-table"), Qt.Key.Key_C)
        assert await screen.commands() == [("cancel_order", "b-JPM")]
        other = QWidget()
        other.show()
        other.activateWindow()
        await until(other.isActiveWindow)
        assert not window.arming.is_armed
        other.close()


async def test_keys_that_ask_or_only_look_need_no_arming(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window.arming.disarm()
        screen.press(Qt.Key.Key_H)
        await until(lambda: screen.find("halt-sheet").isVisible())


async def test_it_ends_by_itself_when_nobody_moves(opened: Any, qapp: Any) -> None:
    async with opened("empty") as screen:
        now = 100.0
        arming = Arming(screen.window, lambda: now)
        told: list[bool] = []
        arming.changed.connect(told.append)
        arming.arm()
        now += ARMED_FOR_S - 1
        arming.follow()
        assert arming.may_send()
        now += 2
        arming.follow()
        assert not arming.may_send()
        assert told == [True, False]


async def test_a_key_that_cannot_do_anything_says_why(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.choose("bracket-table", "b-AAPL")
        screen.press(Qt.Key.Key_B)
        await until(lambda: screen.text("toast-text") == "AAPL is PROTECTED: it has no exits to place again.")
        screen.choose("order-table", "b-TSLA.x3")
        screen.press(Qt.Key.Key_C)
        await until(lambda: screen.text("toast-text") == "There is nothing to cancel: TSLA is SENDING.")
        assert screen.desk.commands == []
