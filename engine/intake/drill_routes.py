"""The calls about drills. A desk that is on no embedded exchange has none of them, and answers 404."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from engine.intake.encode import answer
from engine.intake.route import OPERATE, READ, Route, actor_of, id_of
from engine.views_drills import DrillsView


class DrillDoor(Protocol):
    """What the API asks of a room for drills."""

    def view(self) -> DrillsView: ...
    async def begin(self, name: str, *, actor: str) -> DrillsView: ...
    async def end(self, *, actor: str) -> DrillsView: ...


class DrillCalls:
    def __init__(self, drills: DrillDoor) -> None:
        self._drills = drills

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/v1/drills", READ, self.drills),
            Route("POST", "/v1/drills/{id}", OPERATE, self.begin),
            Route("DELETE", "/v1/drills", OPERATE, self.end),
        )

    async def drills(self, _: web.Request) -> web.Response:
        return answer(self._drills.view())

    async def begin(self, request: web.Request) -> web.Response:
        return answer(await self._drills.begin(id_of(request), actor=actor_of(request)), 202)

    async def end(self, request: web.Request) -> web.Response:
        return answer(await self._drills.end(actor=actor_of(request)))
