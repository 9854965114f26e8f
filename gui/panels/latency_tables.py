"""The latencies in numbers: a row for each stage, and for each of the broker's addresses.

No percentile is said of fewer than twenty samples: their count stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.views import EndpointView, StageStats
from gui import formatting as say
from gui.charts.histogram import LEAST_SAMPLES
from gui.tables.blotter import Blotter
from gui.tables.cells import TextCell
from gui.tables.column import Column
from gui.tables.row_model import RowModel
from gui.theme import Type

STAGES: Final = (
    ("receive", "Receive"),
    ("decide", "You"),
    ("gate", "Rules"),
    ("journal", "Journal"),
    ("submit", "Submit"),
    ("working", "Fill"),
    ("bracket", "Bracket"),
    ("total", "Total"),
)
"""In the order of a signal's way, with their words."""
TARGETS_MS: Final = {"submit": 300.0, "bracket": 300.0, "total": 600.0}
_ORDER: Final = {stage: number for number, (stage, _) in enumerate(STAGES)}


@dataclass(frozen=True, slots=True)
class StageRow:
    stage: str
    words: str
    stats: StageStats
    within: float | None
    """Share of its samples within the target; None without a target, or with few samples."""


def _number[R](count: Callable[[R], int], value: Callable[[R], float | None]) -> Callable[[R], str]:
    return lambda row: say.ms(value(row)) if count(row) >= LEAST_SAMPLES else say.NONE


def _stage_columns() -> tuple[Column[StageRow], ...]:
    def percentile(key: str, title: str, value: Callable[[StageRow], float | None]) -> Column[StageRow]:
        text = _number(lambda row: row.stats.count, value)
        return Column(key, title, 78, text, value, right=True, tip=_few)

    return (
        Column("stage", "Stage", 86, lambda r: r.words, lambda r: _ORDER[r.stage], TextCell(kind=Type.MEDIUM)),
        Column("count", "n", 60, lambda r: str(r.stats.count), lambda r: r.stats.count, TextCell("mid"), right=True),
        percentile("p50", "p50", lambda r: r.stats.p50_ms),
        percentile("p95", "p95", lambda r: r.stats.p95_ms),
        percentile("p99", "p99", lambda r: r.stats.p99_ms),
        Column("max", "Most", 78, lambda r: say.ms(r.stats.max_ms), lambda r: r.stats.max_ms, right=True),
        Column("within", "In target", 96, _within, lambda r: r.within, TextCell("mid"), right=True, stretch=True),
    )


def _few(row: StageRow) -> str:
    return "" if row.stats.count >= LEAST_SAMPLES else f"No percentiles of fewer than {LEAST_SAMPLES} samples."


def _within(row: StageRow) -> str:
    target = TARGETS_MS.get(row.stage)
    if target is None:
        return ""
    return f"{row.within * 100:.1f} % ≤ {say.ms(target)}" if row.within is not None else f"≤ {say.ms(target)}"


def _endpoint_columns() -> tuple[Column[EndpointView], ...]:
    def percentile(key: str, title: str, value: Callable[[EndpointView], float | None]) -> Column[EndpointView]:
        return Column(key, title, 66, _number(lambda row: row.sampled, value), value, right=True)

    return (
        Column(
            "endpoint",
            "Address",
            210,
            lambda e: e.endpoint,
            lambda e: e.endpoint,
            TextCell(kind=Type.MONO),
            stretch=True,
        ),
        Column("count", "n", 60, lambda e: str(e.count), lambda e: e.count, TextCell("mid"), right=True, tip=_sampled),
        percentile("p50", "p50", lambda e: e.p50_ms),
        percentile("p95", "p95", lambda e: e.p95_ms),
        percentile("p99", "p99", lambda e: e.p99_ms),
        Column("max", "Most", 66, lambda e: say.ms(e.max_ms), lambda e: e.max_ms, right=True),
        Column(
            "bad", "4xx 429 5xx", 88, _bad, lambda e: e.failed + e.limited + e.refused, TextCell(_bad_tone), right=True
        ),
    )


def _sampled(row: EndpointView) -> str:
    return f"Times are of the newest {row.sampled}."


def _bad(row: EndpointView) -> str:
    return f"{row.refused} {row.limited} {row.failed}"


def _bad_tone(row: EndpointView) -> str:
    return "p2_text" if row.failed or row.limited else "mid"


def stage_table() -> tuple[RowModel[StageRow], Blotter]:
    model: RowModel[StageRow] = RowModel(_stage_columns(), lambda row: row.stage)
    view = Blotter(model)
    view.setObjectName("latency-stages")
    view.set_row_height(20, lined=True)
    view.show_sorted("stage")
    return model, view


def endpoint_table() -> tuple[RowModel[EndpointView], Blotter]:
    model: RowModel[EndpointView] = RowModel(_endpoint_columns(), lambda row: row.endpoint)
    view = Blotter(model)
    view.setObjectName("latency-requests")
    view.set_row_height(20, lined=True)
    view.show_sorted("count", descending=True)
    return model, view
