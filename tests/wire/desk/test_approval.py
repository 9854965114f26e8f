"""Deciding, over real sockets: taking back, editing, several at once, and a thousand hands for one signal."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from engine.clock import SystemClock
from engine.desk import Desk
from engine.errors import CommandRefused
from engine.intake.api import ApiSettings, serve_api
from engine.model.commands import Edits
from tests.wire.desk.conftest import Rig, until

LONG_UNDO = {"undo_s": 30.0}


async def pending(desk: Desk, raw: bytes) -> str:
    """A signal that could be approved now."""
    view, _ = await desk.receive(raw)
    await until(lambda: desk.preview(view.id).approvable)
    return view.id


async def test_an_approval_can_be_taken_back_before_anything_is_sent(rig: Rig) -> None:
    async with rig.desk(approval=LONG_UNDO) as desk:
        signal_id = await pending(desk, rig.signal())
        approved = await desk.approve(signal_id, actor="ann")
        assert approved.undo_until is not None
        view = await desk.undo(signal_id, actor="bob")
        assert (view.status.value, view.decision_note, view.undo_until) == ("pending", "taken back by bob", None)
        assert await rig.orders() == []


async def test_what_can_wait_learns_that_an_order_is_on_its_way(rig: Rig) -> None:
    async with rig.desk() as desk:
        signal_id = await pending(desk, rig.signal())
        await until(lambda: not desk.is_sending)
        approval = asyncio.create_task(desk.approve(signal_id, actor="ann"))
        seen = []
        while not desk.orders() or desk.orders()[0].broker_id is None:
            await asyncio.sleep(0)
            seen.append(desk.is_sending)
        first, last = seen.index(True), len(seen) - seen[::-1].index(True)
        assert all(seen[first:last]), "the disk, and then the wire, without a gap between"
        assert not seen[-1], "the answer is nothing to wait for"
        await approval


async def test_what_was_sent_or_never_approved_cannot_be_taken_back(rig: Rig) -> None:
    async with rig.desk(approval={"undo_s": 0.05}) as desk:
        signal_id = await pending(desk, rig.signal())
        for _ in range(2):  # first pending, then sent
            with pytest.raises(CommandRefused) as refused:
                await desk.undo(signal_id, actor="ann")
            assert refused.value.code == "TOO_LATE"
            if desk.signal(signal_id).status.value == "pending":
                await desk.approve(signal_id, actor="ann")
                await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        assert len(await rig.entries()) == 1


async def test_approved_again_after_taking_back_waits_its_own_time_and_is_sent_once(rig: Rig) -> None:
    async with rig.desk(approval={"undo_s": 0.3}) as desk:
        signal_id = await pending(desk, rig.signal())
        await desk.approve(signal_id, actor="ann")
        await desk.undo(signal_id, actor="ann")
        await asyncio.sleep(0.15)
        again = await desk.approve(signal_id, actor="ann")
        assert again.undo_until is not None
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        (entry,) = await rig.entries()
        assert datetime.fromisoformat(entry["submitted_at"]) >= again.undo_until


async def test_a_desk_that_dies_in_the_undo_time_finds_the_signal_pending(rig: Rig) -> None:
    async with rig.desk(approval=LONG_UNDO) as desk:
        signal_id = await pending(desk, rig.signal(expires_in_s=600))
        await desk.approve(signal_id, actor="ann")
    async with rig.desk(approval=LONG_UNDO) as desk:
        await until(lambda: desk.signal(signal_id).status.value == "pending")
        assert desk.signal(signal_id).decision_note == "approved, never reached the broker"
        assert await rig.orders() == []


async def test_edited_numbers_are_kept_beside_the_proposed_ones(rig: Rig) -> None:
    async with rig.desk() as desk:
        signal_id = await pending(desk, rig.signal(qty=10))
        proposed = desk.preview(signal_id)
        assert proposed.stop_price is not None
        edits = Edits(qty=Decimal(4), stop_price=proposed.stop_price + Decimal("0.10"))
        shown = desk.preview(signal_id, edits)
        assert (shown.qty, shown.stop_price) == (4, edits.stop_price)
        await desk.approve(signal_id, actor="ann", preview_id=shown.preview_id, edits=edits)
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        view = desk.signal(signal_id)
        told = {edit.name: (edit.proposed, edit.approved) for edit in view.edits}
        assert told == {"qty": (10, 4), "stop_price": (proposed.stop_price, edits.stop_price)}
        assert view.outcome.startswith("4 @ ")
    async with rig.desk() as desk:
        assert desk.signal(signal_id).edits == view.edits


async def test_the_history_tells_the_decision_its_reason_and_who_made_it(rig: Rig) -> None:
    async with rig.desk() as desk:
        first, second = await pending(desk, rig.signal()), await pending(desk, rig.signal("MSFT"))
        await desk.reject(first, actor="ann", code=4)
        await desk.reject(second, actor="bob", reason="not before the meeting", code=8)
    async with rig.desk() as desk:
        usual, own = desk.signal(first), desk.signal(second)
        assert (usual.decided_by, usual.decision_code, usual.decision_note) == ("ann", 4, "spread too wide")
        assert (own.decided_by, own.decision_code, own.decision_note) == ("bob", 8, "not before the meeting")


async def test_a_batch_sends_exactly_those_that_fit_together(rig: Rig) -> None:
    async with rig.desk(limits={"max_open_positions": 2}) as desk:
        ids = [await pending(desk, rig.signal(symbol, qty=5)) for symbol in ("AAPL", "MSFT", "JPM")]
        alone = [desk.preview(signal_id).approvable for signal_id in ids]
        assert alone == [True, True, True], "each fits by itself"
        shown = desk.preview_batch([*ids, "s999999"])
        assert [row.code for row in shown.rows] == [None, None, "DENIED", "NOT_FOUND"]
        assert (shown.approvable, shown.open_positions_after) == (2, 2)
        fitting = [row.preview for row in shown.rows[:2] if row.preview is not None]
        assert shown.risk_usd == sum(preview.risk.usd for preview in fitting if preview.risk is not None)
        outcomes = await desk.approve_batch(ids, actor="ann", preview_id=shown.preview_id)
        assert [(outcome.done, outcome.code) for outcome in outcomes] == [
            (True, None),
            (True, None),
            (False, "DENIED"),
        ]
        assert "OPEN_POSITIONS" in {reason.code for reason in outcomes[2].reasons if reason.verdict == "deny"}
        await until(lambda: len(desk.brackets()) == 2)
        await until(lambda: all(bracket.status.value == "protected" for bracket in desk.brackets()))
        assert len(await rig.entries()) == 2


async def test_two_signals_of_one_symbol_in_a_batch_never_both_enter(rig: Rig) -> None:
    async with rig.desk() as desk:
        ids = [await pending(desk, rig.signal("NVDA", qty=2)) for _ in range(2)]
        assert [row.code for row in desk.preview_batch(ids).rows] == [None, "ENTRY_IN_FLIGHT"]
        outcomes = await desk.approve_batch(ids, actor="ann")
        assert [outcome.code for outcome in outcomes] == [None, "ENTRY_IN_FLIGHT"]


async def test_a_batch_is_rejected_one_by_one(rig: Rig) -> None:
    async with rig.desk() as desk:
        ids = [await pending(desk, rig.signal(symbol)) for symbol in ("AAPL", "MSFT")]
        await desk.reject(ids[0], actor="ann")
        outcomes = await desk.reject_batch(ids, actor="bob", code=8)
        assert [outcome.code for outcome in outcomes] == ["ALREADY_DECIDED", None]
        assert desk.signal(ids[1]).decision_note == "wrong time of day"
        with pytest.raises(CommandRefused, match="1 to 200"):
            await desk.reject_batch([], actor="bob")


async def test_a_thousand_approvals_at_once_make_one_order_group(rig: Rig) -> None:
    async with rig.desk() as desk:
        signal_id = await pending(desk, rig.signal())
        clicks = (desk.approve(signal_id, actor=f"hand {n}") for n in range(1000))
        results = await asyncio.gather(*clicks, return_exceptions=True)
        codes = [result.code for result in results if isinstance(result, CommandRefused)]
        assert codes == ["ALREADY_DECIDED"] * 999
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        assert len(await rig.entries()) == 1


async def test_a_thousand_approvals_over_sockets_make_one_order_group(rig: Rig, tmp_path: Path) -> None:
    settings = ApiSettings(port=0, data_dir=tmp_path, token_override="token")
    connector = aiohttp.TCPConnector(limit=100)
    async with (
        rig.desk() as desk,
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession(headers={"Authorization": "Bearer token"}, connector=connector) as session,
    ):
        signal_id = await pending(desk, rig.signal(expires_in_s=600))

        async def click() -> tuple[int, str | None]:
            async with session.post(f"{server.url}/v1/signals/{signal_id}/approve") as answer:
                body = await answer.json()
                return answer.status, body.get("error", {}).get("code")

        answers = await asyncio.gather(*(click() for _ in range(1000)))
        assert answers.count((202, None)) == 1
        assert answers.count((409, "ALREADY_DECIDED")) == 999
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        assert len(await rig.entries()) == 1


async def test_the_api_takes_back_and_decides_about_several(rig: Rig, tmp_path: Path) -> None:
    settings = ApiSettings(port=0, data_dir=tmp_path, token_override="token")
    async with (
        rig.desk(approval=LONG_UNDO) as desk,
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as session,
    ):
        ids = [await pending(desk, rig.signal(symbol, qty=3)) for symbol in ("AAPL", "MSFT")]

        async def post(path: str, body: object = None) -> tuple[int, dict[str, object]]:
            async with session.post(server.url + path, json=body) as answer:
                return answer.status, await answer.json()

        status, shown = await post("/v1/signals/preview", {"ids": ids})
        assert (status, shown["approvable"]) == (200, 2)
        status, told = await post("/v1/signals/approve", {"ids": ids, "preview_id": shown["preview_id"]})
        assert status == 202
        assert [outcome["done"] for outcome in told["outcomes"]] == [True, True]  # type: ignore[union-attr, index]
        status, view = await post(f"/v1/signals/{ids[0]}/undo")
        assert (status, view["status"]) == (200, "pending")
        status, view = await post(f"/v1/signals/{ids[0]}/undo")
        assert (status, view["error"]["code"]) == (409, "TOO_LATE")  # type: ignore[index]
        status, told = await post("/v1/signals/reject", {"ids": ids, "code": 2})
        # The other approval waits for its undo time: a no takes it back as well.
        assert [outcome["done"] for outcome in told["outcomes"]] == [True, True]  # type: ignore[union-attr, index]
        for body, field in (({"ids": []}, "ids"), ({"ids": [1]}, "ids"), ({"ids": ids, "code": 10}, "code")):
            status, told = await post("/v1/signals/reject", body)
            assert (status, told["error"]["field"]) == (422, field)  # type: ignore[index]
        async with session.get(f"{server.url}/v1/reject-reasons") as answer:
            reasons = (await answer.json())["reasons"]
        assert [reason["code"] for reason in reasons] == list(range(1, 10))
        assert await rig.orders() == []


async def test_a_signal_of_a_new_symbol_is_taken_while_the_broker_says_nothing_of_it(rig: Rig) -> None:
    await rig.ask("POST", "/_exchange/faults", {"do": "html", "method": "GET", "path": "/v2/assets"})
    async with rig.desk() as desk:
        silent = {"do": "hang", "method": "GET", "path": "/v2/assets/*", "count": None}
        await rig.ask("POST", "/_exchange/faults", silent)
        view, duplicate = await desk.receive(rig.signal("JPM"))
        assert (view.status.value, duplicate) == ("pending", False)
        preview = desk.preview(view.id)
        assert not preview.approvable
        assert "ASSET" in {reason.code for reason in preview.verdicts if reason.verdict == "deny"}
