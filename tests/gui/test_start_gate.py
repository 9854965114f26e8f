"""What stands between a started desk and its first entry: the typed account number, and differences to settle."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget

from gui.widgets.notice_chip import NoticeChip
from tests.gui.conftest import Screen, until
from tests.gui.scene_pieces import SceneDifference
from tests.gui.scenes import replace
from tests.gui.stage import DIFFERENCES

ACCOUNT = "918273645"


def type_number(screen: Screen, text: str) -> QWidget:
    field = screen.find("live-sheet-number")
    QTest.keyClicks(field, text)
    return field


def rows(screen: Screen) -> list[str]:
    """Ids of the differences on the sheet, top down."""
    found = [w for w in screen.find("gate-sheet").findChildren(QWidget) if w.objectName().startswith("difference-")]
    shown = [w for w in found if w.objectName() not in ("difference-text", "difference-meaning") and w.isVisible()]
    return [w.objectName().removeprefix("difference-") for w in sorted(shown, key=lambda row: row.y())]


def ignore(screen: Screen, ident: str) -> QPushButton:
    button = screen.find("settle-ignore", screen.find(f"difference-{ident}"))
    assert isinstance(button, QPushButton)
    return button


# --- the live account ------------------------------------------------------------------------------------------------


async def test_a_live_desk_asks_for_its_accounts_number_by_itself(opened: Any) -> None:
    async with opened("unconfirmed") as screen:
        assert screen.find("live-sheet").isVisible()
        assert screen.text("live-sheet-sentence") == f"LIVE account {ACCOUNT}: real money."
        assert screen.window.focusWidget() is screen.find("live-sheet-back")
        assert not screen.find("live-sheet-confirm").isEnabled()
        type_number(screen, "9")
        assert screen.find("live-sheet-confirm").isEnabled()


async def test_a_live_desk_that_is_confirmed_does_not_ask(opened: Any) -> None:
    async with opened("stale") as screen:
        assert screen.find("live-sheet").isHidden()
        assert screen.find("confirm-account").isHidden()


async def test_the_right_number_unlocks_the_desk_and_the_sheet_goes(opened: Any) -> None:
    async with opened("unconfirmed") as screen:
        type_number(screen, ACCOUNT)
        screen.click("live-sheet-confirm")
        assert await screen.commands() == [("confirm_account", ACCOUNT)]
        await until(screen.find("live-sheet").isHidden)
        assert screen.find("confirm-account").isHidden()
        assert screen.find("start-gate").isHidden()


async def test_a_wrong_number_is_refused_in_the_sheet_and_leaves_the_desk_locked(opened: Any) -> None:
    async with opened("unconfirmed") as screen:
        type_number(screen, "918273646")
        screen.click("live-sheet-confirm")
        await until(screen.find("live-sheet-refusal").isVisible)
        assert screen.text("live-sheet-refusal") == "That is not this account's number."
        assert screen.find("toast").isHidden()
        assert screen.desk.view().wants_confirmation
        type_number(screen, ACCOUNT)  # over the wrong one, which is selected
        assert screen.find("live-sheet-refusal").isHidden()
        screen.click("live-sheet-confirm")
        await until(screen.find("live-sheet").isHidden)


async def test_enter_confirms_only_when_as_much_is_typed_as_the_number_is_long(opened: Any) -> None:
    async with opened("unconfirmed") as screen:
        field = type_number(screen, ACCOUNT[:-1])
        QTest.keyClick(field, Qt.Key.Key_Return)
        for button in ("live-sheet-back", "live-sheet-confirm"):
            QTest.keyClick(screen.find(button), Qt.Key.Key_Return)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands
        type_number(screen, ACCOUNT[-1])
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert await screen.commands() == [("confirm_account", ACCOUNT)]


async def test_enter_waits_until_the_accounts_number_is_known(opened: Any) -> None:
    async with opened("unconfirmed") as screen:
        view = screen.desk.view()
        screen.desk.put(replace(view, health=replace(view.health, account=None)))
        await until(lambda: "is being read" in screen.text("live-sheet-sentence"))
        QTest.keyClick(screen.find("live-sheet-number"), Qt.Key.Key_Return)
        await asyncio.sleep(0.05)
        assert not screen.desk.commands


async def test_one_confirmation_runs_at_a_time(opened: Any) -> None:
    async with opened("unconfirmed") as screen:
        screen.desk.hold("confirm_account")
        field = type_number(screen, ACCOUNT)
        screen.click("live-sheet-confirm")
        screen.click("live-sheet-confirm")
        QTest.keyClick(field, Qt.Key.Key_Return)
        await screen.commands()
        assert not screen.find("live-sheet-confirm").isEnabled()
        screen.desk.release("confirm_account")
        await until(screen.find("live-sheet").isHidden)
        assert screen.desk.commands == [("confirm_account", ACCOUNT)]


@pytest.mark.parametrize("way", ["back", "escape"])
async def test_going_back_leaves_the_desk_locked_and_the_state_bar_brings_the_sheet_back(opened: Any, way: str) -> None:
    async with opened("unconfirmed") as screen:
        type_number(screen, "91")
        if way == "back":
            screen.click("live-sheet-back")
        else:
            screen.press(Qt.Key.Key_Escape)
        assert screen.find("live-sheet").isHidden()
        screen.desk.put(screen.desk.view())
        await asyncio.sleep(0.1)
        assert screen.find("live-sheet").isHidden()
        assert not screen.desk.commands
        screen.click("confirm-account")
        assert screen.find("live-sheet").isVisible()
        assert not screen.find("live-sheet-confirm").isEnabled()


async def test_the_window_goes_on_beneath_a_sheet(opened: Any) -> None:
    async with opened("unconfirmed") as screen:
        screen.click_row("order-table", "b-JPM", "cancel")
        assert await screen.commands() == [("cancel_order", "b-JPM")]
        assert screen.find("live-sheet").isVisible()


# --- the start gate --------------------------------------------------------------------------------------------------


async def test_the_chip_says_why_the_gate_is_locked_as_short_as_its_room(opened: Any) -> None:
    async with opened("differing") as screen:
        chip = screen.find("start-gate")
        assert isinstance(chip, NoticeChip)
        assert chip.text.startswith("Start gate locked 25 NFLX are held")
        assert chip.text.endswith("…")
        assert chip.accessibleName() == "Start gate locked: 25 NFLX are held that no trade explains (and 2 more)"
        assert "25 NFLX are held that no trade explains (and 2 more)" in chip.toolTip()


async def test_the_chip_opens_the_list_of_what_differs_with_what_ignoring_means(opened: Any) -> None:
    async with opened("differing") as screen:
        assert screen.find("gate-sheet").isHidden()
        screen.click("start-gate")
        assert screen.text("gate-sheet-reason").startswith("Book and broker differ in 3 points.")
        assert rows(screen) == [difference.id for difference in DIFFERENCES]
        first = screen.find("difference-position:NFLX")
        assert screen.text("difference-text", first) == "25 NFLX are held that no trade explains"
        assert screen.text("difference-meaning", first).endswith("Ignore: the desk will neither protect nor close it.")
        other = screen.find("difference-order:904837e3-3b76")
        assert screen.text("difference-meaning", other) == "Ignore: you know that it trades this account too."
        assert screen.window.focusWidget() is screen.find("gate-sheet-back")
        screen.click("gate-sheet-back")
        assert screen.find("gate-sheet").isHidden()
        assert not screen.desk.commands


async def test_settling_the_last_difference_opens_the_gate_and_closes_the_sheet(opened: Any) -> None:
    async with opened("differing") as screen:
        screen.click("start-gate")
        for number, difference in enumerate(DIFFERENCES, start=1):
            await until(ignore(screen, difference.id).isEnabled)
            QTest.mouseClick(ignore(screen, difference.id), Qt.MouseButton.LeftButton)
            assert (await screen.commands(number))[-1] == ("settle_difference", difference.id, "ignore")
            left = [each.id for each in DIFFERENCES[number:]]
            await until(lambda left=left: rows(screen) == left)
        assert screen.find("gate-sheet").isHidden()
        assert screen.find("start-gate").isHidden()


async def test_a_double_click_settles_one_difference(opened: Any) -> None:
    async with opened("differing") as screen:
        screen.click("start-gate")
        button = ignore(screen, "position:NFLX")
        at = button.mapTo(screen.window, button.rect().center())
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await until(lambda: len(rows(screen)) == 2)
        under = screen.window.childAt(at)
        assert under is not None
        QTest.mouseClick(under, Qt.MouseButton.LeftButton)
        await asyncio.sleep(0.05)
        assert len(screen.desk.commands) == 1


async def test_a_difference_that_ends_by_itself_leaves_the_sheet(opened: Any) -> None:
    async with opened("differing") as screen:
        screen.click("start-gate")
        screen.desk.differ(DIFFERENCES[1])
        await until(lambda: rows(screen) == [DIFFERENCES[1].id])
        assert screen.text("gate-sheet-reason").startswith("Book and broker differ in 1 point.")
        screen.desk.differ()
        await until(screen.find("gate-sheet").isHidden)


async def test_shares_are_adopted_with_a_stop_only(opened: Any) -> None:
    found = SceneDifference("position:XOM:7", "XOM", "7 XOM are held that no trade explains", ("adopt", "ignore"))
    async with opened("differing") as screen:
        screen.click("start-gate")
        screen.desk.differ(found)
        await until(lambda: rows(screen) == [found.id])
        row = screen.find(f"difference-{found.id}")
        adopt, stop = row.findChild(QPushButton, "settle-adopt"), row.findChild(QLineEdit, "adopt-stop")
        await until(row.findChild(QPushButton, "settle-ignore").isEnabled)
        for text in ("", "abc", "0", "-3", "nan"):
            stop.setText(text)
            assert not adopt.isEnabled(), text
        stop.setText("101.50")
        QTest.mouseClick(adopt, Qt.MouseButton.LeftButton)
        assert (await screen.commands(1))[-1] == ("settle_difference", found.id, "adopt", Decimal("101.50"))


async def test_adopted_shares_may_bring_a_target_and_a_mistyped_one_is_never_dropped(opened: Any) -> None:
    found = SceneDifference("position:XOM:7", "XOM", "7 XOM are held that no trade explains", ("adopt", "ignore"))
    async with opened("differing") as screen:
        screen.click("start-gate")
        screen.desk.differ(found)
        await until(lambda: rows(screen) == [found.id])
        row = screen.find(f"difference-{found.id}")
        adopt, stop = row.findChild(QPushButton, "settle-adopt"), row.findChild(QLineEdit, "adopt-stop")
        target = row.findChild(QLineEdit, "adopt-target")
        assert target.accessibleName() == "Target price of XOM"
        await until(row.findChild(QPushButton, "settle-ignore").isEnabled)
        target.setText("112")
        assert not adopt.isEnabled()
        stop.setText("101.50")
        for text in ("abc", "0", "-3", "nan"):
            target.setText(text)
            assert not adopt.isEnabled(), text
        target.setText("112.25")
        QTest.mouseClick(adopt, Qt.MouseButton.LeftButton)
        prices = (Decimal("101.50"), Decimal("112.25"))
        assert (await screen.commands(1))[-1] == ("settle_difference", found.id, "adopt", *prices)


async def test_a_refused_settlement_is_told_in_the_sheet(opened: Any) -> None:
    async with opened("differing") as screen:
        screen.click("start-gate")
        screen.desk.refuse("settle_difference", "BAD_SETTLEMENT", "It can be settled by: adopt.")
        QTest.mouseClick(ignore(screen, "position:NFLX"), Qt.MouseButton.LeftButton)
        await until(screen.find("gate-sheet-refusal").isVisible)
        assert screen.text("gate-sheet-refusal") == "It can be settled by: adopt."
        assert screen.find("toast").isHidden()
        assert len(rows(screen)) == 3


async def test_a_lock_with_nothing_to_settle_says_what_it_waits_for_and_goes_with_it(opened: Any) -> None:
    async with opened("differing") as screen:
        screen.desk.differ()
        locked = replace(
            screen.desk.view(),
            health=replace(screen.desk.view().health, start_gate="locked"),
            gate_locked_by="the order models are still being loaded",
        )
        screen.desk.put(locked)
        await until(screen.find("start-gate").isVisible)
        screen.click("start-gate")
        assert screen.text("gate-sheet-reason").startswith("The order models are still being loaded.")
        assert not rows(screen)
        await asyncio.sleep(0.3)
        assert screen.find("gate-sheet").isVisible()
        screen.desk.differ()
        await until(screen.find("gate-sheet").isHidden)


async def test_many_differences_scroll_inside_the_sheet(opened: Any) -> None:
    async with opened("differing") as screen:
        many = (SceneDifference(f"order:{n}", "AAPL", f"order {n} of AAPL was made by hand") for n in range(40))
        screen.desk.differ(*many)
        screen.click("start-gate")
        sheet = screen.find("gate-sheet")
        assert len(rows(screen)) == 40
        assert sheet.height() < screen.window.height() - 100
