"""The calls about what bounds the desk: trips, prop-firm mode."""

from __future__ import annotations

from aiohttp import web

from engine.clock import Clock
from engine.intake import asking
from engine.intake.door import Door
from engine.intake.encode import answer, list_answer
from engine.intake.route import OPERATE, READ, Route, actor_of


class LimitCalls:
    def __init__(self, door: Door, clock: Clock) -> None:
        self._door = door
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/v1/trips", READ, self.trips),
            Route("GET", "/v1/prop-firm", READ, self.prop_firm),
            Route("POST", "/v1/prop-firm/day", OPERATE, self.correct_prop_day),
        )

    async def trips(self, _: web.Request) -> web.Response:
        return await list_answer("trips", self._door.limits.trip_views(), self._clock)

    async def prop_firm(self, _: web.Request) -> web.Response:
        return answer(self._door.limits.prop_firm())

    async def correct_prop_day(self, request: web.Request) -> web.Response:
        numbers = await asking.prop_correction_of(request)
        return answer(await self._door.limits.correct_prop_day(actor=actor_of(request), **numbers))
