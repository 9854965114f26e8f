"""The price chart's time: hours, a day or days, each with bars of its own length, and where a day begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.views import BarView
from gui.charts.price_chart import _new_days
from tests.gui.conftest import until


def bar(at: datetime) -> BarView:
    return BarView(at=at, open=1, high=1, low=1, close=1, volume=1)


async def test_more_time_is_shown_in_longer_bars(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.choose("bracket-table", "b-MSFT")
        await until(lambda: ("MSFT", 240, 1) in screen.desk.asked_bars)
        screen.click("chart-range-day")
        await until(lambda: ("MSFT", 1_440, 5) in screen.desk.asked_bars)
        screen.click("chart-range-days")
        await until(lambda: ("MSFT", 7 * 1_440, 15) in screen.desk.asked_bars)
        chart = screen.window.detail.chart
        await until(lambda: chart._shown == len(chart._bars))
        screen.choose("bracket-table", "b-SPY")
        await until(lambda: ("SPY", 7 * 1_440, 15) in screen.desk.asked_bars)


def test_a_day_begins_at_midnight_in_new_york() -> None:
    close = datetime(2026, 11, 24, 20, 59, tzinfo=UTC)
    late = datetime(2026, 11, 25, 4, 59, tzinfo=UTC)
    bars = [bar(close), bar(late), bar(late + timedelta(minutes=1)), bar(late + timedelta(hours=3))]
    assert _new_days(bars) == {2}
    assert _new_days([]) == frozenset()
