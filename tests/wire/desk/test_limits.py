"""Prop-firm mode and trips over real sockets: refused, broken, latched over a restart, released by typed words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.clock import SystemClock
from engine.desk import Desk
from engine.errors import CommandRefused
from engine.intake.api import ApiSettings, serve_api
from engine.model.words import DeskState
from engine.views import PreviewView
from tests.wire.desk.conftest import Rig, protected, until


def preset(rig: Rig, name: str, text: str) -> dict[str, Any]:
    """Write a preset of the operator's own; returns the settings that use it."""
    folder = rig.folder.parent / "prop_firm"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(f'name = "{name}"\n{text}', encoding="utf-8")
    return {"enabled": True, "preset": name}


def codes(preview: PreviewView, verdict: str = "deny") -> set[str]:
    return {reason.code for reason in preview.verdicts if reason.verdict == verdict}


async def opened(desk: Desk) -> None:
    await until(lambda: desk.limits.prop_firm().day is not None)


async def test_a_stop_out_that_would_break_the_daily_loss_is_denied(rig: Rig) -> None:
    rules = preset(rig, "tight", '[daily_loss]\nbasis = "balance"\nusd = 100.0\n')
    async with rig.desk(prop_firm=rules) as desk:
        await opened(desk)
        small, _ = await desk.receive(rig.signal("AAPL", qty=1))
        large, _ = await desk.receive(rig.signal("MSFT", qty=60))
        await until(lambda: desk.preview(small.id).approvable)
        await until(lambda: desk.preview(large.id).price is not None)
        preview = desk.preview(large.id)
        assert "PROP_DAILY_LOSS" in codes(preview)
        (meter,) = preview.prop_firm
        assert meter.headroom_now == 100
        assert preview.risk is not None
        assert meter.headroom_after_stop == 100 - preview.risk.usd < 0
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(large.id, actor="ann")
        assert refused.value.code == "DENIED"
        assert await rig.orders() == []


async def test_a_broken_preset_stops_entries_and_never_the_desk(rig: Rig) -> None:
    async with rig.desk() as desk:
        await protected(desk, rig.signal("AAPL"))
    rules = preset(rig, "broken", '[drawdown]\nkind = "static"\nusd = -1.0\n')
    async with rig.desk(prop_firm=rules) as desk:
        view, _ = await desk.receive(rig.signal("MSFT"))
        await until(lambda: desk.preview(view.id).price is not None)
        preview = desk.preview(view.id)
        assert codes(preview) == {"PROP_FIRM"}
        assert "drawdown.usd = -1.0" in (preview.blocked_by or "")
        assert "drawdown.usd = -1.0" in (desk.limits.prop_firm().broken or "")
        await until(lambda: any("cannot be kept" in incident.cause for incident in desk.incidents()))
        await desk.flatten(symbol="AAPL", actor="ann")
        await until(lambda: not desk.brackets())


async def test_a_breach_halts_closes_everything_and_outlives_a_restart(rig: Rig) -> None:
    rules = {**preset(rig, "static", '[drawdown]\nkind = "static"\nusd = 200.0\n'), "flatten_on_breach": True}
    async with rig.desk(prop_firm=rules) as desk:
        await opened(desk)
        bracket = await protected(desk, rig.signal("AAPL", qty=40))
        # A fall of 4 % on 40 shares loses more than 200 before the stop, which waits 1 % below, has sold at its price.
        await rig.ask("POST", "/_exchange/prices/AAPL", {"percent": -4})
        await until(lambda: desk.health().desk_state is DeskState.HALTED)
        assert [trip.code for trip in desk.limits.trip_views()] == ["PROP_DRAWDOWN"]
        await until(lambda: desk.bracket(bracket.id).status.value == "closed")
        assert desk.view().trips[0].state is DeskState.HALTED
        await until(lambda: any("Maximum drawdown broken" in incident.cause for incident in desk.incidents()))
    async with rig.desk(prop_firm=rules) as desk:
        assert desk.health().desk_state is DeskState.HALTED
        (breach,) = desk.limits.prop_firm().breaches
        assert (breach.rule, breach.stands) == ("PROP_DRAWDOWN", True)
        await until(lambda: desk.limits.prop_firm().equity is not None)
        for confirm in (None, "RELEASE"):
            with pytest.raises(CommandRefused) as refused:
                await desk.set_state(DeskState.ACTIVE, actor="ann", confirm=confirm)
            assert refused.value.code == "TRIP_STANDS"
            assert [reason.code for reason in refused.value.reasons] == ["PROP_DRAWDOWN"]
        await desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE ANYWAY")
        assert desk.health().desk_state is DeskState.ACTIVE


async def test_positions_are_closed_when_the_window_says_so(rig: Rig) -> None:
    async with rig.desk() as desk:
        held = await protected(desk, rig.signal("AAPL"))
    # One minute a week, long past or far ahead: everything has to be flat now.
    now = SystemClock().now()
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(now.weekday() + 3) % 7]
    window = f'[window]\nopens = "10:00"\ncloses = "10:02"\nflat_by = "10:01"\nzone = "UTC"\ndays = ["{day}"]\n'
    async with rig.desk(prop_firm=preset(rig, "flat", window)) as desk:
        await until(lambda: desk.bracket(held.id).status.value == "closed")
        assert await rig.positions() == []
        await opened(desk)
        view, _ = await desk.receive(rig.signal("MSFT"))
        await until(lambda: desk.preview(view.id).price is not None)
        assert "PROP_WINDOW" in codes(desk.preview(view.id))


async def test_a_storm_of_refusals_pauses_the_desk_until_a_person_releases_it(rig: Rig, tmp_path: Path) -> None:
    trips = {"max_rejects": 3, "rejects_within_s": 2.0}
    settings = ApiSettings(port=0, data_dir=tmp_path, token_override="token")
    refuse = {"do": "refuse", "method": "POST", "path": "/v2/orders", "status": 403, "count": 3}
    await rig.ask("POST", "/_exchange/faults", refuse)
    async with (
        rig.desk(trips=trips) as desk,
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as session,
    ):
        for symbol in ("AAPL", "MSFT", "JPM"):
            view, _ = await desk.receive(rig.signal(symbol, qty=1))
            await until(lambda v=view: desk.preview(v.id).approvable)  # type: ignore[misc]
            await desk.approve(view.id, actor="ann")
            await until(lambda v=view: desk.signal(v.id).status.value == "failed")  # type: ignore[misc]
        await until(lambda: desk.health().desk_state is DeskState.PAUSED)
        assert "refused 3 orders" in desk.view().desk_state_cause

        async def ask(confirm: str | None) -> tuple[int, str | None]:
            body = {"state": "active"} | ({"confirm": confirm} if confirm is not None else {})
            async with session.post(f"{server.url}/v1/state", json=body) as answer:
                told = await answer.json()
                return answer.status, told.get("error", {}).get("code")

        async with session.get(f"{server.url}/v1/trips") as answer:
            (trip,) = (await answer.json())["trips"]
        assert (trip["code"], trip["state"]) == ("REJECT_STORM", "paused")
        await until(lambda: not desk.limits.trip_views()[0].stands)
        assert await ask(None) == (409, "CONFIRM_REQUIRED")
        assert await ask("RELEASE") == (200, None)
        assert desk.limits.trip_views() == []


async def test_a_stream_down_too_long_pauses_and_its_return_alone_releases_nothing(rig: Rig) -> None:
    async with rig.desk(trips={"stream_down_s": 0.5}) as desk:
        await rig.ask("POST", "/_exchange/faults", {"do": "refuse_stream", "count": None})
        await rig.ask("POST", "/_exchange/streams/cut")
        await until(lambda: desk.health().desk_state is DeskState.PAUSED)
        with pytest.raises(CommandRefused) as refused:
            await desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE")
        assert refused.value.code == "TRIP_STANDS"
        await rig.ask("DELETE", "/_exchange/faults")
        await until(lambda: desk.health().stream == "up", 20.0)
        assert desk.health().desk_state is DeskState.PAUSED
        await desk.set_state(DeskState.ACTIVE, actor="ann", confirm="RELEASE")
        assert desk.health().desk_state is DeskState.ACTIVE


async def test_the_firms_own_numbers_can_be_typed_in(rig: Rig, tmp_path: Path) -> None:
    rules = preset(rig, "tight", '[daily_loss]\nbasis = "balance"\nusd = 1000.0\n')
    settings = ApiSettings(port=0, data_dir=tmp_path, token_override="token")
    async with (
        rig.desk(prop_firm=rules) as desk,
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as session,
    ):
        await opened(desk)
        start = desk.limits.prop_firm().equity
        assert start is not None
        body = {"start_balance": str(start + 400)}
        async with session.post(f"{server.url}/v1/prop-firm/day", json=body) as answer:
            told = await answer.json()
        assert answer.status == 200
        # 400 more at the start are 400 less to lose: 600 of 1,000 are left.
        assert [rule["headroom_now"] for rule in told["rules"]] == ["600.00"]
        assert told["day"]["corrected_by"] == "operate"
        async with session.post(f"{server.url}/v1/prop-firm/day", json={}) as answer:
            assert answer.status == 422


async def test_without_the_mode_there_is_nothing_to_correct_and_nothing_is_asked(rig: Rig) -> None:
    async with rig.desk() as desk:
        assert desk.limits.prop_firm().enabled is False
        view, _ = await desk.receive(rig.signal())
        await until(lambda: desk.preview(view.id).approvable)
        assert desk.preview(view.id).prop_firm == ()
        with pytest.raises(CommandRefused) as refused:
            await desk.limits.correct_prop_day(actor="ann", start_balance=Decimal(1))
        assert refused.value.code == "NO_PROP_DAY"


async def test_a_batch_reserves_the_firms_headroom_in_order(rig: Rig) -> None:
    rules = preset(rig, "tight", '[daily_loss]\nbasis = "balance"\nusd = 100.0\n')
    async with rig.desk(prop_firm=rules) as desk:
        await opened(desk)
        ids = []
        for symbol in ("AAPL", "MSFT"):
            # Some 60 at risk each, a stop 1 % away: one fits into 100, two do not.
            qty = int(6_000 / rig.price(symbol))
            view, _ = await desk.receive(rig.signal(symbol, qty=qty, expires_in_s=600))
            await until(lambda v=view: desk.preview(v.id).approvable)  # type: ignore[misc]
            ids.append(view.id)
        shown = desk.preview_batch(ids)
        assert [row.code for row in shown.rows] == [None, "DENIED"]
        second = shown.rows[1].preview
        assert second is not None
        assert codes(second) == {"PROP_DAILY_LOSS"}
        outcomes = await desk.approve_batch(ids, actor="ann", preview_id=shown.preview_id)
        assert [outcome.code for outcome in outcomes] == [None, "DENIED"]
        await until(lambda: len(desk.brackets()) == 1)
        assert len(await rig.entries()) == 1
