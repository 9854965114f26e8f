"""Brackets, orders, positions and incidents, as a person meets them."""

from __future__ import annotations

import asyncio
import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from engine.bus import Change
from engine.model.words import BracketStatus, OrderStatus
from engine.views import OrderView
from engine.views_truth import UnknownView
from gui.panels.fills import executed_at
from gui.panels.orders import columns, unknown_words
from gui.tables.blotter import Blotter
from gui.tables.row_model import RowModel
from gui.widgets.tab_strip import TabStrip
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace
from tests.gui.stage import desk_of


class Painted(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.times = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.times += event.type() is QEvent.Type.Paint
        return False


def top_symbols(screen: Screen) -> list[str]:
    return [bracket.symbol for bracket in screen.window.brackets.model.rows()]


async def test_trouble_stands_on_top(opened: Any) -> None:
    async with opened("trouble") as screen:
        assert top_symbols(screen)[:2] == ["TSLA", "QQQ"]
        row = screen.row("bracket-table", "b-TSLA")
        assert row[0] == "NAKED"
        assert "3.2 s" in row
        assert any("base price" in cell for cell in row)


async def test_a_row_that_becomes_naked_rises_at_once(opened: Any) -> None:
    async with opened("busy") as screen:
        bracket = screen.desk.bracket("b-JPM")
        screen.desk.put(replace(bracket, status=BracketStatus.NAKED, held_qty=Decimal(55), naked_qty=Decimal(55)))
        await until(lambda: top_symbols(screen)[0] == "JPM")


async def test_retry_in_the_row_is_one_command(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.desk.hold("retry_bracket")
        screen.click_row("bracket-table", "b-TSLA", "retry")
        screen.click_row("bracket-table", "b-TSLA", "retry")
        await screen.commands()
        screen.desk.release("retry_bracket")
        await until(lambda: screen.row("bracket-table", "b-TSLA")[0] == "REPAIRING")
        assert screen.desk.commands == [("retry_bracket", "b-TSLA")]


async def test_flatten_asks_once_names_the_act_and_back_has_the_focus(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.click_row("bracket-table", "b-TSLA", "flatten")
        sentence = screen.text("brackets-confirm-sentence")
        assert sentence.startswith("SIM: Sell 40 TSLA near 416.90")
        assert screen.text("brackets-confirm-yes") == "Flatten 40 TSLA"
        assert screen.window.focusWidget() is screen.find("brackets-confirm-back")
        assert not screen.desk.commands
        screen.click("brackets-confirm-yes")
        assert await screen.commands() == [("flatten_bracket", "b-TSLA")]


async def test_back_and_escape_leave_everything_as_it_is(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.click_row("bracket-table", "b-TSLA", "flatten")
        screen.click("brackets-confirm-back")
        assert screen.find("brackets-confirm").isHidden()
        screen.click_row("bracket-table", "b-TSLA", "flatten")
        screen.press(Qt.Key.Key_Escape)
        assert screen.find("brackets-confirm").isHidden()
        await asyncio.sleep(0.02)
        assert not screen.desk.commands


async def test_a_question_goes_with_its_subject(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.click_row("bracket-table", "b-TSLA", "flatten")
        screen.desk.put(replace(screen.desk.bracket("b-TSLA"), status=BracketStatus.CLOSED, can_flatten=False))
        await until(lambda: screen.find("brackets-confirm").isHidden())


async def test_b_and_x_act_on_the_selected_trade(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.choose("bracket-table", "b-TSLA")
        screen.press(Qt.Key.Key_B)
        assert await screen.commands() == [("retry_bracket", "b-TSLA")]
        screen.press(Qt.Key.Key_X)
        assert "TSLA" in screen.text("brackets-confirm-sentence")


async def test_the_arrow_opens_the_orders_of_a_trade(opened: Any) -> None:
    async with opened("trouble") as screen:
        view = screen.window.brackets.view
        index = screen.window.brackets.model.index_of("b-AAPL")
        at = view.visualRect(index).center()
        at.setX(view.visualRect(index).left() + 8)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert view.isExpanded(index)
        lines = [index.model().index(row, 0, index).data() for row in range(3)]
        assert lines == ["filled", "working", "armed"]


async def test_canceling_an_entry_needs_no_question(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.click_row("order-table", "b-JPM", "cancel")
        assert await screen.commands() == [("cancel_order", "b-JPM")]
        await until(lambda: screen.row("order-table", "b-JPM")[0] == "CANCELLING")


async def test_canceling_a_protective_leg_says_what_it_leaves_and_takes_two_steps(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.choose("order-table", "b-AAPL.sl")
        screen.press(Qt.Key.Key_C)
        assert "leaves 100 AAPL naked" in screen.text("orders-confirm-sentence")
        assert not screen.desk.commands
        screen.click("orders-confirm-yes")
        assert await screen.commands() == [("cancel_order", "b-AAPL.sl")]


async def test_an_unknown_order_stands_on_top_and_can_be_looked_up_or_attested(opened: Any) -> None:
    async with opened("stale") as screen:
        assert screen.window.orders.model.rows()[0].id == "b-AMZN"
        assert screen.row("order-table", "b-AMZN")[0] == "UNKNOWN"
        screen.click_row("order-table", "b-AMZN", "attest")
        assert "your word" in screen.text("orders-confirm-consequence")
        screen.click("orders-confirm-back")
        screen.click_row("order-table", "b-AMZN", "lookup")
        assert await screen.commands() == [("lookup_order", "b-AMZN")]
        await until(lambda: screen.row("order-table", "b-AMZN")[0] == "WORKING")


async def test_shares_that_the_venue_took_back_are_not_shown_as_filled(opened: Any) -> None:
    async with opened("busy") as screen:
        order = next(order for order in screen.desk.orders("all") if order.filled_qty > 3)
        taken = replace(order, filled_qty=order.filled_qty - 3, busted_qty=Decimal(3))
        column = next(column for column in columns(screen.desk.clock.now) if column.key == "filled")
        assert column.text(taken) == f"{taken.filled_qty}/{taken.qty}"
        assert column.tip(taken) == f"{taken.filled_qty} executed and stand · 3 taken back by the venue"
        assert column.tip(order) == ""


async def test_a_word_of_the_brokers_that_nobody_knows_stands_in_the_row(opened: Any) -> None:
    async with opened("trouble") as screen:
        odd = replace(screen.desk.order("b-JPM"), status=OrderStatus.UNRECOGNISED, raw_status="pending_review", note="")
        screen.desk.put(odd)
        await until(lambda: "UNRECOGNISED" in screen.row("order-table", "b-JPM"))
        assert "the broker's word: pending_review" in screen.row("order-table", "b-JPM")


async def test_closed_orders_leave_the_open_list_and_show_under_all(opened: Any) -> None:
    async with opened("trouble") as screen:
        before = screen.window.orders.model.rowCount()
        order = screen.desk.order("b-JPM")
        screen.desk.put(replace(order, status=OrderStatus.CANCELED, can_cancel=False))
        await until(lambda: screen.window.orders.model.rowCount() == before - 1)
        screen.click("orders-all")
        assert screen.row("order-table", "b-JPM")[0] == "CANCELLED"


async def test_copy_csv_puts_the_rows_shown_on_the_clipboard(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.find("order-filter").setText("TSLA")
        screen.click("orders-copy")
        rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
        assert [(row["symbol"], row["limit_price"], row["status"]) for row in rows] == [("TSLA", "431.20", "sending")]


async def test_a_price_refreshes_the_rows_of_its_symbol_alone(opened: Any) -> None:
    async with opened("busy") as screen:
        changed: list[str] = []
        model = screen.window.brackets.model

        def note(first: QModelIndex, last: QModelIndex) -> None:
            changed.extend(
                row.symbol for row in model.rows()[first.row() : last.row() + 1] if not first.parent().isValid()
            )

        model.dataChanged.connect(note)
        desk = screen.desk
        for ident in ("b-AAPL", "b-MSFT"):
            desk._brackets[ident] = replace(desk.bracket(ident), market_price=Decimal("190.00"))
        desk.bus.publish((), [Change("quote", "AAPL")])
        await until(lambda: "AAPL" in changed)
        assert set(changed) == {"AAPL"}


async def test_a_burst_of_changes_costs_one_frame(opened: Any) -> None:
    async with opened("busy") as screen:
        told: list[int] = []
        screen.window.bridge.orders_changed.connect(lambda views, _gone: told.append(len(views)))
        order = screen.desk.order("b-JPM")
        for number in range(200):
            screen.desk.put(replace(order, note=f"{number}"))
        await until(lambda: bool(told))
        await asyncio.sleep(0.1)
        assert told == [1]
        assert "199" in screen.row("order-table", "b-JPM")


async def test_positions_can_be_flattened_by_symbol(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.window.brackets.header.tabs.choose(1)
        screen.click_row("position-table", "TSLA", "flatten")
        screen.click("brackets-confirm-yes")
        assert await screen.commands() == [("flatten", "TSLA")]


async def test_an_incident_offers_its_act_and_can_be_acknowledged(opened: Any) -> None:
    async with opened("trouble") as screen:
        assert screen.window.incidents.model.rows()[0].id == "i-tsla"
        screen.click_row("incident-list", "i-tsla", "retry")
        assert await screen.commands() == [("retry_bracket", "b-TSLA")]
        screen.click_row("incident-list", "i-tsla", "ack")
        assert (await screen.commands(2))[1] == ("ack_incident", "i-tsla")
        await until(lambda: screen.find("incident-list").button_rect("i-tsla", "ack").isEmpty())


async def test_show_leads_from_the_incident_to_what_it_is_about(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.window.signals.choose("s-META")
        screen.click_row("incident-list", "i-xle", "show")
        assert screen.window.signals.current.signal.id == "s-NVDA"


async def test_new_log_lines_come_on_top(opened: Any) -> None:
    from tests.gui import scenery as make

    async with opened("trouble") as screen:
        screen.desk.say(make.line(99, 0, "IWM", "something new"))
        await until(lambda: screen.window.activity.model.rows()[0].text == "something new")
        screen.find("activity-filter").setText("rejected")
        assert [line.symbol for line in screen.window.activity.model.rows()] == ["TSLA"]


async def test_a_leg_is_asked_for_again_when_its_trade_moves(opened: Any) -> None:
    async with opened("busy") as screen:
        assert screen.row("order-table", "b-JPM.sl")[0] == "HELD"
        desk = screen.desk
        armed = replace(desk.order("b-JPM.sl"), is_armed=True)
        desk._orders["b-JPM.sl"] = armed  # the trade is told, its leg is not
        desk.put(replace(desk.bracket("b-JPM"), status=BracketStatus.PROTECTED))
        await until(lambda: screen.row("order-table", "b-JPM.sl")[0] == "ARMED")


async def test_one_word_about_many_rows_repaints_those_in_view(qapp: Any) -> None:
    def filled(qty: str) -> list[OrderView]:
        return [replace(order, id=f"o{number}", filled_qty=Decimal(qty)) for number in range(1_000)]

    desk = desk_of("busy")
    order = desk.order("b-JPM")
    model: RowModel[OrderView] = RowModel(columns(desk.clock.now), lambda o: o.id)
    view = Blotter(model)
    model.stage(filled("0"))
    model.flush()
    view.show()
    painted = Painted(view.viewport())
    await until(lambda: painted.times > 0)
    await asyncio.sleep(0.05)
    before = painted.times
    model.stage(filled("7"))
    model.flush()
    await until(lambda: painted.times > before)
    view.deleteLater()


async def test_an_order_of_unknown_fate_says_what_was_found_and_when_it_is_asked_for_again(opened: Any) -> None:
    async with opened("busy") as screen:
        unknown = UnknownView(
            since=make.ago(4), age_s=4.0, looks=3, misses=3, said="404: not known there", looked_at=make.ago(1),
            request_id="0c1f", next_look_at=make.ago(-2.5),
        )  # fmt: skip
        order = replace(screen.desk.order("b-JPM"), unresolved_since=make.ago(4), unknown=unknown)
        screen.desk.put(order)
        await until(lambda: "404" in " ".join(screen.row("order-table", "b-JPM")))
        assert "404: not known there · asked again in 2.5 s" in screen.row("order-table", "b-JPM")
        left = unknown_words(replace(unknown, next_look_at=None), make.NOW)
        assert left.endswith("left to you")


# --- fills -----------------------------------------------------------------------------------------------------------


def open_fills(screen: Screen) -> Blotter:
    strip = screen.find("orders-tabs")
    assert isinstance(strip, TabStrip)
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.tab_rect(1).center().toPoint())
    view = screen.find("fill-table")
    assert isinstance(view, Blotter)
    return view


async def test_every_order_with_executions_has_a_line_among_the_fills_the_newest_first(opened: Any) -> None:
    async with opened("trouble") as screen:
        view = open_fills(screen)
        executed = [order for order in screen.desk.orders("all") if order.filled_qty]
        rows = view.rows.rows()
        assert {row.id for row in rows} == {order.id for order in executed} != set()
        times = [executed_at(row) for row in rows]
        assert times == sorted(times, reverse=True)
        line = dict(zip([column.key for column in view.rows.columns], view.text_of("b-TSLA"), strict=True))
        assert (line["symbol"], line["filled"], line["price"]) == ("TSLA", "40/40", "418.02")
        assert line["value"] == "$16,721"
        assert screen.find("orders-all").isHidden(), "there is nothing that is not shown"


async def test_what_executes_while_the_fills_are_out_of_sight_is_there_when_they_come(opened: Any) -> None:
    async with opened("trouble") as screen:
        panel = screen.window.orders
        known = panel.fills.count
        order = screen.desk.order("b-JPM")
        screen.desk.put(replace(order, filled_qty=Decimal(5), filled_avg_price=Decimal("309.50")))
        await until(lambda: panel.fills.count == known + 1)
        view = open_fills(screen)
        assert "5/55" in view.text_of("b-JPM")
        screen.desk.put(replace(order, filled_qty=Decimal(0), filled_avg_price=None, busted_qty=Decimal(5)))
        await until(lambda: not view.rows.index_of("b-JPM").isValid())
        assert panel.fills.count == known, "what the venue took back has not executed"


async def test_only_so_many_fills_are_kept_in_sight_or_not(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gui.panels.fills.KEPT", 3)
    async with opened("trouble") as screen:
        fills = screen.window.orders.fills
        screen.desk.put(replace(screen.desk.order("b-JPM"), filled_qty=Decimal(5)))
        await until(lambda: "b-JPM" in fills._known)
        assert (fills.count, len(fills._waiting)) == (3, 3)
        view = open_fills(screen)
        screen.desk.put(replace(screen.desk.order("b-AAPL.tp"), filled_qty=Decimal(5)))
        await until(lambda: view.rows.index_of("b-AAPL.tp").isValid())
        assert len(view.rows.rows()) == 3
        assert "b-JPM" in [row.id for row in view.rows.rows()]


async def test_among_the_fills_no_key_cancels_and_the_filter_and_the_copy_are_theirs(opened: Any) -> None:
    async with opened("trouble") as screen:
        screen.choose("order-table", "b-JPM")
        view = open_fills(screen)
        screen.press(Qt.Key.Key_C)
        screen.press(Qt.Key.Key_E)
        assert not screen.desk.commands
        assert screen.find("order-edit").isHidden()
        screen.find("order-filter").setText("QQQ")
        assert [row.symbol for row in view.rows.rows()] == ["QQQ"]
        screen.click("orders-copy")
        rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
        assert [(row["symbol"], row["filled_qty"], row["order_id"]) for row in rows] == [("QQQ", "60", "b-QQQ")]
        view.step(1)
        assert "QQQ" in screen.text("detail-title")
