"""Lost answers, lost events and restarts: nothing is lost and nothing is sent twice. Kills: ``tests/nightly``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.errors import CommandRefused
from engine.exchange.faults import Drop, Html, LoseAnswer, LoseEvent
from tests.wire.desk.conftest import Rig, approved, protected, until

ROOT = Path(__file__).parents[3]


async def test_an_answer_lost_after_acceptance_is_looked_up_and_never_sent_again(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(LoseAnswer(method="POST", path="/v2/orders"))
        bracket = await protected(desk, rig.signal())
        assert len(await rig.entries()) == 1
        assert bracket.legs.stop_loss is not None
        assert bracket.legs.stop_loss.broker_id is not None
        assert any("UNKNOWN" in line.text for line in desk.activity())


async def test_a_request_lost_before_acceptance_is_sent_once_more_under_the_same_id(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(Drop(method="POST", path="/v2/orders"))
        bracket = await protected(desk, rig.signal())
        (entry,) = await rig.entries()
        assert entry["client_order_id"] == bracket.orders[0].client_order_id


async def test_an_entry_that_is_no_longer_wanted_stays_unknown_until_the_operator_attests(rig: Rig) -> None:
    async with rig.desk(broker={"resend_within_s": 0}) as desk:
        rig.exchange.faults.add(Drop(method="POST", path="/v2/orders"))
        view, _ = await desk.receive(rig.signal())
        await desk.approve(view.id, actor="test")
        await until(lambda: desk.orders() and desk.orders()[-1].unresolved_since is not None)
        entry_id = desk.signal(view.id).order_ids[0]
        await until(lambda: (told := desk.order(entry_id).unknown) is not None and told.misses >= 4)
        assert await rig.entries() == []
        unknown = desk.order(entry_id).unknown
        assert unknown is not None
        assert (unknown.said, unknown.looks) == ("the broker does not know it", unknown.misses)
        assert unknown.request_id
        await until(lambda: (told := desk.order(entry_id).unknown) is not None and told.next_look_at is not None)
        again, _ = await desk.receive(rig.signal())
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(again.id, actor="test")
        assert {"UNKNOWN_ORDER", "ENTRY_IN_FLIGHT"} & {reason.code for reason in refused.value.reasons}
        settled = await desk.attest_order(entry_id, actor="test", settlement="never_reached")
        assert settled.status.value == "never_reached"
        assert settled.unknown is None
        assert settled.last_error is not None
        assert "not known in" in settled.last_error  # what the broker had said when the person decided
        assert desk.signal(view.id).status.value == "failed"
        await protected(desk, rig.signal("MSFT"))


async def test_a_gateway_page_instead_of_an_answer_is_settled_by_a_look_up(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(Html(method="POST", path="/v2/orders", status=504, accepted=True))
        await protected(desk, rig.signal())
        assert len(await rig.entries()) == 1


async def test_a_fill_that_the_stream_never_tells_is_found_by_reading(rig: Rig) -> None:
    async with rig.desk() as desk:
        rig.exchange.faults.add(LoseEvent(event="fill"))
        bracket_id = await approved(desk, rig.signal())
        await desk.lookup_order(desk.bracket(bracket_id).orders[0].id, actor="test")
        await until(lambda: desk.bracket(bracket_id).status.value == "protected")
        assert desk.bracket(bracket_id).held_qty == 10


async def test_the_account_s_history_tells_of_a_fill_that_nothing_else_told(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket_id = await approved(desk, rig.resting("JPM"))
        rig.exchange.faults.add(LoseEvent(count=None))
        (entry,) = await rig.entries()
        await rig.fill_by_hand(entry["id"], 10)
        await desk._reconciler.reader.read_executions({"AAPL"})
        assert desk.bracket(bracket_id).held_qty == 0  # of another symbol
        await desk._reconciler.reader.read_executions({"JPM"})
        assert desk.bracket(bracket_id).held_qty == 10


async def test_a_cut_stream_reconnects_and_reads_what_was_missed(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket_id = await approved(desk, rig.resting("JPM"))
        await rig.ask("POST", "/_exchange/streams/cut")
        (entry,) = await rig.entries()
        await rig.fill_by_hand(entry["id"], 10)
        await until(lambda: desk.health().stream == "up" and desk.bracket(bracket_id).status.value == "protected")


async def test_a_restart_finds_everything_and_sends_nothing(rig: Rig) -> None:
    async with rig.desk() as desk:
        held = await protected(desk, rig.signal("AAPL"))
        working = await approved(desk, rig.resting("JPM"))
        pending, _ = await desk.receive(rig.signal("MSFT"))
        before = await rig.orders()
    async with rig.desk() as desk:
        assert desk.bracket(held.id).status.value == "protected"
        assert desk.bracket(held.id).naked_s == held.naked_s
        assert desk.bracket(working).status.value == "arming"
        assert desk.signal(pending.id).status.value == "pending"
        assert await rig.orders() == before
        assert desk.differences() == []


async def test_a_restart_covers_what_lost_its_exits_while_the_desk_was_away(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
        stop = bracket.legs.stop_loss
        assert stop is not None
    await rig.ask("POST", f"/_exchange/orders/{stop.broker_id}/cancel")
    async with rig.desk() as desk:
        await until(lambda: desk.bracket(bracket.id).plan == "oco")
        await until(lambda: desk.bracket(bracket.id).status.value == "protected")


async def test_a_position_of_another_hand_locks_the_start_gate_until_it_is_settled(rig: Rig) -> None:
    await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "7"})
    async with rig.desk() as desk:
        (difference,) = desk.differences()
        assert "7 XOM" in difference.text
        assert desk.health().start_gate == "locked"
        view, _ = await desk.receive(rig.signal("AAPL"))
        await desk.settle_difference(difference.id, settlement="ignore", actor="test")
        await until(lambda: desk.health().start_gate == "open")
        await desk.approve(view.id, actor="test")
    async with rig.desk() as desk:
        assert desk.differences() == []
    await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "9"})
    async with rig.desk() as desk:
        (difference,) = desk.differences()  # what was settled were seven
        assert "9 XOM" in difference.text


async def test_shares_closed_at_the_broker_by_hand_are_not_sold_twice(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
    await rig.ask("DELETE", "/v2/orders")
    await asyncio.sleep(0.1)
    await rig.ask("DELETE", "/v2/positions/AAPL")
    await until_flat(rig)
    async with rig.desk() as desk:
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        assert await rig.positions() == []


async def until_flat(rig: Rig) -> None:
    async with asyncio.timeout(5):
        while await rig.positions():
            await asyncio.sleep(0.02)


async def test_shares_that_go_as_they_came_leave_no_difference_behind(rig: Rig) -> None:
    async with rig.desk() as desk:
        await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "7"})
        await rig.ask("POST", "/_exchange/streams/cut")  # each new connection begins with a reading of everything
        await until(desk.differences)
        await rig.ask("POST", "/_exchange/positions/XOM", {"qty": "0"})
        await rig.ask("POST", "/_exchange/streams/cut")
        await until(lambda: not desk.differences())
        await until(lambda: desk.health().start_gate == "open")
