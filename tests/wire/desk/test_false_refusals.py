"""The broker refuses in its answer what its own books show: the books win, visibly, and what is held is covered."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused
from engine.exchange.faults import Drop, FalseRefusal, LoseEvent, Refuse
from tests.wire.desk.conftest import Rig, protected, until

ORDERS = "/v2/orders"


def told(desk: Desk) -> list[str]:
    return [incident.cause for incident in desk.incidents() if "has it all the same" in incident.cause]


async def refused_entry(desk: Desk, raw: bytes) -> str:
    """Approved, and refused by the broker's answer; returns the trade's id."""
    view, _ = await desk.receive(raw)
    await desk.approve(view.id, actor="test")
    await until(lambda: any("entry refused" in line.text for line in desk.activity()))
    return desk.signal(view.id).bracket_id or ""


@pytest.mark.parametrize("seen", ["stream", "rest", "away"])
async def test_an_entry_refused_in_its_answer_is_followed_when_the_broker_has_it(rig: Rig, seen: str) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(FalseRefusal(method="POST", path=ORDERS))
        if seen != "stream":
            rig.exchange.faults.add(LoseEvent(count=None))
        bracket_id = await refused_entry(desk, rig.signal())
        if seen == "rest":
            await until(lambda: desk.bracket(bracket_id).status.value == "protected", patience_s=20.0)
    rig.exchange.faults.clear()
    async with rig.desk() as desk:
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        assert desk.bracket(bracket_id).held_qty == 10
        assert desk.signal(desk.bracket(bracket_id).signal_id).status.value == "filled"
        assert len(await rig.entries()) == 1
        await until(lambda: told(desk))
        assert desk.differences() == []
        await desk.flatten(symbol="AAPL", actor="test")
        await until(lambda: desk.bracket(bracket_id).status.value == "closed")
        await until(lambda: not told(desk))


async def test_a_resting_entry_refused_in_its_answer_works_on_and_can_be_canceled(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(FalseRefusal(method="POST", path=ORDERS))
        bracket_id = await refused_entry(desk, rig.resting("JPM"))
        await until(lambda: desk.bracket(bracket_id).status.value == "arming" and told(desk))
        entry = desk.bracket(bracket_id).orders[0]
        assert entry.status.value in ("new", "accepted")
        await desk.cancel_order(entry.id, actor="test")
        await until(lambda: desk.order(entry.id).status.value == "canceled")
        await until(lambda: not told(desk))
    assert await rig.positions() == []


async def test_a_true_refusal_stays_one(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(Refuse(method="POST", path=ORDERS, status=422, code=42210000, message="no"))
        bracket_id = await refused_entry(desk, rig.resting("JPM"))
        await until(lambda: desk.bracket(bracket_id).orders[0].status.value == "rejected")
        await desk._reconciler.reader.check_refusals()
        assert desk.bracket(bracket_id).orders[0].status.value == "rejected"
        assert told(desk) == []
        assert await rig.entries() == []


async def test_exits_refused_in_their_answer_are_placed_once(rig: Rig) -> None:
    """A position that lost its exits: the new ones are refused and stand. No second pair is placed beside them."""
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal())
        stop = bracket.legs.stop_loss
        assert stop is not None
        rig.exchange.faults.add(FalseRefusal(method="POST", path=ORDERS))
        await rig.ask("DELETE", f"{ORDERS}/{stop.broker_id}")
        await until(lambda: desk.bracket(bracket.id).plan == "oco")
        await until(lambda: desk.bracket(bracket.id).status.value == "protected")
        open_orders = await rig.ask("GET", "/v2/orders?status=open&nested=true")
        assert len([order for order in open_orders if order["symbol"] == "AAPL"]) == 1
        assert desk.bracket(bracket.id).covered_qty == 10


@pytest.mark.parametrize("seen", ["rest", "away"])
async def test_a_replacement_refused_in_its_answer_is_found_when_nothing_else_tells(rig: Rig, seen: str) -> None:
    """The read that should show it is lost, and so is the stream's word."""
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal())
        stop = bracket.legs.stop_loss
        assert stop is not None
        assert stop.stop_price is not None
        rig.exchange.faults.add(FalseRefusal(method="PATCH", path=f"{ORDERS}/*"))
        rig.exchange.faults.add(Drop(method="GET", path=f"{ORDERS}/{stop.broker_id}", count=3))
        rig.exchange.faults.add(LoseEvent(count=None))
        wanted = stop.stop_price + Decimal("0.30")
        with suppress(CommandRefused):  # as far as anybody knows by then
            await desk.exits.move(bracket.id, actor="test", stop_price=wanted)
        if seen == "rest":
            await until(lambda: _stop_price(desk, bracket.id) == wanted, patience_s=20.0)
    rig.exchange.faults.clear()
    async with rig.desk() as desk:
        await until(lambda: _stop_price(desk, bracket.id) == wanted)
        await until(lambda: desk.bracket(bracket.id).status.value == "protected")
        rejected = [order for order in desk.bracket(bracket.id).orders if order.status.value == "rejected"]
        assert rejected == []


def _stop_price(desk: Desk, bracket_id: str) -> Decimal | None:
    stop = desk.bracket(bracket_id).legs.stop_loss
    return stop.stop_price if stop is not None else None
