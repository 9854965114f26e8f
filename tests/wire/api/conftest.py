from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from engine.clock import SystemClock
from engine.intake.api import ApiServer, ApiSettings, serve_api
from tests.wire.api.scripted import ScriptedDesk

SIGNAL_TOKENS = {"breakout": "breakout-token"}
READ_TOKENS = {"wall": "wall-token"}


class Reply(NamedTuple):
    status: int
    headers: Any
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> tuple[int, str, str | None]:
        """Status, code and field, after a check of the form."""
        error = self.json["error"]
        assert {"code", "message", "field"} <= set(error) <= {"code", "message", "field", "reasons"}
        assert error["message"]
        assert self.headers["Content-Type"].startswith("application/json")
        return self.status, error["code"], error["field"]


class Client:
    """Speaks to the API as any program would."""

    def __init__(self, server: ApiServer, session: aiohttp.ClientSession, token: str) -> None:
        self.server = server
        self.session = session
        self.token = token

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Any = None,
        raw: Any = None,
    ) -> Reply:
        sent = {"Authorization": f"Bearer {token or self.token}"} | (headers or {})
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        url = self.server.url + path
        async with self.session.request(method, url, data=data, headers=sent) as response:
            return Reply(response.status, response.headers, await response.read())

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return await self.call("POST", path, body, **options)


@pytest.fixture
def settings(tmp_path: Path) -> ApiSettings:
    return ApiSettings(
        port=0,
        data_dir=tmp_path,
        allowed_hosts=("desk.example",),
        signal_tokens=SIGNAL_TOKENS,
        read_tokens=READ_TOKENS,
        heartbeat_s=0.2,
        stall_s=0.4,
    )


@pytest.fixture
def desk() -> ScriptedDesk:
    return ScriptedDesk()


@pytest.fixture
async def client(desk: ScriptedDesk, settings: ApiSettings) -> AsyncIterator[Client]:
    async with (
        serve_api(desk, settings, SystemClock()) as server,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
    ):
        yield Client(server, session, (settings.data_dir / "api-token").read_text())
