"""Naked shares are found, covered, told, and repaired by button."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from engine.errors import CommandRefused
from engine.exchange.faults import ExitsRefused, LegsStayHeld, PartialFill, RejectLegs, StickCancel
from engine.protection import asleep, flatten
from tests.wire.desk.conftest import Rig, approved, protected, until


async def test_rejected_exits_are_replaced_by_an_oco(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(RejectLegs())
        bracket_id = await approved(desk, rig.signal())
        await until(lambda: desk.bracket(bracket_id).plan == "oco")
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        bracket = desk.bracket(bracket_id)
        assert bracket.covered_qty == bracket.held_qty == 10
        assert bracket.naked_s > 0
        assert bracket.attempts == 0


async def test_exits_that_stay_held_after_the_fill_are_found_out_and_replaced_by_an_oco(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asleep, "WAKING_S", 0.3)
    async with rig.desk() as desk:
        rig.exchange.faults.add(LegsStayHeld())
        bracket_id = await approved(desk, rig.signal())
        await until(lambda: desk.bracket(bracket_id).naked_qty == 10)
        assert "held after its fill" in (desk.bracket(bracket_id).last_error or "")
        await until(lambda: desk.bracket(bracket_id).plan == "oco")
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        bracket = desk.bracket(bracket_id)
        assert bracket.covered_qty == bracket.held_qty == 10
        assert bracket.naked_s >= 0.3, "it was naked since the fill, not since somebody noticed"
        await until(lambda: rig.exchange.exchange.floor.account.held("AAPL") == 10)


async def test_exits_refused_until_the_desk_gives_up_raise_an_incident_and_retry_mends_it(rig: Rig) -> None:
    async with rig.desk(protection={"max_attempts": 2}) as desk:
        rig.exchange.faults.add(ExitsRefused(from_group=1, then_refuse_oco=2))
        bracket_id = await approved(desk, rig.signal())
        await until(lambda: desk.bracket(bracket_id).gave_up)
        broken = desk.bracket(bracket_id)
        assert (broken.status.value, broken.attempts, broken.naked_qty) == ("naked", 2, 10)
        assert broken.can_retry
        await until(lambda: desk.incidents() and "failed" in desk.incidents()[0].cause)
        incident = desk.incidents()[0]
        assert incident.priority == 1
        assert "retry" in incident.buttons
        answered = await desk.retry_bracket(bracket_id, actor="test")
        assert answered.plan_id is not None
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        await until(lambda: not desk.incidents())
        with pytest.raises(CommandRefused) as refused:
            await desk.retry_bracket(bracket_id, actor="test")
        assert refused.value.code == "NOTHING_TO_RETRY"


async def test_retry_cuts_the_pause_between_placements_short(rig: Rig) -> None:
    async with rig.desk(protection={"max_attempts": 20}) as desk:
        rig.exchange.faults.add(ExitsRefused(from_group=1, then_refuse_oco=5))
        bracket_id = await approved(desk, rig.signal())
        await until(lambda: desk.bracket(bracket_id).attempts >= 4)
        await desk.retry_bracket(bracket_id, actor="test")
        await until(lambda: desk.bracket(bracket_id).attempts == 0 or desk.bracket(bracket_id).attempts >= 1)
        await desk.retry_bracket(bracket_id, actor="test") if desk.bracket(bracket_id).can_retry else None
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")


async def test_a_stuck_part_filled_entry_is_cut_short_and_covered(rig: Rig) -> None:
    async with rig.desk(protection={"partial_rescue_after_s": 0.2}) as desk:
        bracket_id = await approved(desk, rig.resting("JPM", qty=10))
        (entry,) = await rig.entries()
        await rig.fill_by_hand(entry["id"], 4)
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        bracket = desk.bracket(bracket_id)
        assert (bracket.held_qty, bracket.covered_qty, bracket.plan) == (4, 4, "oco")
        assert bracket.naked_s >= 0.2
        assert bracket.legs.entry is not None
        assert bracket.legs.entry.status.value == "canceled"


async def test_an_entry_that_completes_in_two_executions_counts_only_its_own_naked_span(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(PartialFill(shares=Decimal(3)))
        bracket = await protected(desk, rig.signal())
        assert bracket.plan == "bracket"
        assert bracket.held_qty == 10
        assert 0 < bracket.naked_s < 5


async def test_a_price_beyond_the_stop_of_naked_shares_closes_them_at_once(rig: Rig) -> None:
    async with rig.desk(protection={"max_attempts": 1}) as desk:
        rig.exchange.faults.add(ExitsRefused(from_group=1, then_refuse_oco=20))
        bracket_id = await approved(desk, rig.signal("AAPL"))
        await until(lambda: desk.bracket(bracket_id).gave_up)
        rig.exchange.exchange.move_price("AAPL", round(rig.price("AAPL") * Decimal("0.97"), 2))
        await until(lambda: desk.bracket(bracket_id).status.value == "closed")
        assert desk.positions() == []


async def test_flatten_moves_the_live_target_and_keeps_the_stop_until_it_fills(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("MSFT"))
        await desk.flatten_bracket(bracket.id, actor="test")
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        closed = desk.bracket(bracket.id)
        assert closed.naked_s == bracket.naked_s
        assert [o.status.value for o in closed.orders if o.role.value == "exit"] == []
        assert desk.positions() == []
        with pytest.raises(CommandRefused) as again:
            await desk.flatten_bracket(bracket.id, actor="test")
        assert again.value.code == "NOTHING_TO_FLATTEN"


async def test_flatten_without_exits_sends_one_close_that_cannot_flip(rig: Rig) -> None:
    async with rig.desk(protection={"max_attempts": 1}) as desk:
        rig.exchange.faults.add(ExitsRefused(from_group=1, then_refuse_oco=1))
        bracket_id = await approved(desk, rig.signal("SPY", qty=5))
        await until(lambda: desk.bracket(bracket_id).gave_up)
        await asyncio.gather(
            desk.flatten_bracket(bracket_id, actor="a"),
            desk.flatten_bracket(bracket_id, actor="b"),
            return_exceptions=True,
        )
        await until(lambda: desk.bracket(bracket_id).status.value == "closed")
        closes = [order for order in await rig.orders() if order["position_intent"] == "sell_to_close"]
        assert [(order["qty"], order["type"]) for order in closes if order["type"] == "market"] == [("5", "market")]


async def test_flatten_all_leaves_nothing(rig: Rig) -> None:
    async with rig.desk() as desk:
        for symbol in ("AAPL", "MSFT"):
            await protected(desk, rig.signal(symbol))
        await protected(desk, rig.signal("XOM", side="sell"))
        await approved(desk, rig.resting("JPM"))
        await desk.flatten(symbol=None, actor="test")
        await until(lambda: not desk.brackets())
        assert desk.positions() == []
        assert desk.orders() == []


async def test_cancelling_the_target_by_hand_means_stop_only(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("NVDA"))
        target = bracket.legs.take_profit
        assert target is not None
        assert "naked until the stop is back" in (target.cancel_consequence or "")
        await desk.cancel_order(target.id, actor="test")
        await until(lambda: desk.bracket(bracket.id).plan == "stop")
        await until(lambda: desk.bracket(bracket.id).status.value == "protected")
        assert desk.bracket(bracket.id).take_profit_price is None


async def test_a_part_filled_entry_cancelled_by_hand_gets_exits_of_its_own(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket_id = await approved(desk, rig.resting("JPM", qty=10))
        (entry,) = await rig.entries()
        await rig.fill_by_hand(entry["id"], 6)
        await until(lambda: desk.bracket(bracket_id).held_qty == 6)
        await desk.cancel_order(desk.bracket(bracket_id).orders[0].id, actor="test")
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        assert desk.bracket(bracket_id).covered_qty == 6


async def test_a_cancel_that_sticks_is_told(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket_id = await approved(desk, rig.resting("JPM"))
        rig.exchange.faults.add(StickCancel())
        order = desk.bracket(bracket_id).orders[0]
        canceled = await desk.cancel_order(order.id, actor="test")
        assert canceled.note == "cancel asked"
        await until(lambda: desk.order(order.id).status.value == "pending_cancel")
        assert not desk.order(order.id).can_cancel


async def test_no_entry_while_a_stuck_exit_of_the_last_trade_could_still_fire(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(RejectLegs())
        bracket_id = await approved(desk, rig.signal("NVDA"))
        await until(lambda: desk.bracket(bracket_id).plan == "oco" and desk.bracket(bracket_id).naked_qty == 0)
        rig.exchange.faults.add(StickCancel(count=None))
        stop = desk.bracket(bracket_id).legs.stop_loss
        assert stop is not None
        await rig.ask("POST", "/_exchange/positions/NVDA", {"qty": "0"})
        await desk.lookup_order(stop.id, actor="test")
        await until(lambda: desk.bracket(bracket_id).held_qty == 0)
        view, _ = await desk.receive(rig.signal("NVDA"))
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(view.id, actor="test")
        assert "EXIT_IN_FLIGHT" in {reason.code for reason in refused.value.reasons}


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_shares_seen_free_are_closed_at_once_whichever_way_they_are_held(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    """Alpaca tells the free shares of a short position with a minus. The wait for them alone would outlast the test."""
    monkeypatch.setattr(flatten, "FREE_SHARES_WAIT_S", 60.0)
    async with rig.desk() as desk:
        bracket_id = (await protected(desk, rig.signal("XOM", side=side, take_profit=None))).id
        await desk.flatten_bracket(bracket_id, actor="test")
        await until(lambda: desk.bracket(bracket_id).status.value == "closed")
        assert await rig.positions() == []
