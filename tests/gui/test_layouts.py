"""Layouts by name: kept, used, handed on as a file; what is no layout changes nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenu, QSplitter

from gui.layout import Layout, LayoutRefused
from gui.proportions import read_shares
from gui.tables.blotter import Blotter
from gui.window import MainWindow
from tests.gui.conftest import Screen, until
from tests.gui.test_palette import enter, open_palette


def hidden(window: MainWindow) -> set[str]:
    """Panels that are out of sight."""
    return {name for name, dock in window._docks.items() if dock.isHidden()}


def kept(screen: Screen) -> Layout:
    return screen.window._layout


def open_sheet(screen: Screen) -> None:
    screen.window._layouts.ask()
    assert screen.find("layout-sheet").isVisible()


def save_as(screen: Screen, name: str) -> None:
    field = screen.find("layout-new")
    assert isinstance(field, QLineEdit)
    field.setText(name)
    screen.click("layout-save")


async def test_a_layout_is_kept_by_name_and_brings_everything_back(opened: Any, tmp_path: Path) -> None:
    file = tmp_path / "remembered.ini"
    async with opened("busy", file) as screen:
        open_sheet(screen)
        assert screen.find("layout-none").isVisible()
        assert not screen.find("layout-save").isEnabled()
        save_as(screen, "  all   of it ")
        assert kept(screen).names == ["all of it"]
        assert screen.find("layout-list").height() > 30
        for name in ("activity", "latency"):
            screen.window._docks[name].hide()
        save_as(screen, "quiet")
        assert screen.text("layout-said") == "“quiet” is kept."
        screen.click("layout-use", screen.find("layout-all of it"))
        assert hidden(screen.window) == set()
        screen.click("layout-use", screen.find("layout-quiet"))
        assert hidden(screen.window) == {"activity", "latency"}
    async with opened("busy", file) as screen:
        assert kept(screen).names == ["all of it", "quiet"], "the next start knows them too"
        open_palette(screen, "layout quiet")
        enter(screen)
        assert hidden(screen.window) == {"activity", "latency"}
        open_sheet(screen)
        screen.click("layout-forget", screen.find("layout-quiet"))
        assert kept(screen).names == ["all of it"]


async def test_the_same_name_is_saved_over_and_enter_in_the_field_saves(opened: Any) -> None:
    async with opened("busy") as screen:
        open_sheet(screen)
        field = screen.find("layout-new")
        QTest.keyClicks(field, "mine")
        QTest.keyClick(field, Qt.Key.Key_Return)
        screen.window._docks["activity"].hide()
        assert isinstance(field, QLineEdit)
        field.setText("mine")
        assert screen.text("layout-save") == "Save over it"
        screen.click("layout-save")
        screen.window._docks["activity"].show()
        assert kept(screen).use("mine")
        assert hidden(screen.window) == {"activity"}


async def test_ctrl_and_a_digit_use_the_layouts_in_the_order_of_their_names(opened: Any) -> None:
    async with opened("busy") as screen:
        kept(screen).save_as("b everything")
        screen.window._docks["activity"].hide()
        kept(screen).save_as("a quiet")
        for digit, away in ((Qt.Key.Key_2, set()), (Qt.Key.Key_1, {"activity"}), (Qt.Key.Key_7, {"activity"})):
            QTest.keyClick(screen.window, digit, Qt.KeyboardModifier.ControlModifier)
            assert hidden(screen.window) == away
        assert not screen.desk.commands


async def test_a_layout_is_handed_on_as_a_file(opened: Any, tmp_path: Path) -> None:
    path = tmp_path / "handed on.json"
    async with opened("busy", tmp_path / "one.ini") as screen:
        screen.window._docks["incidents"].hide()
        kept(screen).save_as("a/b \\ 100 %")
        screen.window._layouts.export_to("a/b \\ 100 %", str(path))
    async with opened("busy", tmp_path / "other.ini") as screen:
        open_sheet(screen)
        assert hidden(screen.window) == set()
        screen.window._layouts.import_from(str(path))
        assert kept(screen).names == ["a/b \\ 100 %"]
        assert hidden(screen.window) == set(), "reading one does not put it in place"
        assert kept(screen).use("a/b \\ 100 %")
        assert hidden(screen.window) == {"incidents"}


async def test_what_is_no_layout_is_said_and_changes_nothing(opened: Any, tmp_path: Path) -> None:
    async with opened("busy") as screen:
        kept(screen).save_as("good")
        good = tmp_path / "good.json"
        kept(screen).export("good", good)
        found = json.loads(good.read_text())
        bad = {
            "empty": "",
            "list": "[]",
            "other version": json.dumps(found | {"greenlight-layout": 99}),
            "no state": json.dumps({key: value for key, value in found.items() if key != "state"}),
            "no base64": json.dumps(found | {"state": "***"}),
            "nonsense": json.dumps(found | {"state": "aGVsbG8="}),
            "number": json.dumps(found | {"geometry": 7}),
            "columns": json.dumps(found | {"columns": "e25vbnNlbnNl"}),
            "bad name": json.dumps(found | {"name": "x" * 500}),
            "large": "x" * 300_000,
        }
        for name, text in bad.items():
            path = tmp_path / f"{name}.json"
            path.write_text(text)
            with pytest.raises(LayoutRefused):
                kept(screen).read(path)
        assert kept(screen).names == ["good"]
        assert hidden(screen.window) == set()
        open_sheet(screen)
        screen.window._layouts.import_from(str(tmp_path / "is not there.json"))
        assert "cannot be read" in screen.text("layout-said")
        screen.window._layouts.export_to("good", str(tmp_path / "no" / "folder.json"))
        assert "cannot be written" in screen.text("layout-said")


async def test_a_file_is_asked_for_without_holding_up_the_window(opened: Any) -> None:
    async with opened("busy") as screen:
        open_sheet(screen)
        screen.click("layout-import")
        await until(lambda: screen.window.findChild(QLineEdit, "fileNameEdit") is not None)
        screen.press(Qt.Key.Key_Escape)


# --- the middle ------------------------------------------------------------------------------------------------------


async def test_trades_and_orders_float_stand_behind_one_another_and_come_back_with_their_layout(
    opened: Any, tmp_path: Path
) -> None:
    file = tmp_path / "remembered.ini"
    async with opened("busy", file) as screen:
        window = screen.window
        trades, orders = window._docks["brackets"], window._docks["orders"]
        kept(screen).save_as("as new")
        orders.setFloating(True)
        await asyncio.sleep(0.05)
        assert orders.isVisible()
        assert screen.row("order-table", "b-JPM"), "it goes on there"
        assert trades.height() > 0.9 * screen.find("middle").height(), "the trades have the room"
        kept(screen).save_as("two screens")
        orders.setFloating(False)
        screen.find("middle").tabifyDockWidget(trades, orders)  # type: ignore[attr-defined]
        kept(screen).save_as("behind")
        assert kept(screen).use("two screens")
        assert orders.isFloating()
        assert kept(screen).use("behind")
        assert not orders.isFloating()
        assert screen.find("middle").tabifiedDockWidgets(trades) == [orders]  # type: ignore[attr-defined]
        window.reset_layout()
        assert not orders.isFloating()
        assert orders.y() > trades.y()
        kept(screen).use("two screens")
    async with opened("busy", file, as_left=True) as screen:
        assert screen.window._docks["orders"].isFloating(), "the next start remembers"


async def test_the_middle_keeps_its_shares_when_the_window_changes(opened: Any) -> None:
    async with opened("busy") as screen:
        docks = screen.window._docks
        await resized(screen, 1920, 1080)
        large = docks["brackets"].height() / docks["orders"].height()
        await resized(screen, 1366, 768)
        assert docks["brackets"].height() / docks["orders"].height() == pytest.approx(large, rel=0.05)


async def test_a_layout_from_before_the_middle_had_docks_still_fits(opened: Any) -> None:
    async with opened("busy") as screen:
        kept(screen).save_as("old")
        screen.window.settings.setValue("layouts/old/middle", QSplitter().saveState())
        screen.window._docks["activity"].hide()
        assert kept(screen).use("old")
        assert hidden(screen.window) == set()


# --- sizes -----------------------------------------------------------------------------------------------------------


def widths(window: MainWindow) -> dict[str, int]:
    return {name: window._docks[name].width() for name in ("signals", "detail")}


async def resized(screen: Screen, width: int, height: int) -> dict[str, int]:
    screen.window.resize(width, height)
    await asyncio.sleep(0.05)
    return widths(screen.window)


async def test_a_smaller_window_leaves_the_tables_their_share_and_a_larger_one_brings_all_back(opened: Any) -> None:
    async with opened("busy") as screen:
        middle = screen.find("middle")
        large = await resized(screen, 1920, 1080)
        tables, low = middle.width(), screen.window._docks["latency"].height()
        small = await resized(screen, 1366, 768)
        assert middle.width() >= 0.9 * tables * 1366 / 1920
        assert small["signals"] >= 322, "a card can still be read"
        assert small["detail"] < large["detail"]
        assert screen.window._docks["latency"].height() < low
        QTest.mouseClick(screen.window, Qt.MouseButton.LeftButton, pos=QPoint(4, 300))
        again = await resized(screen, 1920, 1080)
        assert again == pytest.approx(large, abs=2)


@pytest.mark.parametrize("table", ["bracket-table", "order-table"])
async def test_in_the_smallest_window_the_tables_keep_what_is_needed_and_their_buttons_whole(
    opened: Any, table: str
) -> None:
    async with opened("trouble") as screen:
        await resized(screen, 1, 1)
        view = screen.find(table)
        assert isinstance(view, Blotter)
        assert {"status", "symbol", "acts"} <= in_sight(view)
        assert ("naked" in in_sight(view)) is (table == "bracket-table")
        head = view.header()
        assert head.length() <= view.viewport().width()
        acts = next(number for number, column in enumerate(view.rows.columns) if column.key == "acts")
        assert head.sectionSize(acts) >= view.rows.columns[acts].width


async def test_what_a_hand_gave_a_panel_is_its_share_from_then_on(opened: Any) -> None:
    async with opened("busy") as screen:
        before = await resized(screen, 1600, 900)
        dock = screen.window._docks["signals"]
        edge = QPoint(dock.geometry().right() + 3, dock.geometry().center().y())
        QTest.mousePress(screen.window, Qt.MouseButton.LeftButton, pos=edge)
        QTest.mouseMove(screen.window, edge + QPoint(120, 0))
        await asyncio.sleep(0.05)
        QTest.mouseRelease(screen.window, Qt.MouseButton.LeftButton, pos=edge + QPoint(120, 0))
        wide = widths(screen.window)
        assert wide["signals"] > before["signals"] + 80
        larger = await resized(screen, 1920, 1080)
        assert larger["signals"] == pytest.approx(wide["signals"] * 1920 / 1600, abs=3)
        assert larger["detail"] == pytest.approx(wide["detail"] * 1920 / 1600, abs=3)


async def test_a_layout_of_a_large_screen_fits_a_small_one(opened: Any, tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    async with opened("busy", tmp_path / "large.ini") as screen:
        large = await resized(screen, 2400, 1300)
        kept(screen).save_as("large")
        kept(screen).export("large", path)
    async with opened("busy", tmp_path / "small.ini") as screen:
        kept(screen).read(path)
        assert kept(screen).use("large")
        small = await resized(screen, 1366, 768)
        assert small["detail"] == pytest.approx(large["detail"] * 1366 / 2400, abs=3)


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"[]", b"7", None])
def test_shares_that_cannot_be_read_are_none(raw: bytes | None) -> None:
    assert read_shares(raw) is None
    assert read_shares(b'{"signals": 0.3, "detail": 7, "x": "y", "incidents": true, "latency": 1e999}') == {
        "signals": 0.3
    }


# --- columns ---------------------------------------------------------------------------------------------------------


def in_sight(view: Blotter) -> set[str]:
    head = view.header()
    return {column.key for number, column in enumerate(view.rows.columns) if not head.isSectionHidden(number)}


def switch(screen: Screen, table: str, words: str) -> None:
    """As a click on the menu of the table's head does."""
    menu = kept(screen)._columns[table].menu()
    (action,) = [each for each in menu.actions() if each.text() == words]
    action.trigger()
    menu.deleteLater()


async def test_columns_are_taken_away_and_brought_back_and_layouts_keep_them(opened: Any, tmp_path: Path) -> None:
    file = tmp_path / "remembered.ini"
    async with opened("busy", file) as screen:
        view = screen.window.orders.view
        everything = in_sight(view)
        assert {"symbol", "role", "limit", "stop"} <= everything
        kept(screen).save_as("wide")
        switch(screen, "order-table", "Role")
        switch(screen, "order-table", "Limit")
        assert in_sight(view) == everything - {"role", "limit"}
        screen.window.resize(2400, 1200)
        assert not {"role", "limit"} & in_sight(view), "however wide it becomes"
        kept(screen).save_as("narrow")
        kept(screen).use("wide")
        screen.window.resize(1600, 900)  # the test's screen is smaller than any desk's
        assert {"role", "limit"} <= in_sight(view)
        kept(screen).use("narrow")
    async with opened("busy", file, as_left=True) as screen:
        view = screen.window.orders.view
        assert not {"role", "limit"} & in_sight(view), "the next start remembers"
        switch(screen, "order-table", "The usual columns")
        screen.window.resize(1600, 900)
        assert {"role", "limit"} <= in_sight(view)


async def test_one_column_always_stays(opened: Any) -> None:
    async with opened("busy") as screen:
        choice = kept(screen)._columns["position-table"]
        columns = [column for column in screen.window.brackets.position_view.rows.columns if column.title]
        titled, titles = [column.key for column in columns], {column.title for column in columns}
        choice.put_away(titled[1:])
        enabled = {action.text() for action in choice.menu().actions() if action.isEnabled()} & titles
        assert len(enabled) == len(titled) - 1, "all may come back, the last one may not go"
        choice.put_away(["nonsense"])
        assert choice.away == []


async def test_the_head_asks_by_a_right_click(opened: Any) -> None:
    async with opened("busy") as screen:
        head = screen.window.orders.view.header()
        head.customContextMenuRequested.emit(head.rect().center())
        await until(lambda: any(isinstance(each, QMenu) for each in screen.window.orders.view.findChildren(QMenu)))
        for menu in screen.window.orders.view.findChildren(QMenu):
            menu.close()


async def test_a_table_keeps_sets_of_columns_of_its_own(opened: Any, tmp_path: Path) -> None:
    file = tmp_path / "remembered.ini"
    async with opened("busy", file) as screen:
        view = screen.window.orders.view
        everything = in_sight(view)
        choice = kept(screen)._columns["order-table"]
        sets = [action for action in choice.menu().actions() if action.text().startswith("Set ")]
        assert [(action.text(), action.isEnabled()) for action in sets] == [
            ("Set 1", False),
            ("Set 2", False),
            ("Set 3", False),
        ]
        choice.keep("1")
        switch(screen, "order-table", "Role")
        switch(screen, "order-table", "In state")
        choice.keep("2")
        switch(screen, "order-table", "Set 1")
        assert in_sight(view) == everything
    async with opened("busy", file) as screen:
        view = screen.window.orders.view
        switch(screen, "order-table", "Set 2")
        assert in_sight(view) == everything - {"role", "age"}, "the next start knows it"
        screen.window.settings.setValue("column_sets/order-table/3", "{nonsense")
        assert kept(screen)._columns["order-table"].kept("3") is None
        assert kept(screen)._columns["fill-table"].kept("2") is None, "another table has its own"


async def test_columns_that_stand_out_when_they_change_are_chosen_and_remembered(opened: Any, tmp_path: Path) -> None:
    def flashes(screen: Screen) -> list[QAction]:
        menu = kept(screen)._columns["order-table"].menu()
        (inner,) = [act.menu() for act in menu.actions() if act.text() == "Stand out when they change"]
        return inner.actions()

    file = tmp_path / "remembered.ini"
    async with opened("busy", file) as screen:
        assert not any(act.isChecked() for act in flashes(screen)), "only what somebody chose moves the eye"
        for name in ("Filled", "Status", "Status"):
            next(act for act in flashes(screen) if act.text() == name).trigger()
        assert screen.window.orders.view.flashes.columns == {"filled"}
    async with opened("busy", file) as screen:
        assert screen.window.orders.view.flashes.columns == {"filled"}
        assert [act.text() for act in flashes(screen) if act.isChecked()] == ["Filled"]
        assert screen.window.brackets.view.flashes.columns == frozenset()
