"""How fast the desk and its broker are: over time, as a distribution, in numbers, by the hour, by address.

No percentile is shown for fewer than 20 samples. The person's own time (``You``) stands beside the machine's and is
never added to it. pyqtgraph takes half a second to import, so the chart is built when the window already stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.model.words import Mode
from engine.views import ActivityLine, DeskView, LagView, LatencyView, StageStats
from gui import formatting as say
from gui.actions import Actions
from gui.charts.heat_map import HeatMap
from gui.charts.histogram import LEAST_SAMPLES, Histogram
from gui.charts.samples import SampleSeries
from gui.door import Sample
from gui.panels.latency_export import Export
from gui.panels.latency_tables import STAGES, TARGETS_MS, StageRow, endpoint_table, stage_table
from gui.theme import CARD_PAD, Type, tokens
from gui.widgets.panel import Panel
from gui.widgets.tab_strip import TabStrip
from gui.widgets.text import Text

if TYPE_CHECKING:
    from gui.charts.latency_series import LatencySeriesChart

_STAGES: Final = ("submit", "bracket", "total")
"""Those of the chart."""
LATENCY_TAB, HISTOGRAM_TAB, STAGES_TAB, HOURS_TAB, REQUESTS_TAB = range(5)
_LAG_EVERY_S: Final = 2.0
_HEADLINE: Final = (("submit", "Submit"), ("bracket", "Bracket"), ("total", "Total"), ("decide", "You"))
_BETWEEN: Final = 20
"""Pixels between two figures."""
_TONES: Final = {"submit": "entry", "bracket": "covered", "total": "high", "rest": "mid", "lag": "low"}


class StageFigure(QWidget):
    """``86 p50  141 p95``, or ``n=7`` while there are too few."""

    def __init__(self, title: str, name: str) -> None:
        super().__init__()
        self._values = [Text(kind=Type.BIG, name=f"{name}-first"), Text(kind=Type.BIG, name=f"{name}-second")]
        self._names = [Text(kind=Type.SMALL, tone="low"), Text(kind=Type.SMALL, tone="low", name=f"{name}-note")]
        row = QHBoxLayout()
        row.setSpacing(4)
        for value, note in zip(self._values, self._names, strict=True):
            row.addWidget(value, 0, Qt.AlignmentFlag.AlignBaseline)
            row.addWidget(note, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Text(title, kind=Type.SMALL, tone="low"))
        column.addLayout(row)

    def _say(self, *pairs: tuple[str, str]) -> None:
        for (value, note), value_text, note_text in zip(pairs, self._values, self._names, strict=False):
            value_text.say(value)
            note_text.say(note)
        for rest in range(len(pairs), 2):
            self._values[rest].say("")
            self._names[rest].say("")

    def show_stage(self, stats: StageStats | None) -> None:
        if stats is None or stats.count < LEAST_SAMPLES:
            self._say((say.NONE, f"n={stats.count if stats else 0}"))
            return
        self._say((_short(stats.p50_ms), "p50"), (_short(stats.p95_ms), "p95"))
        self.setToolTip(f"p99 {say.ms(stats.p99_ms)}, most {say.ms(stats.max_ms)}, n = {stats.count}")

    def show_lag(self, lag: LagView) -> None:
        self._say((_short(lag.p50), "p50"), (_short(lag.p99), "p99"))
        self.setToolTip(f"Most {say.ms(lag.max)}")


class LatencyPanel(Panel):
    def __init__(self, mode: Mode, actions: Actions, samples: Callable[[], Sequence[Sample]]) -> None:
        """``samples`` are all that the desk keeps, for the file that they are exported to."""
        super().__init__("latency", ["Latency", "Histogram", "Stages", "Hours", "Requests"], mode)
        self._series = {stage: SampleSeries() for stage, _ in STAGES}
        self._lag_series, self._probes = SampleSeries(), SampleSeries()
        self._events: list[tuple[float, str]] = []
        self._latency: LatencyView | None = None
        self._stats: dict[str, StageStats] = {}
        self.chart: LatencySeriesChart | None = None
        self._figures = {stage: StageFigure(title, f"latency-{stage}") for stage, title in _HEADLINE}
        self._lag = StageFigure("Loop lag", "latency-lag")
        self._may_go = (self._lag, self._figures["decide"])
        self._room = 0
        head = QHBoxLayout()
        head.setContentsMargins(CARD_PAD, 8, CARD_PAD, 0)
        head.setSpacing(_BETWEEN)
        for figure in (*self._figures.values(), self._lag):
            head.addWidget(figure)
        head.addStretch(1)
        self._legend = Text(kind=Type.SMALL, tone="mid", name="latency-legend")
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._count = Text(kind=Type.SMALL, tone="low", name="latency-count")
        self.export = Export(self, actions, samples)
        for tool in (self._legend, self._count, self.export.button):
            self.header.add_tool(tool)
        course = QWidget()
        self._course = QVBoxLayout(course)
        self._course.setContentsMargins(0, 0, 0, 4)
        self._course.setSpacing(4)
        self._course.addLayout(head)
        self._course.addStretch(1)
        self.add_page(course, "No samples yet. The first approval is measured from click to confirmed stop.")
        spread = QWidget()
        column = QVBoxLayout(spread)
        column.setContentsMargins(0, 4, 0, 4)
        self._stage_tabs = TabStrip(["Submit", "Bracket", "Total"], name="histogram-stage")
        self._stage_tabs.chosen.connect(lambda _tab: self._show_histogram())
        inset = QHBoxLayout()
        inset.setContentsMargins(CARD_PAD, 0, 0, 0)
        inset.addWidget(self._stage_tabs)
        inset.addStretch(1)
        column.addLayout(inset)
        self._histogram = Histogram()
        column.addWidget(self._histogram, 1)
        self.add_page(spread, "No samples yet.")
        self.stages, self.stage_view = stage_table()
        self.add_page(self.stage_view, "No samples yet.")
        self.heat = HeatMap(STAGES)
        self.add_page(self.heat, "No samples yet.")
        self.requests, self.request_view = endpoint_table()
        self.add_page(self.request_view, "Nothing has been asked at the broker.")
        self.header.tabs.chosen.connect(self._show_tab)
        for page in range(5):
            self.set_empty(page, True)
        course.installEventFilter(self)
        self._write_legend()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._room = cast("QResizeEvent", event).size().width() - 2 * CARD_PAD
            self._may_go[0].show()
            self._may_go[1].show()
            self._make_room()
        return False

    def _make_room(self) -> None:
        """No figure is cut off: the one that stands in the state bar too goes first, then the person's part.

        They come back with a wider panel, not with shorter figures: nothing comes and goes by itself.
        """
        for figure in self._may_go:
            shown = [each for each in (*self._figures.values(), self._lag) if not each.isHidden()]
            if sum(each.sizeHint().width() + _BETWEEN for each in shown) - _BETWEEN > self._room:
                figure.hide()

    def build_chart(self) -> None:
        """Needs pyqtgraph imported already: see ``gui.app``."""
        from gui.charts.latency_series import LatencySeriesChart

        self.chart = LatencySeriesChart()
        self._course.takeAt(self._course.count() - 1)
        self._course.addWidget(self.chart, 1)
        self._show_course()

    def show_desk(self, at: datetime, desk: DeskView) -> None:
        """What is measured beside the trades: the loop, and the way to the broker."""
        self.show_lag(at, desk.health.loop_lag_ms)
        self.show_probe(at, desk.rest_ms)

    def show_lag(self, at: datetime, lag: LagView) -> None:
        """The loop's lag as it is now: its course is kept beside the stages."""
        at_s = at.timestamp()
        known = self._lag_series.at_s
        if lag.p99 is not None and (not len(known) or at_s - known[-1] >= _LAG_EVERY_S):
            self._lag_series.append(at_s, lag.p99)

    def show_probe(self, at: datetime, rest_ms: float | None) -> None:
        """How long the newest plain question took: what the way to the broker costs when nothing is ordered."""
        known = self._probes.at_s
        if rest_ms is not None and (not len(known) or at.timestamp() - known[-1] >= _LAG_EVERY_S):
            self._probes.append(at.timestamp(), rest_ms)

    def take_events(self, lines: Sequence[ActivityLine]) -> None:
        """Links that came and went, starts, stalls: marked where they were."""
        fresh = [(line.at.timestamp(), line.text) for line in lines if line.symbol is None and is_event(line)]
        if fresh:
            self._events = [*self._events, *fresh][-MOST_EVENTS:]
            if self.chart is not None:
                self.chart.show_events(self._events)

    def forget(self) -> None:
        """Time has gone back: what was measured later is not measured yet."""
        self._series = {stage: SampleSeries() for stage, _ in STAGES}
        self._lag_series, self._probes, self._events = SampleSeries(), SampleSeries(), []
        self._show_course()
        self._show_tab(self.header.tabs.current)

    def take(self, latency: LatencyView, samples: Sequence[Sample]) -> None:
        for sample in samples:
            series = self._series.get(str(sample.stage))
            if series is not None:
                series.append(sample.at.timestamp(), sample.ms)
        self._latency, self._stats = latency, latency.stages
        for stage, figure in self._figures.items():
            figure.show_stage(latency.stages.get(stage))
        self._lag.show_lag(latency.loop_lag)
        self._make_room()
        total = latency.stages.get("total")
        count = total.count if total is not None else 0
        self._count.say(f"n = {count}")
        some = any(len(series) for series in self._series.values())
        for page in (LATENCY_TAB, HISTOGRAM_TAB, STAGES_TAB, HOURS_TAB):
            self.set_empty(page, not some)
        self.set_empty(REQUESTS_TAB, not latency.endpoints)
        if samples:
            self._show_course()
        if samples or self.header.tabs.current == REQUESTS_TAB:
            self._show_tab(self.header.tabs.current)

    def _show_course(self) -> None:
        if self.chart is not None:
            beside = {"rest": self._probes, "lag": self._lag_series}
            self.chart.show_series({stage: self._series[stage] for stage in _STAGES} | beside)
            self.chart.show_events(self._events)

    def _show_tab(self, tab: int) -> None:
        """Only what is in sight is counted anew."""
        self._legend.setVisible(tab == LATENCY_TAB)
        if tab == HISTOGRAM_TAB:
            self._show_histogram()
        elif tab == STAGES_TAB:
            self.stages.stage(self._stage_rows())
            self.stages.flush()
        elif tab == HOURS_TAB:
            self.heat.show_series(self._series)
        elif tab == REQUESTS_TAB and self._latency is not None:
            self.requests.stage(self._latency.endpoints)
            self.requests.flush()

    def _stage_rows(self) -> list[StageRow]:
        rows = []
        for stage, words in STAGES:
            stats, target = self._stats.get(stage), TARGETS_MS.get(stage)
            if stats is None:
                continue
            log_ms = self._series[stage].log_ms
            known = target is not None and len(log_ms) >= LEAST_SAMPLES
            within = float(np.mean(log_ms <= np.log10(target))) if known and target is not None else None
            rows.append(StageRow(stage, words, stats, within))
        return rows

    def _show_histogram(self) -> None:
        if self.header.tabs.current == HISTOGRAM_TAB:
            stage = _STAGES[self._stage_tabs.current]
            self._histogram.show_stage(self._series[stage].log_ms, _TONES[stage])

    def _write_legend(self) -> None:
        palette = tokens()
        words = (f'<span style="color:{getattr(palette, _TONES[s])}">● {s}</span>' for s in (*_STAGES, "rest", "lag"))
        self._legend.setText("&nbsp;&nbsp;".join(words))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_legend"):
            self._write_legend()
            if self.chart is not None:
                self.chart.restyle()


MOST_EVENTS: Final = 60
"""Marks of the newest, on the chart."""
_LINKS: Final = frozenset({"rest", "stream", "quotes"})
_TOLD: Final = ("desk started", "the desk stood still")


def is_event(line: ActivityLine) -> bool:
    """Something that explains a slow moment."""
    return line.subject in _LINKS or line.text.startswith(_TOLD)


def _short(value: float | None) -> str:
    """Milliseconds without their unit; seconds with it."""
    if value is None:
        return say.NONE
    if value >= 1_000:
        return say.seconds(value / 1_000)
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
