"""A split of what is held: told before with its plan, blocked for entries, and carried out when the broker shows it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.errors import CommandRefused
from engine.protection.corporate import NEW_YORK
from engine.views import BracketView
from tests.wire.desk.conftest import Rig, protected, until


async def announce_split(rig: Rig, symbol: str, new: int, days: int = 1) -> str:
    ex_date = rig.clock.now().astimezone(NEW_YORK).date() + timedelta(days=days)
    row = {"type": "forward_split", "symbol": symbol, "ex_date": ex_date.isoformat(), "new_rate": new, "old_rate": 1}
    told = await rig.ask("POST", "/_exchange/corporate-actions", row)
    return str(told["id"])


async def test_a_split_is_told_before_and_its_exits_are_placed_anew_after_it(rig: Rig) -> None:
    split = await announce_split(rig, "AAPL", 4)
    async with rig.desk(strategies={"test": {"on_position": "add"}}) as desk:
        trade = await protected(desk, rig.signal())
        assert trade.stop_price is not None
        assert trade.take_profit_price is not None
        await until(lambda: desk.corporate_actions())
        (plan,) = desk.corporate_actions()
        assert (plan.held_qty, plan.qty_after, plan.is_due) == (10, 40, False)
        assert plan.stop_price_after == round(trade.stop_price / 4, 2)
        await until(lambda: any("splits 4 for 1" in incident.cause for incident in desk.incidents()))
        (incident,) = [incident for incident in desk.incidents() if "splits 4 for 1" in incident.cause]
        assert "reprice" in incident.buttons
        view, _ = await desk.receive(rig.signal(qty=1))
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(view.id, actor="test")
        assert "CORPORATE_ACTION" in {reason.code for reason in refused.value.reasons}
        with pytest.raises(CommandRefused) as early:
            await desk.reprice_bracket(trade.id, actor="test")
        assert early.value.code == "NOT_YET"
    # The night of the split: four shares for each, at a quarter of the price. A hand has cancelled the exits before.
    await rig.ask("POST", f"/_exchange/orders/{_broker_id(trade)}/cancel")
    while any(leg["status"] not in ("canceled", "filled") for entry in await rig.entries() for leg in entry["legs"]):
        await asyncio.sleep(0.01)
    await rig.ask("POST", f"/_exchange/corporate-actions/{split}/apply")
    async with rig.desk(protection={"stop_through": "ask"}) as desk:
        await until(lambda: desk.corporate_actions() and desk.corporate_actions()[0].is_due)
        await desk.reprice_bracket(trade.id, actor="test")
        await until(lambda: desk.bracket(trade.id).covered_qty == 40)
        after = desk.bracket(trade.id)
        assert (after.held_qty, after.stop_price) == (40, plan.stop_price_after)
        assert after.take_profit_price == plan.take_profit_price_after
        await until(lambda: desk.health().start_gate == "open")
        with pytest.raises(CommandRefused) as again:
            await desk.reprice_bracket(trade.id, actor="test")
        assert again.value.code == "NOTHING_TO_REPRICE"
    async with rig.desk() as desk:
        assert desk.corporate_actions() == [] or desk.corporate_actions()[0].is_done
        assert desk.bracket(trade.id).covered_qty == 40


def _broker_id(trade: BracketView) -> str:
    assert trade.legs.stop_loss is not None
    return str(trade.legs.stop_loss.broker_id)


async def test_what_is_far_ahead_only_warns(rig: Rig) -> None:
    await announce_split(rig, "AAPL", 4, days=6)
    async with rig.desk(strategies={"test": {"on_position": "add"}}) as desk:
        await protected(desk, rig.signal(qty=2))
        await until(lambda: desk.corporate_actions())
        view, _ = await desk.receive(rig.signal(qty=1))
        verdicts = {r.code: r.verdict.value for r in desk.preview(view.id).verdicts}
        assert verdicts["CORPORATE_ACTION"] == "warn"
        assert desk.corporate_actions()[0].qty_after == Decimal(8)
