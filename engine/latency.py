"""How long each stage of a trade took, and how late the loop runs.

Stages (milliseconds): ``receive`` first byte of the signal to its answer, ``decide`` arrival to the person's click,
``gate`` all rules, ``journal`` approval to intent on disk, ``submit`` first byte of the order to its answer,
``working`` answer to last fill, ``bracket`` last fill to cover proved, ``total`` approval to answer plus ``bracket``:
the machine's part, without the person and without the market.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from engine.alpaca.endpoint_times import Times
from engine.clock import Clock
from engine.model import events as ev
from engine.model.words import Stage
from engine.views import EndpointView, LagView, SpanView, StageStats

SAMPLES_KEPT: Final = 100_000
LAG_PROBE_S: Final = 0.05
LAG_WINDOW: Final = 1200
"""One minute of probes."""


class LatencySample(msgspec.Struct, frozen=True):
    """One measured stage. ``index`` counts all samples of this run, from 1."""

    index: int
    at: datetime
    signal_id: str
    symbol: str
    stage: Stage
    ms: float
    started_at: datetime


class LatencyLog:
    """Every measured stage, folded from the journal's ``StageMeasured`` facts."""

    def __init__(self, symbol_of: Callable[[str], str]) -> None:
        self._symbol_of = symbol_of
        self._samples: deque[LatencySample] = deque(maxlen=SAMPLES_KEPT)
        self._by_signal: dict[str, list[LatencySample]] = {}
        self._last_index = 0

    def fold(self, records: Iterable[ev.Recorded]) -> None:
        for recorded in records:
            event = recorded.event
            if isinstance(event, ev.StageMeasured):
                self._last_index += 1
                if len(self._samples) == SAMPLES_KEPT:
                    self._by_signal.pop(self._samples[0].signal_id, None)
                known = self._by_signal.get(event.signal_id)
                # One text for all of a signal's samples: there are many, and they stay.
                signal_id = known[0].signal_id if known else event.signal_id
                symbol = self._symbol_of(signal_id)
                sample = LatencySample(
                    self._last_index, recorded.at, signal_id, symbol, event.stage, event.ms, event.started_at
                )
                self._samples.append(sample)
                if known is None:
                    self._by_signal[signal_id] = [sample]
                else:
                    known.append(sample)

    def samples(self, after: int) -> list[LatencySample]:
        """Those behind index ``after``, oldest first."""
        missing = self._last_index - after
        if missing <= 0:
            return []
        if missing >= len(self._samples):
            return list(self._samples)
        return [self._samples[i] for i in range(len(self._samples) - missing, len(self._samples))]

    def stats(self) -> dict[str, StageStats]:
        values: dict[Stage, list[float]] = {stage: [] for stage in Stage}
        for sample in self._samples:
            values[sample.stage].append(sample.ms)
        return {stage.value: stage_stats(values[stage]) for stage in Stage}

    def spans(self, signal_id: str) -> dict[Stage, tuple[datetime, float]]:
        """Start and length in ms of each stage measured for one signal; the newest measurement of a stage wins."""
        return {s.stage: (s.started_at, s.ms) for s in self._by_signal.get(signal_id, ())}


def stage_stats(values: list[float]) -> StageStats:
    ordered = sorted(values)
    return StageStats(
        count=len(ordered),
        p50_ms=quantile(ordered, 0.50),
        p95_ms=quantile(ordered, 0.95),
        p99_ms=quantile(ordered, 0.99),
        max_ms=ordered[-1] if ordered else None,
    )


def endpoint_views(times: Iterable[Times]) -> tuple[EndpointView, ...]:
    """In the order given."""
    return tuple(_endpoint_view(each) for each in times)


def _endpoint_view(times: Times) -> EndpointView:
    ordered = sorted(times.ms)
    return EndpointView(
        endpoint=times.endpoint,
        count=times.count,
        sampled=len(ordered),
        p50_ms=_rounded(quantile(ordered, 0.50)),
        p95_ms=_rounded(quantile(ordered, 0.95)),
        p99_ms=_rounded(quantile(ordered, 0.99)),
        max_ms=_rounded(ordered[-1] if ordered else None),
        refused=times.refused,
        limited=times.limited,
        failed=times.failed,
    )


def quantile(ordered: list[float], share: float) -> float | None:
    """Nearest rank: the smallest value that at least ``share`` of all do not exceed. None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


LABELS: Final[dict[Stage, str]] = {
    Stage.RECEIVE: "Receive",
    Stage.DECIDE: "You decided",
    Stage.GATE: "Rules",
    Stage.JOURNAL: "Journal",
    Stage.SUBMIT: "Submit",
    Stage.WORKING: "Fill",
    Stage.BRACKET: "Protect",
}


def timeline(
    received_at: datetime, spans: dict[Stage, tuple[datetime, float]], naked_since: datetime | None
) -> list[SpanView]:
    """One trade's bars, in milliseconds from the signal's arrival."""
    bars = []
    for stage, label in LABELS.items():
        if stage in spans:
            start, ms = spans[stage]
            begin = (start - received_at) / timedelta(milliseconds=1)
            bars.append(SpanView(label=label, start_ms=begin, end_ms=begin + ms, human=stage is Stage.DECIDE))
    if naked_since is not None:
        begin = (naked_since - received_at) / timedelta(milliseconds=1)
        bars = [bar for bar in bars if bar.label != LABELS[Stage.BRACKET]]
        bars.append(SpanView(label=LABELS[Stage.BRACKET], start_ms=begin, end_ms=None, trouble=True))
    return bars


class LoopLag:
    """How late a short timer fires: what else on the loop held it up. Measured always, from the first second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lags_ms: deque[float] = deque(maxlen=LAG_WINDOW)

    async def measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_PROBE_S
            await self._clock.sleep(LAG_PROBE_S)
            self._lags_ms.append(max(0.0, (loop.time() - due) * 1000))

    def view(self) -> LagView:
        ordered = sorted(self._lags_ms)
        return LagView(
            p50=_rounded(quantile(ordered, 0.5)),
            p99=_rounded(quantile(ordered, 0.99)),
            max=_rounded(ordered[-1] if ordered else None),
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
