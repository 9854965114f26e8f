"""Quantiles by nearest rank, the log of measured stages, the bars of one trade, and the loop's lag."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from engine.latency import SAMPLES_KEPT, LatencyLog, LoopLag, quantile, stage_stats, timeline
from engine.model import events as ev
from engine.model.words import Stage
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock
from tests.unit.builders import T0, after

HUNDRED = [float(number) for number in range(1, 101)]


def measured(stage: Stage, ms: float, number: int = 1, signal_id: str = "s000001") -> ev.Recorded:
    event = ev.StageMeasured(signal_id=signal_id, stage=stage, ms=ms, started_at=after(number))
    return ev.Recorded(number, after(number), event)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7.0], 0.5, 7.0),
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        (HUNDRED, 0.5, 50.0),
        (HUNDRED, 0.95, 95.0),
        (HUNDRED, 0.99, 99.0),
        (HUNDRED[:99], 0.99, 99.0),
        (HUNDRED[:20], 0.95, 19.0),
    ],
)
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[float], share: float, expected: float | None
) -> None:
    assert quantile(values, share) == expected


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=300), st.sampled_from(["0.5", "0.95", "0.99"]))
def test_a_quantile_keeps_its_definition_for_any_values(values: list[int], share: str) -> None:
    ordered = [float(value) for value in sorted(values)]
    found = quantile(ordered, float(share))
    needed = Fraction(share) * len(ordered)
    assert found is not None
    assert sum(value <= found for value in ordered) >= needed
    assert sum(value < found for value in ordered) < needed


def test_statistics_begin_with_the_first_sample_and_are_null_before() -> None:
    nothing, one = stage_stats([]), stage_stats([3.5])
    assert (nothing.count, nothing.p50_ms, nothing.max_ms) == (0, None, None)
    assert (one.count, one.p50_ms, one.p95_ms, one.p99_ms, one.max_ms) == (1, 3.5, 3.5, 3.5, 3.5)


def test_every_stage_has_statistics_of_its_own() -> None:
    log = LatencyLog(lambda signal_id: "AAPL")
    log.fold([measured(Stage.SUBMIT, 52.0), measured(Stage.SUBMIT, 50.0), measured(Stage.GATE, 0.4)])
    stats = log.stats()
    assert list(stats) == ["receive", "decide", "gate", "journal", "submit", "working", "bracket", "total"]
    assert (stats["submit"].count, stats["submit"].p50_ms, stats["submit"].max_ms) == (2, 50.0, 52.0)
    assert stats["total"].count == 0


def test_samples_are_handed_out_from_where_the_reader_stands() -> None:
    log = LatencyLog(lambda signal_id: "AAPL")
    log.fold([measured(Stage.SUBMIT, float(number), number) for number in range(1, 6)])
    assert [sample.ms for sample in log.samples(3)] == [4.0, 5.0]
    assert [sample.index for sample in log.samples(0)] == [1, 2, 3, 4, 5]
    assert log.samples(5) == []
    assert (log.samples(4)[0].symbol, log.samples(4)[0].signal_id) == ("AAPL", "s000001")


def test_old_samples_make_way_and_the_count_goes_on() -> None:
    log = LatencyLog(lambda signal_id: "")
    log.fold([measured(Stage.GATE, 1.0, number) for number in range(1, SAMPLES_KEPT + 11)])
    kept = log.samples(0)
    assert (len(kept), kept[0].index, kept[-1].index) == (SAMPLES_KEPT, 11, SAMPLES_KEPT + 10)


def test_ids_without_a_number_of_their_own_are_kept_too() -> None:
    log = LatencyLog(lambda signal_id: signal_id.upper())
    odd = ("s1", "signal", "s000001", "s0000001", "x000001")
    log.fold([measured(Stage.GATE, float(number), number, name) for number, name in enumerate(odd, start=1)])
    assert [(sample.signal_id, sample.symbol) for sample in log.samples(0)] == [(name, name.upper()) for name in odd]
    assert log.spans("signal") == {Stage.GATE: (after(2), 2.0)}


def test_other_facts_are_no_samples() -> None:
    log = LatencyLog(lambda signal_id: "")
    log.fold([ev.Recorded(1, T0, ev.DeskStarted(version="0.1.0"))])
    assert log.samples(0) == []


def test_the_newest_measurement_of_a_stage_counts_for_its_signal() -> None:
    log = LatencyLog(lambda signal_id: "")
    log.fold(
        [measured(Stage.SUBMIT, 50.0, 1), measured(Stage.SUBMIT, 60.0, 2), measured(Stage.GATE, 1.0, 3, "s000002")]
    )
    assert log.spans("s000001") == {Stage.SUBMIT: (after(2), 60.0)}
    assert log.spans("s000003") == {}


def test_the_bars_of_a_trade_are_counted_from_the_signals_arrival() -> None:
    spans = {Stage.DECIDE: (after(0.5), 2000.0), Stage.SUBMIT: (after(2.6), 52.0), Stage.BRACKET: (after(3), 0.0)}
    bars = timeline(T0, spans, None)
    assert [(bar.label, bar.start_ms, bar.end_ms, bar.human) for bar in bars] == [
        ("You decided", 500.0, 2500.0, True),
        ("Submit", 2600.0, 2652.0, False),
        ("Protect", 3000.0, 3000.0, False),
    ]


def test_a_naked_span_runs_without_an_end_and_in_its_own_colour() -> None:
    bars = timeline(T0, {Stage.BRACKET: (after(1), 5.0)}, after(2))
    assert [(bar.label, bar.start_ms, bar.end_ms, bar.trouble) for bar in bars] == [("Protect", 2000.0, None, True)]


def test_lag_is_nothing_on_a_loop_that_is_never_late() -> None:
    async def main() -> None:
        clock = virtual_clock()
        lag = LoopLag(clock)
        assert (lag.view().p50, lag.view().max) == (None, None)
        async with asyncio.TaskGroup() as group:
            probe = group.create_task(lag.measure(), name="lag probe")
            await clock.sleep(timedelta(seconds=3).total_seconds())
            probe.cancel()
        assert (lag.view().p50, lag.view().p99, lag.view().max) == (0.0, 0.0, 0.0)

    run_virtually(main())


def test_a_held_up_loop_shows_in_the_lag() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock = virtual_clock()
        lag = LoopLag(clock)
        async with asyncio.TaskGroup() as group:
            probe = group.create_task(lag.measure(), name="lag probe")
            await clock.sleep(0.01)
            loop._jumping.now_s += 0.5  # type: ignore[attr-defined]  # half a second in which nothing else ran
            await clock.sleep(0.2)
            probe.cancel()
        assert lag.view().max == pytest.approx(460.0, abs=1.0)

    run_virtually(main())
