"""The last minutes of a session: what is carried over the close, replaced, closed or called out."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.desk import Desk
from engine.exchange.faults import Refuse
from engine.views import BracketView
from tests.wire.desk.conftest import Rig, approved, protected, rig_at, until

NEW_YORK = ZoneInfo("America/New_York")
AFTERNOON = datetime(2026, 11, 24, 15, 50, 30, tzinfo=NEW_YORK)
EARLY_CLOSE = datetime(2026, 11, 27, 12, 45, 30, tzinfo=NEW_YORK)
"""The day after Thanksgiving: New York closes at 13:00."""
DUE = datetime(2026, 11, 24, 15, 46, tzinfo=NEW_YORK)


@pytest.mark.parametrize(("moment", "closes"), [(DUE, (16, 0)), (EARLY_CLOSE, (13, 0))])
async def test_the_sheet_lists_each_position_with_what_protects_it_tomorrow(
    tmp_path: Path, moment: datetime, closes: tuple[int, int]
) -> None:
    async with rig_at(tmp_path, moment) as rig, rig.desk() as desk:
        bracket = await protected(desk, rig.signal())
        sheet = desk.carry()
        assert sheet.is_due
        assert sheet.closes_at is not None
        local = sheet.closes_at.astimezone(NEW_YORK)
        assert (local.hour, local.minute) == closes
        (row,) = sheet.rows
        assert (row.bracket_id, row.held_qty, row.carried_qty, row.dying_qty, row.bare_qty) == (
            bracket.id,
            10,
            10,
            0,
            0,
        )
        assert (row.plan, row.stop_time_in_force and row.stop_time_in_force.value) == ("carried", "gtc")
        assert row.risk_usd is not None
        assert row.risk_usd > 0
        assert not any("carried over the close" in incident.cause for incident in desk.incidents())


async def with_day_stop(rig: Rig, trade: BracketView) -> None:
    """As if the trade's stop were for the day only: what the desk itself would have sent, in its own name."""
    assert trade.legs.stop_loss is not None
    assert trade.stop_price is not None
    await rig.ask("POST", f"/_exchange/orders/{trade.legs.stop_loss.broker_id}/cancel")
    desk_part = (trade.orders[0].client_order_id or "").rsplit("-", 2)[0]
    body: dict[str, Any] = {
        "client_order_id": f"{desk_part}-stop-1",
        "symbol": trade.symbol,
        "side": "sell",
        "type": "stop",
        "qty": str(trade.held_qty),
        "time_in_force": "day",
        "stop_price": str(trade.stop_price),
    }
    answer: dict[str, Any] = {}
    while "id" not in answer:
        answer = await rig.ask("POST", "/v2/orders", body)


async def test_exits_that_die_at_the_close_are_replaced_by_ones_that_live_on(tmp_path: Path) -> None:
    async with rig_at(tmp_path, DUE) as rig:
        async with rig.desk() as desk:
            trade = await protected(desk, rig.signal())
        await with_day_stop(rig, trade)
        async with rig.desk() as desk:
            await until(lambda: desk.carry().rows[0].carried_qty == 10, patience_s=15)
            again = desk.bracket(trade.id)
            assert (again.plan, again.covered_qty) == ("oco", 10)
            assert any("would die at the close" in line.text for line in desk.activity())


async def test_by_policy_they_are_flattened_instead(tmp_path: Path) -> None:
    async with rig_at(tmp_path, DUE) as rig:
        async with rig.desk() as desk:
            trade = await protected(desk, rig.signal())
        await with_day_stop(rig, trade)
        async with rig.desk(protection={"carry": "flatten"}) as desk:
            await until(lambda: desk.bracket(trade.id).status.value == "closed", patience_s=15)
            assert await rig.positions() == []


async def test_a_position_that_only_takes_day_orders_is_priority_1_before_the_close(tmp_path: Path) -> None:
    async with rig_at(tmp_path, AFTERNOON) as rig:
        async with rig.desk() as desk:
            trade = await protected(desk, rig.signal())
        await with_day_stop(rig, trade)
        rig.exchange.faults.add(
            Refuse(
                method="POST",
                path="/v2/orders",
                status=422,
                code=42210000,
                count=None,
                message='only day orders are allowed for hard-to-borrow asset "AAPL"',
            )
        )
        async with rig.desk(protection={"carry": "ask"}) as desk:
            await until(lambda: carry_incident(desk), patience_s=15)
            (incident,) = carry_incident(desk)
            assert incident.priority == 1
            assert incident.deadline_at == desk.carry().closes_at
            assert "flatten" in incident.buttons
            assert desk.carry().rows[0].plan == "asked"


def carry_incident(desk: Desk) -> list[Any]:
    return [incident for incident in desk.incidents() if "carried over the close" in incident.cause]


async def test_a_strategy_that_is_flat_by_the_close_is_closed_before_it(tmp_path: Path) -> None:
    async with rig_at(tmp_path, DUE + timedelta(minutes=3, seconds=57)) as rig:
        async with rig.desk(strategies={"test": {"flat_by_close": True}}) as desk:
            trade = await protected(desk, rig.signal())
            other = await protected(desk, rig.signal("MSFT", strategy="other"))
            assert {row.plan for row in desk.carry().rows} == {"flat_by_close", "carried"}
        async with rig.desk(strategies={"test": {"flat_by_close": True}}) as desk:
            await until(lambda: desk.bracket(trade.id).status.value == "closed", patience_s=20)
            assert desk.bracket(other.id).status.value == "protected"


async def test_an_entry_for_the_day_is_cancelled_before_an_early_close_and_what_it_bought_is_covered(
    tmp_path: Path,
) -> None:
    moment = EARLY_CLOSE + timedelta(minutes=4, seconds=28)
    async with rig_at(tmp_path, moment) as rig, rig.desk(protection={"partial_rescue_after_s": 600}) as desk:
        bracket_id = await approved(desk, rig.resting("JPM"))
        (entry,) = await rig.entries()
        await rig.fill_by_hand(entry["id"], 4)
        await until(lambda: desk.bracket(bracket_id).held_qty == 4)
        await until(lambda: desk.bracket(bracket_id).status.value == "protected", patience_s=25)
        bracket = desk.bracket(bracket_id)
        assert (bracket.held_qty, bracket.covered_qty) == (4, 4)
        assert any("for the day only" in line.text for line in desk.activity())
