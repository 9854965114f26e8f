"""The sign of life that a third party waits for, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from engine.config import HeartbeatRules
from engine.config_file import ConfigError, config_from_table
from engine.heartbeat import Heartbeat
from tests.wire.desk.conftest import Rig, until


class ThirdParty:
    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.status = 200
        self.url = ""

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append(await request.json())
        return web.Response(status=self.status)


@asynccontextmanager
async def third_party() -> AsyncIterator[ThirdParty]:
    party = ThirdParty()
    app = web.Application()
    app.router.add_post("/ping/{secret}", party.hear)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        party.url = f"http://127.0.0.1:{port}/ping/s3cret-uuid"
        yield party
    finally:
        await runner.cleanup()


async def test_a_desk_tells_how_it_is_and_not_whose_it_is(rig: Rig) -> None:
    async with third_party() as party, rig.desk(heartbeat={"url": party.url}) as desk:
        await until(lambda: party.heard)
        told = party.heard[0]
        assert set(told) == {"status", "mode", "desk_state", "naked_s", "incidents", "version"}
        account = desk.health().account
        assert account is not None
        assert account not in str(told)
        await until(lambda: desk.health().heartbeat is not None and desk.health().heartbeat.told_at is not None)


async def test_what_does_not_arrive_is_counted_and_told_without_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class QuickClock:
        def now(self) -> Any:
            return None

        async def sleep(self, _: float) -> None:
            await asyncio.sleep(0.01)

    async with third_party() as party:
        party.status = 503
        clock: Any = QuickClock()
        heartbeat = Heartbeat(HeartbeatRules(url=party.url), clock, lambda: {"status": "ok"})
        task = asyncio.ensure_future(heartbeat.run())
        try:

            def misses() -> int:
                view = heartbeat.view()
                return view.misses if view is not None else 0

            await until(lambda: misses() >= 3)
            view = heartbeat.view()
            assert view is not None
            assert view.failing == "HTTP 503"
            party.status = 200
            await until(lambda: misses() == 0)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert "s3cret" not in caplog.text


async def test_nobody_there_is_an_incident_of_the_lowest_priority(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.incidents.desk.MISSED_HEARTBEATS", 1)
    async with rig.desk(heartbeat={"url": "http://127.0.0.1:9/ping/s3cret"}) as desk:
        await until(lambda: any("heartbeat does not arrive" in incident.cause for incident in desk.incidents()))
        (incident,) = [each for each in desk.incidents() if "heartbeat" in each.cause]
        assert int(incident.priority) == 3
        assert "s3cret" not in str(incident)
        assert desk.health().status == "ok"


@pytest.mark.parametrize("url", ["http://example.com/ping", "ftp://127.0.0.1/x", "s3cret"])
def test_an_address_in_the_clear_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config_from_table({"heartbeat": {"url": url}}, "greenlight.toml")
    assert "heartbeat.url" in str(refused.value)
    assert url not in str(refused.value)
