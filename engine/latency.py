"""How long each stage of a trade took, and how late the loop runs.

Stages (milliseconds): ``receive`` first byte of the signal to its answer, ``decide`` arrival to the person's click,
``gate`` all rules, ``journal`` approval to intent on disk, ``submit`` first byte of the order to its answer,
``working`` answer to last fill, ``bracket`` last fill to cover proved, ``total`` approval to answer plus ``bracket``:
the machine's part, without the person and without the market.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import numpy as np

from engine.alpaca.endpoint_times import Times
from engine.clock import Clock
from engine.model import events as ev
from engine.model.ids import signal_id as signal_id_of
from engine.model.words import Stage
from engine.views import EndpointView, LagView, SpanView, StageStats

SAMPLES_KEPT: Final = 100_000
STAGES: Final = tuple(Stage)
_NUMBER_OF: Final = {stage: number for number, stage in enumerate(STAGES)}
_ROOM: Final = 10_000
"""More than are kept, so that letting the oldest go costs little."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
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
    """Every measured stage, folded from the journal's ``StageMeasured`` facts.

    Kept as columns of plain numbers, some thirty bytes a sample: a desk measures millions of them.
    """

    def __init__(self, symbol_of: Callable[[str], str]) -> None:
        self._symbol_of = symbol_of
        self._at_us = array("q")
        """Microseconds since the epoch, of the fact and of the stage's beginning."""
        self._started_us = array("q")
        self._ms = array("d")
        self._stages = bytearray()
        """Numbers of ``Stage``."""
        self._signals = array("q")
        """Numbers of signals; those whose id has no number of its own are counted downwards from -1."""
        self._symbols = array("H")
        self._names: dict[str, int] = {}
        """Symbol -> its number."""
        self._odd: dict[str, int] = {}
        """Id without a number of its own -> the number given."""
        self._last_index = 0

    def fold(self, records: Iterable[ev.Recorded]) -> None:
        for recorded in records:
            event = recorded.event
            if isinstance(event, ev.StageMeasured):
                self._last_index += 1
                self._at_us.append(_microseconds(recorded.at))
                self._started_us.append(_microseconds(event.started_at))
                self._ms.append(event.ms)
                self._stages.append(_NUMBER_OF[event.stage])
                self._signals.append(self._number_of(event.signal_id))
                self._symbols.append(self._names.setdefault(self._symbol_of(event.signal_id), len(self._names)))
                if len(self._ms) > SAMPLES_KEPT + _ROOM:
                    self._let_go(len(self._ms) - SAMPLES_KEPT)

    def samples(self, after: int) -> list[LatencySample]:
        """Those behind index ``after``, oldest first."""
        count = min(self._last_index - after, len(self._ms), SAMPLES_KEPT)
        names = list(self._names)
        first, end = self._last_index - len(self._ms) + 1, len(self._ms)
        return [
            LatencySample(
                first + i,
                _moment(self._at_us[i]),
                self._id_of(self._signals[i]),
                names[self._symbols[i]],
                STAGES[self._stages[i]],
                self._ms[i],
                _moment(self._started_us[i]),
            )
            for i in range(end - max(0, count), end)
        ]

    def stats(self) -> dict[str, StageStats]:
        ms, stages = np.array(self._ms[-SAMPLES_KEPT:]), np.frombuffer(bytes(self._stages[-SAMPLES_KEPT:]), np.uint8)
        return {stage.value: stage_stats(ms[stages == number].tolist()) for stage, number in _NUMBER_OF.items()}

    def spans(self, signal_id: str) -> dict[Stage, tuple[datetime, float]]:
        """Start and length in ms of each stage measured for one signal; the newest measurement of a stage wins."""
        wanted = self._known_number(signal_id)
        found = np.flatnonzero(np.array(self._signals) == wanted) if wanted is not None else ()
        return {STAGES[self._stages[i]]: (_moment(self._started_us[i]), self._ms[i]) for i in map(int, found)}

    def _let_go(self, count: int) -> None:
        """Of the oldest."""
        for column in (self._at_us, self._started_us, self._ms, self._stages, self._signals, self._symbols):
            del column[:count]

    def _number_of(self, signal_id: str) -> int:
        known = self._known_number(signal_id)
        return self._odd.setdefault(signal_id, -1 - len(self._odd)) if known is None else known

    def _known_number(self, signal_id: str) -> int | None:
        digits = signal_id[1:]
        if digits.isdecimal() and signal_id == signal_id_of(int(digits)):
            return int(digits)
        return self._odd.get(signal_id)

    def _id_of(self, number: int) -> str:
        return signal_id_of(number) if number >= 0 else list(self._odd)[-1 - number]


def _microseconds(at: datetime) -> int:
    since = at - _EPOCH  # added up by hand: a division of two timedeltas takes four times as long
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _moment(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


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
