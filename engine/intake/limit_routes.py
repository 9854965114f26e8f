"""The calls about what bounds the desk: trips, prop-firm mode, mandates."""

from __future__ import annotations

from aiohttp import web

from engine.clock import Clock
from engine.intake import asking
from engine.intake.door import Door
from engine.intake.encode import answer, list_answer
from engine.intake.mandate_form import mandate_of
from engine.intake.route import OPERATE, READ, Route, actor_of, id_of


class LimitCalls:
    def __init__(self, door: Door, clock: Clock) -> None:
        self._door = door
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/v1/trips", READ, self.trips),
            Route("GET", "/v1/prop-firm", READ, self.prop_firm),
            Route("POST", "/v1/prop-firm/day", OPERATE, self.correct_prop_day),
            Route("GET", "/v1/mandates", READ, self.mandates),
            Route("POST", "/v1/mandates", OPERATE, self.grant_mandate),
            Route("DELETE", "/v1/mandates", OPERATE, self.revoke_mandates),
            Route("GET", "/v1/mandates/{id}", READ, self.mandate),
            Route("DELETE", "/v1/mandates/{id}", OPERATE, self.revoke_mandate),
            Route("POST", "/v1/mandates/{id}/confirm", OPERATE, self.confirm_mandate),
        )

    async def trips(self, _: web.Request) -> web.Response:
        return await list_answer("trips", self._door.limits.trip_views(), self._clock)

    async def prop_firm(self, _: web.Request) -> web.Response:
        return answer(self._door.limits.prop_firm())

    async def correct_prop_day(self, request: web.Request) -> web.Response:
        numbers = await asking.prop_correction_of(request)
        return answer(await self._door.limits.correct_prop_day(actor=actor_of(request), **numbers))

    async def mandates(self, request: web.Request) -> web.Response:
        query = asking.query_of(request)
        everything = asking.span_of(query) == "all"
        rows = self._door.mandates.views(everything=everything, limit=asking.limit_of(query))
        return await list_answer("mandates", rows, self._clock)

    async def mandate(self, request: web.Request) -> web.Response:
        return answer(self._door.mandates.view(id_of(request)))

    async def grant_mandate(self, request: web.Request) -> web.Response:
        wanted = await mandate_of(request, self._clock.now())
        granted = await self._door.mandates.grant(wanted, actor=actor_of(request))
        return answer(granted, 201)

    async def revoke_mandate(self, request: web.Request) -> web.Response:
        return answer(await self._door.mandates.revoke(id_of(request), actor=actor_of(request)))

    async def revoke_mandates(self, request: web.Request) -> web.Response:
        revoked = await self._door.mandates.revoke_all(actor=actor_of(request))
        return await list_answer("mandates", revoked, self._clock)

    async def confirm_mandate(self, request: web.Request) -> web.Response:
        await asking.body_of(request)
        return answer(await self._door.mandates.confirm(id_of(request), actor=actor_of(request)))
