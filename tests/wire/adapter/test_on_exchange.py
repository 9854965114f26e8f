"""The adapter against the embedded exchange: the requests, the answers and the streams fit together.

Real sockets, virtual time: a broker 80 ms away answers at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import simloop

from engine.alpaca import retry
from engine.alpaca.bodies import Body, Side, bracket_body, oco_body, replace_body, simple_body
from engine.alpaca.budget import Lane
from engine.alpaca.client import AlpacaClient, open_client
from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.alpaca.errors import AlreadyDone, DuplicateClientOrderId, PriceRefused, Purpose, WaitsFor
from engine.alpaca.quotes import QuoteStream, Subscribed
from engine.alpaca.trades import Connected, Disconnected, OrderStream, SlotTaken, TradeUpdate
from engine.alpaca.wire import Order, Quote
from engine.clock import Clock, LoopClock
from engine.errors import AmbiguousError, NotYetError, TerminalError
from engine.exchange import faults
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange
from tests.unit.alpaca.virtual_time import EPOCH, run_virtually, virtual_clock

CENT = Decimal("0.01")
ids = count(1)


class Desk:
    """A client and its order stream on a running exchange."""

    def __init__(self, client: AlpacaClient, running: RunningExchange, clock: Clock) -> None:
        self.client = client
        self.running = running
        self.clock = clock
        self.stream = OrderStream(client.transport)
        self.items = aiter(self.stream)

    async def price(self, symbol: str = "AAPL") -> Decimal:
        quotes = (await self.client.latest_quotes([symbol])).value.items
        return quotes[0].ask_price

    async def bracket(self, qty: int = 10) -> Body:
        """At the market, with exits 5 % away."""
        price = await self.price()
        return bracket_body(
            client_order_id=f"desk-{next(ids)}",
            symbol="AAPL",
            side="buy",
            qty=Decimal(qty),
            take_profit_price=(price * Decimal("1.05")).quantize(CENT),
            stop_price=(price * Decimal("0.95")).quantize(CENT),
        )

    def simple(self, side: Side, kind: Any = "market", qty: int = 10, **more: Any) -> Body:
        return simple_body(
            client_order_id=f"desk-{next(ids)}",
            symbol="AAPL",
            side=side,
            type=kind,
            time_in_force="day",
            qty=Decimal(qty),
            **more,
        )

    async def update(self, event: str, order_id: str) -> TradeUpdate:
        """The next such event of that order; others are passed over."""
        async with asyncio.timeout(30):
            async for item in self.items:
                if isinstance(item, TradeUpdate) and (item.event, item.order.id) == (event, order_id):
                    return item
        raise AssertionError("the stream ended")

    async def entered(self) -> Order:
        """A filled bracket."""
        order = (await self.client.submit(await self.bracket(), purpose=Purpose.ENTRY)).value
        await self.update("fill", order.id)
        return order


@asynccontextmanager
async def desk_on(host: str, port: int, clock: Clock, **settings: Any) -> AsyncIterator[Desk]:
    terms: dict[str, Any] = {"symbols": ("AAPL", "SPY"), "latency_ms": 80.0} | settings
    async with (
        serve_exchange(ExchangeSettings(**terms), clock, host=host, port=port) as running,
        open_client(SimAccess(sim_endpoint(running.url), sim_keys()), clock) as client,
    ):
        desk = Desk(client, running, clock)
        task = asyncio.create_task(desk.stream.run(), name="order stream")
        try:
            assert isinstance(await anext(desk.items), Connected)
            yield desk
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def trade(scene: Callable[[Desk], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        async with desk_on("127.0.0.1", 0, virtual_clock(), **settings) as desk:
            await scene(desk)

    run_virtually(main())


def test_a_bracket_is_accepted_filled_and_protected_with_one_request() -> None:
    async def scene(desk: Desk) -> None:
        answer = await desk.client.submit(await desk.bracket(), purpose=Purpose.ENTRY)
        assert answer.request_id
        assert answer.value.order_class == "bracket"
        assert [leg.status for leg in answer.value.legs] == ["held", "held"]
        fill = await desk.update("fill", answer.value.id)
        assert (fill.qty, fill.position_qty, fill.order.status) == (Decimal(10), Decimal(10), "filled")
        assert fill.execution_id
        order = (await desk.client.order(answer.value.id)).value
        assert order is not None
        assert sorted((leg.type, leg.status) for leg in order.legs) == [("limit", "new"), ("stop", "held")]
        position = (await desk.client.position("AAPL")).value
        assert position is not None
        assert (position.qty, position.qty_available) == (Decimal(10), Decimal(0))

    trade(scene)


def test_a_submit_takes_one_round_trip_once_the_connection_is_warm() -> None:
    async def scene(desk: Desk) -> None:
        body = await desk.bracket()
        assert await desk.client.warm_up() == 2
        called_at_s = desk.clock.monotonic_s()
        answer = await desk.client.submit(body, purpose=Purpose.ENTRY)
        assert not answer.opened_connection
        assert answer.sent_at_s == called_at_s
        assert answer.answered_at_s - called_at_s == pytest.approx(0.08, abs=0.05)

    trade(scene, latency_jitter=0.0)


def test_the_same_id_twice_is_recognised_and_the_order_found() -> None:
    async def scene(desk: Desk) -> None:
        body = await desk.bracket()
        order = (await desk.client.submit(body, purpose=Purpose.ENTRY)).value
        with pytest.raises(DuplicateClientOrderId):
            await desk.client.submit(body, purpose=Purpose.ENTRY)
        found = await desk.client.order_by_client_id(str(body["client_order_id"]))
        assert found.value is not None
        assert found.value.id == order.id
        assert (await desk.client.order_by_client_id("never-sent")).value is None

    trade(scene)


@pytest.mark.parametrize(
    ("fault", "exists"),
    [
        (faults.LoseAnswer(method="POST"), True),
        (faults.LoseAnswer(method="POST", hang_s=3600), True),
        (faults.Html(method="POST", status=504, accepted=True), True),
        (faults.CutBody(method="POST"), True),
        (faults.Garbage(method="POST"), True),
        (faults.Drop(method="POST"), False),
        (faults.Html(method="POST", status=503), False),
    ],
    ids=["lost", "hung", "504 but accepted", "cut", "garbage", "dropped", "503"],
)
def test_an_unsettled_submit_is_ambiguous_and_a_look_up_settles_it(fault: faults.Fault, exists: bool) -> None:
    async def scene(desk: Desk) -> None:
        body = await desk.bracket()
        desk.running.faults.add(fault)
        with pytest.raises(AmbiguousError):
            await desk.client.submit(body, purpose=Purpose.ENTRY)
        found = await retry.reads(desk.clock)(desk.client.order_by_client_id, str(body["client_order_id"]))
        assert (found.value is not None) == exists

    trade(scene)


def test_a_cancel_is_asked_for_and_the_stream_says_when_it_is_done() -> None:
    async def scene(desk: Desk) -> None:
        resting = desk.simple("buy", "limit", limit_price=Decimal("1.00"))
        order = (await desk.client.submit(resting, purpose=Purpose.ENTRY)).value
        await desk.update("new", order.id)
        assert (await desk.client.cancel(order.id)).status_code == 204
        assert (await desk.update("canceled", order.id)).order.status == "canceled"
        with pytest.raises((AlreadyDone, NotYetError)):
            await desk.client.cancel(order.id)

    trade(scene)


def test_moving_a_stop_makes_a_new_order() -> None:
    async def scene(desk: Desk) -> None:
        order = await desk.entered()
        before = (await desk.client.order(order.id)).value
        assert before is not None
        stop = next(leg for leg in before.legs if leg.type == "stop")
        assert stop.stop_price is not None
        body = replace_body(client_order_id="moved-1", stop_price=stop.stop_price + Decimal("0.50"))
        moved = (await desk.client.replace(stop.id, body, purpose=Purpose.PROTECT)).value
        assert (moved.replaces, moved.client_order_id) == (stop.id, "moved-1")
        await desk.update("replaced", stop.id)
        old = (await desk.client.order(stop.id)).value
        assert old is not None
        assert (old.status, old.replaced_by) == ("replaced", moved.id)

    trade(scene)


def test_closing_while_exits_hold_the_shares_waits_for_their_release() -> None:
    async def scene(desk: Desk) -> None:
        order = await desk.entered()
        close = desk.simple("sell", position_intent="sell_to_close")
        with pytest.raises(NotYetError) as caught:
            await desk.client.submit(close, purpose=Purpose.CLOSE)
        assert caught.value.waits_for is WaitsFor.SHARES
        assert caught.value.body["held_for_orders"] == "10"
        for leg in order.legs[:1]:
            await desk.client.cancel(leg.id)
        answer = await retry.waiting(desk.clock)(desk.client.submit, close, purpose=Purpose.CLOSE)
        assert (await desk.update("fill", answer.value.id)).position_qty == 0
        assert (await desk.client.position("AAPL")).value is None

    trade(scene)


def test_exits_without_a_position_wait_for_it_and_a_passed_stop_says_so() -> None:
    async def scene(desk: Desk) -> None:
        price = await desk.price()
        exits: dict[str, Any] = {
            "symbol": "AAPL",
            "side": "sell",
            "qty": Decimal(10),
            "take_profit_price": (price * Decimal("1.05")).quantize(CENT),
        }
        stop = (price * Decimal("0.95")).quantize(CENT)
        with pytest.raises(NotYetError) as caught:
            await desk.client.submit(
                oco_body(client_order_id="oco-1", stop_price=stop, **exits), purpose=Purpose.PROTECT
            )
        assert caught.value.waits_for is WaitsFor.POSITION
        bought = (await desk.client.submit(desk.simple("buy"), purpose=Purpose.ENTRY)).value
        await desk.update("fill", bought.id)
        passed = (price * Decimal("1.02")).quantize(CENT)
        with pytest.raises(PriceRefused) as refused:
            await desk.client.submit(
                oco_body(client_order_id="oco-2", stop_price=passed, **exits), purpose=Purpose.PROTECT
            )
        assert refused.value.reference_price is not None
        placed = await desk.client.submit(
            oco_body(client_order_id="oco-3", stop_price=stop, **exits), purpose=Purpose.PROTECT
        )
        assert [leg.type for leg in placed.value.legs] == ["stop"]

    trade(scene)


def test_one_mangled_order_does_not_hide_the_others() -> None:
    async def scene(desk: Desk) -> None:
        for _ in range(2):
            await desk.client.submit(desk.simple("buy"), purpose=Purpose.ENTRY)
        desk.running.faults.add(faults.Mangle(method="GET", path="/v2/orders", set={"status": "pondering", "new": 1}))
        rows = (await desk.client.orders(status="all")).value
        assert [order.status for order in rows.items] == ["pondering", "pondering"]
        desk.running.faults.add(faults.Mangle(method="GET", path="/v2/orders", set={"qty": "NaN"}))
        rows = (await desk.client.orders(status="all")).value
        assert len(rows.unreadable) == 2

    trade(scene)


def test_another_order_stream_finds_the_slot_taken_until_the_first_goes() -> None:
    async def scene(desk: Desk) -> None:
        desk.running.faults.add(faults.RefuseStream(status=429))
        second = OrderStream(desk.client.transport)
        task = asyncio.create_task(second.run(), name="second")
        items = aiter(second)
        assert isinstance(await anext(items), SlotTaken)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    trade(scene)


def test_a_cut_stream_comes_back_and_goes_on() -> None:
    async def scene(desk: Desk) -> None:
        desk.running.faults.add(faults.CutStream(event="new"))
        order = (await desk.client.submit(desk.simple("buy"), purpose=Purpose.ENTRY)).value
        kinds: list[type] = []
        async with asyncio.timeout(30):
            async for item in desk.items:
                kinds.append(type(item))
                if isinstance(item, Connected):
                    break
        assert kinds[-2:] == [Disconnected, Connected]
        found = (await desk.client.order(order.id)).value
        assert found is not None
        assert found.status == "filled", "what the cut swallowed is read again"

    trade(scene)


def test_the_data_stream_follows_the_symbols() -> None:
    async def scene(desk: Desk) -> None:
        stream = QuoteStream(desk.client.transport)
        await stream.watch(["AAPL"])
        task = asyncio.create_task(stream.run(), name="quotes")
        seen: set[str] = set()
        async with asyncio.timeout(60):
            async for item in stream:
                if isinstance(item, Subscribed) and seen == {"AAPL"}:
                    assert item.symbols["quotes"] == {"AAPL", "SPY"}
                if isinstance(item, Quote):
                    assert item.bid_price < item.ask_price
                    assert desk.clock.now() - item.at < timedelta(seconds=1)
                    seen.add(item.symbol)
                    if seen == {"AAPL"}:
                        await stream.watch(["AAPL", "SPY"])
                if seen == {"AAPL", "SPY"}:
                    break
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    trade(scene)


def test_everything_that_is_only_read_is_understood() -> None:
    async def scene(desk: Desk) -> None:
        await desk.entered()
        client, now = desk.client, desk.clock.now()
        account = (await client.account()).value
        assert account.status == "ACTIVE"
        assert account.equity is not None
        assert (await client.clock()).value.is_open
        assert {asset.symbol for asset in (await client.assets()).value.items} >= {"AAPL", "SPY"}
        asset = (await client.asset("AAPL")).value
        assert asset is not None
        assert asset.tradable
        assert (await client.asset("NOPE")).value is None
        assert (await client.calendar(now.date(), now.date() + timedelta(days=7))).value.items
        fill = (await client.activities()).value.items[0]
        assert (fill.symbol, fill.qty) == ("AAPL", Decimal(10))
        assert {snapshot.symbol for snapshot in (await client.snapshots(["AAPL", "SPY"])).value.items} == {
            "AAPL",
            "SPY",
        }
        assert (await client.latest_trades(["AAPL"])).value.items[0].price > 0
        bars = (await client.daily_bars(["AAPL", "SPY"], now - timedelta(days=120))).value
        assert {len(rows.items) >= 60 for rows in bars.values()} == {True}
        assert not any(rows.unreadable for rows in bars.values())
        assert (await client.positions()).value.items[0].symbol == "AAPL"

    trade(scene)


def test_many_approvals_at_once_meet_no_429_and_exits_do_not_wait() -> None:
    async def scene(desk: Desk) -> None:
        await desk.client.clock()  # the headers say how large the window is
        assert desk.client.budget.limit == 40
        async with asyncio.TaskGroup() as group:
            entries = [
                group.create_task(
                    desk.client.submit(desk.simple("buy", qty=1), purpose=Purpose.ENTRY), name=f"entry {number}"
                )
                for number in range(50)
            ]
            await desk.clock.sleep(1)
            started_at_s = desk.clock.monotonic_s()
            with pytest.raises(TerminalError):
                await desk.client.cancel("00000000-0000-0000-0000-000000000000")
            assert desk.clock.monotonic_s() - started_at_s < 1
            assert desk.client.budget.waiting
        assert len({entry.result().value.id for entry in entries}) == 50
        assert desk.client.budget.remaining(Lane.EXIT) > 0
        assert {request.status_code for request in desk.client.transport.recent} <= {200, 404}

    trade(scene, requests_per_minute=40)


def test_the_adapter_runs_in_a_simulated_network() -> None:
    async def main() -> None:
        async with desk_on("localhost", 8080, LoopClock(EPOCH)) as desk:
            order = await desk.entered()
            assert (await desk.client.order(order.id)).value is not None

    loop = simloop.SimLoop(seed=3)
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
