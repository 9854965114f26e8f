"""The way of a signal, over real sockets: received, approved, entered and protected by one request."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest

from engine.errors import CommandRefused
from engine.model.words import DeskState
from tests.wire.desk.conftest import Rig, approved, protected, until


async def test_an_approved_signal_is_protected_by_one_request(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, duplicate = await desk.receive(rig.signal())
        assert (view.status.value, duplicate) == ("pending", False)
        await until(lambda: desk.quote("AAPL"))
        view = desk.signal(view.id)
        assert view.preview is not None
        assert view.preview.approvable, view.preview.blocked_by
        before = desk.view().budget_used
        await desk.approve(view.id, actor="test", preview_id=view.preview.preview_id)
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        bracket = desk.brackets()[0]
        assert desk.view().budget_used - before == 1
        assert (bracket.held_qty, bracket.covered_qty, bracket.naked_qty) == (10, 10, 0)
        assert bracket.cover_kind.value == "hard"
        assert bracket.evidence is not None
        assert bracket.evidence.id is not None
        assert bracket.plan == "bracket"
        assert len(await rig.entries()) == 1


async def test_what_the_preview_shows_is_what_is_sent(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(rig.signal("MSFT"))
        assert view.preview is not None
        body = view.preview.requests[0].body
        await desk.approve(view.id, actor="test", preview_id=view.preview.preview_id)
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        (entry,) = await rig.entries()
        assert body["client_order_id"] == entry["client_order_id"]
        assert body["qty"] == entry["qty"]
        legs = {leg["type"]: leg for leg in entry["legs"]}
        assert Decimal(body["stop_loss"]["stop_price"]) == Decimal(legs["stop"]["stop_price"])
        assert Decimal(body["take_profit"]["limit_price"]) == Decimal(legs["limit"]["limit_price"])


async def test_a_hundred_simultaneous_approvals_make_one_order_group(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(rig.signal())
        results = await asyncio.gather(
            *(desk.approve(view.id, actor=f"hand {n}") for n in range(100)), return_exceptions=True
        )
        refused = [result for result in results if isinstance(result, CommandRefused)]
        assert len(refused) == 99
        assert {result.code for result in refused} == {"ALREADY_DECIDED"}
        await until(lambda: desk.brackets()[0].status.value == "protected")
        assert len(await rig.entries()) == 1


async def test_two_signals_for_one_symbol_never_both_enter(rig: Rig) -> None:
    async with rig.desk() as desk:
        first, _ = await desk.receive(rig.signal("NVDA"))
        second, _ = await desk.receive(rig.signal("NVDA"))
        results = await asyncio.gather(
            desk.approve(first.id, actor="a"), desk.approve(second.id, actor="b"), return_exceptions=True
        )
        (refused,) = [result for result in results if isinstance(result, CommandRefused)]
        assert refused.code == "ENTRY_IN_FLIGHT"
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        with pytest.raises(CommandRefused) as held:
            await desk.approve(second.id, actor="b")
        assert held.value.code == "DENIED"
        assert "POSITION_EXISTS" in {reason.code for reason in held.value.reasons}
        assert len(await rig.entries()) == 1


async def test_the_same_source_and_id_is_one_signal_for_ever(rig: Rig) -> None:
    raw = rig.signal()
    async with rig.desk() as desk:
        first, _ = await desk.receive(raw)
        again, duplicate = await desk.receive(raw)
        assert (again.id, duplicate) == (first.id, True)
    async with rig.desk() as desk:
        after_restart, duplicate = await desk.receive(raw)
        assert (after_restart.id, duplicate) == (first.id, True)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"side": None}, "MISSING_FIELD", "side"),
        ({"side": 7}, "UNKNOWN_SIDE", "side"),
        ({"qty": -3}, "NOT_POSITIVE", "qty"),
        ({"symbol": "ZZZZQ"}, "UNKNOWN_SYMBOL", "symbol"),
        ({"symbol": "{{ticker}}"}, "UNFILLED_PLACEHOLDER", "symbol"),
        (
            {"reference_price": "100", "stop_loss": {"stop_price": "101"}},
            "STOP_ON_WRONG_SIDE",
            "stop_loss.stop_price",
        ),
    ],
)
async def test_a_bad_signal_is_refused_by_name_and_told(
    rig: Rig, change: dict[str, object], code: str, field: str
) -> None:
    async with rig.desk() as desk:
        body = {**json.loads(rig.signal()), **change}
        with pytest.raises(CommandRefused) as refused:
            await desk.receive(json.dumps({k: v for k, v in body.items() if v is not None}).encode())
        assert (refused.value.code, refused.value.field) == (code, field)
        assert refused.value.http_status == 422
        assert any(code in line.text for line in desk.activity())
        assert desk.signals() == []


async def test_a_signal_without_a_stop_is_denied(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(rig.signal(stop_loss=None))
        assert view.status.value == "denied"
        assert [reason.code for reason in view.reasons] == ["NO_STOP"]


async def test_a_refusal_of_the_broker_is_one_sentence_and_ends_the_signal(rig: Rig) -> None:
    from engine.exchange.faults import Refuse

    async with rig.desk() as desk:
        rig.exchange.faults.add(Refuse(method="POST", path="/v2/orders", message="insufficient buying power"))
        view, _ = await desk.receive(rig.signal())
        await desk.approve(view.id, actor="test")
        await until(lambda: desk.signal(view.id).status.value == "failed")
        assert desk.signal(view.id).decision_note.endswith(".")
        assert desk.positions() == []
        assert any("refused" in line.text for line in desk.activity())


async def test_a_signal_expires_undecided(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(rig.signal(expires_in_s=1))
        await until(lambda: desk.signal(view.id).status.value == "expired")
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(view.id, actor="test")
        assert refused.value.code == "EXPIRED"


async def test_a_worse_verdict_since_the_preview_refuses_the_click(rig: Rig) -> None:
    async with rig.desk() as desk:
        view, _ = await desk.receive(rig.signal("AMD"))
        assert view.preview is not None
        await desk.set_state(DeskState.PAUSED, actor="test")
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(view.id, actor="test", preview_id=view.preview.preview_id)
        assert refused.value.code == "CHANGED_SINCE_SHOWN"
        with pytest.raises(CommandRefused) as denied:
            await desk.approve(view.id, actor="test")
        assert denied.value.code == "DENIED"
        assert await rig.entries() == []


async def test_a_closing_signal_leaves_the_position(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AMZN"))
        closing, _ = await desk.receive(
            rig.signal("AMZN", side="sell", intent="close", stop_loss=None, take_profit=None)
        )
        await desk.approve(closing.id, actor="test")
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        assert desk.signal(closing.id).status.value == "closed"
        assert await rig.positions() == []


async def test_halting_cancels_working_entries_and_needs_a_typed_release(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket_id = await approved(desk, rig.resting())
        await desk.set_state(DeskState.HALTED, actor="test")
        await until(lambda: desk.bracket(bracket_id).status.value == "closed")
        with pytest.raises(CommandRefused) as refused:
            await desk.set_state(DeskState.ACTIVE, actor="test")
        assert refused.value.code == "CONFIRM_REQUIRED"
    async with rig.desk() as desk:
        assert desk.health().desk_state is DeskState.HALTED
        await desk.set_state(DeskState.ACTIVE, actor="test", confirm="RELEASE")
        assert desk.health().desk_state is DeskState.ACTIVE
