"""The halt ladder over real sockets: states that are kept, flat that is proved, an account suspended behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.clock import SystemClock
from engine.desk import Desk
from engine.errors import CommandRefused
from engine.halt.second_person import sealed
from engine.intake.api import ApiSettings, serve_api
from engine.model.commands import Agreement
from engine.model.words import DeskState
from engine.views_halt import RungView
from tests.wire.desk.conftest import Rig, approved, protected, until


def rung(desk: Desk, name: str) -> RungView:
    return next(rung for rung in desk.halt.ladder().rungs if rung.name == name)


async def refused(call: Any) -> CommandRefused:
    with pytest.raises(CommandRefused) as why:
        await call
    return why.value


async def flat_and_halted(desk: Desk) -> None:
    await desk.set_state(DeskState.HALTED, actor="ann")
    await until(lambda: rung(desk, "flat").is_proved)


async def suspended_at_broker(rig: Rig) -> bool:
    account: dict[str, Any] = await rig.ask("GET", "/v2/account")
    return bool(account["trade_suspended_by_user"])


async def fault(rig: Rig, **what: Any) -> None:
    told = await rig.ask("POST", "/_exchange/faults", what)
    assert isinstance(told, list), told


@asynccontextmanager
async def api_of(desk: Desk, folder: Path) -> AsyncIterator[Any]:
    """A function that asks the operator API, and gives status and body."""
    settings = ApiSettings(port=0, data_dir=folder, token_override="token")
    async with (
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as session,
    ):

        async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            async with session.request(method, server.url + path, json=body) as answer:
                return answer.status, await answer.json()

        yield ask


# --- states that are kept --------------------------------------------------------------------------------------------


async def test_an_entry_whose_answer_comes_after_the_halt_is_taken_back(rig: Rig) -> None:
    await fault(rig, do="delay", method="POST", path="/v2/orders", seconds=1.0)
    async with rig.desk() as desk:
        view, _ = await desk.receive(rig.resting())
        await until(lambda: desk.preview(view.id).approvable)
        await desk.approve(view.id, actor="ann")
        await until(lambda: [order for order in desk.orders() if order.broker_id is None])
        await desk.set_state(DeskState.REDUCING, actor="ann")
        await until(lambda: rung(desk, "reducing").is_proved)
        (entry,) = await rig.entries()
        assert entry["status"] == "canceled"


async def test_a_cancel_that_the_broker_refused_is_asked_again_while_the_state_stands(rig: Rig) -> None:
    async with rig.desk() as desk:
        await approved(desk, rig.resting())
        await fault(rig, do="refuse", method="DELETE", path="/v2/orders/*", status=403)
        await desk.set_state(DeskState.HALTED, actor="ann")
        assert rung(desk, "reducing").missing == ("1 entry (JPM) still at work",)
        await until(lambda: rung(desk, "reducing").is_proved)
        assert [entry["status"] for entry in await rig.entries()] == ["canceled"]


async def test_a_cancel_that_hangs_keeps_no_other_entry_at_work(rig: Rig) -> None:
    async with rig.desk() as desk:
        await approved(desk, rig.resting("JPM"))
        (first,) = await rig.entries()
        await fault(rig, do="hang", method="DELETE", path=f"/v2/orders/{first['id']}", count=None)
        await fault(rig, do="delay", method="POST", path="/v2/orders", seconds=4.0)
        late, _ = await desk.receive(rig.resting("MSFT"))
        await until(lambda: desk.preview(late.id).approvable)
        await desk.approve(late.id, actor="ann")
        await desk.set_state(DeskState.REDUCING, actor="ann")

        def statuses() -> dict[str, str]:
            orders = rig.exchange.exchange.floor.orders.oldest_first()
            return {order.symbol: order.status for order in orders if order.role == "entry"}

        await until(lambda: statuses().get("MSFT") == "canceled")
        assert statuses()["JPM"] == "new"


async def test_a_restart_goes_on_taking_entries_back(rig: Rig) -> None:
    async with rig.desk() as desk:
        await approved(desk, rig.resting())
        await fault(rig, do="refuse", method="DELETE", path="/v2/orders/*", status=403)
        await desk.set_state(DeskState.HALTED, actor="ann")
    assert [entry["status"] for entry in await rig.entries()] == ["new"]
    async with rig.desk() as desk:
        assert desk.health().desk_state is DeskState.HALTED
        await until(lambda: rung(desk, "reducing").is_proved)
        assert [entry["status"] for entry in await rig.entries()] == ["canceled"]


async def test_a_symbol_that_is_reducing_loses_its_entries_and_no_other_does(rig: Rig) -> None:
    async with rig.desk() as desk:
        await approved(desk, rig.resting("JPM"))
        await approved(desk, rig.resting("MSFT"))
        await desk.set_state(DeskState.REDUCING, scope="symbol:JPM", actor="ann")
        await until(lambda: [order.symbol for order in desk.orders() if order.role.value == "entry"] == ["MSFT"])
        assert not rung(desk, "reducing").is_reached


# --- flat, proved ----------------------------------------------------------------------------------------------------


async def test_an_idle_desk_at_work_has_engaged_no_rung(rig: Rig) -> None:
    async with rig.desk() as desk:
        assert not any(each.is_reached for each in desk.halt.ladder().rungs)


async def test_flat_is_proved_by_two_readings_and_told_with_their_requests(rig: Rig) -> None:
    async with rig.desk() as desk:
        await protected(desk, rig.signal("AAPL"))
        await desk.set_state(DeskState.HALTED, actor="ann")
        told = rung(desk, "flat")
        assert (told.is_reached, told.is_proved) == (False, False)
        assert told.missing[0] == "1 position (AAPL)"
        await desk.flatten(symbol=None, actor="ann")
        await until(lambda: rung(desk, "flat").is_proved)
        proof = rung(desk, "flat")
        assert proof.sentence.endswith("by REST: 0 orders, 0 positions.")
        orders, positions = proof.evidence
        assert orders.id != positions.id
        assert orders.id is not None
        assert orders.at <= positions.at
        assert await rig.positions() == []


async def test_what_was_left_at_an_earlier_try_is_not_claimed_once_it_is_gone(rig: Rig) -> None:
    async with rig.desk() as desk:
        bracket = await protected(desk, rig.signal("AAPL"))
        await desk.set_state(DeskState.HALTED, actor="ann")
        await refused(desk.halt.suspend(actor="ann"))
        await desk.flatten(symbol=None, actor="ann")
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        assert not any("AAPL" in what and "position" in what for what in rung(desk, "flat").missing)
        # No pause after a try that never asked the broker.
        await until(lambda: rung(desk, "flat").is_proved, patience_s=3.0)


async def test_shares_that_another_hand_bought_keep_flat_from_being_proved(rig: Rig) -> None:
    async with rig.desk() as desk:
        await desk.set_state(DeskState.HALTED, actor="ann")
        await until(lambda: rung(desk, "flat").is_proved)
        await rig.ask(
            "POST", "/v2/orders", {"symbol": "JPM", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"}
        )
        # The proof is of its moment: as soon as the desk knows of more, it says nothing any more.
        await until(lambda: not rung(desk, "flat").is_proved)
        await until(lambda: "1 position (JPM)" in rung(desk, "flat").missing)


async def test_a_proof_outlives_a_restart_and_the_next_trade_ends_it(rig: Rig) -> None:
    async with rig.desk() as desk:
        await flat_and_halted(desk)
        proof = rung(desk, "flat").evidence
    async with rig.desk() as desk:
        assert rung(desk, "flat").evidence == proof
        await desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE")
        await approved(desk, rig.resting())
        assert not rung(desk, "flat").is_proved


# --- suspended behind it ---------------------------------------------------------------------------------------------


async def test_trading_is_suspended_only_from_a_halted_desk_that_is_flat(rig: Rig) -> None:
    async with rig.desk() as desk:
        assert (await refused(desk.halt.suspend(actor="ann"))).code == "NOT_HALTED"
        await protected(desk, rig.signal("AAPL"))
        await desk.set_state(DeskState.HALTED, actor="ann")
        why = await refused(desk.halt.suspend(actor="ann"))
        assert why.code == "NOT_FLAT"
        assert why.reasons[0].text == "1 position (AAPL)."
        assert not await suspended_at_broker(rig)
        await desk.flatten(symbol=None, actor="ann")
        await until(lambda: rung(desk, "flat").is_proved)
        await desk.halt.suspend(actor="ann")
        assert await suspended_at_broker(rig)
        assert (rung(desk, "suspended").is_proved, rung(desk, "suspended").actor) == (True, "ann")


async def test_a_suspended_account_is_left_one_rung_at_a_time_by_typed_words(rig: Rig) -> None:
    async with rig.desk() as desk:
        await flat_and_halted(desk)
        await desk.halt.suspend(actor="ann")
    async with rig.desk() as desk:
        assert rung(desk, "suspended").is_proved
        leaving = desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE")
        assert (await refused(leaving)).code == "TRADING_SUSPENDED"
        assert (await refused(desk.halt.resume(actor="ann", confirm="release"))).code == "CONFIRM_REQUIRED"
        await desk.halt.resume(actor="ann", confirm="RELEASE")
        assert not await suspended_at_broker(rig)
        assert desk.health().desk_state is DeskState.HALTED
        assert (await refused(desk.halt.resume(actor="ann", confirm="RELEASE"))).code == "NOT_SUSPENDED"
        await desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE")
        await until(lambda: desk.account().blocked is None)
        await protected(desk, rig.signal("AAPL"))


async def test_a_halt_that_cools_off_is_left_by_nobody_before_its_time(rig: Rig, tmp_path: Path) -> None:
    rules = {"halt": {"cooling_off_s": 1.2}}
    async with rig.desk(**rules) as desk, api_of(desk, tmp_path) as ask:
        await desk.set_state(DeskState.PAUSED, actor="ann")
        await desk.set_state(DeskState.ACTIVE, actor="ann")
        await desk.set_state(DeskState.HALTED, actor="ann")
        status, body = await ask("POST", "/v1/state", {"state": "active", "confirm": "RELEASE ANYWAY"})
        assert (status, body["error"]["code"]) == (409, "COOLING_OFF")
        assert "it can be left in" in rung(desk, "halted").sentence
        assert 0 < desk.halt.ladder().cooling_s <= 1.2
    async with rig.desk(**rules) as desk:
        leaving = desk.set_state(DeskState.REDUCING, actor="ann", confirm="RELEASE")
        assert (await refused(leaving)).code == "COOLING_OFF", "a restart does not shorten it"
        await until(lambda: desk.halt.ladder().cooling_s == 0)
        assert (await refused(desk.set_state(DeskState.ACTIVE, actor="ann"))).code == "CONFIRM_REQUIRED"
        await desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE")
        assert desk.health().desk_state is DeskState.ACTIVE


async def test_a_halt_of_two_is_left_by_nobody_alone(rig: Rig, tmp_path: Path) -> None:
    rules = {"halt": {"second_persons": {"ben": sealed("nine green bottles")}}}
    async with rig.desk(**rules) as desk, api_of(desk, tmp_path) as ask:
        await desk.set_state(DeskState.HALTED, actor="ann")
        assert "ben has to agree" in rung(desk, "halted").sentence
        assert desk.halt.ladder().second_persons == ("ben",)
        leave = {"state": "active", "confirm": "RELEASE"}
        for also, status, code in (
            ({}, 409, "SECOND_PERSON"),
            ({"second_person": "ben"}, 422, "MISSING_FIELD"),
            ({"second_person": "operate", "second_word": "nine green bottles"}, 409, "SECOND_PERSON"),
            ({"second_person": "ben", "second_word": "eight green bottles"}, 403, "WRONG_WORD"),
            ({"second_person": "cid", "second_word": "nine green bottles"}, 403, "WRONG_WORD"),
        ):
            told, body = await ask("POST", "/v1/state", {**leave, **also})
            assert (told, body["error"]["code"]) == (status, code)
            assert desk.health().desk_state is DeskState.HALTED
        bens = {"second_person": "ben", "second_word": "nine green bottles"}
        told, body = await ask("POST", "/v1/state", {"state": "active", **bens})
        assert (told, body["error"]["code"]) == (409, "CONFIRM_REQUIRED"), "the first person's word is needed too"
        await desk.set_state(DeskState.HALTED, scope="symbol:AAPL", actor="ann")
        leaving = desk.set_state(DeskState.ACTIVE, scope="symbol:AAPL", actor="ann", confirm="RELEASE")
        assert (await refused(leaving)).code == "SECOND_PERSON", "one symbol's halt too"
        told, _ = await ask("POST", "/v1/state", {**leave, **bens})
        assert told == 200
        assert desk.health().desk_state is DeskState.ACTIVE
        assert any("active by operate, ben agreed" in line.text for line in desk.activity(50))
    for file in (path for path in rig.folder.rglob("*") if path.is_file()):
        assert b"bottles" not in file.read_bytes(), f"the word stands in {file.name}"


async def test_a_halt_that_is_set_again_while_the_second_word_is_looked_at_stands(rig: Rig) -> None:
    async with rig.desk(halt={"second_persons": {"ben": sealed("nine green bottles")}}) as desk:
        await desk.set_state(DeskState.HALTED, actor="ann")
        agreement = Agreement("ben", "nine green bottles")
        leaving = asyncio.create_task(
            desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE", second=agreement)
        )
        await asyncio.sleep(0)
        await desk.set_state(DeskState.HALTED, actor="eve")
        assert (await refused(leaving)).code == "STATE_CHANGED"
        assert desk.health().desk_state is DeskState.HALTED
        await desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE", second=agreement)


async def test_shares_that_come_between_the_proof_and_the_switch_take_it_back(rig: Rig) -> None:
    async with rig.desk() as desk:
        await flat_and_halted(desk)
        await fault(rig, do="delay", method="PATCH", path="/v2/account/configurations", seconds=0.5)
        suspending = asyncio.ensure_future(refused(desk.halt.suspend(actor="ann")))
        await until(lambda: rung(desk, "suspended").missing)
        await rig.ask("POST", "/_exchange/positions/JPM", {"qty": "5"})
        why = await suspending
        assert why.code == "NOT_FLAT"
        assert str(why).endswith("Trading goes on again: no stop could have been placed.")
        assert not await suspended_at_broker(rig)


async def test_a_desk_killed_before_the_switch_was_answered_believes_what_the_broker_shows(rig: Rig) -> None:
    async with rig.desk() as desk:
        await flat_and_halted(desk)
        await fault(rig, do="delay", method="PATCH", path="/v2/account/configurations", seconds=9.0)
        suspending = asyncio.ensure_future(desk.halt.suspend(actor="ann"))
        await until(lambda: rig.exchange.exchange.floor.account.state.suspend_trade)
        suspending.cancel()
    async with rig.desk() as desk:
        await until(lambda: rung(desk, "suspended").is_proved)
        assert (rung(desk, "suspended").missing, rung(desk, "suspended").actor) == ((), "ann")


async def test_a_switch_whose_answer_is_lost_is_asked_again(rig: Rig) -> None:
    async with rig.desk() as desk:
        await flat_and_halted(desk)
        await fault(rig, do="lose_answer", method="PATCH", path="/v2/account/configurations")
        await desk.halt.suspend(actor="ann")
        assert await suspended_at_broker(rig)


async def test_a_switch_whose_every_answer_is_lost_is_ours_when_the_account_shows_it(rig: Rig) -> None:
    async with rig.desk() as desk:
        await flat_and_halted(desk)
        await fault(rig, do="lose_answer", method="PATCH", path="/v2/account/configurations", count=None)
        assert (await refused(desk.halt.suspend(actor="ann"))).code == "BROKER_UNREACHABLE"
        await until(lambda: rung(desk, "suspended").is_proved)
        assert (rung(desk, "suspended").actor, rung(desk, "suspended").missing) == ("ann", ())
        assert not any("did not change" in incident.cause for incident in desk.incidents())


async def test_a_switch_that_the_broker_refuses_is_an_incident_and_no_claim(rig: Rig) -> None:
    async with rig.desk() as desk:
        await flat_and_halted(desk)
        await fault(rig, do="refuse", method="PATCH", path="/v2/account/configurations", status=403)
        assert (await refused(desk.halt.suspend(actor="ann"))).code == "BROKER_REFUSED"
        assert not rung(desk, "suspended").is_reached
        await until(lambda: any("did not change its switch" in incident.cause for incident in desk.incidents()))


async def test_an_account_suspended_by_another_hand_is_seen_and_can_be_resumed(rig: Rig) -> None:
    await rig.ask("PATCH", "/v2/account/configurations", {"suspend_trade": True})
    async with rig.desk() as desk:
        await until(lambda: rung(desk, "suspended").is_proved)
        assert rung(desk, "suspended").sentence.endswith("set by another hand.")
        await until(lambda: any("not by this desk" in incident.cause for incident in desk.incidents()))
        await desk.halt.resume(actor="ann", confirm="RELEASE")
        assert not await suspended_at_broker(rig)


# --- over the operator API -------------------------------------------------------------------------------------------


async def test_the_whole_ladder_up_and_down_over_http(rig: Rig, tmp_path: Path) -> None:
    async with rig.desk() as desk, api_of(desk, tmp_path) as ask:
        await protected(desk, rig.signal("AAPL"))
        await approved(desk, rig.resting())
        status, told = await ask("GET", "/v1/halt")
        assert (status, [each["name"] for each in told["rungs"]]) == (
            200,
            ["paused", "reducing", "halted", "flat", "suspended"],
        )
        assert not any(each["is_reached"] for each in told["rungs"])
        assert (await ask("POST", "/v1/state", {"state": "halted"}))[0] == 200
        status, told = await ask("POST", "/v1/halt/suspend")
        assert (status, told["error"]["code"]) == (409, "NOT_FLAT")
        assert (await ask("POST", "/v1/flatten", {"all": True}))[0] == 202
        await until(lambda: rung(desk, "flat").is_proved)
        status, told = await ask("POST", "/v1/halt/prove")
        assert (status, told["rungs"][3]["actor"]) == (200, "operate")
        assert all(each["is_proved"] for each in told["rungs"][:4])
        status, told = await ask("POST", "/v1/halt/suspend")
        assert (status, told["rungs"][4]["is_proved"]) == (200, True)
        assert (await ask("POST", "/v1/state", {"state": "active", "confirm": "RELEASE"}))[1]["error"]["code"] == (
            "TRADING_SUSPENDED"
        )
        status, told = await ask("POST", "/v1/halt/prove", {"now": True})
        assert (status, told["error"]["message"]) == (422, "now is no field of this command: it takes none")
        assert (await ask("POST", "/v1/halt/resume", {"confirm": "RELEASE"}))[0] == 200
        assert (await ask("POST", "/v1/state", {"state": "active", "confirm": "RELEASE"}))[0] == 200
