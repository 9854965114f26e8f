"""Stop and target put elsewhere: dragged in the chart, typed, to break-even; asked first where more would be risked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.model.words import BracketStatus
from gui.charts.exit_chart import ExitChart
from gui.exit_words import Exit, loosens, moved_words, why_not
from tests.gui.conftest import Screen, until
from tests.gui.scenes import replace

AAPL, SPY = "b-AAPL", "b-SPY"


async def chart_of(screen: Screen, trade: str = AAPL) -> ExitChart:
    """Of the trade, painted."""
    screen.choose("bracket-table", trade)
    chart = screen.window.detail.chart
    stop = screen.desk.bracket(trade).stop_price
    await until(lambda: chart._lines.stop == stop)
    chart.grab()
    return chart


def drag(chart: ExitChart, which: Exit, to: Decimal, *, let_go: bool = True) -> None:
    start, end = chart.point_of(which).toPoint(), chart.point_at(to).toPoint()
    QTest.mousePress(chart, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(chart, (start + end) / 2)
    QTest.mouseMove(chart, end)
    if let_go:
        QTest.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=end)


def moves(screen: Screen) -> list[tuple[Any, ...]]:
    return [command for command in screen.desk.commands if command[0] in ("move", "break_even")]


def field(screen: Screen, which: str) -> QLineEdit:
    found = screen.find(f"exit-{which}")
    assert isinstance(found, QLineEdit)
    return found


# --- dragging --------------------------------------------------------------------------------------------------------


async def test_a_stop_dragged_closer_goes_at_once_on_the_grid_and_is_hollow_until_confirmed(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = await chart_of(screen)
        drag(chart, "stop", Decimal("186.20"))
        await until(lambda: bool(moves(screen)))
        ((_, trade, stop, target),) = moves(screen)
        assert (trade, target) == (AAPL, None)
        assert abs(stop - Decimal("186.20")) < Decimal("0.10")
        assert stop == stop.quantize(Decimal("0.01"))
        await until(lambda: chart._lines.wanted_stop == stop)
        assert chart._lines.stop == Decimal("184.90"), "where it stands until the broker says otherwise"


async def test_a_stop_dragged_away_asks_first_and_names_the_risk(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = await chart_of(screen)
        drag(chart, "stop", Decimal("184.00"))
        assert "PAPER: Move the stop of 100 AAPL long from 184.90 to 184.0" in screen.text("brackets-confirm-sentence")
        assert "It risks more than now" in screen.text("brackets-confirm-consequence")
        assert not moves(screen)
        screen.click("brackets-confirm-yes")
        await until(lambda: len(moves(screen)) == 1)


async def test_a_target_is_dragged_without_the_stop(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = await chart_of(screen)
        drag(chart, "target", Decimal("190.50"))
        await until(lambda: bool(moves(screen)))
        ((_, _, stop, target),) = moves(screen)
        assert stop is None
        assert abs(target - Decimal("190.50")) < Decimal("0.10")


async def test_escape_and_a_place_where_it_cannot_be_leave_everything_as_it_was(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = await chart_of(screen)
        drag(chart, "stop", Decimal("186.00"), let_go=False)
        assert chart.is_dragging
        screen.press(Qt.Key.Key_Escape)
        assert not chart.is_dragging
        QTest.mouseRelease(chart, Qt.MouseButton.LeftButton)
        drag(chart, "stop", Decimal("189.50"))  # beyond the market
        assert not moves(screen)
        assert not chart.is_dragging


async def test_what_a_place_would_mean_is_not_written_beneath_the_choice_of_the_days(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = await chart_of(screen)
        choice = screen.find("chart-range").geometry()
        words = moved_words(screen.desk.bracket(AAPL), "stop", Decimal("186.00"))
        banner = chart._banner(words, QRectF(chart.rect())).toRect()
        assert not choice.isEmpty()
        assert not banner.intersects(choice)


async def test_a_click_on_a_line_moves_nothing(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = await chart_of(screen)
        at = chart.point_of("stop").toPoint()
        QTest.mousePress(chart, Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseMove(chart, at + QPoint(0, 2))
        QTest.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=at + QPoint(0, 2))
        assert not moves(screen)


async def test_a_line_in_hand_is_let_go_when_another_trade_comes_into_view_or_its_own_leaves(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = await chart_of(screen)
        drag(chart, "stop", Decimal("186.00"), let_go=False)
        screen.window._pick(screen.window.brackets, screen.desk.bracket("b-MSFT"))
        assert not chart.is_dragging
        screen.window._pick(screen.window.brackets, screen.desk.bracket(AAPL))
        chart.grab()
        drag(chart, "stop", Decimal("186.00"), let_go=False)
        assert chart.is_dragging
        screen.desk.put(replace(screen.desk.bracket(AAPL), status=BracketStatus.EXITING))
        await until(lambda: not chart.is_dragging)
        QTest.mouseRelease(chart, Qt.MouseButton.LeftButton)
        assert not moves(screen)


async def test_a_proposal_has_no_lines_to_drag(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = screen.window.detail.chart
        screen.window._pick(screen.window.signals, screen.desk.signal("s-NVDA"))
        chart.grab()
        drag(chart, "stop", Decimal("129.50"))
        assert not moves(screen)
        assert screen.find("exit-strip").isHidden()


# --- typing ----------------------------------------------------------------------------------------------------------


async def test_the_key_leads_to_the_field_and_a_click_moves_what_was_typed(opened: Any) -> None:
    async with opened("busy") as screen:
        await chart_of(screen)
        screen.press(Qt.Key.Key_S)
        stop = field(screen, "stop")
        assert stop.selectedText() == "184.90"
        QTest.keyClicks(stop, "186.204")
        assert "Stop 186.20" in screen.text("exit-says")
        assert "was −$229" in screen.text("exit-says")
        QTest.keyClick(stop, Qt.Key.Key_Return)
        assert not moves(screen), "Enter never sends"
        screen.click("exit-move")
        await until(lambda: moves(screen) == [("move", AAPL, Decimal("186.20"), None)])
        await until(lambda: stop.text() == "186.20")


async def test_both_can_be_moved_in_one_request(opened: Any) -> None:
    async with opened("busy") as screen:
        await chart_of(screen)
        for which, text in (("stop", "185.50"), ("target", "190")):
            field(screen, which).selectAll()
            QTest.keyClicks(field(screen, which), text)
        screen.click("exit-move")
        await until(lambda: moves(screen) == [("move", AAPL, Decimal("185.50"), Decimal(190))])


async def test_what_cannot_be_there_is_said_and_not_sent(opened: Any) -> None:
    async with opened("busy") as screen:
        await chart_of(screen)
        stop = field(screen, "stop")
        for text, says in (("189.90", "would fire at once"), ("18x", "holds no price"), ("", "holds no price")):
            stop.selectAll()
            QTest.keyClick(stop, Qt.Key.Key_Delete)
            QTest.keyClicks(stop, text)
            assert says in screen.text("exit-says"), text
            assert not screen.find("exit-move").isEnabled()
        screen.press(Qt.Key.Key_Escape)
        assert stop.text() == "184.90"


async def test_a_new_picture_does_not_take_what_is_being_typed(opened: Any) -> None:
    async with opened("busy") as screen:
        await chart_of(screen)
        stop = field(screen, "stop")
        stop.selectAll()
        QTest.keyClicks(stop, "185.7")
        screen.desk.put(replace(screen.desk.bracket(AAPL), market_price=Decimal("188.50")))
        await until(lambda: screen.window.detail.subject.market_price == Decimal("188.50"))
        assert stop.text() == "185.7"


async def test_break_even_by_key_and_by_button_once(opened: Any) -> None:
    async with opened("busy") as screen:
        await chart_of(screen)
        screen.desk.hold("break_even")
        screen.press(Qt.Key.Key_Equal)
        screen.click("exit-break-even")
        await until(lambda: moves(screen) == [("break_even", AAPL)])
        screen.desk.release("break_even")
        await until(lambda: screen.window.detail.chart._lines.wanted_stop is not None)
        assert len(moves(screen)) == 1


async def test_a_refused_move_says_so_and_the_old_exits_stand(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = await chart_of(screen)
        screen.desk.refuse("move", "STOP_BEYOND_MARKET", "The market is at 186.10: a stop there would fire at once.")
        drag(chart, "stop", Decimal("186.20"))
        await until(lambda: not screen.window.toast.isHidden())
        assert chart._lines.wanted_stop is None
        assert field(screen, "stop").text() == "184.90"


# --- words -----------------------------------------------------------------------------------------------------------


async def test_short_trades_are_the_other_way_round(opened: Any) -> None:
    async with opened("busy") as screen:
        short = screen.desk.bracket(SPY)
        assert short.stop_price is not None
        assert short.market_price is not None
        assert loosens(short, short.stop_price + 1)
        assert not loosens(short, short.stop_price - Decimal("0.01"))
        assert why_not(short, "stop", short.market_price - 1) == "a stop there would fire at once"
        assert why_not(short, "target", short.market_price + 1) == "a target there would fill at once"
        assert why_not(short, "stop", short.market_price + 1) is None
        assert "Stop" in moved_words(short, "stop", short.stop_price - Decimal("0.05"))
