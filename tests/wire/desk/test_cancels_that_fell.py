"""A cancel that came to nothing is asked for again: who wants out has said so once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused
from engine.exchange.faults import CancelRejected, Garbage, Refuse, StickCancel
from engine.views import OrderView
from tests.wire.desk.trading_day import Day, play

MORNING = datetime(2026, 8, 20, 14, 0, tzinfo=UTC)
DELETE: dict[str, Any] = {"method": "DELETE", "path": "/v2/orders*"}


async def target_of(day: Day, desk: Desk) -> tuple[str, OrderView]:
    bracket_id = await day.protected(desk, day.signal())
    target = desk.bracket(bracket_id).legs.take_profit
    assert target is not None
    return bracket_id, target


async def pending_cancel_of(day: Day, desk: Desk) -> OrderView:
    """A target whose cancel the broker has, and its venue does not answer."""
    _, target = await target_of(day, desk)
    day.running.faults.add(StickCancel(count=None))
    await desk.cancel_order(target.id, actor="ann")
    await day.until(lambda: desk.order(target.id).status.value == "pending_cancel")
    return target


def asks(desk: Desk) -> list[str]:
    return [line.text for line in desk.activity() if "cancel asked" in line.text]


def test_a_target_whose_cancel_was_lost_to_a_strange_page_goes_after_all_and_stays_away(tmp_path: Path) -> None:
    """The broker refuses it for once, and what comes back is no JSON with status 200: nobody here knows."""

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id, target = await target_of(day, desk)
            day.running.faults.add(Refuse(**DELETE, count=8))
            day.running.faults.add(Garbage(**DELETE, count=8))
            with pytest.raises(CommandRefused, match="The desk asks again by itself"):
                await desk.cancel_order(target.id, actor="ann")
            assert (desk.order(target.id).status.value, desk.order(target.id).note) == ("new", "cancel asked")
            await day.until(lambda: desk.order(target.id).status.value == "canceled")
            await day.until(lambda: desk.bracket(bracket_id).naked_qty == 0)
            await day.clock.sleep(5)
            view = desk.bracket(bracket_id)
            assert (view.take_profit_price, view.plan, view.gave_up) == (None, "stop", False)

    play(tmp_path, scene, begins=MORNING)


def test_a_cancel_that_the_venue_refuses_after_all_is_asked_for_again(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            low = str(round(day.price() * 9 / 10, 2))
            stop = {"stop_price": str(round(day.price() * 8 / 10, 2))}
            raw = day.signal(entry={"type": "limit", "limit_price": low}, stop_loss=stop)
            bracket_id = await day.approved(desk, raw)
            entry = desk.bracket(bracket_id).orders[0]
            await day.until(lambda: desk.order(entry.id).status.value == "new")
            day.running.faults.add(CancelRejected(count=2))
            asked_s = day.clock.monotonic_s()
            await desk.cancel_order(entry.id, actor="ann")
            await day.until(lambda: desk.order(entry.id).status.value == "canceled")
            assert 6 <= day.clock.monotonic_s() - asked_s < 12, "after three seconds, and after six"
            assert [line.split(" · ")[0] for line in reversed(asks(desk))] == [
                "entry cancel asked by ann",
                "entry cancel asked by the desk",
                "entry cancel asked by the desk",
            ]

    play(tmp_path, scene, begins=MORNING)


def test_a_cancel_that_the_broker_has_is_not_asked_for_again(tmp_path: Path) -> None:
    """It may take hours: outside hours the venue answers at the open."""

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            target = await pending_cancel_of(day, desk)
            await day.clock.sleep(90)
            assert len(asks(desk)) == 1
            assert desk.order(target.id).status.value == "pending_cancel"

    play(tmp_path, scene, begins=MORNING)


def test_a_wish_of_a_desk_that_stopped_is_not_repeated_by_the_next_one(tmp_path: Path) -> None:
    """Nobody may remember it: it is told, and a person asks again."""

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            _, target = await target_of(day, desk)
            day.running.faults.add(Refuse(**DELETE, count=None))
            day.running.faults.add(Garbage(**DELETE, count=None))
            with pytest.raises(CommandRefused):
                await desk.cancel_order(target.id, actor="ann")
        day.running.faults.clear()
        await day.clock.sleep(30)
        async with day.desk() as desk:
            assert "ask again if it is still wanted" in (desk.order(target.id).last_error or "")
            await day.clock.sleep(30)
            assert desk.order(target.id).status.value == "new"
            assert len([line for line in asks(desk) if "by the desk" in line]) <= 1, "of the desk that stopped"

    play(tmp_path, scene, begins=MORNING)


def test_a_wish_of_a_desk_that_stopped_ends_when_the_venue_refuses_it_later(tmp_path: Path) -> None:
    """The broker had it when the next desk began; it comes to nothing, and hangs on nobody's word any more."""

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            target = await pending_cancel_of(day, desk)
        await day.clock.sleep(30)
        async with day.desk() as desk:
            await day.clock.sleep(10)
            assert desk.order(target.id).status.value == "pending_cancel"
            assert desk.order(target.id).note == "cancel asked"
            day.running.faults.add(CancelRejected())
            exchange = day.running.exchange
            exchange.matching.answer_cancel(exchange.find(target.broker_id or ""))
            await day.until(lambda: desk.order(target.id).status.value == "new")
            await day.until(lambda: "ask again if it is still wanted" in (desk.order(target.id).last_error or ""))
            assert desk.order(target.id).note != "cancel asked"
            await desk.cancel_order(target.id, actor="ann")
            day.running.faults.clear()
            await day.clock.sleep(30)
            assert len(asks(desk)) == 2

    play(tmp_path, scene, begins=MORNING)
