"""The stages of a trade, measured from a scripted order of facts."""

from __future__ import annotations

from pathlib import Path

from engine.gateway import Submitted
from engine.model import events as ev
from engine.model.words import OrderStatus, Stage
from engine.stopwatch import Stopwatch
from tests.unit.builders import ENTRY_ID, after
from tests.unit.desk.desk_parts import Parts, parts

S = OrderStatus
SECONDS_AT_START = 1000.0


def stages(desk: Parts) -> dict[Stage, float]:
    """Milliseconds of each measured stage; none is measured twice."""
    measured = desk.told(ev.StageMeasured)
    assert len({event.stage for event in measured}) == len(measured)
    return {event.stage: event.ms for event in measured}


def watched(desk: Parts) -> Stopwatch:
    return Stopwatch(desk.recorder, desk.book, desk.clock, desk.bus)


def click(desk: Parts, watch: Stopwatch, at_s: float) -> None:
    """Approved at ``at_s``; the gate took 2 ms of that, the intent was on disk 1 ms later."""
    desk.clock.at_s = at_s + 0.003
    base_s = SECONDS_AT_START + at_s
    watch.approved("s000001", base_s, base_s + 0.001, base_s + 0.003)


def submitted(at_s: float, answered_s: float | None) -> Submitted:
    base_s = SECONDS_AT_START
    return Submitted(
        order_id=ENTRY_ID,
        journaled_at_s=base_s + at_s - 0.001,
        sent_at_s=base_s + at_s if answered_s is not None else None,
        answered_at_s=None if answered_s is None else base_s + answered_s,
    )


async def test_a_trade_is_measured_from_the_click_to_its_proved_cover(tmp_path: Path) -> None:
    async with parts(tmp_path) as desk:
        watch = watched(desk)
        desk.enter()
        click(desk, watch, 4.0)
        desk.clock.at_s = 4.065
        desk.answer()
        watch.submitted("s000001", submitted(4.010, 4.060))
        assert set(stages(desk)) == {Stage.DECIDE, Stage.GATE, Stage.JOURNAL, Stage.SUBMIT}
        desk.clock.at_s = 6.5
        desk.report(ENTRY_ID, S.PARTIALLY_FILLED, filled=4, execution_id="x1")
        desk.clock.at_s = 7.060
        desk.report(ENTRY_ID, S.FILLED, filled=10, execution_id="x2")
        assert stages(desk) == {
            Stage.DECIDE: 4000.0,  # received at 0, clicked at 4
            Stage.GATE: 2.0,
            Stage.JOURNAL: 9.0,  # from the click at 4.000 to the disk at 4.009
            Stage.SUBMIT: 50.0,
            Stage.WORKING: 3000.0,  # answered at 4.060, last fill at 7.060
            Stage.BRACKET: 0.0,  # the fill itself armed the legs
            Stage.TOTAL: 60.0,  # the click to the answer, and nothing naked
        }


async def test_cover_that_comes_later_than_the_fill_is_bracket_time(tmp_path: Path) -> None:
    async with parts(tmp_path) as desk:
        watch = watched(desk)
        desk.enter()
        click(desk, watch, 1.0)
        desk.clock.at_s = 1.05
        desk.report(ENTRY_ID, S.ACCEPTED)
        watch.submitted("s000001", submitted(1.010, 1.050))
        desk.clock.at_s = 2.0
        desk.report(ENTRY_ID, S.FILLED, filled=10, execution_id="x1")
        assert Stage.TOTAL not in stages(desk)
        desk.clock.at_s = 2.25
        desk.report(f"{ENTRY_ID}.tp", S.HELD)
        desk.report(f"{ENTRY_ID}.sl", S.HELD)
        found = stages(desk)
        assert (found[Stage.BRACKET], found[Stage.TOTAL]) == (250.0, 300.0)  # 50 to the answer, 250 to the cover


async def test_a_fill_that_overtakes_the_answer_leaves_no_working_time(tmp_path: Path) -> None:
    async with parts(tmp_path) as desk:
        watch = watched(desk)
        desk.enter()
        click(desk, watch, 1.0)
        desk.clock.at_s = 1.03
        desk.report(ENTRY_ID, S.FILLED, filled=10, execution_id="x1")
        desk.clock.at_s = 1.05
        desk.report(f"{ENTRY_ID}.tp", S.HELD)
        desk.report(f"{ENTRY_ID}.sl", S.HELD)
        watch.submitted("s000001", submitted(1.010, 1.050))
        found = stages(desk)
        assert (found[Stage.WORKING], found[Stage.BRACKET]) == (0.0, 20.0)


async def test_a_refused_entry_is_measured_up_to_its_gate_only(tmp_path: Path) -> None:
    async with parts(tmp_path) as desk:
        watch = watched(desk)
        desk.enter()
        click(desk, watch, 1.0)
        desk.recorder.record(ev.OrderRefused(order_id=ENTRY_ID, text="refused"))
        watch.submitted("s000001", submitted(1.010, None))
        assert set(stages(desk)) == {Stage.DECIDE, Stage.GATE}


async def test_a_trade_that_ended_without_ever_being_covered_has_no_total(tmp_path: Path) -> None:
    async with parts(tmp_path) as desk:
        watch = watched(desk)
        desk.enter()
        click(desk, watch, 1.0)
        desk.answer()
        watch.submitted("s000001", submitted(1.010, 1.050))
        for order_id in (ENTRY_ID, f"{ENTRY_ID}.tp", f"{ENTRY_ID}.sl"):
            desk.report(order_id, S.CANCELED)
        assert Stage.WORKING not in stages(desk)
        desk.report(ENTRY_ID, S.CANCELED, filled=3)  # a late fill reopens it, unmeasured
        assert Stage.TOTAL not in stages(desk)


async def test_a_trade_found_after_a_restart_is_not_guessed_at(tmp_path: Path) -> None:
    async with parts(tmp_path) as desk:
        watch = watched(desk)
        desk.enter()
        watch.submitted("s000001", submitted(1.010, 1.050))
        desk.answer()
        desk.report(ENTRY_ID, S.FILLED, filled=10, execution_id="x1")
        assert stages(desk) == {}


async def test_the_start_of_a_stage_is_told_as_wall_time(tmp_path: Path) -> None:
    async with parts(tmp_path) as desk:
        desk.clock.at_s = 5.0
        watched(desk).measured("s000001", Stage.RECEIVE, SECONDS_AT_START + 4.98, SECONDS_AT_START + 4.99)
        event = desk.told(ev.StageMeasured)[0]
        assert event.ms == 10.0
        assert abs((event.started_at - after(4.98)).total_seconds()) < 1e-5
