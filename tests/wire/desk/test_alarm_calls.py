"""The calls about alarms over HTTP, with a real desk and a real exchange behind them."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from engine.clock import SystemClock
from engine.intake.api import ApiSettings, serve_api
from tests.wire.api.conftest import Client
from tests.wire.desk.conftest import Rig, approved, until


async def test_an_alarm_is_shelved_and_taken_back_and_counted(rig: Rig, tmp_path: Path) -> None:
    settings = ApiSettings(port=0, data_dir=tmp_path)
    async with (
        rig.desk() as desk,
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession() as session,
    ):
        api = Client(server, session, (tmp_path / "api-token").read_text(encoding="utf-8").strip())
        await desk.receive(rig.signal("AAPL", expires_in_s=5))
        await until(lambda: desk.incidents())
        (alarm,) = (await api.call("GET", "/v1/incidents")).json["incidents"]
        assert (alarm["priority"], alarm["can_shelve"]) == (3, True)
        path = f"/v1/incidents/{alarm['id']}/shelve"
        assert (await api.call("POST", path, {"minutes": 5})).error == (422, "MISSING_FIELD", "reason")
        assert (await api.call("POST", path, {"minutes": 500, "reason": "x"})).error == (422, "OUT_OF_RANGE", "minutes")
        shelved = await api.call("POST", path, {"minutes": 5, "reason": "seen"})
        assert (shelved.status, shelved.json["shelved_why"], shelved.json["shelved_by"]) == (200, "seen", "operate")
        kpis = (await api.call("GET", "/v1/incidents/kpis")).json
        assert (kpis["raised"], kpis["standing"], kpis["shelved"]) == (1, 0, 1)
        assert (await api.call("DELETE", path)).json["shelved_until"] is None
        await api.call("POST", f"/v1/incidents/{alarm['id']}/ack")
        kpis = (await api.call("GET", "/v1/incidents/kpis")).json
        assert (kpis["acked_share"], kpis["standing"], kpis["unacked"]) == (1.0, 1, 0)
        await until(lambda: not desk.incidents())
        assert (await api.call("POST", path, {"minutes": 5, "reason": "x"})).error[:2] == (409, "INCIDENT_OVER")


async def test_the_shelf_outlives_a_restart(rig: Rig) -> None:
    async with rig.desk() as desk:
        await approved(desk, rig.resting("JPM"))
        await rig.ask("POST", "/_exchange/streams/cut")
        await desk.receive(rig.signal("AAPL", expires_in_s=14))
        await until(lambda: desk.incidents())
        alarm = desk.incidents()[0]
        await desk.alarms.shelve(alarm.id, minutes=5, reason="seen", actor="test")
    async with rig.desk() as desk:
        assert desk.incident(alarm.id).shelved_why == "seen"
        assert desk.view().shelved == 1
