"""The calls about the halt ladder: its rungs with their evidence, the proof of being flat, the account's own switch."""

from __future__ import annotations

from aiohttp import web

from engine.intake import asking
from engine.intake.door import Door
from engine.intake.encode import answer
from engine.intake.route import OPERATE, READ, Route, actor_of


class HaltCalls:
    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/v1/halt", READ, self.ladder),
            Route("POST", "/v1/halt/prove", OPERATE, self.prove),
            Route("POST", "/v1/halt/suspend", OPERATE, self.suspend),
            Route("POST", "/v1/halt/resume", OPERATE, self.resume),
        )

    async def ladder(self, _: web.Request) -> web.Response:
        return answer(self._door.halt.ladder())

    async def prove(self, request: web.Request) -> web.Response:
        await asking.body_of(request)
        return answer(await self._door.halt.prove(actor=actor_of(request)))

    async def suspend(self, request: web.Request) -> web.Response:
        await asking.body_of(request)
        return answer(await self._door.halt.suspend(actor=actor_of(request)))

    async def resume(self, request: web.Request) -> web.Response:
        fields = await asking.body_of(request, "confirm")
        return answer(await self._door.halt.resume(actor=actor_of(request), confirm=fields.text("confirm")))
