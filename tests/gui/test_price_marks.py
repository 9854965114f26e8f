"""What stands on the candles: executions where they were, and the average that the day has paid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.views import BarView
from gui.charts.price_marks import bar_of, fills_of, vwap_of
from tests.gui.conftest import until
from tests.gui.stage import desk_of

OPEN = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def bar(minute: float, price: float, volume: float, *, days: int = 0) -> BarView:
    at = OPEN + timedelta(days=days, minutes=minute)
    return BarView(at=at, open=price, high=price + 1, low=price - 1, close=price, volume=volume)


def test_the_average_is_weighted_by_volume_and_begins_anew_each_day() -> None:
    bars = [bar(0, 100, 0), bar(1, 100, 10), bar(2, 110, 30), bar(0, 50, 5, days=1)]
    assert vwap_of(bars) == [None, 100, pytest.approx(107.5), 50]
    assert vwap_of([]) == []


def test_an_execution_stands_at_the_bar_of_its_minute() -> None:
    bars = [bar(0, 100, 1), bar(1, 100, 1), bar(5, 100, 1)]
    assert bar_of(bars, OPEN + timedelta(seconds=59)) == 0
    assert bar_of(bars, OPEN + timedelta(seconds=60)) == 1
    assert bar_of(bars, OPEN + timedelta(minutes=3)) == 1, "nothing was printed in between: the last one before it"
    assert bar_of(bars, OPEN + timedelta(minutes=9)) == 2, "the newest bar is still being made"
    assert bar_of(bars, OPEN - timedelta(seconds=1)) is None
    assert bar_of([], OPEN) is None


def test_each_order_that_has_executed_makes_a_mark() -> None:
    trade = desk_of("busy").bracket("b-AAPL")
    fills = fills_of(trade)
    filled = [order for order in trade.orders if order.filled_qty > 0]
    assert [fill.price for fill in fills] == [order.filled_avg_price for order in filled]
    assert [fill.buys for fill in fills] == [True]
    assert fills[0].price == Decimal("187.19")


async def test_the_chart_shows_them_for_a_trade_and_none_for_a_proposal(opened: Any) -> None:
    async with opened("busy") as screen:
        chart = screen.window.detail.chart
        screen.choose("bracket-table", "b-AAPL")
        await until(lambda: bool(chart._bars))
        assert len(chart._fills) == 1
        assert chart._vwap[-1] is not None
        assert not chart.grab().isNull()
        screen.window._pick(screen.window.signals, screen.desk.signal("s-NVDA"))
        assert chart._fills == ()
