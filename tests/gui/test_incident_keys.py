"""Incidents by keys alone: moved to, acknowledged, shelved, and shown; and what Enter does."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace


def incidents(screen: Screen) -> list[str]:
    return [row.id for row in screen.window.incidents.model.rows()]


def current(screen: Screen) -> str | None:
    row = screen.window.incidents.current_row()
    return row.id if row is not None else None


async def test_the_first_press_goes_to_the_worst_incident_and_the_second_acknowledges_it(opened: Any) -> None:
    async with opened("trouble") as screen:
        worst = incidents(screen)[0]
        screen.press(Qt.Key.Key_K)
        assert (current(screen), screen.desk.commands) == (worst, [])
        screen.press(Qt.Key.Key_K)
        assert await screen.commands() == [("ack_incident", worst)]
        await until(lambda: screen.window.incidents.model.row(worst).acked_at is not None)
        screen.press(Qt.Key.Key_K)
        assert screen.text("toast-text").startswith("It is acknowledged already")
        assert len(screen.desk.commands) == 1


async def test_arrows_walk_the_incidents_and_lead_to_them_from_the_orders(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.press(Qt.Key.Key_K)
        order = incidents(screen)
        screen.press(Qt.Key.Key_Down)
        assert current(screen) == order[1]
        screen.press(Qt.Key.Key_Up)
        screen.press(Qt.Key.Key_Up)
        assert current(screen) == order[0]
        screen.press(Qt.Key.Key_Left)
        screen.press(Qt.Key.Key_Right)
        screen.press(Qt.Key.Key_Down)
        assert current(screen) == order[1]


async def test_the_keys_for_trades_act_on_what_the_incident_is_about(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.choose("bracket-table", "b-AAPL")
        screen.press(Qt.Key.Key_K)
        assert screen.window.brackets.view.current_row().symbol == "TSLA"
        screen.press(Qt.Key.Key_B)
        assert await screen.commands() == [("retry_bracket", "b-TSLA")]
        screen.press(Qt.Key.Key_K)
        assert ("ack_incident", incidents(screen)[0]) in await screen.commands(2), "it still has its turn"


async def test_shelving_by_key_asks_for_a_reason_and_refuses_what_needs_a_hand(opened: Any) -> None:
    async with opened("trouble") as screen:
        panel = screen.window.incidents
        screen.press(Qt.Key.Key_M)
        screen.press(Qt.Key.Key_M)
        assert panel.strip.isHidden()
        assert screen.text("toast-text").startswith("This one cannot be shelved")
        last = panel.model.rows()[-1]
        screen.desk.put(replace(last, can_shelve=True))
        await until(lambda: panel.model.row(last.id).can_shelve)
        for _ in incidents(screen):
            screen.press(Qt.Key.Key_Down)
        screen.press(Qt.Key.Key_M)
        why = screen.find("shelf-why")
        assert isinstance(why, QLineEdit)
        QTest.keyClicks(why, "the desk of the broker knows")
        QTest.keyClick(why, Qt.Key.Key_Return)
        assert not screen.desk.commands, "Enter does nothing"
        screen.click("shelf-do")
        (command,) = await screen.commands()
        assert command[:2] == ("shelve", last.id)


async def test_an_incident_that_is_over_is_selected_no_more(opened: Any) -> None:
    async with opened("trouble") as screen:
        panel = screen.window.incidents
        screen.press(Qt.Key.Key_K)
        screen.press(Qt.Key.Key_Down)
        gone = panel.current_row()
        assert gone is not None
        screen.desk.put(replace(gone, cleared_at=screen.desk.clock.now()))
        await until(lambda: gone.id not in incidents(screen))
        assert panel.current_row() is None
        screen.press(Qt.Key.Key_K)
        assert (current(screen), screen.desk.commands) == (incidents(screen)[0], [])


async def test_a_click_selects_an_incident_and_enter_shows_what_it_is_about(opened: Any) -> None:
    async with opened("trouble") as screen:
        panel = screen.window.incidents
        screen.choose("bracket-table", "b-AAPL")
        rect = panel.list.visualRect(panel.model.index_of(incidents(screen)[0]))
        QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.topLeft() + QPoint(60, 12))
        assert current(screen) == incidents(screen)[0]
        screen.window._docks["detail"].hide()
        screen.press(Qt.Key.Key_Return)
        assert not screen.window._docks["detail"].isHidden()
        assert screen.window.detail.subject.symbol == "TSLA"
        assert not screen.desk.commands


async def test_enter_in_a_table_shows_the_detail_and_sends_nothing(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.choose("order-table", "b-AAPL.sl")
        screen.window._docks["detail"].hide()
        QTest.keyClick(screen.window.orders.view, Qt.Key.Key_Enter)
        assert not screen.window._docks["detail"].isHidden()
        assert not screen.desk.commands


async def test_the_ladder_comes_while_somebody_types(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window.orders.filter.setFocus()
        held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(screen.window.orders.filter, Qt.Key.Key_K, held)
        await until(lambda: screen.find("halt-sheet").isVisible())
