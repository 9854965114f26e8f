"""Stop entries: the desk holds the trigger, sends a bracket when it is reached, never for a price it did not see."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from engine.desk import Desk
from engine.errors import CommandRefused
from engine.model.words import DeskState
from tests.wire.desk.conftest import Rig, until


def breakout(rig: Rig, symbol: str = "AAPL", side: str = "buy", **entry: Any) -> bytes:
    """Enters 1 % beyond the market, with a stop 1 % behind the trigger and a target 2 % ahead of it."""
    sign = 1 if side == "buy" else -1
    trigger = round(rig.price(symbol) * (1 + sign * Decimal("0.01")), 2)
    return rig.signal(
        symbol,
        side,
        entry={"type": "stop", "stop_price": str(trigger), **entry},
        stop_loss={"stop_price": str(round(trigger * (1 - sign * Decimal("0.01")), 2))},
        take_profit={"limit_price": str(round(trigger * (1 + sign * Decimal("0.02")), 2))},
    )


async def armed(desk: Desk, raw: bytes) -> tuple[str, Decimal]:
    view, _ = await desk.receive(raw)
    await desk.approve(view.id, actor="test")
    await until(lambda: desk.signal(view.id).trigger_price is not None)
    price = desk.signal(view.id).trigger_price
    assert price is not None
    return view.id, price


async def moved(rig: Rig, symbol: str, price: Decimal) -> None:
    """Two prints at a price, each with the spread around it."""
    for _ in range(2):
        rig.exchange.exchange.move_price(symbol, price)
        await asyncio.sleep(0.3)


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_nothing_is_sent_until_the_trigger_is_seen_and_then_one_bracket(rig: Rig, side: str) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(breakout(rig, "MSFT", side))
        await until(lambda: desk.quote("MSFT"))
        preview = desk.preview(view.id)
        assert "held at the desk until" in preview.sentence
        assert any("nothing triggers while it is down" in reason.text for reason in preview.verdicts)
        (request,) = preview.requests
        assert request.body["type"] == "market"
        await desk.approve(view.id, actor="test", preview_id=preview.preview_id)
        await until(lambda: desk.signal(view.id).status.value == "working")
        held = desk.signal(view.id)
        assert held.trigger_price is not None
        assert "waits for" in held.decision_note
        assert await rig.entries() == []
        sign = 1 if side == "buy" else -1
        await moved(rig, "MSFT", held.trigger_price + sign * Decimal("0.30"))
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        (bracket,) = desk.brackets()
        assert (bracket.signal_id, bracket.plan, bracket.naked_qty) == (view.id, "bracket", 0)
        assert desk.signal(view.id).trigger_price is None
        (entry,) = await rig.entries()
        assert entry["client_order_id"] == request.body["client_order_id"]


async def test_a_stop_limit_entry_becomes_a_limit(rig: Rig) -> None:
    async with rig.desk() as desk:
        trigger = round(rig.price("AAPL") * Decimal("1.01"), 2)
        signal_id, price = await armed(desk, breakout(rig, type="stop_limit", limit_price=str(trigger + 1)))
        await moved(rig, "AAPL", price + Decimal("0.20"))
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        (entry,) = await rig.entries()
        assert (entry["type"], Decimal(entry["limit_price"])) == ("limit", trigger + 1)
        assert desk.brackets()[0].signal_id == signal_id


async def test_a_restart_arms_the_trigger_again(rig: Rig) -> None:
    async with rig.desk() as desk:
        signal_id, price = await armed(desk, breakout(rig))
    async with rig.desk() as desk:
        assert desk.signal(signal_id).trigger_price == price
        await until(lambda: desk.quote("AAPL"))
        await moved(rig, "AAPL", price + Decimal("0.30"))
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        assert len(await rig.entries()) == 1


async def test_a_price_that_passed_the_trigger_while_the_desk_was_down_sends_nothing(rig: Rig) -> None:
    async with rig.desk() as desk:
        signal_id, price = await armed(desk, breakout(rig))
    rig.exchange.exchange.move_price("AAPL", price + Decimal("0.50"))
    async with rig.desk() as desk:
        await until(lambda: desk.signal(signal_id).status.value == "pending")
        back = desk.signal(signal_id)
        assert "while the desk was down" in back.decision_note
        assert back.preview is not None
        assert back.preview.blocked_by is not None
        assert "already beyond the trigger" in back.preview.blocked_by
        assert await rig.entries() == []
        with pytest.raises(CommandRefused):
            await desk.approve(signal_id, actor="test")


async def test_a_held_entry_reserves_its_symbol_and_its_buying_power(rig: Rig) -> None:
    async with rig.desk() as desk:
        before = desk.account().reserved
        signal_id, price = await armed(desk, breakout(rig))
        assert desk.account().reserved - before == 10 * price
        view, _ = await desk.receive(rig.signal("AAPL"))
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(view.id, actor="test")
        assert refused.value.code == "ENTRY_IN_FLIGHT"
        await desk.reject(signal_id, actor="test", reason="not any more")
        assert desk.signal(signal_id).status.value == "rejected"
        assert desk.account().reserved == before
        await moved(rig, "AAPL", price + Decimal("0.30"))
        assert await rig.entries() == []


async def test_the_gate_is_asked_again_when_the_trigger_is_reached(rig: Rig) -> None:
    async with rig.desk() as desk:
        signal_id, price = await armed(desk, breakout(rig))
        await desk.set_state(DeskState.PAUSED, actor="test")
        await moved(rig, "AAPL", price + Decimal("0.30"))
        await until(lambda: desk.signal(signal_id).status.value == "denied")
        assert "DESK_STATE" in {reason.code for reason in desk.signal(signal_id).reasons}
        assert await rig.entries() == []


async def test_reducing_gives_up_what_waits_for_its_price(rig: Rig) -> None:
    async with rig.desk() as desk:
        signal_id, _ = await armed(desk, breakout(rig))
        await desk.set_state(DeskState.REDUCING, actor="test")
        await until(lambda: desk.signal(signal_id).status.value == "denied")
