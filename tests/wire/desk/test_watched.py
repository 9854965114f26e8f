"""Stops that the desk itself holds against live quotes, because none stands at the broker."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.desk import Desk
from engine.exchange.faults import Refuse, RejectLegs
from tests.wire.desk.trading_day import Day, play

MORNING: Final = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
"""10:00 in New York, a Tuesday."""
BEFORE_CLOSE: Final = datetime(2026, 11, 24, 20, 59, 30, tzinfo=UTC)
"""Half a minute before the core session ends."""
IMPATIENT: Final = {"protection": {"max_attempts": 1}}


async def without_exits(day: Day, desk: Desk) -> str:
    """A trade whose exits the broker rejected, and does not take again."""
    day.running.faults.add(RejectLegs())
    day.running.faults.add(Refuse(method="POST", path="/v2/orders", order_class="oco", count=None))
    bracket_id = await day.approved(desk, day.signal())
    await day.until(lambda: desk.bracket(bracket_id).gave_up)
    await day.until(lambda: beats(desk, bracket_id))
    return bracket_id


def beats(desk: Desk, bracket_id: str) -> bool:
    watch = desk.bracket(bracket_id).watch
    return watch is not None and watch.heartbeat_at is not None


def why_closed(desk: Desk) -> list[str]:
    return [line.text for line in desk.activity() if "flatten asked by the desk" in line.text]


def test_a_stop_that_the_broker_does_not_take_is_watched_until_two_quotes_lie_beyond_it(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await without_exits(day, desk)
            view = desk.bracket(bracket_id)
            assert (view.status.value, view.covered_qty, view.naked_qty) == ("naked", 0, 10)
            assert view.watch is not None
            assert view.watch.stop_price == view.stop_price
            assert view.watch.heartbeat_age_s is not None
            day.move("-3")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
            assert "the watched stop" in why_closed(desk)[0]
            assert await day.shares() == 0

    play(tmp_path, scene, begins=MORNING, config=IMPATIENT)


def test_a_restart_watches_on(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await without_exits(day, desk)
        async with day.desk() as desk:
            await day.until(lambda: beats(desk, bracket_id))
            day.move("-3")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
            assert "the watched stop" in why_closed(desk)[0]

    play(tmp_path, scene, begins=MORNING, config=IMPATIENT)


async def naked_after_the_close(day: Day, desk: Desk) -> str:
    bracket_id = await day.protected(desk, day.signal())
    await day.until(lambda: desk.view().session_open is False, patience_s=120)
    stop = desk.bracket(bracket_id).legs.stop_loss
    assert stop is not None
    await day.ask("POST", f"/_exchange/orders/{stop.broker_id}/reject")
    await day.until(lambda: desk.bracket(bracket_id).naked_qty == 10)
    return bracket_id


def test_in_extended_hours_no_stop_works_so_the_desk_watches_and_leaves_by_a_limit(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await naked_after_the_close(day, desk)
            await day.until(lambda: desk.bracket(bracket_id).status.value == "watched")
            await day.until(lambda: "watches the stop" in _incidents(desk))
            day.move("-3")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
            (close,) = [order for order in desk.bracket(bracket_id).orders if order.role.value == "exit"]
            (sent,) = [o for o in await day.ask("GET", "/v2/orders?status=all") if o["id"] == close.broker_id]
            assert (sent["type"], sent["extended_hours"], sent["status"]) == ("limit", True, "filled")

    play(tmp_path, scene, begins=BEFORE_CLOSE)


def _incidents(desk: Desk) -> str:
    return " ".join(incident.cause for incident in desk.incidents())
