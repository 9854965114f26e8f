"""One call of the API: its path, who may make it, and what the guard left in the request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from aiohttp import web

from engine.intake.auth import Holder, Scope

HOLDER: Final = web.RequestKey("holder", Holder)
BEGAN_S: Final = web.RequestKey("began_s", float)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
READ: Final = frozenset({Scope.OPERATE, Scope.READ})
SIGNAL: Final = frozenset({Scope.OPERATE, Scope.SIGNAL})
OPERATE: Final = frozenset({Scope.OPERATE})


class Route(NamedTuple):
    method: str
    path: str
    scopes: frozenset[Scope]
    handler: Handler


def id_of(request: web.Request) -> str:
    return request.match_info["id"]


def actor_of(request: web.Request) -> str:
    """The token's name, which every decision records."""
    return request[HOLDER].name
