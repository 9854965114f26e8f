"""Alpaca's REST API as typed calls: one method a request, one request a call (see ``calls``), no retry inside.

Purposes and lanes: a write says what it is for, and goes in that purpose's lane unless told otherwise; a read goes in
the READ lane, and a read that an exit waits for should be told ``lane=Lane.EXIT``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final, Literal
from urllib.parse import quote

from engine.alpaca.bodies import Body, encode_body
from engine.alpaca.budget import DEFAULT_REQUESTS_PER_MINUTE, Lane, RateBudget, Slot, lane_of_reads
from engine.alpaca.calls import (
    LANE_OF_PURPOSE,
    READ_DEADLINE_S,
    WRITE_DEADLINE_S,
    Answer,
    Caller,
    Request,
    object_reader,
    params_from,
    rows_reader,
)
from engine.alpaca.endpoints import Access
from engine.alpaca.errors import Purpose, Verb
from engine.alpaca.market_data import ROWS_PER_STEP, MarketDataCalls
from engine.alpaca.reading import Malformed, Rows, Unreadable, decode_object, read, read_rows, split_rows
from engine.alpaca.transport import Transport, open_transport
from engine.alpaca.wire import (
    Account,
    AccountConfigurations,
    Activity,
    Asset,
    CalendarDay,
    Clock,
    Order,
    Position,
    read_order,
    read_position,
)
from engine.clock import Clock as EngineClock
from engine.errors import BrokerError

__all__ = ["AlpacaClient", "Answer", "open_client"]

BULK_DEADLINE_S: Final = 30.0
"""For the list of all assets, some megabytes."""
WARM_CONNECTIONS: Final = 2
"""One for an entry and one for an exit beside it."""
WARM_EVERY_S: Final = 20.0
"""Less than half of the keep-alive time, so that a connection in the pool is never near its end."""

type Direction = Literal["asc", "desc"]


class AlpacaClient(MarketDataCalls):
    """One account at one broker. Use ``open_client``.

    Every call raises ``BrokerError``, and ``asyncio.CancelledError`` when its task is canceled: a write that is
    canceled while under way is of unknown fate.
    """

    def __init__(self, transport: Transport, budget: RateBudget, data_budget: RateBudget) -> None:
        data = Caller(transport, transport.endpoint.data_url, data_budget)
        super().__init__(data, transport.endpoint.feed, transport.clock)
        self.transport = transport
        self.budget = budget
        """Of trading requests; market data has its own, ``data_budget``."""
        self.data_budget = data_budget
        self._trading = Caller(transport, transport.endpoint.trading_url, budget)

    # -- writes ---------------------------------------------------------------------------------------------------

    async def submit(
        self,
        body: Body,
        *,
        purpose: Purpose,
        deadline_s: float = WRITE_DEADLINE_S,
        lane: Lane | None = None,
        slot: Slot | None = None,
    ) -> Answer[Order]:
        """Send this very body (see ``bodies``). The answer says that the order exists, not that it works yet."""
        request = _write(Verb.SUBMIT, purpose, "POST", "/v2/orders", encode_body(body), lane, deadline_s)
        return await self._trading.call(request, object_reader(_answer_to(body)), slot=slot)

    async def replace(
        self,
        order_id: str,
        body: Body,
        *,
        purpose: Purpose,
        deadline_s: float = WRITE_DEADLINE_S,
        lane: Lane | None = None,
        slot: Slot | None = None,
    ) -> Answer[Order]:
        """Change a working order. The answer is the new order with its new id; the old one may still fill first."""
        path = f"/v2/orders/{_part(order_id)}"
        request = _write(Verb.REPLACE, purpose, "PATCH", path, encode_body(body), lane, deadline_s)
        return await self._trading.call(request, object_reader(_answer_to(body)), slot=slot)

    async def cancel(
        self,
        order_id: str,
        *,
        deadline_s: float = WRITE_DEADLINE_S,
        lane: Lane | None = None,
        slot: Slot | None = None,
    ) -> Answer[None]:
        """Ask for a cancel. The answer means "asked": the order stream or a read says when it is done."""
        path = f"/v2/orders/{_part(order_id)}"
        request = _write(Verb.CANCEL, Purpose.CANCEL, "DELETE", path, None, lane, deadline_s)
        return await self._trading.call(request, _acknowledged, slot=slot)

    # -- orders and positions -------------------------------------------------------------------------------------

    async def orders(
        self,
        *,
        status: Literal["open", "closed", "all"] = "open",
        symbols: Iterable[str] = (),
        after: datetime | None = None,
        until: datetime | None = None,
        before_order_id: str | None = None,
        after_order_id: str | None = None,
        limit: int = 500,
        nested: bool = True,
        direction: Direction = "desc",
        lane: Lane = Lane.READ,
        deadline_s: float = READ_DEADLINE_S,
    ) -> Answer[Rows[Order]]:
        """One page of at most 500. ``after`` and ``until`` are exclusive and mean the submission time.

        ``before_order_id`` and ``after_order_id`` continue from the last row of a page, exactly; the broker takes them
        only without ``after`` and ``until``.

        ``status="open"`` lists neither a bracket whose entry is filled nor its held stop: what protects a position
        is found with ``status="all"``.
        """
        if (before_order_id or after_order_id) and (after or until):
            raise ValueError("a page continues by order id or by time, not by both")
        params = params_from(
            status=status,
            symbols=symbols,
            after=after,
            until=until,
            before_order_id=before_order_id,
            after_order_id=after_order_id,
            limit=limit,
            nested=nested,
            direction=direction,
        )
        return await self._trading.call(_get("/v2/orders", params, lane, deadline_s), rows_reader(read_order))

    async def order(
        self, order_id: str, *, nested: bool = True, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Order | None]:
        """None when the broker doesn't know it."""
        request = _get(f"/v2/orders/{_part(order_id)}", params_from(nested=nested), lane, deadline_s)
        return await self._trading.find(request, object_reader(read_order))

    async def order_by_client_id(
        self, client_order_id: str, *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Order | None]:
        """None when the broker doesn't know it; right after a submit it may still come. Legs need ``order``."""
        params = params_from(client_order_id=client_order_id)
        request = _get("/v2/orders:by_client_order_id", params, lane, deadline_s)
        return await self._trading.find(request, object_reader(read_order))

    async def positions(self, *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S) -> Answer[Rows[Position]]:
        return await self._trading.call(_get("/v2/positions", {}, lane, deadline_s), rows_reader(read_position))

    async def position(
        self, symbol: str, *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Position | None]:
        """None when nothing is held."""
        request = _get(f"/v2/positions/{_part(symbol)}", {}, lane, deadline_s)
        return await self._trading.find(request, object_reader(read_position))

    async def activities(
        self,
        activity_type: str = "FILL",
        *,
        order_id: str | None = None,
        after: datetime | None = None,
        until: datetime | None = None,
        page_token: str | None = None,
        page_size: int = 100,
        direction: Direction = "asc",
        lane: Lane = Lane.READ,
        deadline_s: float = READ_DEADLINE_S,
    ) -> Answer[Rows[Activity]]:
        """One page of at most 100; the next one continues with the last row's id as ``page_token``.

        ``order_id`` gives one order's executions.
        """
        params = params_from(
            order_id=order_id,
            after=after,
            until=until,
            page_token=page_token,
            page_size=page_size,
            direction=direction,
        )
        request = _get(f"/v2/account/activities/{_part(activity_type)}", params, lane, deadline_s)
        return await self._trading.call(request, rows_reader(lambda row: read(Activity, row)))

    # -- account, assets, time ------------------------------------------------------------------------------------

    async def account(self, *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S) -> Answer[Account]:
        request = _get("/v2/account", {}, lane, deadline_s)
        return await self._trading.call(request, object_reader(lambda row: read(Account, row)))

    async def configurations(
        self, *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[AccountConfigurations]:
        request = _get("/v2/account/configurations", {}, lane, deadline_s)
        return await self._trading.call(request, object_reader(lambda row: read(AccountConfigurations, row)))

    async def suspend_trade(
        self, suspended: bool, *, lane: Lane = Lane.EXIT, deadline_s: float = WRITE_DEADLINE_S
    ) -> Answer[AccountConfigurations]:
        """Have the broker itself refuse new orders of everybody, or take them again. Asking twice is harmless.

        It refuses exits too, as far as is known: a stop at the broker goes on, a new one is refused.
        """
        body = encode_body({"suspend_trade": suspended})
        path = "/v2/account/configurations"
        request = _write(Verb.CONFIGURE, Purpose.CONFIGURE, "PATCH", path, body, lane, deadline_s)

        def reader(row: dict[str, Any]) -> AccountConfigurations:
            found = read(AccountConfigurations, row)
            if found.suspend_trade is not suspended:
                raise Malformed(f"asked for suspend_trade = {suspended}, the answer says {found.suspend_trade}")
            return found

        return await self._trading.call(request, object_reader(reader))

    async def asset(
        self, symbol: str, *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Asset | None]:
        """None when there is no such symbol."""
        request = _get(f"/v2/assets/{_part(symbol)}", {}, lane, deadline_s)
        return await self._trading.find(request, object_reader(lambda row: read(Asset, row)))

    async def assets(
        self,
        *,
        status: Literal["active", "inactive"] = "active",
        asset_class: str = "us_equity",
        lane: Lane = Lane.READ,
        deadline_s: float = BULK_DEADLINE_S,
    ) -> Answer[Rows[Asset]]:
        """Some ten thousand; parsed in steps, so that the loop stays free meanwhile."""
        params = params_from(status=status, asset_class=asset_class)
        answer = await self._trading.call(_get("/v2/assets", params, lane, deadline_s), split_rows)
        items: list[Asset] = []
        unreadable: list[Unreadable] = []
        for start in range(0, len(answer.value), ROWS_PER_STEP):
            rows = read_rows(answer.value[start : start + ROWS_PER_STEP], lambda row: read(Asset, row))
            items += rows.items
            unreadable += rows.unreadable
            await self._clock.sleep(0)
        return answer.holding(Rows(tuple(items), tuple(unreadable)))

    async def clock(self, *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S) -> Answer[Clock]:
        request = _get("/v2/clock", {}, lane, deadline_s)
        return await self._trading.call(request, object_reader(lambda row: read(Clock, row)))

    async def calendar(
        self, start: date, end: date, *, lane: Lane = Lane.READ, deadline_s: float = READ_DEADLINE_S
    ) -> Answer[Rows[CalendarDay]]:
        """Trading days from ``start`` to ``end``, both included; early closes are in ``close``."""
        params = params_from(start=start.isoformat(), end=end.isoformat())
        request = _get("/v2/calendar", params, lane, deadline_s)
        return await self._trading.call(request, rows_reader(lambda row: read(CalendarDay, row)))

    # -- connections ----------------------------------------------------------------------------------------------

    async def warm_up(self, connections: int = WARM_CONNECTIONS) -> int:
        """Open connections ahead of the first order, so that it costs one round trip. Returns how many answered."""
        answers = await asyncio.gather(*(self.clock() for _ in range(connections)), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, BrokerError):
                raise answer
        return sum(not isinstance(answer, BaseException) for answer in answers)

    async def keep_warm(self, connections: int = WARM_CONNECTIONS, every_s: float = WARM_EVERY_S) -> None:
        """Warm up now and again, for ever; the owner runs it as a task. Costs 6 requests a minute by default.

        Skipped while the budget has no room to spare: then there is traffic enough to keep connections open.
        """
        while True:
            if self.budget.remaining(Lane.READ) > connections:
                await self.warm_up(connections)
            await self._clock.sleep(every_s)


@asynccontextmanager
async def open_client(
    access: Access, clock: EngineClock, *, requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE
) -> AsyncIterator[AlpacaClient]:
    """A client for as long as the block runs; its connections close with the block."""
    async with open_transport(access, clock) as transport:
        yield AlpacaClient(transport, RateBudget(clock, requests_per_minute), RateBudget(clock))


def _get(path: str, params: dict[str, str], lane: Lane, deadline_s: float) -> Request:
    return Request(
        verb=Verb.READ,
        purpose=Purpose.READ,
        method="GET",
        path=path,
        params=params,
        lane=lane if lane is not Lane.READ else lane_of_reads(),
        deadline_s=deadline_s,
    )


def _write(
    verb: Verb, purpose: Purpose, method: str, path: str, body: bytes | None, lane: Lane | None, deadline_s: float
) -> Request:
    return Request(
        verb=verb,
        purpose=purpose,
        method=method,
        path=path,
        params={},
        body=body,
        lane=LANE_OF_PURPOSE[purpose] if lane is None else lane,
        deadline_s=deadline_s,
    )


def _answer_to(body: Body) -> Callable[[dict[str, Any]], Order]:
    """Reads an order and makes sure that it is the one that was sent: anything else proves nothing about ours."""
    asked = body["client_order_id"]

    def reader(row: dict[str, Any]) -> Order:
        order = read_order(row)
        if order.client_order_id != asked:
            raise Malformed(f"asked about {asked!r}, the answer is about {order.client_order_id!r}")
        return order

    return reader


def _acknowledged(body: bytes) -> None:
    """A cancel that the broker takes is answered without a word. A page of somebody on the way acknowledges nothing."""
    if body.strip():
        decode_object(body)


def _part(text: str) -> str:
    """One segment of a path (a crypto symbol has a slash)."""
    return quote(text, safe="")
