"""The operator API: JSON over HTTP, on loopback by default.

``serve_api`` listens as long as its block runs. The live address stands in ``api-url`` in the data folder meanwhile.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from engine.clock import Clock
from engine.errors import EngineError
from engine.intake.auth import Names, Tokens, load_token
from engine.intake.door import Door
from engine.intake.drill_routes import DrillCalls, DrillDoor
from engine.intake.guard import LARGEST_BODY, Guard, JsonRunner
from engine.intake.routes import Calls, guarded
from engine.intake.sse import HEARTBEAT_S, STALL_S, EventStreams

URL_FILE: Final = "api-url"
END_PATIENCE_S: Final = 2.0
"""For requests at work when the API ends; streams are ended before."""
_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ApiSettings:
    host: str = "127.0.0.1"
    port: int = 8787
    """0 picks a free one."""
    data_dir: Path
    allowed_hosts: tuple[str, ...] = ()
    """Names, without port, that ``Host`` may carry beside the bound address and ``localhost``."""
    token_override: str | None = None
    """Takes the place of the token in the file ``api-token``."""
    signal_tokens: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Source -> token that may post signals of this source, and nothing else."""
    read_tokens: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Reader's name -> token that may read everything."""
    heartbeat_s: float = HEARTBEAT_S
    """Longest silence of an event stream."""
    stall_s: float = STALL_S
    """A reader of events that takes nothing for this long is cut."""


@dataclasses.dataclass(frozen=True, slots=True)
class ApiServer:
    url: str
    port: int


@asynccontextmanager
async def serve_api(
    door: Door, settings: ApiSettings, clock: Clock, *, drills: DrillDoor | None = None
) -> AsyncIterator[ApiServer]:
    """Listens until the block ends; event streams end first, requests at work get two seconds.

    Raises:
        EngineError: the address is taken, or the data folder cannot be written.
    """
    streams = EventStreams(door, clock, heartbeat_s=settings.heartbeat_s, stall_s=settings.stall_s)
    tokens = Tokens(_operator_token(settings), settings.signal_tokens, settings.read_tokens)
    guard = Guard(tokens, Names(settings.host, settings.allowed_hosts), clock)
    app = web.Application(middlewares=[guard.check], client_max_size=LARGEST_BODY)
    drill_routes = DrillCalls(drills).routes() if drills is not None else ()
    for route in (*Calls(door, clock, streams).routes(), *drill_routes):
        app.router.add_route(route.method, route.path, guarded(route))
    runner = JsonRunner(app, access_log=None, handle_signals=False, shutdown_timeout=END_PATIENCE_S)
    await runner.setup()
    try:
        server = await _listen(runner, settings)
        url_file = settings.data_dir / URL_FILE
        _write_url(url_file, server.url)
        try:
            yield server
        finally:
            _remove_url(url_file, server.url)
    finally:
        streams.end()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: ApiSettings) -> ApiServer:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise EngineError(
            f"the API cannot listen on {where} ({error.strerror or error}): choose another address with --api"
        ) from error
    # A simulated network has no socket objects to ask; there the given port is the one.
    port = int(runner.addresses[0][1]) if runner.addresses else settings.port
    host = _WILDCARDS.get(settings.host, settings.host)
    return ApiServer(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}", port)


def _operator_token(settings: ApiSettings) -> str:
    if settings.token_override:
        return settings.token_override
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return load_token(settings.data_dir)
    except OSError as error:
        raise EngineError(f"the API token in {settings.data_dir} cannot be read or made: {error}") from error


def _write_url(path: Path, url: str) -> None:
    """In one step: who reads it while it is written gets the old one or the new one."""
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(url, encoding="ascii")
        fresh.replace(path)
    except OSError as error:
        raise EngineError(f"{path} cannot be written: {error}") from error


def _remove_url(path: Path, url: str) -> None:
    try:
        if path.read_text(encoding="ascii") == url:
            path.unlink()
    except FileNotFoundError:
        return
