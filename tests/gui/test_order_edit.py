"""An order is changed in its row: by double click or key, said in full, never by Enter, hollow until it is true."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.model.commands import OrderChange
from engine.model.words import OrderClass, OrderRole, OrderStatus, OrderType, Side
from gui.order_words import change_against, change_sentence, changeable
from gui.tables.blotter import Blotter
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace

ENTRY, TARGET, STOP = "b-JPM", "b-AAPL.tp", "b-AAPL.sl"
"""Of the busy scene: a working entry, and the exits of a trade."""


def open_cell(screen: Screen, order: str, column: str) -> None:
    view = screen.find("order-table")
    assert isinstance(view, Blotter)
    view.scrollTo(view.rows.index_of(order))
    at = view.cell_rect(order, column).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def field(screen: Screen, name: str) -> QLineEdit:
    found = screen.find(f"order-{name}")
    assert isinstance(found, QLineEdit)
    return found


def retype(screen: Screen, name: str, text: str) -> None:
    field(screen, name).selectAll()
    QTest.keyClicks(field(screen, name), text)


def given(screen: Screen) -> list[tuple[Any, ...]]:
    return [command for command in screen.desk.commands if command[0] in ("replace", "move")]


async def test_a_price_is_typed_where_it_stands_and_hollow_until_the_broker_has_it(opened: Any) -> None:
    async with opened("busy") as screen:
        open_cell(screen, ENTRY, "limit")
        view = screen.window.orders.view
        assert field(screen, "limit_price").isVisible()
        assert view.cell_rect(ENTRY, "limit").contains(field(screen, "limit_price").geometry())
        assert field(screen, "limit_price").selectedText() == "309.50"
        assert not screen.find("order-edit-change").isEnabled()
        retype(screen, "limit_price", "308.90")
        assert screen.text("order-edit-sentence") == "PAPER: Change the entry limit of 55 JPM: limit 309.50 → 308.90"
        assert "$16,990 instead of $17,022" in screen.text("order-edit-means")
        screen.click("order-edit-change")
        await until(lambda: bool(given(screen)))
        assert given(screen) == [("replace", ENTRY, OrderChange(limit_price=Decimal("308.90")))]
        assert not field(screen, "limit_price").isVisible()
        await until(lambda: screen.window.orders.model.row(f"{ENTRY}.r") is not None)
        assert screen.row("order-table", ENTRY)[0] == "CHANGING"
        assert screen.row("order-table", f"{ENTRY}.r")[0] == "SENDING"
        before = view.grab(view.cell_rect(f"{ENTRY}.r", "limit")).toImage()
        screen.desk.replacing.confirm(ENTRY)
        await until(lambda: screen.row("order-table", f"{ENTRY}.r")[0] == "WORKING")
        assert view.grab(view.cell_rect(f"{ENTRY}.r", "limit")).toImage() != before


async def test_enter_sends_nothing_and_escape_leaves_everything_as_it_is(opened: Any) -> None:
    async with opened("busy") as screen:
        open_cell(screen, ENTRY, "limit")
        retype(screen, "limit_price", "308.90")
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            QTest.keyClick(field(screen, "limit_price"), key)
        assert field(screen, "limit_price").isVisible()
        QTest.keyClick(field(screen, "limit_price"), Qt.Key.Key_Escape)
        assert not field(screen, "limit_price").isVisible()
        assert not screen.find("order-edit").isVisible()
        assert given(screen) == []


async def test_by_keys_alone(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.choose("order-table", ENTRY)
        screen.press(Qt.Key.Key_E)
        assert field(screen, "limit_price").hasFocus()
        retype(screen, "limit_price", "308")
        QTest.keyClick(screen.find("order-edit-change"), Qt.Key.Key_Space)
        await until(lambda: bool(given(screen)))


async def test_a_double_click_on_change_is_one_change(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.hold("replace")
        open_cell(screen, ENTRY, "limit")
        retype(screen, "limit_price", "308.90")
        button = screen.find("order-edit-change")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        open_cell(screen, ENTRY, "limit")
        retype(screen, "limit_price", "307.00")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await until(lambda: bool(given(screen)))
        assert len(given(screen)) == 1, "while one change is under way there is no other"


async def test_an_exit_goes_the_way_of_its_move_and_more_risk_asks_first(opened: Any) -> None:
    async with opened("busy") as screen:
        open_cell(screen, TARGET, "limit")
        retype(screen, "limit_price", "192.50")
        assert "R" in screen.text("order-edit-means")
        screen.click("order-edit-change")
        await until(lambda: bool(given(screen)))
        assert given(screen) == [("move", "b-AAPL", None, Decimal("192.50"))]
        open_cell(screen, STOP, "stop")
        retype(screen, "stop_price", "183.00")
        screen.click("order-edit-change")
        assert "It risks more than now" in screen.text("brackets-confirm-consequence")
        assert len(given(screen)) == 1
        screen.click("brackets-confirm-yes")
        await until(lambda: len(given(screen)) == 2)


@pytest.mark.parametrize(
    ("order", "name", "typed", "said"),
    [
        (ENTRY, "limit_price", "306.00", "lies beyond its own stop"),
        (ENTRY, "limit_price", "30x", "A field holds no number"),
        (ENTRY, "limit_price", "", "A field holds no number"),
        (STOP, "stop_price", "189.00", "A stop there would fire at once"),
        (TARGET, "limit_price", "188.00", "A target there would fill at once"),
    ],
)
async def test_what_cannot_be_is_said_while_it_is_typed(
    opened: Any, order: str, name: str, typed: str, said: str
) -> None:
    async with opened("busy") as screen:
        open_cell(screen, order, "stop" if name == "stop_price" else "limit")
        field(screen, name).selectAll()
        QTest.keyClick(field(screen, name), Qt.Key.Key_Delete)
        QTest.keyClicks(field(screen, name), typed)
        assert said in screen.text("order-edit-means")
        assert not screen.find("order-edit-change").isEnabled()


async def test_what_is_typed_stays_while_the_row_moves_and_goes_with_the_order(opened: Any) -> None:
    async with opened("busy") as screen:
        open_cell(screen, ENTRY, "limit")
        retype(screen, "limit_price", "308.90")
        order = screen.desk.order(ENTRY)
        part = replace(order, status=OrderStatus.PARTIALLY_FILLED, filled_qty=Decimal(5))
        screen.desk.put(part, make.order("late", "XOM", Side.BUY, OrderRole.ENTRY, OrderStatus.SENDING, "5", age_s=0))
        await until(lambda: screen.window.orders.model.row("late") is not None)
        view = screen.window.orders.view
        assert field(screen, "limit_price").text() == "308.90"
        await until(lambda: view.cell_rect(ENTRY, "limit").contains(field(screen, "limit_price").geometry()))
        screen.desk.put(replace(part, status=OrderStatus.FILLED, filled_qty=order.qty))
        await until(lambda: not field(screen, "limit_price").isVisible())
        assert not screen.find("order-edit").isVisible()
        assert given(screen) == []


async def test_a_refusal_is_said_and_the_order_stands(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.refuse("replace", "DENIED", "More than 5 % of equity in JPM.")
        open_cell(screen, ENTRY, "limit")
        retype(screen, "limit_price", "309.90")
        screen.click("order-edit-change")
        await until(lambda: screen.find("toast").isVisible())
        assert "5 % of equity" in screen.text("toast-text")
        assert screen.row("order-table", ENTRY)[0] == "WORKING"


# --- words -----------------------------------------------------------------------------------------------------------


def order(kind: OrderType, order_class: OrderClass = OrderClass.SIMPLE, **changes: Any) -> Any:
    made = make.order("o", "AAPL", Side.BUY, OrderRole.ENTRY, OrderStatus.NEW, "10", limit="100", stop="99")
    return replace(made, type=kind, order_class=order_class, **changes)


def test_only_what_the_broker_would_change_can_be_changed() -> None:
    assert changeable(order(OrderType.LIMIT)) == {"limit_price", "qty"}
    assert changeable(order(OrderType.STOP)) == {"stop_price", "qty"}
    assert changeable(order(OrderType.STOP_LIMIT, OrderClass.BRACKET)) == {"limit_price", "stop_price"}
    assert changeable(order(OrderType.MARKET, OrderClass.BRACKET)) == set()
    for status in (OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE, OrderStatus.SENDING, OrderStatus.FILLED):
        assert changeable(order(OrderType.LIMIT, status=status)) == set()
    assert changeable(order(OrderType.LIMIT, unresolved_since=make.NOW)) == set()


def test_less_than_was_filled_is_no_quantity() -> None:
    part = order(OrderType.LIMIT, filled_qty=Decimal(4))
    against = change_against(part, None, OrderChange(qty=Decimal(4)))
    assert against is not None
    assert "cancel the rest" in against
    assert change_against(part, None, OrderChange(qty=Decimal(5))) is None
    assert change_sentence(part, OrderChange(qty=Decimal(5))).endswith("quantity 10 → 5")
