"""Columns that are in sight only by somebody's wish: offered by group, kept, and never in the way of the others."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from engine.views import BracketView, OrderView
from gui.panels.bracket_extras import extras as of_trades, risk
from gui.panels.order_extras import distance_pct, extras, filled_share, working_price, working_value
from gui.tables.blotter import Blotter
from gui.tables.column_choice import ColumnChoice
from tests.gui.conftest import Screen, until
from tests.gui.stage import desk_of


def choice(screen: Screen) -> ColumnChoice:
    return screen.window._layout._columns["order-table"]


def in_sight(view: Blotter) -> list[str]:
    head = view.header()
    return [column.key for number, column in enumerate(view.rows.columns) if not head.isSectionHidden(number)]


def entry_of(menu: QMenu, title: str) -> QAction:
    for action in menu.actions():
        within = action.menu()
        found = entry_of(within, title) if isinstance(within, QMenu) else action if action.text() == title else None
        if found is not None:
            return found
    return None  # type: ignore[return-value]


def shown(screen: Screen, order_id: str, key: str) -> str:
    view = screen.window.orders.view
    return view.text_of(order_id)[[column.key for column in view.rows.columns].index(key)]


async def test_there_are_forty_to_choose_from_and_none_of_the_others_is_in_the_way(opened: Any) -> None:
    async with opened("busy") as screen:
        view = screen.window.orders.view
        assert len([column for column in view.rows.columns if column.title]) >= 40
        assert not any(column.group for column in view.rows.columns if column.key in in_sight(view))


async def test_what_is_brought_in_says_what_the_trade_and_the_market_are_about(opened: Any) -> None:
    async with opened("trouble") as screen:
        view = screen.window.orders.view
        menu = choice(screen).menu()
        for title in ("Strategy", "Away", "At work", "Broker id"):
            entry_of(menu, title).setChecked(True)
        assert {"strategy", "distance", "working", "broker_id"} <= set(in_sight(view))
        assert shown(screen, "b-AAPL.sl", "strategy") == "breakout-20"
        assert shown(screen, "b-AAPL.sl", "distance") == "1.83 %"
        assert shown(screen, "b-AAPL.sl", "working") == "$18,490"
        assert "b-AAPL" in shown(screen, "b-AAPL.sl", "broker_id")
        assert view.header().length() >= view.viewport().width()
        assert not view.button_rect("b-AAPL.sl", "cancel").isEmpty()


async def test_buttons_stay_in_sight_in_a_table_that_scrolls_sideways(opened: Any) -> None:
    async with opened("trouble") as screen:
        view = screen.window.orders.view
        at_rest = view.button_rect("b-AAPL.sl", "cancel")
        view.put_away((), [column.key for column in view.rows.columns if column.group])
        assert view.header().length() > 2 * view.viewport().width()
        assert view.viewport().rect().contains(view.button_rect("b-AAPL.sl", "cancel"))
        screen.click_row("order-table", "b-JPM", "cancel")
        assert await screen.commands() == [("cancel_order", "b-JPM")]
        view.put_away(())
        assert view.button_rect("b-AAPL.sl", "cancel") == at_rest


async def test_a_layout_keeps_what_was_brought_in_and_the_usual_ones_come_back_at_once(
    opened: Any, tmp_path: Path
) -> None:
    file = tmp_path / "remembered.ini"
    async with opened("busy", file) as screen:
        entry_of(choice(screen).menu(), "Left").setChecked(True)
        entry_of(choice(screen).menu(), "Role").setChecked(False)
        assert choice(screen).away == ["+left", "role"]
    async with opened("busy", file, as_left=True) as screen:
        await until(lambda: "left" in in_sight(screen.window.orders.view))
        assert "role" not in in_sight(screen.window.orders.view)
        entry_of(choice(screen).menu(), "The usual columns").trigger()
        assert choice(screen).away == []
        assert "left" not in in_sight(screen.window.orders.view)


async def test_a_column_that_goes_takes_its_filter_along(opened: Any) -> None:
    async with opened("busy") as screen:
        orders = screen.window.orders
        entry_of(choice(screen).menu(), "Type").setChecked(True)
        before = orders.model.rowCount()
        orders.view.filters.show(True)
        orders.view.filters.field("type").setText("nothing-like-it")
        assert orders.model.rowCount() == 0
        entry_of(choice(screen).menu(), "Type").setChecked(False)
        assert orders.model.rowCount() == before, "what nobody sees hides nothing"


@pytest.mark.parametrize("scene", ["empty", "busy", "trouble"])
def test_every_column_has_a_word_for_every_order_and_values_that_can_be_compared(scene: str) -> None:
    desk = desk_of(scene)
    orders: list[OrderView] = desk.orders("all", 1_000)
    trades = {order.id: trade for trade in desk.brackets("all", 1_000) for order in trade.orders}
    for column in extras(desk.clock.now, lambda order: trades.get(order.id)):
        assert all(isinstance(column.text(order), str) for order in orders), column.key
        assert all(isinstance(column.tip(order), str) for order in orders), column.key
        if column.sort is not None:
            values = [value for order in orders if (value := column.sort(order)) is not None]
            assert sorted(values) is not None, column.key


@pytest.mark.parametrize("scene", ["empty", "busy", "trouble"])
def test_every_column_has_a_word_for_every_trade_and_values_that_can_be_compared(scene: str) -> None:
    desk = desk_of(scene)
    trades: list[BracketView] = desk.brackets("all", 1_000)
    for column in of_trades(desk.clock.now):
        assert all(isinstance(column.text(trade), str) for trade in trades), column.key
        assert all(isinstance(column.tip(trade), str) for trade in trades), column.key
        if column.sort is not None:
            values = [value for trade in trades if (value := column.sort(trade)) is not None]
            assert sorted(values) is not None, column.key


def test_what_a_trade_has_at_risk_is_below_zero_once_its_stop_locks_a_gain_in() -> None:
    long = desk_of("busy").bracket("b-AAPL")
    assert risk(long) == (long.entry_price - long.stop_price) * long.held_qty > 0
    locked = msgspec.structs.replace(long, stop_price=long.entry_price + 1)
    assert risk(locked) == -long.held_qty
    assert risk(msgspec.structs.replace(long, held_qty=Decimal(0))) is None


async def test_orders_sorted_or_filtered_by_their_trade_follow_it(opened: Any) -> None:
    """The market moves and no order changes: the one that is nearest to it stands on top all the same."""
    async with opened("busy") as screen:
        view, model = screen.window.orders.view, screen.window.orders.model
        for title in ("Away", "Market"):
            entry_of(choice(screen).menu(), title).setChecked(True)
        model.sort([column.key for column in model.columns].index("distance"))
        farthest = next(order for order in reversed(model.rows()) if working_price(order) and order.bracket_id)
        assert model.rows()[0] != farthest
        trade = screen.desk.bracket(farthest.bracket_id or "")
        screen.desk.put(msgspec.structs.replace(trade, market_price=working_price(farthest)))
        await until(lambda: model.rows()[0] == farthest)
        view.filters.show(True)
        view.filters.field("market").setText(f"={working_price(farthest)}")
        assert {order.bracket_id for order in model.rows()} == {trade.id}
        screen.desk.put(msgspec.structs.replace(trade, market_price=Decimal(1)))
        await until(lambda: not model.rows())


async def test_columns_of_trades_are_brought_in_too(opened: Any) -> None:
    async with opened("busy") as screen:
        view = screen.window.brackets.view
        menu = screen.window._layout._columns["bracket-table"].menu()
        for title in ("Strategy", "At risk", "Open for"):
            entry_of(menu, title).setChecked(True)
        assert {"strategy", "risk", "open_for"} <= set(in_sight(view))
        row = screen.row("bracket-table", "b-AAPL")
        assert "breakout-20" in row
        screen.window.brackets.show_time()


def test_what_has_no_price_has_no_distance_and_no_value() -> None:
    desk = desk_of("busy")
    order = next(iter(desk.orders("all", 1_000)))
    bare = type(order)(
        **{**{f: getattr(order, f) for f in order.__struct_fields__}, "limit_price": None, "stop_price": None}
    )
    assert (distance_pct(bare, None), working_value(bare)) == (None, None)
    assert filled_share(bare) is not None
