"""Repair by plan against the real exchange: chosen, refused when stale, carried on after a crash at each request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused
from engine.exchange.faults import Refuse, RejectLegs
from tests.wire.desk.test_broken_trades import live, part_filled
from tests.wire.desk.trading_day import Day, play

MORNING: Final = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
PATIENT: Final = {"protection": {"partial_rescue_after_s": 600.0, "max_attempts": 1}}


async def choose(desk: Desk, bracket_id: str, kind: str) -> Any:
    plan = next(plan for plan in desk.exits.plans(bracket_id).plans if plan.kind == kind)
    return await desk.exits.repair(bracket_id, plan_id=plan.id, actor="test")


class Crash:
    """From the ``at``-th write on, requests reach the broker and nothing of the desk learns how they ended."""

    def __init__(self, desk: Desk, at: int) -> None:
        self.client, self.at = desk._client, at
        self.writes = 0
        for name in ("submit", "replace", "cancel"):
            setattr(self.client, name, self._deaf(getattr(self.client, name)))

    def _deaf(self, write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def deaf(*args: Any, **more: Any) -> Any:
            self.writes += 1
            if self.writes > self.at:
                await asyncio.Event().wait()
            answer = await write(*args, **more)
            if self.writes == self.at:
                await asyncio.Event().wait()
            return answer

        return deaf

    @property
    def has_struck(self) -> bool:
        return self.writes >= self.at


# --- choosing --------------------------------------------------------------------------------------------------------


def test_a_plan_that_fits_is_carried_out_and_the_trade_says_how_it_went(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            day.running.faults.add(RejectLegs())
            day.running.faults.add(Refuse(method="POST", path="/v2/orders", order_class="oco"))
            bracket_id = await day.approved(desk, day.signal())
            await day.until(lambda: desk.bracket(bracket_id).gave_up)
            shown = desk.exits.plans(bracket_id)
            assert shown.state == "exits_refused"
            view, plan = await desk.exits.repair(bracket_id, plan_id=shown.plans[0].id, actor="test")
            assert (view.repair, plan.kind) == ("attach_oco", "attach_oco")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            assert desk.bracket(bracket_id).repair is None
            told = [line.text for line in desk.activity() if "repair" in line.text]
            assert told == ["repair done · every share is covered", f"repair chosen by test · {plan.sentence}"]
            (sent,) = [o for o in await live(day) if o["order_class"] == "oco" and o["type"] == "limit"]
            assert plan.requests[-1].body["take_profit"]["limit_price"] == sent["limit_price"]

    play(tmp_path, scene, begins=MORNING, config=PATIENT)


def test_a_plan_whose_picture_has_changed_is_refused_with_the_new_plans(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await part_filled(day, desk)
            shown = desk.exits.plans(bracket_id)
            entry = desk.bracket(bracket_id).orders[0]
            await day.ask("POST", f"/_exchange/orders/{entry.broker_id}/fill", {"qty": "2"})
            with pytest.raises(CommandRefused) as refused:
                await desk.exits.repair(bracket_id, plan_id=shown.plans[0].id, actor="test")
            assert refused.value.code == "PLAN_STALE"
            assert [plan.kind for plan in refused.value.reasons] == [plan.kind for plan in shown.plans]
            assert desk.bracket(bracket_id).repair is None
            await choose(desk, bracket_id, "cut_short")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            assert desk.bracket(bracket_id).covered_qty == 6

    play(tmp_path, scene, begins=MORNING, config=PATIENT)


def test_a_repair_that_the_broker_refuses_ends_and_says_so(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            day.running.faults.add(RejectLegs())
            day.running.faults.add(Refuse(method="POST", path="/v2/orders", order_class="oco", count=None))
            bracket_id = await day.approved(desk, day.signal())
            await day.until(lambda: desk.bracket(bracket_id).gave_up)
            await choose(desk, bracket_id, "attach_oco")
            await day.until(lambda: desk.bracket(bracket_id).gave_up and desk.bracket(bracket_id).repair is None)
            assert any("repair failed" in line.text for line in desk.activity())
            await choose(desk, bracket_id, "replace_stop")  # a plain stop is taken
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            assert desk.bracket(bracket_id).plan == "stop"
            await day.until(lambda: desk.exits.plans(bracket_id).state == "target_watched")

    play(tmp_path, scene, begins=MORNING, config=PATIENT)


# --- killed between any two requests ---------------------------------------------------------------------------------


async def stop_with_watched_target(day: Day, desk: Desk) -> str:
    bracket_id = await day.protected(desk, day.signal(target=False))
    await desk.exits.move(bracket_id, actor="test", take_profit_price=round(day.price() * Decimal("1.05"), 2))
    await day.until(lambda: desk.bracket(bracket_id).watch)
    return bracket_id


async def stop_only(day: Day, desk: Desk) -> str:
    return await day.protected(desk, day.signal(target=False))


async def protected(day: Day, desk: Desk) -> str:
    return await day.protected(desk, day.signal())


async def oversized(day: Day, desk: Desk) -> str:
    bracket_id = await day.protected(desk, day.signal())
    await day.ask("POST", "/_exchange/positions/AAPL", {"qty": "6"})
    return bracket_id


async def is_covered(day: Day, desk: Desk, bracket_id: str, held: int) -> None:
    await day.until(lambda: (view := desk.bracket(bracket_id)).plan == "oco" and view.status.value == "protected")
    await day.until(lambda: desk.bracket(bracket_id).repair is None)
    assert (desk.bracket(bracket_id).held_qty, desk.bracket(bracket_id).covered_qty) == (held, held)
    stops = [order for order in await live(day) if order["type"] == "stop"]
    assert [order["qty"] for order in stops] == [str(held)]
    assert await day.shares() == held


async def is_closed(day: Day, desk: Desk, bracket_id: str) -> None:
    await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
    assert await day.shares() == 0
    assert await live(day) == []
    sold = [o for o in await day.ask("GET", "/v2/orders?status=all&limit=500") if o["side"] == "sell"]
    assert sum(Decimal(order["filled_qty"]) for order in sold) == 10


type Setting = Callable[[Day, Desk], Awaitable[str]]

CRASHES: Final[dict[str, tuple[Setting, str | None, int]]] = {
    "replace_both": (stop_with_watched_target, "replace_both", 2),
    "cut_short": (part_filled, "cut_short", 2),
    "flatten a stop": (stop_only, "flatten", 2),
    "flatten by the target": (protected, "target_to_market", 1),
    "trim": (oversized, None, 2),
}
"""What is set up, which plan is chosen (None: the desk acts by itself), and how many writes it takes."""


@pytest.mark.parametrize(
    ("name", "at"), [(name, at) for name, (_, _, writes) in CRASHES.items() for at in range(1, writes + 1)]
)
def test_a_plan_is_carried_on_after_a_crash_at_any_of_its_requests(tmp_path: Path, name: str, at: int) -> None:
    set_up, kind, _ = CRASHES[name]

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await set_up(day, desk)
            crash = Crash(desk, at)
            chosen = asyncio.ensure_future(choose(desk, bracket_id, kind)) if kind is not None else None
            await day.until(lambda: crash.has_struck)
            await day.clock.sleep(0.2)
            if chosen is not None:
                chosen.cancel()
                await asyncio.gather(chosen, return_exceptions=True)
        async with day.desk() as desk:
            if "flatten" in (kind or "") or kind == "target_to_market":
                await is_closed(day, desk, bracket_id)
            else:
                await is_covered(day, desk, bracket_id, {"cut_short": 4, None: 6}.get(kind, 10))
            ids = [o["client_order_id"] for o in await day.ask("GET", "/v2/orders?status=all&limit=500")]
            assert len(set(ids)) == len(ids)

    play(tmp_path, scene, begins=MORNING, config=PATIENT)
