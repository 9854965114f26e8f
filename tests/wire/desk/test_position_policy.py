"""What a signal to open means while its symbol is held: no, more of it, or the other way round."""

from __future__ import annotations

import asyncio

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused
from engine.exchange.faults import StickCancel
from tests.wire.desk.conftest import Rig, protected, until

ADD = {"test": {"on_position": "add", "max_adds": 1}}
REVERSE = {"test": {"on_position": "reverse"}}


async def refused_with(desk: Desk, raw: bytes) -> set[str]:
    view, _ = await desk.receive(raw)
    with pytest.raises(CommandRefused) as refused:
        await desk.approve(view.id, actor="test")
    return {reason.code for reason in refused.value.reasons if reason.verdict.value == "deny"}


async def test_adding_is_a_trade_of_its_own_with_its_own_exits_up_to_the_cap(rig: Rig) -> None:
    async with rig.desk(strategies=ADD) as desk:
        first = await protected(desk, rig.signal(qty=6))
        second = await protected(desk, rig.signal(qty=4))
        assert first.id != second.id
        position = desk.position("AAPL")
        assert position is not None
        assert (position.qty, position.covered_qty, position.naked_qty) == (10, 10, 0)
        assert "MAX_ADDS" in await refused_with(desk, rig.signal(qty=1))
    async with rig.desk(strategies=ADD) as desk:
        for trade in (first, second):
            assert desk.bracket(trade.id).status.value == "protected"
        await desk.flatten_bracket(second.id, actor="test")
        await until(lambda: desk.bracket(second.id).status.value == "closed")
        left = desk.position("AAPL")
        assert left is not None
        assert (left.qty, left.covered_qty) == (6, 6)


async def test_a_position_may_not_grow_beyond_its_cap(rig: Rig) -> None:
    cap = float(rig.price("AAPL") * 11)
    async with rig.desk(strategies={"test": {"on_position": "add", "max_position_notional": cap}}) as desk:
        await protected(desk, rig.signal(qty=6))
        assert "MAX_POSITION" in await refused_with(desk, rig.signal(qty=6))


async def test_another_strategy_may_not_do_what_was_allowed_to_one(rig: Rig) -> None:
    async with rig.desk(strategies=ADD) as desk:
        await protected(desk, rig.signal(qty=6))
        assert await refused_with(desk, rig.signal(qty=4, strategy="other")) == {"POSITION_EXISTS"}


async def test_reversing_closes_first_and_enters_when_the_broker_shows_nothing_left(rig: Rig) -> None:
    async with rig.desk(strategies=REVERSE) as desk:
        long = await protected(desk, rig.signal("MSFT", qty=6))
        view, _ = await desk.receive(rig.signal("MSFT", "sell", qty=4))
        await until(lambda: desk.quote("MSFT"))
        preview = desk.preview(view.id)
        assert preview.sentence.startswith("Close 6 MSFT, then Short 4 MSFT")
        assert [request.method for request in preview.requests] == ["PATCH", "POST"]
        await desk.approve(view.id, actor="test", preview_id=preview.preview_id)
        await until(lambda: desk.bracket(long.id).status.value == "closed")
        await until(lambda: desk.signal(view.id).bracket_id is not None)
        short = desk.signal(view.id).bracket_id or ""
        await until(lambda: desk.bracket(short).status.value == "protected")
        assert [(p["symbol"], p["qty"]) for p in await rig.positions()] == [("MSFT", "-4")]
        assert any("is flat, proved by request" in line.text for line in desk.activity())
        orders = await rig.orders()
        entry = next(o for o in orders if o["client_order_id"] == preview.requests[-1].body["client_order_id"])
        assert all(o["filled_at"] < entry["submitted_at"] for o in orders if o["id"] != entry["id"] and o["filled_at"])


async def test_a_close_that_does_not_end_in_time_sends_no_second_order(rig: Rig) -> None:
    async with rig.desk(strategies={"test": {"on_position": "reverse", "reverse_within_s": 1.5}}) as desk:
        long = await protected(desk, rig.signal("MSFT", qty=6, take_profit=None))
        rig.exchange.faults.add(StickCancel())
        view, _ = await desk.receive(rig.signal("MSFT", "sell", qty=4))
        await desk.approve(view.id, actor="test")
        await until(lambda: desk.signal(view.id).status.value == "denied")
        assert "REVERSE_EXPIRED" in {reason.code for reason in desk.signal(view.id).reasons}
        assert len(await rig.entries()) == 1
        assert desk.bracket(long.id).status.value != "closed"


async def test_a_crash_between_the_two_orders_sends_only_the_first(rig: Rig) -> None:
    async with rig.desk(strategies=REVERSE) as desk:
        long = await protected(desk, rig.signal("MSFT", qty=6, take_profit=None))
        rig.exchange.faults.add(StickCancel())
        view, _ = await desk.receive(rig.signal("MSFT", "sell", qty=4))
        await desk.approve(view.id, actor="test")
        await until(lambda: desk.signal(view.id).status.value == "working")
        await asyncio.sleep(0.2)
    async with rig.desk(strategies=REVERSE) as desk:
        back = desk.signal(view.id)
        assert (back.status.value, back.bracket_id) == ("pending", None)
        assert "was not sent" in back.decision_note
        assert desk.bracket(long.id).status.value in ("exiting", "exit_stalled", "closed")
        assert len(await rig.entries()) == 1


async def test_a_reversal_can_be_stopped_before_its_second_order(rig: Rig) -> None:
    async with rig.desk(strategies=REVERSE) as desk:
        await protected(desk, rig.signal("MSFT", qty=6, take_profit=None))
        rig.exchange.faults.add(StickCancel())
        view, _ = await desk.receive(rig.signal("MSFT", "sell", qty=4))
        await desk.approve(view.id, actor="test")
        await until(lambda: desk.signal(view.id).status.value == "working")
        await desk.reject(view.id, actor="test", reason="only close")
        assert desk.signal(view.id).status.value == "rejected"
        assert len(await rig.entries()) == 1


async def test_shares_of_another_hand_are_never_reversed(rig: Rig) -> None:
    await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "7"})
    async with rig.desk(strategies=REVERSE) as desk:
        for difference in desk.differences():
            await desk.settle_difference(difference.id, settlement="ignore", actor="test")
        await until(lambda: desk.health().start_gate == "open")
        assert "POSITION_FOREIGN" in await refused_with(desk, rig.signal("XOM", "sell", qty=4))
