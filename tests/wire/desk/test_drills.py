"""Each drill, played by one who knows and by nobody at all, on a whole desk and a real exchange in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.drills.results import Results
from engine.drills.room import DrillRoom, open_drills
from engine.drills.scenes import DRILLS
from engine.errors import CommandRefused
from engine.hosting import EmbeddedExchange
from engine.model.words import DeskState
from engine.views_drills import DrillResultView
from tests.wire.desk.virtual_rig import Scene, play

OPERATOR = "window"
Hand = Callable[[Scene], Awaitable[object]]


def embedded(scene: Scene, folder: Path) -> EmbeddedExchange:
    access = SimAccess(sim_endpoint("http://127.0.0.1:1"), sim_keys())  # the desk of this test has its own
    return EmbeddedExchange(access, scene.running, ("AAPL", "SPY"), folder)


async def played(scene: Scene, room: DrillRoom, name: str, hand: Hand | None) -> DrillResultView:
    """The drill's result; ``hand`` acts a second after it has struck."""
    await room.begin(name, actor=OPERATOR)
    await scene.until(lambda: (running := room.view().running) is None or running.stage == "struck")
    if hand is not None and room.view().running is not None:
        await scene.clock.sleep(1.0)
        await hand(scene)
    await scene.until(lambda: room.view().running is None, 300.0)
    return room.view().results[0]


def in_room(tmp_path: Path, story: Callable[[Scene, DrillRoom], Awaitable[None]]) -> None:
    async def scene_of(scene: Scene) -> None:
        exchange = embedded(scene, tmp_path)
        async with open_drills(scene.desk, scene.desk.bus, exchange, scene.clock, max_attempts=5) as room:
            await story(scene, room)

    play(tmp_path, scene_of)


async def retry(scene: Scene) -> None:
    (bracket,) = scene.desk.brackets()
    await scene.until(lambda: scene.desk.bracket(bracket.id).gave_up)
    await scene.desk.retry_bracket(bracket.id, actor=OPERATOR)


async def look_up(scene: Scene) -> None:
    (order,) = [order for order in scene.desk.orders() if order.unresolved_since is not None]
    with pytest.raises(CommandRefused):  # the broker cannot be asked yet; the wish counts
        await scene.desk.lookup_order(order.id, actor=OPERATOR)


async def acknowledge(scene: Scene) -> None:
    await scene.until(scene.desk.incidents)
    await scene.desk.ack_incident(scene.desk.incidents()[0].id, actor=OPERATOR)


async def flatten(scene: Scene) -> None:
    (bracket,) = scene.desk.brackets()
    await scene.desk.flatten_bracket(bracket.id, actor=OPERATOR)


async def settle(scene: Scene) -> None:
    (difference,) = scene.desk.differences()
    await scene.desk.settle_difference(difference.id, settlement="ignore", actor=OPERATOR)


KNOWING = {
    "rejected_stop": retry,
    "lost_reply": look_up,
    "dead_stream": acknowledge,
    "partial_fill": flatten,
    "hand_at_broker": settle,
    "stuck_cancel": acknowledge,
}
MENDS_ITSELF = {"lost_reply", "dead_stream", "partial_fill", "stuck_cancel"}


def test_there_are_six_and_each_is_played_here() -> None:
    assert DRILLS.keys() == KNOWING.keys()


@pytest.mark.parametrize("name", DRILLS)
def test_who_knows_what_to_do_mends_it_and_scores(tmp_path: Path, name: str) -> None:
    async def story(scene: Scene, room: DrillRoom) -> None:
        result = await played(scene, room, name, KNOWING[name])
        assert (result.drill, result.outcome) == (name, "mended"), result
        assert result.act in DRILLS[name].right
        assert result.noticed_s is not None
        assert 0.9 <= result.noticed_s <= 15
        assert result.notice_points >= 35
        assert result.action_points >= 35
        assert result.mistakes == ()
        await nothing_is_left(scene)

    in_room(tmp_path, story)


@pytest.mark.parametrize("name", DRILLS)
def test_who_does_nothing_scores_nothing_for_it_and_is_cleaned_up_after(tmp_path: Path, name: str) -> None:
    async def story(scene: Scene, room: DrillRoom) -> None:
        result = await played(scene, room, name, None)
        assert result.outcome == ("mended" if name in MENDS_ITSELF else "time_up"), result
        assert (result.noticed_s, result.act, result.notice_points, result.action_points) == (None, None, 0, 0)
        assert result.lesson == DRILLS[name].lesson
        await nothing_is_left(scene)

    in_room(tmp_path, story)


async def nothing_is_left(scene: Scene) -> None:
    """No fault, no order, no share; and the desk is sound again."""
    assert scene.running.faults.listing() == []
    await scene.until(lambda: not scene.desk.brackets())
    assert await scene.shares() == 0
    assert await scene.ask("GET", "/v2/orders?status=open") == []
    await scene.until(lambda: scene.desk.health().status == "ok")


def test_naked_seconds_cost_points(tmp_path: Path) -> None:
    async def story(scene: Scene, room: DrillRoom) -> None:
        result = await played(scene, room, "rejected_stop", None)
        assert result.naked_s > 60
        assert (result.cover_points, result.points) == (0, 0)

    in_room(tmp_path, story)


def test_a_mistake_costs_half_of_the_action(tmp_path: Path) -> None:
    async def hasty(scene: Scene) -> None:
        await flatten(scene)
        await acknowledge(scene)

    async def story(scene: Scene, room: DrillRoom) -> None:
        result = await played(scene, room, "dead_stream", hasty)
        assert result.mistakes == ("flatten",)
        assert result.action_points <= 20

    in_room(tmp_path, story)


def test_one_at_a_time_and_only_on_a_sound_desk(tmp_path: Path) -> None:
    async def story(scene: Scene, room: DrillRoom) -> None:
        async def refused(name: str) -> str:
            with pytest.raises(CommandRefused) as refusal:
                await room.begin(name, actor=OPERATOR)
            return refusal.value.code

        assert await refused("no_such_drill") == "NOT_FOUND"
        with pytest.raises(CommandRefused, match="No drill"):
            await room.end(actor=OPERATOR)
        await scene.desk.set_state(DeskState.PAUSED, actor=OPERATOR)
        assert await refused("lost_reply") == "DRILL_NOT_READY"
        await scene.desk.set_state(DeskState.ACTIVE, actor=OPERATOR)
        await room.begin("stuck_cancel", actor=OPERATOR)
        assert await refused("lost_reply") == "DRILL_RUNNING"
        await scene.until(lambda: (running := room.view().running) is not None and running.stage == "struck")
        await room.end(actor=OPERATOR)
        await scene.until(lambda: room.view().running is None)
        assert room.view().results[0].outcome == "stopped"
        await nothing_is_left(scene)
        await scene.protected()
        assert await refused("lost_reply") == "DRILL_NOT_READY", "of two symbols one is in play"

    in_room(tmp_path, story)


def test_what_cannot_be_set_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    async def story(scene: Scene, room: DrillRoom) -> None:
        scene.running.exchange.halt("AAPL", halted=True)
        result = await played(scene, room, "dead_stream", None)
        assert (result.outcome, result.points) == ("not_set", 0)
        assert "could not be set" in result.lesson or "refused" in result.lesson

    in_room(tmp_path, story)


async def test_the_score_sheet_outlives_the_process_and_a_broken_line(tmp_path: Path) -> None:
    sheet = tmp_path / "drills.jsonl"

    def result(points: int) -> DrillResultView:
        return DrillResultView(
            drill="lost_reply", title="Lost reply", began_at="2026-08-21T14:00:00Z", outcome="mended", points=points,
            noticed_s=2.0, act="look up", act_s=2.0, mistakes=(), naked_s=0.0, notice_points=40, action_points=40,
            cover_points=20, lesson="",
        )  # type: ignore[arg-type] # fmt: skip

    with ThreadPoolExecutor(1) as pool:
        results = await Results.load(sheet, pool)
        results.add(result(60))
        results.add(result(90))
    with sheet.open("ab") as torn:
        torn.write(b'{"drill": "los')
    with ThreadPoolExecutor(1) as pool:
        again = await Results.load(sheet, pool)
    assert [found.points for found in again.newest_first()] == [90, 60]
