"""The calls about exits: plans and repair, the way out, moving stop and target, running unprotected."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from engine.intake.asking import body_of
from engine.intake.door import Door
from engine.intake.encode import answer
from engine.intake.jsontext import refusal
from engine.intake.route import OPERATE, READ, Route, actor_of, id_of
from engine.model.commands import OrderChange
from engine.model.words import ExitWhen

ORDER_FIELDS: Final = ("limit_price", "stop_price", "qty")
EXIT_PRICES: Final = ("stop_price", "take_profit_price")


class ExitCalls:
    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/v1/brackets/{id}/plans", READ, self.plans),
            Route("POST", "/v1/brackets/{id}/repair", OPERATE, self.repair),
            Route("POST", "/v1/brackets/{id}/exits", OPERATE, self.move),
            Route("POST", "/v1/brackets/{id}/breakeven", OPERATE, self.break_even),
            Route("POST", "/v1/brackets/{id}/unprotected", OPERATE, self.run_unprotected),
            Route("DELETE", "/v1/brackets/{id}/unprotected", OPERATE, self.protect_again),
            Route("PATCH", "/v1/orders/{id}", OPERATE, self.replace_order),
        )

    async def plans(self, request: web.Request) -> web.Response:
        return answer(self._door.exits.plans(id_of(request)))

    async def repair(self, request: web.Request) -> web.Response:
        fields = await body_of(request, "plan_id", "confirm")
        plan_id = fields.text("plan_id")
        if plan_id is None:
            raise fields.missing("plan_id")
        bracket, plan = await self._door.exits.repair(
            id_of(request), plan_id=plan_id, actor=actor_of(request), confirm=fields.text("confirm")
        )
        return answer({"plan": plan, "bracket": bracket}, 202)

    async def move(self, request: web.Request) -> web.Response:
        fields = await body_of(request, *EXIT_PRICES)
        stop, target = (fields.price(name) for name in EXIT_PRICES)
        if stop is None and target is None:
            raise fields.missing("stop_price", ": say stop_price, take_profit_price or both")
        bracket = await self._door.exits.move(
            id_of(request), actor=actor_of(request), stop_price=stop, take_profit_price=target
        )
        return answer(bracket, 202)

    async def break_even(self, request: web.Request) -> web.Response:
        await body_of(request)
        return answer(await self._door.exits.break_even(id_of(request), actor=actor_of(request)), 202)

    async def run_unprotected(self, request: web.Request) -> web.Response:
        fields = await body_of(request, "minutes", "confirm")
        minutes = fields.number("minutes")
        if minutes is None:
            raise fields.missing("minutes")
        if minutes != int(minutes):
            raise refusal("OUT_OF_RANGE", f"minutes must be a whole number, not {minutes}", "minutes")
        bracket = await self._door.exits.run_unprotected(
            id_of(request), minutes=int(minutes), confirm=fields.text("confirm"), actor=actor_of(request)
        )
        return answer(bracket, 202)

    async def replace_order(self, request: web.Request) -> web.Response:
        fields = await body_of(request, *ORDER_FIELDS)
        change = OrderChange(
            limit_price=fields.price("limit_price"), stop_price=fields.price("stop_price"), qty=fields.amount("qty")
        )
        if change == OrderChange():
            raise fields.missing("limit_price", f": say at least one of {', '.join(ORDER_FIELDS)}")
        order = await self._door.replacing.replace(id_of(request), change, actor=actor_of(request))
        return answer(order, 202)

    async def protect_again(self, request: web.Request) -> web.Response:
        return answer(await self._door.exits.protect_again(id_of(request), actor=actor_of(request)), 202)


async def exit_when_of(request: web.Request, *known: str) -> ExitWhen:
    """``when`` of a flatten: ``now`` when absent."""
    fields = await body_of(request, "when", *known)
    return fields.word("when", ExitWhen, "UNKNOWN_WHEN") or ExitWhen.NOW
