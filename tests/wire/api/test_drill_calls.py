"""Drills are asked for over the API only where there is an embedded exchange."""

from __future__ import annotations

import aiohttp

from engine.clock import SystemClock
from engine.intake.api import ApiSettings, serve_api
from tests.wire.api.conftest import READ_TOKENS, Client
from tests.wire.api.scripted import ScriptedDesk, ScriptedDrills


async def test_a_desk_without_an_embedded_exchange_knows_no_drills(client: Client) -> None:
    assert (await client.get("/v1/drills")).status == 404
    assert (await client.post("/v1/drills/lost_reply")).status == 404


async def test_drills_are_read_begun_and_ended(settings: ApiSettings) -> None:
    drills = ScriptedDrills()
    async with (
        serve_api(ScriptedDesk(), settings, SystemClock(), drills=drills) as server,
        aiohttp.ClientSession() as session,
    ):
        client = Client(server, session, (settings.data_dir / "api-token").read_text())
        told = await client.get("/v1/drills", token=READ_TOKENS["wall"])
        assert [drill["name"] for drill in told.json["drills"]] == ["lost_reply"]
        assert (told.json["running"], told.json["results"]) == (None, [])
        begun = await client.post("/v1/drills/lost_reply")
        assert (begun.status, begun.json["running"]["drill"]) == (202, "lost_reply")
        assert drills.begun_by == "operate"
        assert (await client.post("/v1/drills/lost_reply")).error[:2] == (409, "DRILL_RUNNING")
        assert (await client.post("/v1/drills/lost_reply", token=READ_TOKENS["wall"])).status == 403
        assert (await client.call("DELETE", "/v1/drills")).json["running"] is None
