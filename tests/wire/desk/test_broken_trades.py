"""What goes wrong with a protected trade at the broker, and what the desk makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused
from engine.exchange.faults import BothExitsFill, Refuse, StickCancel
from engine.model.words import DeskState
from tests.wire.desk.trading_day import Day, play

MORNING: Final = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def resting(day: Day) -> bytes:
    """A limit entry that does not fill by itself."""
    limit = round(day.price() * Decimal("0.95"), 2)
    return day.signal(
        entry={"type": "limit", "limit_price": str(limit)},
        stop_loss={"stop_price": str(round(limit * Decimal("0.98"), 2))},
        take_profit={"limit_price": str(round(limit * Decimal("1.10"), 2))},
    )


async def part_filled(day: Day, desk: Desk, qty: int = 4) -> str:
    bracket_id = await day.approved(desk, resting(day))
    entry = desk.bracket(bracket_id).legs.entry
    assert entry is not None
    await day.until(lambda: desk.order(entry.id).broker_id is not None)
    await day.ask("POST", f"/_exchange/orders/{desk.order(entry.id).broker_id}/fill", {"qty": str(qty)})
    await day.until(lambda: desk.bracket(bracket_id).held_qty == qty)
    return bracket_id


async def live(day: Day) -> list[dict[str, Any]]:
    """Orders that may still execute, legs included."""
    dead = {"filled", "canceled", "expired", "rejected", "replaced"}
    return [o for o in await day.ask("GET", "/v2/orders?status=all&limit=500") if o["status"] not in dead]


# --- held the wrong way ----------------------------------------------------------------------------------------------


def test_when_both_exits_fill_exactly_the_flipped_shares_are_closed_again(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            day.running.faults.add(BothExitsFill())
            target = desk.bracket(bracket_id).legs.take_profit
            assert target is not None
            await day.ask("POST", f"/_exchange/orders/{target.broker_id}/fill")
            await day.until(lambda: desk.bracket(bracket_id).flipped_qty == 10)
            assert desk.bracket(bracket_id).status.value == "repairing"
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
            assert await day.shares() == 0
            (closed,) = [order for order in desk.bracket(bracket_id).orders if order.role.value == "exit"]
            sent = await day.ask("GET", f"/v2/orders/{closed.broker_id}")
            assert (sent["side"], sent["qty"], sent["position_intent"]) == ("buy", "10", "buy_to_close")

    play(tmp_path, scene, begins=MORNING)


def test_a_hand_that_sells_past_the_position_is_found_and_its_surplus_closed(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            await day.ask("POST", "/_exchange/positions/AAPL", {"qty": "-5"})
            await day.until(lambda: desk.bracket(bracket_id).flipped_qty == 5)
            await day.until(lambda: "has flipped" in " ".join(i.cause for i in desk.incidents("all")))
            view, _ = await desk.receive(day.signal())
            with pytest.raises(CommandRefused):
                await desk.approve(view.id, actor="test")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
            assert await day.shares() == 0
            assert await live(day) == []

    play(tmp_path, scene, begins=MORNING)


# --- too much, and too little ----------------------------------------------------------------------------------------


def test_a_stop_for_more_than_is_held_is_replaced_by_one_that_fits(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            await day.ask("POST", "/_exchange/positions/AAPL", {"qty": "6"})
            await day.until(lambda: desk.bracket(bracket_id).held_qty == 6)
            await day.until(lambda: desk.bracket(bracket_id).plan == "oco")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            stops = [order for order in await live(day) if order["type"] == "stop"]
            assert [order["qty"] for order in stops] == ["6"]

    play(tmp_path, scene, begins=MORNING)


def test_cover_that_another_hand_keeps_taking_away_is_given_up_after_three_times(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            for _ in range(4):
                stop = desk.bracket(bracket_id).legs.stop_loss
                assert stop is not None
                await day.ask("POST", f"/_exchange/orders/{stop.broker_id}/cancel")
                await day.until(lambda gone=stop.id: desk.order(gone).status.value == "canceled")
                await day.until(lambda: desk.bracket(bracket_id).naked_qty == 0 or desk.bracket(bracket_id).gave_up)
            view = desk.bracket(bracket_id)
            assert (view.gave_up, view.naked_qty) == (True, 10)
            assert "another hand" in (view.last_error or "")
            assert desk.exits.plans(bracket_id).state == "cover_vanished"
            await desk.retry_bracket(bracket_id, actor="test")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")

    play(tmp_path, scene, begins=MORNING)


# --- part-filled entries ---------------------------------------------------------------------------------------------


def test_a_stuck_cancel_of_a_part_filled_entry_gets_exits_beside_it_after_three_seconds(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            day.running.faults.add(StickCancel(role="entry", count=None))
            bracket_id = await part_filled(day, desk)
            entry = desk.bracket(bracket_id).orders[0]
            asked = await desk.cancel_order(entry.id, actor="test")
            assert "naked about" in (asked.cancel_consequence or "")
            await day.until(lambda: any("stuck" in incident.cause for incident in desk.incidents()))
            await day.until(lambda: desk.bracket(bracket_id).covered_qty == 4)
            view = desk.bracket(bracket_id)
            assert 3 <= view.naked_s < 6
            assert view.naked_share_s == pytest.approx(4 * view.naked_s, abs=0.5)

    play(tmp_path, scene, begins=MORNING)


def test_when_the_broker_takes_no_exits_beside_it_the_stop_is_watched(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            day.running.faults.add(StickCancel(role="entry", count=None))
            bracket_id = await part_filled(day, desk)
            day.running.faults.add(Refuse(method="POST", path="/v2/orders", order_class="oco", count=None))
            await desk.cancel_order(desk.bracket(bracket_id).orders[0].id, actor="test")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "watched")
            assert "stuck" in (desk.bracket(bracket_id).watch.why if desk.bracket(bracket_id).watch else "")

    play(tmp_path, scene, begins=MORNING)


def test_a_halt_cancels_no_part_filled_entry_bare_and_says_before_what_it_leaves_naked(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await part_filled(day, desk)
            consequence = desk.exits.consequence_of_canceling_entries()
            assert consequence is not None
            assert consequence.startswith("4 AAPL of part-filled entries stay naked about")
            await desk.set_state(DeskState.HALTED, actor="test")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            view = desk.bracket(bracket_id)
            assert (view.held_qty, view.covered_qty, view.plan) == (4, 4, "oco")
            assert view.naked_s < 3

    play(tmp_path, scene, begins=MORNING)


def test_an_entry_that_completes_before_its_cancel_keeps_its_own_legs(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            day.running.faults.add(StickCancel(role="entry", count=None))
            bracket_id = await part_filled(day, desk)
            entry = desk.bracket(bracket_id).orders[0]
            await desk.cancel_order(entry.id, actor="test")
            await day.clock.sleep(0.5)
            await day.ask("POST", f"/_exchange/orders/{entry.broker_id}/fill", {"qty": "6"})
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            view = desk.bracket(bracket_id)
            assert (view.held_qty, view.covered_qty, view.plan) == (10, 10, "bracket")

    play(tmp_path, scene, begins=MORNING)


def test_an_entry_that_completes_after_exits_were_placed_beside_it_is_trimmed_to_what_is_held(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            day.running.faults.add(StickCancel(role="entry", count=None))
            bracket_id = await part_filled(day, desk)
            entry = desk.bracket(bracket_id).orders[0]
            await desk.cancel_order(entry.id, actor="test")
            await day.until(lambda: desk.bracket(bracket_id).covered_qty == 4)
            await day.ask("POST", f"/_exchange/orders/{entry.broker_id}/fill", {"qty": "6"})
            await day.until(lambda: desk.bracket(bracket_id).held_qty == 10)
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            stops = [order for order in await live(day) if order["type"] == "stop"]
            assert sum(int(order["qty"]) for order in stops) == 10

    play(tmp_path, scene, begins=MORNING)
