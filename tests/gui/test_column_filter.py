"""What is typed under a column's head, and what it leaves in sight."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.model.words import BracketStatus
from gui.tables.blotter import Blotter
from gui.tables.column_filter import BadFilter, read_filter
from gui.theme import COLUMN_HEAD, FILTER_ROW
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace


def lets_through(text: str, words: str, value: object = None) -> bool:
    admits = read_filter(text)
    return admits is None or admits(words, value)


@pytest.mark.parametrize(
    ("text", "words", "value", "through"),
    [
        ("", "TSLA", None, True),
        ("  ", "TSLA", None, True),
        ("sl", "TSLA", None, True),
        ("qqq", "TSLA", None, False),
        ("tsla|qqq", "QQQ", None, True),
        ("tsla | ", "QQQ", None, False),
        ("|", "QQQ", None, True),
        ("!tsla", "TSLA", None, False),
        ("!tsla", "QQQ", None, True),
        ("!", "QQQ", None, True),
        ("=new", "NEW", None, True),
        ("=new", "PENDING NEW", None, False),
        (">100", "9", Decimal(9), False),
        (">100", "1,250.00", Decimal(1250), True),
        (">9", "40/100", Decimal(40), True),
        ("<= 0.5", "0.5", Decimal("0.5"), True),
        ("=12", "12.00", Decimal("12.00"), True),
        ("<-5", "−$12.40", Decimal("-12.4"), True),
        ("<-$5", "−$12.40", Decimal("-12.4"), True),
        (">1,000", "999", Decimal(999), False),
        ("10..20", "20", Decimal(20), True),
        ("10..20", "20.01", Decimal("20.01"), False),
        (">5", "7.2 s", "2026-01-01", True),
        (">59", "4:10", "2026-01-01", True),
        ("<4:00", "4:10", "2026-01-01", False),
        (">=1:00:00", "1:02:11", "2026-01-01", True),
        (">5", "—", None, False),
        ("<5", "", None, False),
    ],
)
def test_what_a_filter_lets_through(text: str, words: str, value: object, through: bool) -> None:
    assert lets_through(text, words, value) is through


@pytest.mark.parametrize("text", [">", ">x", "<=", "=", "1..x", "..", "> 1 2", ">1e5", ">٣"])
def test_a_comparison_without_a_number_says_what_it_wants(text: str) -> None:
    with pytest.raises(BadFilter, match="number"):
        read_filter(text)


def field(screen: Screen, view: Blotter, column: str) -> QLineEdit:
    found = view.filters.field(column)
    assert screen.find(found.objectName()) is found
    return found


async def test_the_row_comes_and_goes_by_key_and_takes_its_filters_along(opened: Any) -> None:
    async with opened("busy") as screen:
        orders = screen.window.orders
        screen.choose("order-table", orders.model.key_of(orders.model.rows()[0]))
        before = orders.model.rowCount()
        screen.press(Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier)
        assert orders.view.header().height() > COLUMN_HEAD
        assert screen.window.focusWidget() is field(screen, orders.view, "status")
        QTest.keyClicks(field(screen, orders.view, "role"), "stop")
        assert 0 < orders.model.rowCount() < before
        assert all("stop" in screen.row("order-table", order.id)[3].lower() for order in orders.model.rows())
        assert not screen.desk.commands, "letters there are letters"
        orders.view.setFocus()
        screen.press(Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier)
        assert (orders.model.rowCount(), orders.view.header().height()) == (before, COLUMN_HEAD)


async def test_a_table_that_shows_nothing_says_so_and_hides_nothing_later(opened: Any) -> None:
    async with opened("empty") as screen:
        screen.press(Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier)
        assert screen.text("toast-text") == "There is nothing to filter yet."
        assert not screen.window.brackets.view.filters.is_shown


async def test_numbers_are_compared_by_value_and_what_cannot_be_read_hides_nothing(opened: Any) -> None:
    async with opened("busy") as screen:
        panel = screen.window.brackets
        panel.header.tabs.choose(1)
        view = panel.position_view
        view.filters.show(True)
        before = panel.positions.rowCount()
        quantity = view.filters.field("qty")
        quantity.setText(">")
        assert (panel.positions.rowCount(), quantity.property("wrong")) == (before, True)
        assert "number" in quantity.toolTip() == quantity.accessibleDescription()
        most = max(p.qty for p in panel.positions.rows())
        quantity.setText(f">={most}")
        assert (panel.positions.rowCount(), quantity.property("wrong")) == (1, False)


async def test_no_filter_hides_a_naked_position(opened: Any) -> None:
    async with opened("busy") as screen:
        panel = screen.window.brackets
        panel.view.filters.show(True)
        panel.view.filters.field("symbol").setText("nothing-like-it")
        assert panel.model.rowCount() == 0
        jpm = screen.desk.bracket("b-JPM")
        screen.desk.put(replace(jpm, status=BracketStatus.NAKED, held_qty=Decimal(55), naked_qty=Decimal(55)))
        await until(lambda: [b.symbol for b in panel.model.rows()] == ["JPM"])
        total = panel.model.total
        assert panel.header.tabs._counts[0] == f"1/{total}", "how many there are is said too"
        panel.filter.setText("nothing-like-it")
        assert [b.symbol for b in panel.model.rows()] == ["JPM"]


async def test_escape_empties_a_field_and_then_leaves_it_and_enter_sends_nothing(opened: Any) -> None:
    async with opened("busy") as screen:
        view = screen.window.orders.view
        view.filters.show(True)
        view.filters.enter()
        first = view.filters.field("status")
        QTest.keyClicks(first, "new")
        QTest.keyClick(first, Qt.Key.Key_Escape)
        assert (first.text(), screen.window.focusWidget()) == ("", first)
        QTest.keyClick(first, Qt.Key.Key_Escape)
        assert screen.window.focusWidget() is view
        first.setFocus()
        QTest.keyClick(first, Qt.Key.Key_Return)
        assert screen.window.focusWidget() is view
        assert not screen.desk.commands


async def test_a_click_between_the_fields_does_not_sort_and_fields_stand_under_their_heads(opened: Any) -> None:
    async with opened("busy") as screen:
        view = screen.window.orders.view
        view.filters.show(True)
        await until(lambda: view.filters.field("symbol").isVisible())
        head = view.header()
        for number, column in enumerate(view.rows.columns):
            if column.title and not head.isSectionHidden(number):
                place = view.filters.field(column.key).geometry()
                assert head.logicalIndexAt(place.center().x()) == number
        sorts = view.rows.sorts
        under = QPoint(view.filters.field("symbol").geometry().left() - 1, COLUMN_HEAD + FILTER_ROW // 2)
        QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=under)
        assert view.rows.sorts == sorts
        QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(under.x() + 20, COLUMN_HEAD // 2))
        assert view.rows.sorts != sorts
