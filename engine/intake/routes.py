"""The calls of the operator API: each reads the request, calls the desk once, and encodes its answer."""

from __future__ import annotations

from aiohttp import web

from engine.clock import Clock
from engine.intake import asking
from engine.intake.alarm_routes import AlarmCalls
from engine.intake.auth import require
from engine.intake.door import Door
from engine.intake.encode import answer, list_answer
from engine.intake.exit_routes import ExitCalls, exit_when_of
from engine.intake.halt_routes import HaltCalls
from engine.intake.limit_routes import LimitCalls
from engine.intake.route import BEGAN_S, HOLDER, OPERATE, READ, SIGNAL, Handler, Route, actor_of, id_of
from engine.intake.sse import EventStreams


class Calls:
    def __init__(self, door: Door, clock: Clock, streams: EventStreams) -> None:
        self._door = door
        self._clock = clock
        self._streams = streams

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/v1/health", READ, self.health),
            Route("POST", "/v1/signals", SIGNAL, self.post_signal),
            Route("GET", "/v1/signals", READ, self.signals),
            Route("POST", "/v1/signals/preview", READ, self.preview_batch),
            Route("POST", "/v1/signals/approve", OPERATE, self.approve_batch),
            Route("POST", "/v1/signals/reject", OPERATE, self.reject_batch),
            Route("GET", "/v1/signals/{id}", READ, self.signal),
            Route("GET", "/v1/signals/{id}/preview", READ, self.preview),
            Route("POST", "/v1/signals/{id}/approve", OPERATE, self.approve),
            Route("POST", "/v1/signals/{id}/reject", OPERATE, self.reject),
            Route("POST", "/v1/signals/{id}/undo", OPERATE, self.undo),
            Route("GET", "/v1/reject-reasons", READ, self.reject_reasons),
            Route("GET", "/v1/orders", READ, self.orders),
            Route("GET", "/v1/orders/{id}", READ, self.order),
            Route("DELETE", "/v1/orders/{id}", OPERATE, self.cancel_order),
            Route("POST", "/v1/orders/{id}/lookup", OPERATE, self.lookup_order),
            Route("POST", "/v1/orders/{id}/attest", OPERATE, self.attest_order),
            Route("GET", "/v1/brackets", READ, self.brackets),
            Route("GET", "/v1/brackets/{id}", READ, self.bracket),
            Route("POST", "/v1/brackets/{id}/retry", OPERATE, self.retry_bracket),
            Route("POST", "/v1/brackets/{id}/flatten", OPERATE, self.flatten_bracket),
            Route("POST", "/v1/flatten", OPERATE, self.flatten),
            Route("GET", "/v1/positions", READ, self.positions),
            Route("GET", "/v1/carry", READ, self.carry),
            Route("GET", "/v1/corporate-actions", READ, self.corporate_actions),
            Route("POST", "/v1/brackets/{id}/reprice", OPERATE, self.reprice_bracket),
            Route("GET", "/v1/account", READ, self.account),
            Route("GET", "/v1/incidents", READ, self.incidents),
            *AlarmCalls(self._door).routes(),
            Route("GET", "/v1/incidents/{id}", READ, self.incident),
            Route("POST", "/v1/incidents/{id}/ack", OPERATE, self.ack_incident),
            Route("GET", "/v1/latency", READ, self.latency),
            Route("POST", "/v1/state", OPERATE, self.set_state),
            Route("POST", "/v1/stream", OPERATE, self.poll_orders),
            Route("GET", "/v1/start-gate", READ, self.start_gate),
            Route("POST", "/v1/start-gate", OPERATE, self.settle_difference),
            Route("GET", "/v1/events", READ, self._streams.serve),
            *HaltCalls(self._door).routes(),
            *LimitCalls(self._door, self._clock).routes(),
            *ExitCalls(self._door).routes(),
        )

    # --- the desk as a whole -----------------------------------------------------------------------------------------

    async def health(self, _: web.Request) -> web.Response:
        return answer(self._door.health())

    async def account(self, _: web.Request) -> web.Response:
        return answer(self._door.account())

    async def latency(self, _: web.Request) -> web.Response:
        return answer(self._door.latency())

    async def set_state(self, request: web.Request) -> web.Response:
        wish = await asking.state_of(request)
        return answer(
            await self._door.set_state(
                wish.state, scope=wish.scope, actor=actor_of(request), confirm=wish.confirm, second=wish.second
            )
        )

    async def poll_orders(self, request: web.Request) -> web.Response:
        polling = await asking.polling_of(request)
        return answer(await self._door.poll_orders(polling, actor=actor_of(request)))

    async def start_gate(self, _: web.Request) -> web.Response:
        return self._start_gate_answer()

    async def settle_difference(self, request: web.Request) -> web.Response:
        asked = await asking.difference_of(request)
        await self._door.settle_difference(
            asked.difference_id,
            settlement=asked.settlement,
            actor=actor_of(request),
            stop_price=asked.stop_price,
            take_profit_price=asked.take_profit_price,
        )
        return self._start_gate_answer()

    def _start_gate_answer(self) -> web.Response:
        return answer({"start_gate": self._door.health().start_gate, "differences": self._door.differences()})

    async def flatten(self, request: web.Request) -> web.Response:
        symbol, when = await asking.flatten_target_of(request)
        brackets = await self._door.flatten(symbol=symbol, actor=actor_of(request), when=when)
        return await list_answer("brackets", brackets, self._clock, 202)

    # --- signals -----------------------------------------------------------------------------------------------------

    async def post_signal(self, request: web.Request) -> web.Response:
        """202 for a new signal, 200 for one that is known: recorded either way, ordered in neither."""
        raw = await request.read()
        signal, duplicate = await self._door.receive(
            raw, source=request[HOLDER].source, format=request.query.get("format"), began_s=request[BEGAN_S]
        )
        told = {"id": signal.id, "status": signal.status, "duplicate": duplicate}
        return answer(told, 200 if duplicate else 202)

    async def signals(self, request: web.Request) -> web.Response:
        query = asking.query_of(request)
        rows = self._door.signals(asking.status_of(query), asking.limit_of(query))
        return await list_answer("signals", rows, self._clock)

    async def signal(self, request: web.Request) -> web.Response:
        return answer(self._door.signal(id_of(request)))

    async def preview(self, request: web.Request) -> web.Response:
        return answer(self._door.preview(id_of(request), asking.edits_of(asking.query_of(request))))

    async def approve(self, request: web.Request) -> web.Response:
        preview_id, edits, reason = await asking.approval_of(request)
        signal = await self._door.approve(
            id_of(request), actor=actor_of(request), preview_id=preview_id, edits=edits, reason=reason
        )
        return answer(signal, 202)

    async def reject(self, request: web.Request) -> web.Response:
        reason, code = await asking.rejection_of(request)
        return answer(await self._door.reject(id_of(request), actor=actor_of(request), reason=reason, code=code))

    async def undo(self, request: web.Request) -> web.Response:
        await asking.body_of(request)
        return answer(await self._door.undo(id_of(request), actor=actor_of(request)))

    async def preview_batch(self, request: web.Request) -> web.Response:
        return answer(self._door.preview_batch(await asking.batch_of(request)))

    async def approve_batch(self, request: web.Request) -> web.Response:
        ids, preview_id, reason = await asking.batch_approval_of(request)
        outcomes = await self._door.approve_batch(ids, actor=actor_of(request), preview_id=preview_id, reason=reason)
        return await list_answer("outcomes", outcomes, self._clock, 202)

    async def reject_batch(self, request: web.Request) -> web.Response:
        ids, reason, code = await asking.batch_rejection_of(request)
        outcomes = await self._door.reject_batch(ids, actor=actor_of(request), reason=reason, code=code)
        return await list_answer("outcomes", outcomes, self._clock)

    async def reject_reasons(self, _: web.Request) -> web.Response:
        return await list_answer("reasons", self._door.reject_reasons(), self._clock)

    # --- orders ------------------------------------------------------------------------------------------------------

    async def orders(self, request: web.Request) -> web.Response:
        query = asking.query_of(request)
        rows = self._door.orders(asking.span_of(query), asking.limit_of(query))
        return await list_answer("orders", rows, self._clock)

    async def order(self, request: web.Request) -> web.Response:
        return answer(self._door.order(id_of(request)))

    async def cancel_order(self, request: web.Request) -> web.Response:
        return answer(await self._door.cancel_order(id_of(request), actor=actor_of(request)), 202)

    async def lookup_order(self, request: web.Request) -> web.Response:
        await asking.body_of(request)
        return answer(await self._door.lookup_order(id_of(request), actor=actor_of(request)))

    async def attest_order(self, request: web.Request) -> web.Response:
        settlement = await asking.settlement_of(request)
        return answer(await self._door.attest_order(id_of(request), actor=actor_of(request), settlement=settlement))

    # --- brackets, positions, incidents ------------------------------------------------------------------------------

    async def brackets(self, request: web.Request) -> web.Response:
        query = asking.query_of(request)
        rows = self._door.brackets(asking.span_of(query), asking.limit_of(query))
        return await list_answer("brackets", rows, self._clock)

    async def bracket(self, request: web.Request) -> web.Response:
        return answer(self._door.bracket(id_of(request)))

    async def retry_bracket(self, request: web.Request) -> web.Response:
        await asking.body_of(request)
        return answer(await self._door.retry_bracket(id_of(request), actor=actor_of(request)), 202)

    async def flatten_bracket(self, request: web.Request) -> web.Response:
        when = await exit_when_of(request)
        return answer(await self._door.flatten_bracket(id_of(request), actor=actor_of(request), when=when), 202)

    async def corporate_actions(self, _: web.Request) -> web.Response:
        return await list_answer("corporate_actions", self._door.corporate_actions(), self._clock)

    async def reprice_bracket(self, request: web.Request) -> web.Response:
        return answer(await self._door.reprice_bracket(id_of(request), actor=actor_of(request)), 202)

    async def carry(self, _: web.Request) -> web.Response:
        return answer(self._door.carry())

    async def positions(self, request: web.Request) -> web.Response:
        limit = asking.limit_of(asking.query_of(request))
        return await list_answer("positions", self._door.positions()[:limit], self._clock)

    async def incidents(self, request: web.Request) -> web.Response:
        query = asking.query_of(request)
        rows = self._door.incidents(asking.span_of(query), asking.limit_of(query))
        return await list_answer("incidents", rows, self._clock)

    async def incident(self, request: web.Request) -> web.Response:
        return answer(self._door.incident(id_of(request)))

    async def ack_incident(self, request: web.Request) -> web.Response:
        await asking.body_of(request)
        return answer(await self._door.ack_incident(id_of(request), actor=actor_of(request)))


def guarded(route: Route) -> Handler:
    """The handler behind the check of its scopes."""

    async def handle(request: web.Request) -> web.StreamResponse:
        require(request[HOLDER], route.scopes)
        return await route.handler(request)

    return handle
