"""How fast the desk and its broker are: headline, course over time, distribution.

No percentile is shown for fewer than 20 samples. The person's own time (``You``) stands beside the machine's and is
never added to it. pyqtgraph takes half a second to import, so the chart is built when the window already stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.model.words import Mode
from engine.views import LagView, LatencyView, StageStats
from gui import formatting as say
from gui.charts.histogram import LEAST_SAMPLES, Histogram
from gui.charts.samples import SampleSeries
from gui.door import Sample
from gui.theme import CARD_PAD, Type, tokens
from gui.widgets.panel import Panel
from gui.widgets.tab_strip import TabStrip
from gui.widgets.text import Text

if TYPE_CHECKING:
    from gui.charts.latency_series import LatencySeriesChart

_STAGES: Final = ("submit", "bracket", "total")
_HEADLINE: Final = (("submit", "Submit"), ("bracket", "Bracket"), ("total", "Total"), ("decide", "You"))
_ROOM_FOR_ALL: Final = 640
_TONES: Final = {"submit": "entry", "bracket": "covered", "total": "high"}


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
    def __init__(self, mode: Mode) -> None:
        super().__init__("latency", ["Latency", "Histogram"], mode)
        self._series = {stage: SampleSeries() for stage in _STAGES}
        self._fresh = False
        self._stats: dict[str, StageStats] = {}
        self.chart: LatencySeriesChart | None = None
        self._figures = {stage: StageFigure(title, f"latency-{stage}") for stage, title in _HEADLINE}
        self._lag = StageFigure("Loop lag", "latency-lag")
        head = QHBoxLayout()
        head.setContentsMargins(CARD_PAD, 8, CARD_PAD, 0)
        head.setSpacing(20)
        for figure in (*self._figures.values(), self._lag):
            head.addWidget(figure)
        head.addStretch(1)
        self._legend = Text(kind=Type.SMALL, tone="mid", name="latency-legend")
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._count = Text(kind=Type.SMALL, tone="low", name="latency-count")
        self.header.add_tool(self._legend)
        self.header.add_tool(self._count)
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
        self.header.tabs.chosen.connect(lambda _tab: self._show_histogram())
        self.set_empty(0, True)
        self.set_empty(1, True)
        course.installEventFilter(self)
        self._write_legend()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The loop's lag stands in the state bar too: here it goes when there is no room."""
        if event.type() is QEvent.Type.Resize:
            self._lag.setVisible(cast("QResizeEvent", event).size().width() >= _ROOM_FOR_ALL)
        return False

    def build_chart(self) -> None:
        """Needs pyqtgraph imported already: see ``gui.app``."""
        from gui.charts.latency_series import LatencySeriesChart

        self.chart = LatencySeriesChart()
        self._course.takeAt(self._course.count() - 1)
        self._course.addWidget(self.chart, 1)
        self.chart.show_series(self._series)

    def forget(self) -> None:
        """Time has gone back: what was measured later is not measured yet."""
        self._series = {stage: SampleSeries() for stage in _STAGES}
        if self.chart is not None:
            self.chart.show_series(self._series)
        self._show_histogram()

    def take(self, latency: LatencyView, samples: Sequence[Sample]) -> None:
        for sample in samples:
            series = self._series.get(str(sample.stage))
            if series is not None:
                series.append(sample.at.timestamp(), sample.ms)
        self._stats = latency.stages
        for stage, figure in self._figures.items():
            figure.show_stage(latency.stages.get(stage))
        self._lag.show_lag(latency.loop_lag)
        total = latency.stages.get("total")
        count = total.count if total is not None else 0
        self._count.say(f"n = {count}")
        some = any(len(series) for series in self._series.values())
        self.set_empty(0, not some)
        self.set_empty(1, not some)
        if samples:
            if self.chart is not None:
                self.chart.show_series(self._series)
            self._show_histogram()

    def _show_histogram(self) -> None:
        if self.header.tabs.current == 1:
            stage = _STAGES[self._stage_tabs.current]
            self._histogram.show_stage(self._series[stage].log_ms, _TONES[stage])

    def _write_legend(self) -> None:
        palette = tokens()
        words = (f'<span style="color:{getattr(palette, _TONES[s])}">● {s}</span>' for s in _STAGES)
        self._legend.setText("&nbsp;&nbsp;".join(words))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_legend"):
            self._write_legend()
            if self.chart is not None:
                self.chart.restyle()


def _short(value: float | None) -> str:
    """Milliseconds without their unit; seconds with it."""
    if value is None:
        return say.NONE
    if value >= 1_000:
        return say.seconds(value / 1_000)
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
