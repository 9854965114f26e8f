"""Mandates over real sockets: they approve what fits, nothing else, and stop at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.clock import SystemClock
from engine.commands.mandates import end_of_day
from engine.desk import Desk
from engine.errors import CommandRefused
from engine.intake.api import ApiSettings, serve_api
from engine.model.mandate import MandateTerms
from engine.model.words import DeskState, Side
from engine.views_limits import MandateView
from tests.wire.desk.conftest import Rig, until


async def grant(desk: Desk, **changes: Any) -> MandateView:
    """Longs of the strategy ``test`` in any symbol: 5,000 each, 20,000 a day."""
    bounds: dict[str, Any] = {
        "strategy": "test",
        "symbols": (),
        "sides": (Side.BUY,),
        "max_notional_each": Decimal(5_000),
        "max_notional_day": Decimal(20_000),
        "max_count": 20,
        "max_loss_day": None,
        "until": SystemClock().now() + timedelta(hours=1),
        "days": 1,
    }
    return await desk.mandates.grant(MandateTerms(**{**bounds, **changes}), actor="ann")


def status(desk: Desk, signal_id: str) -> str:
    return desk.signal(signal_id).status.value


async def test_what_fits_is_approved_without_a_person_and_what_does_not_waits(rig: Rig) -> None:
    async with rig.desk() as desk:
        mandate = await grant(desk, symbols=("AAPL", "MSFT"))
        fits, _ = await desk.receive(rig.signal("AAPL", qty=2))
        other, _ = await desk.receive(rig.signal("JPM", qty=2))
        short, _ = await desk.receive(rig.signal("MSFT", side="sell", qty=2))
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        view = desk.signal(fits.id)
        assert view.decided_by == f"mandate:{mandate.id}"
        assert [status(desk, signal.id) for signal in (other, short)] == ["pending", "pending"]
        told = desk.mandates.view(mandate.id)
        assert (told.count, told.signal_ids, told.status) == (1, (fits.id,), "live")
        assert told.notional_today > 0
        assert told.notional_today + told.notional_left_today == 20_000
        assert len(await rig.entries()) == 1


async def test_many_signals_at_once_burn_exactly_what_the_bounds_allow(rig: Rig) -> None:
    symbols = ("AAPL", "MSFT", "JPM", "NVDA", "AMD", "AMZN", "META", "XOM")
    async with rig.desk(limits={"max_symbol_exposure_pct": 100}, correlation={"enabled": False}) as desk:
        mandate = await grant(desk, max_count=4)
        raws = [rig.signal(symbol, qty=1, expires_in_s=600) for symbol in symbols]
        signals = await asyncio.gather(*(desk.receive(raw) for raw in raws))
        ids = [view.id for view, _ in signals]
        await until(lambda: sum(status(desk, each) not in ("pending", "approved") for each in ids) == 4)
        await until(lambda: len(desk.brackets()) == 4)
        await until(lambda: "All 4 approvals are used" in desk.mandates.view(mandate.id).last_refusal)
        assert sum(status(desk, each) == "pending" for each in ids) == len(symbols) - 4
        assert desk.mandates.view(mandate.id).status == "used_up"
        assert len(await rig.entries()) == 4


async def test_a_revoked_mandate_approves_nothing_from_then_on(rig: Rig) -> None:
    async with rig.desk() as desk:
        mandate = await grant(desk)
        await desk.mandates.revoke(mandate.id, actor="bob")
        signal, _ = await desk.receive(rig.signal("AAPL", qty=2))
        await until(lambda: desk.preview(signal.id).approvable)
        await asyncio.sleep(0.4)
        assert status(desk, signal.id) == "pending"
        told = desk.mandates.view(mandate.id)
        assert (told.status, told.revoked_by) == ("revoked", "bob")
        assert desk.mandates.views() == []
        assert len(desk.mandates.views(everything=True)) == 1


async def test_no_mandate_approves_unless_the_desk_is_active(rig: Rig) -> None:
    async with rig.desk() as desk:
        await grant(desk)
        await desk.set_state(DeskState.HALTED, actor="ann")
        signal, _ = await desk.receive(rig.signal("AAPL", qty=2))
        await until(lambda: desk.preview(signal.id).price is not None)
        await asyncio.sleep(0.4)
        assert status(desk, signal.id) == "pending"
        await desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE")
        await until(lambda: status(desk, signal.id) != "pending")


async def test_after_a_restart_a_mandate_waits_for_a_person(rig: Rig) -> None:
    async with rig.desk() as desk:
        mandate = await grant(desk)
        await desk.receive(rig.signal("AAPL", qty=2))
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        burned = desk.mandates.view(mandate.id)
    async with rig.desk() as desk:
        again = desk.mandates.view(mandate.id)
        assert (again.status, again.notional_today, again.count) == ("unconfirmed", burned.notional_today, 1)
        signal, _ = await desk.receive(rig.signal("MSFT", qty=2))
        await until(lambda: "confirmed" in desk.mandates.view(mandate.id).last_refusal)
        await until(lambda: any(mandate.id in incident.cause for incident in desk.incidents()))
        assert status(desk, signal.id) == "pending"
        assert (await desk.mandates.confirm(mandate.id, actor="ann")).status == "live"
        await until(lambda: status(desk, signal.id) not in ("pending", "approved"))


async def test_a_person_who_takes_an_approval_back_has_the_last_word(rig: Rig) -> None:
    async with rig.desk(approval={"undo_s": 30.0}) as desk:
        mandate = await grant(desk)
        signal, _ = await desk.receive(rig.signal("AAPL", qty=2, expires_in_s=600))
        await until(lambda: status(desk, signal.id) == "approved")
        await desk.undo(signal.id, actor="ann")
        await asyncio.sleep(0.6)
        assert status(desk, signal.id) == "pending"
        assert desk.mandates.view(mandate.id).count == 0
        assert await rig.orders() == []


async def test_a_warning_is_left_to_a_person_by_policy(rig: Rig) -> None:
    rules = {"correlation": {"max_cluster_count": 1, "threshold": 0.01}}
    async with rig.desk(**rules) as desk:
        await grant(desk)
        first, _ = await desk.receive(rig.signal("AAPL", qty=1))
        await until(lambda: desk.brackets() and desk.brackets()[0].status.value == "protected")
        second, _ = await desk.receive(rig.signal("MSFT", qty=1, expires_in_s=600))
        await until(lambda: desk.mandates.views()[0].last_refusal.startswith(second.id))
        assert status(desk, second.id) == "pending"
        assert status(desk, first.id) != "pending"


@pytest.fixture
async def api(rig: Rig, tmp_path: Path) -> AsyncIterator[tuple[Desk, str, aiohttp.ClientSession]]:
    settings = ApiSettings(port=0, data_dir=tmp_path, token_override="token")
    async with (
        rig.desk() as desk,
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as session,
    ):
        yield desk, f"{server.url}/v1/mandates", session


FORM: dict[str, Any] = {
    "strategy": "test",
    "symbols": ["aapl", "MSFT"],
    "sides": ["buy"],
    "max_notional_each": "5000",
    "max_notional_day": 20000,
    "max_loss_day": "300",
}


async def test_the_api_gives_shows_and_revokes(api: tuple[Desk, str, aiohttp.ClientSession]) -> None:
    desk, url, session = api
    now = SystemClock().now()
    form = {**FORM, "until": (now + timedelta(minutes=5)).isoformat(), "days": 1}
    async with session.post(url, json=form) as answer:
        given = await answer.json()
    assert (answer.status, given["status"], given["symbols"]) == (201, "live", ["AAPL", "MSFT"])
    assert (given["created_by"], given["max_count"], given["loss_today"]) == ("operate", 20, "0.00")
    async with session.get(url) as answer:
        assert [row["id"] for row in (await answer.json())["mandates"]] == [given["id"]]
    async with session.post(f"{url}/{given['id']}/confirm") as answer:
        assert (await answer.json())["status"] == "live"
    async with session.delete(f"{url}/{given['id']}") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "revoked")
    async with session.post(f"{url}/{given['id']}/confirm") as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (409, "NOT_LIVE")
    async with session.get(f"{url}/m9999") as answer:
        assert answer.status == 404
    async with session.post(url, json=form) as answer:
        assert answer.status == 201
    async with session.delete(url) as answer:
        assert [row["status"] for row in (await answer.json())["mandates"]] == ["revoked"]
    assert desk.mandates.views() == []


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"strategy": None}, "MISSING_FIELD", "strategy"),
        ({"sides": []}, "MISSING_FIELD", "sides"),
        ({"sides": ["long"]}, "UNKNOWN_SIDE", "sides"),
        ({"symbols": ["A APL"]}, "BAD_SYMBOL", "symbols"),
        ({"max_notional_each": 0}, "NOT_POSITIVE", "max_notional_each"),
        ({"max_notional_day": None}, "MISSING_FIELD", "max_notional_day"),
        ({"max_notional_each": 20001}, "OUT_OF_RANGE", "max_notional_each"),
        ({"max_count": 1.5}, "OUT_OF_RANGE", "max_count"),
        ({"until": None}, "MISSING_FIELD", "until"),
        ({"until": "soon"}, "WRONG_TYPE", "until"),
        ({"until": "2020-01-01T00:00:00Z"}, "OUT_OF_RANGE", "until"),
        ({"until": "2999-01-01T00:00:00Z"}, "OUT_OF_RANGE", "until"),
        ({"days": 31}, "OUT_OF_RANGE", "days"),
        ({"forever": True}, "UNKNOWN_FIELD", "forever"),
    ],
)
async def test_a_mandate_without_clear_bounds_is_refused_by_field(
    api: tuple[Desk, str, aiohttp.ClientSession], change: dict[str, Any], code: str, field: str
) -> None:
    desk, url, session = api
    now = SystemClock().now()
    form = {**FORM, "until": (end_of_day(now, 0) - timedelta(milliseconds=1)).isoformat(), **change}
    async with session.post(url, json=form) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, error["code"], error["field"]) == (422, code, field)
    assert desk.mandates.views(everything=True) == []


async def test_today_is_the_limit_unless_further_days_are_asked_for(rig: Rig) -> None:
    async with rig.desk() as desk:
        now = SystemClock().now()
        with pytest.raises(CommandRefused) as refused:
            await grant(desk, until=end_of_day(now, 0) + timedelta(seconds=1), days=0)
        assert (refused.value.code, refused.value.field) == ("OUT_OF_RANGE", "until")
        assert (await grant(desk, until=end_of_day(now, 2), days=2)).status == "live"
