"""An exit that the broker refuses beside a resting entry of ours, as a possible wash trade: the entry makes way."""

from __future__ import annotations

from decimal import Decimal

from engine.desk import Desk
from engine.model.words import BracketStatus, OrderStatus
from tests.wire.desk.conftest import Rig, approved, protected, until


def is_(desk: Desk, bracket_id: str, status: BracketStatus) -> bool:
    return desk.bracket(bracket_id).status is status


async def left_and_taken_back(rig: Rig, desk: Desk) -> str:
    """A trade that was flattened, beside a resting order, and whose exit the venue takes back: only a close helps."""
    trade = await protected(desk, rig.signal("AAPL"))
    await desk.flatten_bracket(trade.id, actor="test")
    await until(lambda: is_(desk, trade.id, BracketStatus.CLOSED))
    return trade.id


async def take_back_its_exit(rig: Rig, desk: Desk, bracket_id: str) -> None:
    sold = next(o for o in desk.bracket(bracket_id).orders if o.filled_qty and o.role.value != "entry")
    await rig.ask("POST", f"/_exchange/orders/{sold.broker_id}/bust")


async def test_a_close_is_not_kept_from_the_market_by_a_resting_entry_of_ours(rig: Rig) -> None:
    async with rig.desk() as desk:
        trade_id = await left_and_taken_back(rig, desk)
        entry_of = await approved(desk, rig.resting("AAPL"))
        await until(lambda: desk.bracket(entry_of).legs.entry.status is OrderStatus.NEW)
        await take_back_its_exit(rig, desk, trade_id)
        await until(lambda: any(o.role.value == "exit" for o in desk.bracket(trade_id).orders))
        await until(lambda: is_(desk, trade_id, BracketStatus.CLOSED))
        assert desk.bracket(entry_of).legs.entry.status is OrderStatus.CANCELED
        assert any("right of way" in line.text for line in desk.activity()), [line.text for line in desk.activity()]
    assert await rig.positions() == []


async def test_the_order_of_another_hand_is_left_alone_and_named(rig: Rig) -> None:
    async with rig.desk() as desk:
        trade_id = await left_and_taken_back(rig, desk)
        body = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1"}
        foreign = await rig.ask("POST", "/v2/orders", body | {"time_in_force": "day"})
        await take_back_its_exit(rig, desk, trade_id)
        await until(lambda: sum(o.role.value == "exit" for o in desk.bracket(trade_id).orders) > 1)
        assert (await rig.ask("GET", f"/v2/orders/{foreign['id']}"))["status"] == "new"
        await rig.ask("DELETE", f"/v2/orders/{foreign['id']}")
        await until(lambda: is_(desk, trade_id, BracketStatus.CLOSED))
    assert await rig.positions() == []


async def test_the_stop_of_a_part_of_a_share_is_kept_out_by_no_resting_entry(rig: Rig) -> None:
    """No group exempts it: without this the part would stand naked until that entry has filled or expired."""
    async with rig.desk() as desk:
        entry_of = await approved(desk, rig.resting("AAPL"))
        await until(lambda: desk.bracket(entry_of).legs.entry.status is OrderStatus.NEW)
        by_hand = {"symbol": "AAPL", "qty": "0.4", "side": "buy", "type": "market", "time_in_force": "day"}
        await rig.ask("POST", "/v2/orders", by_hand)
        await until(lambda: [each for each in desk.differences() if each.kind == "position"])
        (found,) = [each for each in desk.differences() if each.kind == "position"]
        stop = round(rig.price("AAPL") * Decimal("0.98"), 2)
        await desk.settle_difference(found.id, settlement="adopt", actor="ann", stop_price=stop)
        (part,) = [each.id for each in desk.brackets() if each.id != entry_of]
        await until(lambda: is_(desk, part, BracketStatus.PROTECTED))
        assert desk.bracket(entry_of).legs.entry.status is OrderStatus.CANCELED
        assert desk.bracket(part).attempts == 0, "a wish that waits for another order is no failure"
