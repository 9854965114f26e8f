"""Moving exits, break-even, running unprotected, leaving outside the session: against the real exchange."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from engine.alpaca.budget import Lane
from engine.desk import Desk
from engine.errors import CommandRefused
from engine.exchange.faults import Refuse
from engine.model.commands import OrderChange
from engine.model.words import ExitWhen
from tests.wire.desk.trading_day import Day, play

MORNING: Final = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
BEFORE_CLOSE: Final = datetime(2026, 11, 24, 20, 59, 30, tzinfo=UTC)


def prices(desk: Desk, bracket_id: str) -> tuple[Decimal, Decimal | None]:
    view = desk.bracket(bracket_id)
    assert view.stop_price is not None
    return view.stop_price, view.take_profit_price


async def at_broker(day: Day, order_id: str | None) -> dict[str, Any]:
    found: dict[str, Any] = await day.ask("GET", f"/v2/orders/{order_id}")
    return found


# --- moving ----------------------------------------------------------------------------------------------------------


def test_stop_and_target_move_under_ids_of_ours_and_the_shares_are_never_naked(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            stop, target = prices(desk, bracket_id)
            assert target is not None
            moved = await desk.exits.move(
                bracket_id, actor="test", stop_price=stop + Decimal("0.50"), take_profit_price=target - Decimal("0.50")
            )
            assert (moved.stop_price, moved.take_profit_price) == (stop + Decimal("0.50"), target - Decimal("0.50"))
            assert (moved.exits_confirmed, moved.naked_s, moved.naked_share_s) == (True, 0, 0)
            for leg, name, price in (
                (moved.legs.stop_loss, "stop_price", moved.stop_price),
                (moved.legs.take_profit, "limit_price", moved.take_profit_price),
            ):
                assert leg is not None
                found = await at_broker(day, leg.broker_id)
                assert Decimal(found[name]) == price
                assert "-move-" in found["client_order_id"]

    play(tmp_path, scene, begins=MORNING)


def test_a_refused_move_leaves_the_old_exits_and_says_so(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            stop, target = prices(desk, bracket_id)
            day.running.faults.add(Refuse(method="PATCH", path="/v2/orders/*"))
            with pytest.raises(CommandRefused) as refused:
                await desk.exits.move(bracket_id, actor="test", stop_price=stop + Decimal("0.50"))
            assert refused.value.code == "BROKER_REFUSED"
            assert f"stop {stop}" in refused.value.operator_text
            view = desk.bracket(bracket_id)
            assert (view.stop_price, view.take_profit_price, view.naked_qty) == (stop, target, 0)
            assert view.move_refused is not None

    play(tmp_path, scene, begins=MORNING)


def test_what_cannot_be_moved_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            before = await day.ask("GET", "/v2/orders?status=all&nested=true")
            stop, target = prices(desk, bracket_id)
            assert target is not None
            wrong: dict[str, dict[str, Decimal]] = {
                "STOP_BEYOND_MARKET": {"stop_price": target - Decimal("0.01")},
                "TARGET_BEYOND_MARKET": {"take_profit_price": stop + Decimal("0.01")},
                "EXITS_CROSSED": {"stop_price": target + 1},
                "NOTHING_TO_MOVE": {"stop_price": stop},
                "DENIED": {"stop_price": Decimal("1.00")},
            }
            for code, given in wrong.items():
                with pytest.raises(CommandRefused) as refused:
                    await desk.exits.move(bracket_id, actor="test", **given)
                assert refused.value.code == code
            assert await day.ask("GET", "/v2/orders?status=all&nested=true") == before

    play(tmp_path, scene, begins=MORNING)


def test_break_even_by_button_needs_a_gain_and_puts_the_stop_beyond_the_entry(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            with pytest.raises(CommandRefused) as refused:
                await desk.exits.break_even(bracket_id, actor="test")
            assert refused.value.code == "STOP_BEYOND_MARKET"
            day.move("1.5")
            await day.until(lambda: (quote := desk.quote("AAPL")) and quote.bid and quote.bid > day.price() - 1)
            moved = await desk.exits.break_even(bracket_id, actor="test")
            assert moved.entry_price is not None
            assert moved.stop_price is not None
            assert Decimal("0.01") <= moved.stop_price - moved.entry_price < Decimal("0.03")
            with pytest.raises(CommandRefused) as again:
                await desk.exits.break_even(bracket_id, actor="test")
            assert again.value.code == "NOTHING_TO_MOVE"

    play(tmp_path, scene, begins=MORNING)


def test_break_even_by_rule_moves_the_stop_once(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            day.move("3")  # one and a half times the two percent at risk
            await day.until(
                lambda: (desk.bracket(bracket_id).stop_price or 0) > (desk.bracket(bracket_id).entry_price or 0)
            )
            assert desk.bracket(bracket_id).naked_s == 0
            assert any("breakeven_at_r" in line.text for line in desk.activity())

    play(tmp_path, scene, begins=MORNING, config={"protection": {"breakeven_at_r": 1.0}})


def test_a_target_given_to_a_stop_only_trade_is_watched_beside_the_stop(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal(target=False))
            target = round(day.price() * Decimal("1.02"), 2)
            await desk.exits.move(bracket_id, actor="test", take_profit_price=target)
            await day.until(lambda: (watch := desk.bracket(bracket_id).watch) and watch.take_profit_price == target)
            view = desk.bracket(bracket_id)
            assert (view.status.value, view.naked_qty, view.naked_s) == ("protected", 0, 0)
            day.move("3")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
            assert await day.shares() == 0
            assert (desk.bracket(bracket_id).realized_pl or 0) > 0

    play(tmp_path, scene, begins=MORNING)


# --- unprotected -----------------------------------------------------------------------------------------------------


def test_running_unprotected_is_typed_told_counted_and_ends_by_itself(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            with pytest.raises(CommandRefused) as untyped:
                await desk.exits.run_unprotected(bracket_id, minutes=1, confirm="yes", actor="test")
            assert untyped.value.code == "CONFIRM_REQUIRED"
            with pytest.raises(CommandRefused) as too_long:
                await desk.exits.run_unprotected(bracket_id, minutes=61, confirm="RUN UNPROTECTED", actor="test")
            assert too_long.value.code == "OUT_OF_RANGE"
            await desk.exits.run_unprotected(bracket_id, minutes=1, confirm="RUN UNPROTECTED", actor="test")
            stop = desk.bracket(bracket_id).legs.stop_loss
            assert stop is not None
            await day.ask("POST", f"/_exchange/orders/{stop.broker_id}/cancel")
            await day.until(lambda: desk.bracket(bracket_id).naked_qty == 10)
        async with day.desk() as desk:  # a restart keeps its word
            await day.clock.sleep(10)
            view = desk.bracket(bracket_id)
            assert (view.status.value, view.naked_qty) == ("naked", 10)
            (told,) = [incident for incident in desk.incidents() if "unprotected" in incident.cause]
            assert (told.priority, told.deadline_at) == (1, view.unprotected_until)
            await day.until(lambda: desk.bracket(bracket_id).naked_qty == 0, patience_s=90)
            assert desk.bracket(bracket_id).unprotected_until is None
            assert desk.bracket(bracket_id).naked_share_s > 300
            assert desk.account().naked_share_s_today == pytest.approx(desk.bracket(bracket_id).naked_share_s, abs=1)

    play(tmp_path, scene, begins=MORNING)


def test_an_unprotected_run_can_be_ended_and_does_not_keep_anybody_in(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            await desk.exits.run_unprotected(bracket_id, minutes=60, confirm="RUN UNPROTECTED", actor="test")
            stop = desk.bracket(bracket_id).legs.stop_loss
            assert stop is not None
            await day.ask("POST", f"/_exchange/orders/{stop.broker_id}/cancel")
            await day.until(lambda: desk.bracket(bracket_id).naked_qty == 10)
            await desk.exits.protect_again(bracket_id, actor="test")
            await day.until(lambda: desk.bracket(bracket_id).naked_qty == 0)
            await desk.exits.run_unprotected(bracket_id, minutes=60, confirm="RUN UNPROTECTED", actor="test")
            await desk.flatten_bracket(bracket_id, actor="test")
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")

    play(tmp_path, scene, begins=MORNING)


# --- leaving outside the session -------------------------------------------------------------------------------------


def test_after_the_close_nothing_is_stripped_and_the_refusal_says_what_can_be_asked(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            await day.until(lambda: desk.view().session_open is False, patience_s=120)
            with pytest.raises(CommandRefused) as refused:
                await desk.flatten_bracket(bracket_id, actor="test")
            assert refused.value.code == "SESSION_CLOSED"
            assert '"extended"' in refused.value.operator_text
            with pytest.raises(CommandRefused):
                await desk.flatten(symbol=None, actor="test")
            assert desk.bracket(bracket_id).can_flatten
            waiting = await desk.flatten_bracket(bracket_id, actor="test", when=ExitWhen.OPEN)
            await day.clock.sleep(10)
            assert (waiting.exit_when, desk.bracket(bracket_id).naked_qty) == ("open", 0)
            assert any("is to be closed" in incident.cause for incident in desk.incidents())

    play(tmp_path, scene, begins=BEFORE_CLOSE)


def test_a_flatten_for_the_open_is_carried_out_by_a_desk_that_was_restarted_in_between(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            await day.until(lambda: desk.view().session_open is False, patience_s=120)
            await desk.flatten_bracket(bracket_id, actor="test", when=ExitWhen.OPEN)
        opens = BEFORE_CLOSE + timedelta(hours=17, minutes=30)
        await day.clock.sleep((opens - day.clock.now()).total_seconds())
        async with day.desk() as desk:
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed", patience_s=150)
            assert await day.shares() == 0

    play(tmp_path, scene, begins=BEFORE_CLOSE, quote_interval_s=30.0)


# --- changing one order ----------------------------------------------------------------------------------------------


async def resting_entry(day: Day, desk: Desk) -> str:
    limit = round(day.price() * Decimal("0.95"), 2)
    bracket_id = await day.approved(
        desk,
        day.signal(
            entry={"type": "limit", "limit_price": str(limit)},
            stop_loss={"stop_price": str(round(limit * Decimal("0.98"), 2))},
            take_profit={"limit_price": str(round(limit * Decimal("1.20"), 2))},
        ),
    )
    await day.until(lambda: desk.bracket(bracket_id).orders[0].status.value == "new")
    return bracket_id


def test_a_working_entry_is_repriced_and_its_exits_protect_what_the_new_one_buys(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await resting_entry(day, desk)
            entry = desk.bracket(bracket_id).orders[0]
            assert entry.limit_price is not None
            marketable = round(day.price() * Decimal("1.01"), 2)
            changed = await desk.replacing.replace(entry.id, OrderChange(limit_price=marketable), actor="test")
            assert (changed.role.value, changed.limit_price) == ("entry", marketable)
            await day.until(lambda: desk.bracket(bracket_id).status.value == "protected")
            view = desk.bracket(bracket_id)
            assert (view.held_qty, view.covered_qty, view.naked_s) == (10, 10, 0)
            assert desk.signal(view.signal_id).status.value == "filled"
            assert await day.shares() == 10
        async with day.desk() as desk:
            assert desk.bracket(bracket_id).status.value == "protected"

    play(tmp_path, scene, begins=MORNING)


def test_an_entry_that_grows_passes_the_gate_and_a_grouped_one_keeps_its_size(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await resting_entry(day, desk)
            entry = desk.bracket(bracket_id).orders[0]
            assert entry.limit_price is not None
            with pytest.raises(CommandRefused) as sized:
                await desk.replacing.replace(entry.id, OrderChange(qty=Decimal(20)), actor="test")
            assert (sized.value.code, sized.value.http_status, sized.value.field) == ("NOT_REPLACEABLE", 422, "qty")
            with pytest.raises(CommandRefused) as denied:
                await desk.replacing.replace(entry.id, OrderChange(limit_price=entry.limit_price + 1), actor="test")
            assert denied.value.code == "DENIED"
            assert "ORDER_NOTIONAL" in {r.code for r in denied.value.reasons if r.verdict.value == "deny"}
            lower = await desk.replacing.replace(
                entry.id, OrderChange(limit_price=entry.limit_price - Decimal("0.50")), actor="test"
            )
            assert lower.limit_price == entry.limit_price - Decimal("0.50")
            with pytest.raises(CommandRefused) as beyond:
                await desk.replacing.replace(lower.id, OrderChange(limit_price=Decimal("1.00")), actor="test")
            assert beyond.value.code == "STOP_ON_WRONG_SIDE"

    play(tmp_path, scene, begins=MORNING, config={"limits": {"max_order_notional": 1780}})


def test_a_change_of_an_entry_that_finds_no_room_among_the_requests_is_given_up_and_not_sent_later(
    tmp_path: Path,
) -> None:
    """Storm 730284: it went out half a minute later, at a price of another moment, and a second one behind it."""

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await resting_entry(day, desk)
            entry = desk.bracket(bracket_id).orders[0]
            assert entry.limit_price is not None
            change = OrderChange(limit_price=entry.limit_price - 1)
            budget = desk._gateway._client.budget
            while not budget.would_wait(Lane.ENTRY):
                (await budget.acquire(Lane.ENTRY)).spend()
            began_s = day.clock.monotonic_s()
            with pytest.raises(CommandRefused) as refused:
                await desk.replacing.replace(entry.id, change, actor="test")
            assert refused.value.code == "REQUEST_LIMIT"
            assert 4.9 < day.clock.monotonic_s() - began_s < 5.5
            await day.clock.sleep(90)
            assert [order.id for order in desk.bracket(bracket_id).orders if order.role.value == "entry"] == [entry.id]
            assert (await desk.replacing.replace(entry.id, change, actor="test")).limit_price == change.limit_price

    play(tmp_path, scene, begins=MORNING)


def test_two_changes_of_an_entry_at_once_are_one(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await resting_entry(day, desk)
            entry = desk.bracket(bracket_id).orders[0]
            assert entry.limit_price is not None
            change = OrderChange(limit_price=entry.limit_price - 1)
            done = await asyncio.gather(
                *(desk.replacing.replace(entry.id, change, actor="test") for _ in range(3)), return_exceptions=True
            )
            refused = [each.code for each in done if isinstance(each, CommandRefused)]
            assert refused == ["CHANGE_IN_FLIGHT", "CHANGE_IN_FLIGHT"]
            entries = [order for order in desk.bracket(bracket_id).orders if order.role.value == "entry"]
            assert len(entries) == 2

    play(tmp_path, scene, begins=MORNING)


def test_a_change_of_nothing_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await resting_entry(day, desk)
            entry = desk.bracket(bracket_id).orders[0]
            for nothing in (OrderChange(), OrderChange(limit_price=entry.limit_price)):
                with pytest.raises(CommandRefused) as refused:
                    await desk.replacing.replace(entry.id, nothing, actor="test")
                assert (refused.value.code, refused.value.http_status) == ("NOTHING_TO_CHANGE", 409)
            for field in ("limit_price", "stop_price", "qty"):
                with pytest.raises(CommandRefused) as refused:
                    await desk.replacing.replace(entry.id, OrderChange(**{field: Decimal(0)}), actor="test")
                assert (refused.value.code, refused.value.field) == ("NOT_POSITIVE", field)
            assert len(desk.bracket(bracket_id).orders) == 3, "the entry and its exits"

    play(tmp_path, scene, begins=MORNING)


def test_a_stop_is_changed_as_a_move_of_the_trade(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await day.protected(desk, day.signal())
            stop = desk.bracket(bracket_id).legs.stop_loss
            assert stop is not None
            assert stop.stop_price is not None
            price = stop.stop_price + Decimal("0.25")
            changed = await desk.replacing.replace(stop.id, OrderChange(stop_price=price), actor="test")
            assert (changed.stop_price, desk.bracket(bracket_id).stop_price) == (price, price)
            with pytest.raises(CommandRefused) as unfit:
                await desk.replacing.replace(changed.id, OrderChange(limit_price=price), actor="test")
            assert unfit.value.code == "NOT_REPLACEABLE"
            for nothing in (OrderChange(), OrderChange(stop_price=price)):
                with pytest.raises(CommandRefused) as same:
                    await desk.replacing.replace(changed.id, nothing, actor="test")
                assert same.value.code == "NOTHING_TO_MOVE"

    play(tmp_path, scene, begins=MORNING)


# --- a halt ----------------------------------------------------------------------------------------------------------


async def protected_and_halted(day: Day, desk: Desk) -> str:
    bracket_id = await day.protected(desk, day.signal())
    await day.clock.sleep(1)
    await day.ask("POST", "/_exchange/halts/AAPL", {"halted": True})
    await day.until(lambda: "AAPL" in desk._world.halted)
    return bracket_id


def test_in_a_halt_nothing_is_stripped_and_a_close_waits_for_the_resumption(tmp_path: Path) -> None:
    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await protected_and_halted(day, desk)
            with pytest.raises(CommandRefused) as refused:
                await desk.flatten_bracket(bracket_id, actor="test")
            assert refused.value.code == "HALTED"
            assert desk.bracket(bracket_id).can_flatten
            await desk.flatten_bracket(bracket_id, actor="test", when=ExitWhen.OPEN)
            await day.clock.sleep(10)
            view = desk.bracket(bracket_id)
            assert (view.status.value, view.naked_qty, view.naked_s) == ("exiting", 0, 0)
            assert desk.exits.plans(bracket_id).state == "exit_halted"
            assert any("halted" in incident.cause for incident in desk.incidents())
            await day.ask("POST", "/_exchange/halts/AAPL", {"halted": False})
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
            assert await day.shares() == 0

    play(tmp_path, scene, begins=MORNING)


def test_a_resumption_that_the_stream_never_told_holds_no_exit_back(tmp_path: Path) -> None:
    """The data stream breaks while trading is halted, and trading goes on before it stands again."""

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            bracket_id = await protected_and_halted(day, desk)
            await desk.flatten_bracket(bracket_id, actor="test", when=ExitWhen.OPEN)
            await day.ask("POST", "/_exchange/data/cut")
            await day.ask("POST", "/_exchange/halts/AAPL", {"halted": False})
            await day.until(lambda: desk.bracket(bracket_id).status.value == "closed")
            assert await day.shares() == 0

    play(tmp_path, scene, begins=MORNING)
