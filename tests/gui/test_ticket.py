"""The order ticket as a person meets it: typed, judged with every keystroke, sent by one click, once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton

from engine.model.words import OrderType, Side, SignalStatus, TimeInForce
from engine.views import EntryView, StopView, TargetView
from gui.panels.signals import HISTORY_TAB
from gui.tables.blotter import Blotter
from gui.ticketing import LOOK_AFTER_MS
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.scene_ticket import FORM
from tests.gui.scenes import replace


def field(screen: Screen, name: str) -> QLineEdit:
    found = screen.find(f"ticket-{name}")
    assert isinstance(found, QLineEdit)
    return found


def fill(screen: Screen, **changes: str) -> None:
    for name, text in (FORM | changes).items():
        field(screen, name).clear()
        QTest.keyClicks(field(screen, name), text)


def sent(screen: Screen) -> list[tuple[Any, ...]]:
    return [command for command in screen.desk.commands if command[0] == "send"]


async def test_the_key_opens_it_for_the_row_in_hand_and_escape_leaves_it(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.choose("bracket-table", "b-AAPL")
        screen.press(Qt.Key.Key_T)
        assert field(screen, "symbol").text() == "AAPL"
        await until(lambda: screen.desk.ticket.looked_at == "AAPL")
        assert screen.find("ticket-sheet").height() > 400, "as high as its words"
        screen.press(Qt.Key.Key_Escape)
        assert screen.find("ticket-sheet").isHidden()
        assert screen.desk.ticket.looked_at is None
        assert not sent(screen)


async def test_a_double_click_on_a_symbol_fills_it(opened: Any) -> None:
    async with opened("busy") as screen:
        view = screen.find("bracket-table")
        assert isinstance(view, Blotter)
        rows = view.rows
        number = next(n for n, column in enumerate(rows.columns) if column.key == "symbol")
        box = view.visualRect(rows.index_of("b-MSFT").siblingAtColumn(number))
        at = QPoint(view.columnViewportPosition(number) + 12, box.center().y())
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert field(screen, "symbol").text() == "MSFT"
        assert screen.find("ticket-sheet").isVisible()
        field(screen, "size").setText("7")
        screen.window.setFocus()
        screen.press(Qt.Key.Key_T)
        view.symbol_opened.emit("AAPL")
        assert [field(screen, name).text() for name in ("symbol", "size")] == ["AAPL", "7"], "what was typed stays"


async def test_every_keystroke_is_judged_and_says_what_is_missing_or_wrong(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window._ticketing.ask()
        assert "symbol is missing" in screen.text("ticket-sentence").lower()
        assert not screen.find("ticket-send").isEnabled()
        fill(screen)
        assert "120 NVDA" in screen.text("ticket-sentence")
        assert screen.text("risk", screen.find("ticket-sheet")) == "$276"
        assert screen.find("ticket-send").isEnabled()
        field(screen, "size").setText("many")
        assert "The size must be" in screen.text("ticket-sentence")
        assert field(screen, "size").property("wrong") is True
        assert not screen.find("ticket-send").isEnabled()
        field(screen, "size").setText("1,200")
        assert field(screen, "size").property("wrong") is False
        assert "1200 NVDA" in screen.text("ticket-sentence")


async def test_one_click_sends_what_stands_there_and_a_second_one_nothing(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window._ticketing.ask()
        screen.desk.hold("send")
        fill(screen)
        screen.click("ticket-side-sell")
        screen.click("ticket-entry-limit")
        QTest.keyClicks(field(screen, "limit"), "131.20")
        screen.click("ticket-stopping-percent")
        field(screen, "stop").setText("1.5 %")
        screen.click("ticket-aiming-r")
        field(screen, "target").setText("2")
        button = screen.find("ticket-send")
        await until(button.isEnabled)
        QTest.mouseDClick(button, Qt.MouseButton.LeftButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await until(lambda: bool(sent(screen)))
        assert not field(screen, "size").isEnabled(), "what is being sent is not typed on"
        screen.desk.release("send")
        await until(screen.find("ticket-sheet").isHidden)
        ((_, body, preview_id),) = sent(screen)
        assert body.pop("id").startswith("ticket-")
        assert body == {
            "strategy": "manual",
            "symbol": "NVDA",
            "side": "sell",
            "intent": "open",
            "entry": {"type": "limit", "time_in_force": "day", "limit_price": "131.20"},
            "expires_in_s": 120,
            "qty": "120",
            "stop_loss": {"percent": "1.5"},
            "take_profit": {"r": "2"},
        }
        assert preview_id.startswith("t")


async def test_enter_never_sends(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window._ticketing.ask()
        fill(screen)
        for name in ("size", "target"):
            QTest.keyClick(field(screen, name), Qt.Key.Key_Return)
        QTest.keyClick(screen.find("ticket-send"), Qt.Key.Key_Return)
        await asyncio.sleep(0.02)
        assert not sent(screen)


async def test_what_the_gate_denies_cannot_be_sent_and_says_why(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window._ticketing.ask()
        fill(screen)
        screen.desk.ticket.blocked = "The desk is paused."
        field(screen, "size").setText("121")
        assert not screen.find("ticket-send").isEnabled()
        assert screen.text("ticket-said") == "The desk is paused."
        screen.desk.ticket.blocked = ""
        field(screen, "size").setText("120")
        assert screen.find("ticket-send").isEnabled()
        assert screen.text("ticket-said") == ""


async def test_a_refusal_keeps_the_form_and_what_is_sent_next_is_another_order(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window._ticketing.ask()
        fill(screen)
        screen.desk.refuse("send", "CHANGED_SINCE_SHOWN", "The price moved from 131.44 to 133.00.")
        screen.click("ticket-send")
        await until(lambda: "The price moved" in screen.text("ticket-said"))
        assert field(screen, "size").text() == "120"
        await until(screen.find("ticket-send").isEnabled)
        screen.click("ticket-send")
        await until(screen.find("ticket-sheet").isHidden)
        first, second = (body["id"] for _, body, _ in sent(screen))
        assert first != second


async def test_the_numbers_move_with_the_desk_while_it_is_open(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window._ticketing.ask()
        fill(screen)
        screen.desk.ticket.blocked = "The start gate is locked."
        await until(lambda: not screen.find("ticket-send").isEnabled())
        assert screen.text("ticket-said") == "The start gate is locked."


async def test_a_symbol_is_looked_up_when_nobody_types_on(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.window._ticketing.ask()
        QTest.keyClicks(field(screen, "symbol"), "nvda")
        assert not [command for command in screen.desk.commands if command[0] == "look"]
        await asyncio.sleep(LOOK_AFTER_MS / 1_000 + 0.1)
        assert [command for command in screen.desk.commands if command[0] == "look"] == [("look", "NVDA")]


async def test_a_ticket_that_is_closed_during_the_look_up_leaves_the_symbol_alone(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.hold("look")
        screen.window._ticketing.ask("NVDA")
        await until(lambda: ("look", "NVDA") in screen.desk.commands)
        screen.press(Qt.Key.Key_Escape)
        screen.desk.release("look")
        await until(lambda: not screen.window._actions.is_running("ticket:NVDA"))
        assert screen.desk.ticket.looked_at is None


async def test_an_unknown_symbol_is_said_in_the_ticket(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.refuse("look", "UNKNOWN_SYMBOL", "The broker knows no asset NVDAX.")
        screen.window._ticketing.ask("NVDAX")
        await until(lambda: "no asset NVDAX" in screen.text("ticket-said"))
        assert screen.window.toast.isHidden()


def open_decided(screen: Screen, key: str, column: str = "why") -> None:
    """A double click on a row of the history."""
    screen.window.signals.header.tabs.choose(HISTORY_TAB)
    view = screen.window.signals.history_view
    view.choose(key)
    at = view.cell_rect(key, column).center()
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


LATE = make.signal(
    "s-late",
    "NVDA",
    Side.SELL,
    status=SignalStatus.EXPIRED,
    qty=Decimal("120"),
    entry=EntryView(
        type=OrderType.STOP_LIMIT,
        limit_price=Decimal("131.20"),
        stop_price=Decimal("131.30"),
        time_in_force=TimeInForce.GTC,
    ),
    stop_loss=StopView(stop_price=Decimal("133.90")),
    take_profit=TargetView(limit_price=Decimal("126.40")),
)


@pytest.mark.parametrize("column", ["why", "symbol"])
async def test_a_signal_that_is_over_is_copied_whole_to_a_ticket_and_sent_by_nobody(opened: Any, column: str) -> None:
    async with opened("busy") as screen:
        screen.desk.put(LATE)
        await until(lambda: screen.window.signals.history.row("s-late") is not None)
        open_decided(screen, "s-late", column)
        body = screen.window._ticketing._sheet.body
        assert (body["symbol"], body["side"], body["qty"], body["intent"]) == ("NVDA", "sell", "120", "open")
        assert body["entry"] == {
            "type": "stop_limit",
            "limit_price": "131.20",
            "stop_price": "131.30",
            "time_in_force": "gtc",
        }
        choices = screen.find("ticket-entry").findChildren(QPushButton)
        assert all(button.width() >= button.sizeHint().width() for button in choices), "with two prices beside them"
        assert (body["stop_loss"], body["take_profit"]) == ({"stop_price": "133.90"}, {"limit_price": "126.40"})
        assert "look at every number" in screen.text("ticket-copied")
        assert not sent(screen)


async def test_what_a_ticket_cannot_say_is_told_and_what_is_typed_stays(opened: Any) -> None:
    async with opened("busy") as screen:
        stop = StopView(stop_price=Decimal("133.90"), limit_price=Decimal("134.10"))
        screen.desk.put(replace(LATE, stop_loss=stop, entry=replace(LATE.entry, time_in_force=TimeInForce.OPG)))
        screen.desk.put(replace(LATE, id="s-other", symbol="AMD"))
        await until(lambda: screen.window.signals.history.row("s-other") is not None)
        open_decided(screen, "s-late")
        screen.desk.ticket.blocked = "The desk is paused: no entries."
        screen.window._ticketing.follow()
        assert screen.text("ticket-said") == "The desk is paused: no entries."
        assert screen.text("ticket-copied").endswith("Not copied: opg, the limit 134.10 of its stop.")
        field(screen, "size").setText("7")
        screen.desk.ticket.blocked = ""
        screen.window._ticketing.copy(screen.desk.signal("s-other"))
        assert [field(screen, name).text() for name in ("symbol", "size")] == ["NVDA", "7"]
        assert "What is typed stays" in screen.text("ticket-said")
        screen.press(Qt.Key.Key_Escape)
        screen.window._ticketing.ask("AMD")
        assert screen.find("ticket-copied").isHidden()


async def test_a_signal_that_closed_a_position_is_not_copied(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.put(replace(LATE, intent="close"))
        await until(lambda: screen.window.signals.history.row("s-late") is not None)
        open_decided(screen, "s-late")
        assert screen.text("toast-code") == "NOT_COPIED"
        assert screen.find("ticket-sheet").isHidden()
