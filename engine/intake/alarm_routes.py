"""The calls about alarms."""

from __future__ import annotations

from aiohttp import web

from engine.intake import asking
from engine.intake.door import Door
from engine.intake.encode import answer
from engine.intake.jsontext import refusal
from engine.intake.route import OPERATE, READ, Route, actor_of, id_of


class AlarmCalls:
    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/v1/incidents/kpis", READ, self.stats),
            Route("POST", "/v1/incidents/{id}/shelve", OPERATE, self.shelve),
            Route("DELETE", "/v1/incidents/{id}/shelve", OPERATE, self.unshelve),
        )

    async def stats(self, _: web.Request) -> web.Response:
        return answer(self._door.alarms.stats())

    async def shelve(self, request: web.Request) -> web.Response:
        fields = await asking.body_of(request, "minutes", "reason")
        minutes, reason = fields.number("minutes"), fields.text("reason", longest=2_000)
        if minutes is None:
            raise fields.missing("minutes")
        if reason is None:
            raise fields.missing("reason")
        if minutes != int(minutes):
            raise refusal("WRONG_TYPE", "minutes must be a whole number", "minutes")
        return answer(
            await self._door.alarms.shelve(id_of(request), minutes=int(minutes), reason=reason, actor=actor_of(request))
        )

    async def unshelve(self, request: web.Request) -> web.Response:
        return answer(await self._door.alarms.unshelve(id_of(request), actor=actor_of(request)))
