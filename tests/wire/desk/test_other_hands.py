"""Orders that another hand at the broker replaced: whatever became of ours is followed, however many hops away."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.exchange.faults import LoseEvent
from tests.wire.desk.conftest import Rig, approved, protected, until


async def move_by_hand(rig: Rig, order_id: str, times: int = 1, **change: Decimal) -> str:
    """Moves a price at the broker's own page, a cent more each time; returns the id of the newest order."""
    ((field, price),) = change.items()
    for hop in range(times):
        body = {field: str(price - Decimal("0.01") * hop)}
        answer = await rig.ask("PATCH", f"/v2/orders/{order_id}", body)
        assert "id" in answer, answer
        order_id = answer["id"]
        await until_settled(rig, order_id)
    return order_id


async def until_settled(rig: Rig, order_id: str) -> None:
    async def status() -> str:
        found: dict[str, Any] = await rig.ask("GET", f"/v2/orders/{order_id}")
        return str(found["status"])

    while await status() in ("pending_new", "pending_replace", "accepted_for_bidding"):
        pass


@pytest.mark.parametrize("hops", [1, 3])
@pytest.mark.parametrize("leg", ["stop_loss", "take_profit"])
@pytest.mark.parametrize("seen", ["stream", "rest", "away"])
async def test_an_exit_that_another_hand_moved_is_ours_still(rig: Rig, hops: int, leg: str, seen: str) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
        old = getattr(bracket.legs, leg)
        assert old is not None
        assert old.broker_id is not None
        field = "stop_price" if leg == "stop_loss" else "limit_price"
        price = getattr(old, field) - Decimal("0.20")
        if seen != "away":
            if seen == "rest":
                rig.exchange.faults.add(LoseEvent(count=None))
            newest = await move_by_hand(rig, old.broker_id, hops, **{field: price})
            if seen == "rest":
                rig.exchange.faults.clear()
                await rig.ask("POST", "/_exchange/streams/cut")
            await until(lambda: getattr(desk.bracket(bracket.id).legs, leg).broker_id == newest)
    if seen == "away":
        newest = await move_by_hand(rig, old.broker_id, hops, **{field: price})
    async with rig.desk() as desk:
        await until(lambda: getattr(desk.bracket(bracket.id).legs, leg).broker_id == newest)
        await until(lambda: desk.bracket(bracket.id).status.value == "protected")
        assert desk.differences() == []
        await desk.flatten(symbol="AAPL", actor="test")
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
    assert await rig.positions() == []


@pytest.mark.parametrize("leg", ["stop_loss", "take_profit"])
async def test_one_reading_follows_every_hop_to_the_leg_that_it_lists(rig: Rig, leg: str) -> None:
    """The list names only the newest leg, whose forerunners the book does not know before they have been followed."""
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
        old = getattr(bracket.legs, leg)
        field = "stop_price" if leg == "stop_loss" else "limit_price"
        rig.exchange.faults.add(LoseEvent(count=None))
        newest = await move_by_hand(rig, old.broker_id, 3, **{field: getattr(old, field) - Decimal("0.20")})
        await desk._reconciler.reader.read(())
        assert getattr(desk.bracket(bracket.id).legs, leg).broker_id == newest


@pytest.mark.parametrize("hops", [1, 3])
@pytest.mark.parametrize("seen", ["stream", "away"])
async def test_an_entry_that_another_hand_moved_brings_its_exits_along(rig: Rig, hops: int, seen: str) -> None:
    async with rig.desk() as desk:
        bracket_id = await approved(desk, rig.resting("JPM"))
        (entry,) = await rig.entries()
        limit = Decimal(entry["limit_price"]) - Decimal("0.10")
        if seen == "stream":
            newest = await move_by_hand(rig, entry["id"], hops, limit_price=limit)
    if seen == "away":
        newest = await move_by_hand(rig, entry["id"], hops, limit_price=limit)
    async with rig.desk() as desk:
        assert newest in {order.broker_id for order in desk.bracket(bracket_id).orders}
        await rig.fill_by_hand(newest, 10)
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        assert desk.bracket(bracket_id).held_qty == 10
        assert desk.differences() == []


async def test_the_word_about_a_successor_may_be_lost(rig: Rig) -> None:
    """The stream tells that the stop was replaced, and nothing of what replaced it."""
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
        stop = bracket.legs.stop_loss
        assert stop is not None
        assert stop.broker_id is not None
        assert stop.stop_price is not None
        for word in ("new", "pending_new", "accepted", "held"):
            rig.exchange.faults.add(LoseEvent(event=word, count=None))
        newest = await move_by_hand(rig, stop.broker_id, stop_price=stop.stop_price - Decimal("0.20"))
        await until(lambda: desk.bracket(bracket.id).legs.stop_loss.broker_id == newest, patience_s=3.0)
