"""Ways out and repairs, and what they have to read, do not wait for those who only look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from engine.alpaca.budget import Lane
from engine.desk import Desk
from engine.errors import CommandRefused
from tests.wire.desk.conftest import Rig, protected, until

FEW = {"requests_per_minute": 60}


@asynccontextmanager
async def crowd(desk: Desk) -> AsyncIterator[None]:
    """Hundreds of readers in front of everybody who looks from here on."""
    readers = [asyncio.create_task(desk._client.account()) for _ in range(300)]
    try:
        await until(lambda: desk._client.budget.would_wait(Lane.READ))
        yield
        assert desk._client.budget.waiting > 100, "they still wait"
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


async def test_a_way_out_that_has_to_see_its_shares_free_does_not_wait_for_readers(rig: Rig) -> None:
    async with rig.desk(broker=FEW) as desk:
        bracket = await protected(desk, rig.signal("AAPL", take_profit=None))
        async with crowd(desk):
            await desk.flatten_bracket(bracket.id, actor="test")
            await until(lambda: desk.bracket(bracket.id).status.value == "closed")
    assert await rig.positions() == []


async def test_a_repair_reads_the_broker_at_once_however_many_wait(rig: Rig) -> None:
    async with rig.desk(broker=FEW) as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
        async with crowd(desk):
            async with asyncio.timeout(10):
                while desk.bracket(bracket.id).status.value not in ("exiting", "closed"):
                    plan = next(plan for plan in desk.exits.plans(bracket.id).plans if plan.kind == "flatten")
                    with suppress(CommandRefused):  # the exits may still follow the fill: another picture, another plan
                        await desk.exits.repair(bracket.id, plan_id=plan.id, actor="test")
            await until(lambda: desk.bracket(bracket.id).status.value == "closed")
    assert await rig.positions() == []


async def test_many_who_repair_one_trade_share_their_readings(rig: Rig) -> None:
    async with rig.desk(broker=FEW) as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
        before = desk._client.budget.remaining()
        plan = desk.exits.plans(bracket.id).plans
        asked = [desk.exits.repair(bracket.id, plan_id=plan[0].id if plan else "none", actor="test") for _ in range(50)]
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(answer, CommandRefused | tuple) for answer in answers)
        assert before - desk._client.budget.remaining() < 20


async def test_nobody_enters_on_what_was_known_before_a_gap_in_the_stream(rig: Rig) -> None:
    """Storm 3: an entry was filled while the wires were cut, and the budget held the reading back that would tell."""
    async with rig.desk(broker=FEW) as desk:
        view, _ = await desk.receive(rig.signal("AAPL"))
        await until(lambda: desk.preview(view.id).approvable)
        async with crowd(desk):
            await rig.ask("POST", "/_exchange/streams/cut")
            await until(lambda: not desk.view().stream.up)
            await until(lambda: desk.view().stream.up)
            preview = desk.preview(view.id)
            assert not preview.approvable
            assert "has not been read yet" in (preview.blocked_by or "")


async def test_the_gate_opens_again_as_soon_as_the_gap_has_been_read(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(rig.signal("AAPL"))
        await until(lambda: desk.preview(view.id).approvable)
        await rig.ask("POST", "/_exchange/streams/cut")
        await until(lambda: not desk.view().stream.up)
        assert not desk.preview(view.id).approvable
        await until(lambda: desk.preview(view.id).approvable)
        assert desk.view().stream.up
