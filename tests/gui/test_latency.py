"""The latency page: every stage in numbers, by the hour, by address; events and values where the pointer is; files."""

from __future__ import annotations

import asyncio
import csv
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage

from engine.views import LagView
from gui.charts.heat_map import HeatMap, cells_of
from gui.panels.latency import HOURS_TAB, MOST_EVENTS, REQUESTS_TAB, STAGES_TAB
from tests.gui import scenery as make
from tests.gui.conftest import Screen, until
from tests.gui.measured import latency_of, samples
from tests.gui.scenes import replace


def show_tab(screen: Screen, tab: int) -> None:
    screen.window.latency.header.tabs.choose(tab)


async def test_every_stage_stands_in_numbers_with_its_count_and_its_share_within_the_target(opened: Any) -> None:
    async with opened("busy") as screen:
        show_tab(screen, STAGES_TAB)
        table = screen.window.latency.stages
        assert [row.words for row in table.rows()][:2] == ["Receive", "You"], "in the order of a signal's way"
        submit = screen.row("latency-stages", "submit")
        assert submit[1] == "214"
        assert submit[2].endswith("ms")
        assert submit[6].endswith("% ≤ 300 ms")
        assert float(submit[6].split()[0]) > 95


async def test_few_samples_have_a_count_and_no_percentile(opened: Any) -> None:
    async with opened("empty") as screen:
        few = samples(19)
        screen.window.latency.take(latency_of(few), few)
        show_tab(screen, STAGES_TAB)
        row = screen.row("latency-stages", "submit")
        assert (row[1], row[2], row[3], row[4]) == ("19", "–", "–", "–")
        assert row[6] == "≤ 300 ms"
        show_tab(screen, HOURS_TAB)
        heat = screen.window.latency.heat
        assert "n=19" in heat.accessibleDescription()
        assert "median" not in heat.accessibleDescription()


@pytest.mark.parametrize("width", [1366, 1500, 1920])
async def test_no_figure_of_the_page_is_cut_off(opened: Any, width: int) -> None:
    """However wide the panel is and however long its figures are: one that has no room goes, and comes back."""
    async with opened("busy") as screen:
        panel = screen.window.latency
        screen.window.resize(width, 800)
        figures = [*panel._figures.values(), panel._lag]
        await until(lambda: figures[0].isVisible(), 5)
        slow = {name: replace(stage, p50_ms=71_230.0, p95_ms=1_234_000.0) for name, stage in panel._stats.items()}
        for stats in (panel._stats, slow):
            panel.take(replace(panel._latency, stages=stats), [])
            await asyncio.sleep(0.05)
            shown = [each for each in figures if each.isVisible()]
            assert len(shown) >= 3
            assert all(each.width() >= each.sizeHint().width() for each in shown)
        screen.window.resize(2400, 800)
        await until(lambda: all(each.isVisible() for each in figures))


async def test_addresses_of_the_broker_have_their_times_and_their_refusals(opened: Any) -> None:
    async with opened("busy") as screen:
        show_tab(screen, REQUESTS_TAB)
        table = screen.window.latency.requests
        assert table.rows()[0].endpoint == "GET /v2/orders", "the most asked first"
        assert screen.row("latency-requests", "GET /v2/orders")[6] == "0 2 0"
        few = screen.row("latency-requests", "DELETE /v2/orders/{id}")
        assert (few[1], few[2]) == ("12", "–")


async def test_what_happened_is_marked_and_said_where_the_pointer_is(opened: Any) -> None:
    async with opened("busy") as screen:
        await until(lambda: screen.window.latency.chart is not None, 5)
        latency = screen.window.latency
        chart = latency.chart
        down = make.line(9_001, 600, None, "stream down · connection reset", "warn")
        other = make.line(9_002, 300, "AAPL", "entry filled")
        latency.take_events([replace(down, subject="stream"), replace(other, subject="o1")])
        assert [words for _, words in chart._events] == ["stream down · connection reset"]
        assert len(chart._event_lines) == 1
        words = chart.words_at(down.at.timestamp())
        assert "submit " in words
        assert words.endswith("stream down · connection reset")
        assert "stream down" not in chart.words_at(down.at.timestamp() + 1_200)
        at = chart.getViewBox().mapViewToScene(QPointF(down.at.timestamp(), 1.0))
        chart._point(at)
        assert chart._said.isVisible()
        assert "stream down" in chart._said.toPlainText()
        chart._point(QPointF(-50, -50))
        assert not chart._said.isVisible()


async def test_events_are_bounded(opened: Any) -> None:
    async with opened("empty") as screen:
        lines = [replace(make.line(n, 10, None, "rest down"), subject="rest") for n in range(5 * MOST_EVENTS)]
        screen.window.latency.take_events(lines)
        assert len(screen.window.latency._events) == MOST_EVENTS


async def test_the_loops_lag_has_a_course_of_its_own(opened: Any) -> None:
    async with opened("busy") as screen:
        await until(lambda: screen.window.latency.chart is not None, 5)
        latency, at = screen.window.latency, make.NOW
        before = len(latency._lag_series)
        for number in range(20):
            latency.show_lag(at + timedelta(seconds=10 + number), LagView(p50=0.4, p99=float(number + 1), max=9.0))
        assert 8 <= len(latency._lag_series) - before <= 11, "one in two seconds"
        latency._show_course()
        assert "lag " in latency.chart.words_at((at + timedelta(seconds=29)).timestamp())


async def test_the_way_to_the_broker_has_a_course_beside_the_trades(opened: Any) -> None:
    async with opened("busy") as screen:
        await until(lambda: screen.window.latency.chart is not None, 5)
        latency, at = screen.window.latency, make.NOW
        desk = screen.desk.view()
        for number in range(20):
            latency.show_desk(at + timedelta(seconds=10 + number), replace(desk, rest_ms=40.0 + number))
        latency.show_desk(at + timedelta(seconds=40), replace(desk, rest_ms=None))
        assert 8 <= len(latency._probes) <= 12, "one in two seconds, and none that was not measured"
        latency._show_course()
        assert "rest " in latency.chart.words_at((at + timedelta(seconds=29)).timestamp())
        latency.forget()
        assert len(latency._probes) == 0


async def test_the_clocks_lamp_says_how_sure_it_is(opened: Any) -> None:
    async with opened("busy") as screen:
        screen.desk.put(replace(screen.desk.view(), clock_offset_ms=12.0, clock_error_ms=41.0))
        lamp = screen.find("lamp-clock")
        await until(lambda: "give or take 41 ms" in lamp.toolTip())


async def test_all_samples_are_handed_on_as_csv_and_the_page_as_a_picture(opened: Any, tmp_path: Path) -> None:
    async with opened("busy") as screen:
        export = screen.window.latency.export

        async def written(path: Path, write: Any) -> str:
            """How the button ended."""
            write(str(path))
            assert screen.text("latency-export") == "Writing"
            await until(lambda: screen.text("latency-export") != "Writing")
            return screen.text("latency-export")

        assert await written(tmp_path / "out.csv", export.to_csv) == "Export"
        with (tmp_path / "out.csv").open() as file:
            rows = list(csv.DictReader(file))
        kept = screen.desk.latency_samples(0)
        assert len(rows) == len(kept)
        assert (rows[0]["stage"], float(rows[0]["ms"])) == (str(kept[0].stage), pytest.approx(kept[0].ms, abs=0.001))
        assert await written(tmp_path / "out.png", export.to_png) == "Export"
        assert QImage(str(tmp_path / "out.png")).width() == screen.window.latency.body.width()
        for write in (export.to_csv, export.to_png):
            assert await written(tmp_path / "no" / "out.csv", write) == "Not written"
            assert "No such file or directory" in screen.find("latency-export").toolTip()
        assert await written(tmp_path / "out.csv", export.to_csv) == "Export"
        assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".ini") == ["out.csv", "out.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a file that hangs is made of a named pipe")
async def test_a_disk_that_hangs_holds_nothing_up_and_what_was_there_stays(opened: Any, tmp_path: Path) -> None:
    async with opened("busy") as screen:
        (tmp_path / "out.csv").write_text("of yesterday")
        os.mkfifo(tmp_path / "out.csv.part")  # opening it waits for whoever reads
        screen.window.latency.export.to_csv(str(tmp_path / "out.csv"))
        await asyncio.sleep(0.05)
        assert screen.text("latency-export") == "Writing"
        assert (tmp_path / "out.csv").read_text() == "of yesterday"
        screen.press(Qt.Key.Key_F1)
        assert screen.find("key-sheet").isVisible(), "the window goes on"
        assert (await asyncio.to_thread((tmp_path / "out.csv.part").read_text)).startswith("index,at,symbol")
        await until(lambda: screen.text("latency-export") == "Export")


# --- the heat map ----------------------------------------------------------------------------------------------------


def test_cells_are_hours_with_their_median_and_their_worst() -> None:
    at = np.array([0.0, 10.0, 20.0, 3_600.0, 7_199.0, 90_000.0])
    found = cells_of(at, np.log10([10.0, 20.0, 1_000.0, 5.0, 5.0, 7.0]))
    assert set(found) == {0, 1, 25}
    assert (found[0].count, round(found[0].median_ms, 6), round(found[0].worst_ms, 6)) == (3, 20.0, 1_000.0)
    assert found[1].count == 2
    assert cells_of(np.array([]), np.array([])) == {}


async def test_a_cell_tells_its_numbers_and_hours_without_samples_are_shown_empty(opened: Any) -> None:
    async with opened("busy") as screen:
        show_tab(screen, HOURS_TAB)
        heat = screen.find("latency-heat")
        assert isinstance(heat, HeatMap)
        hours = heat.hours()
        assert hours == list(range(hours[0], hours[-1] + 1))
        box = heat._box([stage for stage, _ in heat._stages].index("submit"), 0, len(hours)).center()
        assert heat.tip_at(box.x(), box.y()).startswith("Submit: median")
        assert heat.tip_at(2, 2) == ""


async def test_of_more_than_a_day_the_newest_hours_are_shown(opened: Any) -> None:
    async with opened("empty") as screen:
        made = samples(60)
        old = [replace_at(sample, hours=60) for sample in made]
        screen.window.latency.take(latency_of([*old, *made]), [*old, *made])
        show_tab(screen, HOURS_TAB)
        heat = screen.window.latency.heat
        assert 1 < len(heat.hours()) <= 24
        assert heat.hours()[-1] == int(made[-1].at.timestamp() // 3_600)


def replace_at(sample: Any, *, hours: float) -> Any:
    return type(sample)(sample.index, sample.at - timedelta(hours=hours), sample.symbol, sample.stage, sample.ms)
