"""A whole desk and a real exchange in virtual time, with a wire between them that a test can break.

Three simulated machines: the broker, the wire, and the desk with the test itself. Minutes pass at once.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp

from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.clock import LoopClock
from engine.config import Config
from engine.desk import Desk
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange
from engine.model.words import Mode
from engine.start import DeskSettings, start_desk
from tests.simulation.virtual import Disk, VirtualLoop
from tests.unit.alpaca.virtual_time import EPOCH
from tests.wire.desk.cut_proxy import CutProxy, cut_proxy

BROKER: Final = "127.0.0.9"
WIRE: Final = "127.0.0.8"
"""Simulated machines; the desk speaks plain HTTP to loopback names alone."""
PORT: Final = 8900
PATIENCE_S: Final = 60.0
SERVER: Final = "aiohttp/web_protocol.py"


@dataclass
class Scene:
    desk: Desk
    proxy: CutProxy
    running: RunningExchange
    clock: LoopClock

    async def until(self, true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        async with asyncio.timeout(patience_s):
            while not true():
                await self.clock.sleep(0.05)

    def signal(self, symbol: str = "AAPL", *, resting: bool = False, target: bool = True) -> bytes:
        price = Decimal(str(self.running.exchange.market.quote(symbol).ask))
        basis = round(price * Decimal("0.95"), 2) if resting else price
        body: dict[str, Any] = {
            "source": "test",
            "id": f"t-{symbol}",
            "strategy": "test",
            "symbol": symbol,
            "side": "buy",
            "intent": "open",
            "qty": 10,
            "entry": {"type": "limit", "limit_price": str(basis)} if resting else {"type": "market"},
            "stop_loss": {"stop_price": str(round(basis * Decimal("0.98"), 2))},
        }
        if target:
            body["take_profit"] = {"limit_price": str(round(price * Decimal("1.05"), 2))}
        return json.dumps(body).encode()

    async def approved(self, raw: bytes) -> str:
        view, _ = await self.desk.receive(raw)
        await self.until(lambda: self.desk.quote("AAPL"))
        await self.desk.approve(view.id, actor="test")
        await self.until(lambda: self.desk.signal(view.id).bracket_id in {b.id for b in self.desk.brackets("all")})
        bracket_id = self.desk.signal(view.id).bracket_id
        assert bracket_id is not None
        return bracket_id

    async def protected(self, **shape: bool) -> str:
        bracket_id = await self.approved(self.signal(**shape))
        await self.until(lambda: self.desk.bracket(bracket_id).status.value == "protected")
        return bracket_id

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The exchange itself, past the breaking wire."""
        url = f"http://{BROKER}:{PORT}{path}"
        async with aiohttp.ClientSession() as session, session.request(method, url, json=body) as answer:
            assert answer.ok, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else None

    async def at_the_broker(self) -> list[dict[str, Any]]:
        """Every order there, legs included."""
        return list(await self.ask("GET", "/v2/orders?status=all&limit=500"))

    async def shares(self) -> Decimal:
        return sum((Decimal(position["qty"]) for position in await self.ask("GET", "/v2/positions")), Decimal(0))

    async def sold(self) -> list[Decimal]:
        """Executed quantities of selling orders."""
        filled = [order for order in await self.at_the_broker() if order["side"] == "sell"]
        return [qty for order in filled if (qty := Decimal(order["filled_qty"]))]

    async def agree(self) -> None:
        """Each order once, and the book tells of each what the broker tells."""
        book = {order.broker_id: order for order in self.desk.orders("all") if order.broker_id is not None}
        there = await self.at_the_broker()
        for order in there:
            assert order["id"] in book, f"the book lacks {order['client_order_id']} ({order['status']})"
            assert book[order["id"]].status.value == order["status"]
            assert book[order["id"]].filled_qty == Decimal(order["filled_qty"])
        assert len({order["client_order_id"] for order in there}) == len(there)
        assert not [order for order in self.desk.orders("all") if order.unresolved_since is not None]
        assert not [order for order in self.desk.orders("open") if order.broker_id is None]
        await self.until(lambda: not [alarm for alarm in self.desk.incidents() if int(alarm.priority) == 1])


@asynccontextmanager
async def on_machine[T](loop: VirtualLoop, name: str, serving: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Whatever it opens, it opens on that machine."""
    ready: asyncio.Future[T] = loop.create_future()
    done = asyncio.Event()

    async def serve() -> None:
        async with serving as served:
            ready.set_result(served)
            await done.wait()

    task = loop.net.host(name).create_task(serve(), name=name)
    try:
        yield await ready
    finally:
        done.set()
        await task


def all_but_a_late_handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """When half a request and the end of its connection come in one turn of the loop, aiohttp's server begins to handle
    what it has already taken down, and fails in a task of its own. The exchange never sees that request."""
    error = context.get("exception")
    where = error.__traceback__ if error is not None else None
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    is_late = where is not None and where.tb_frame.f_code.co_filename.endswith(SERVER)
    if not (is_late and isinstance(error, TypeError)):
        loop.default_exception_handler(context)


def play(folder: Path, scene: Callable[[Scene], Awaitable[None]], **settings: Any) -> None:
    async def main(loop: VirtualLoop) -> None:
        clock = LoopClock(EPOCH)
        terms = {"symbols": ("AAPL", "SPY"), "latency_ms": 20.0, "latency_jitter": 0.0} | settings
        desk_settings = DeskSettings(mode=Mode.SIM, folder=folder, config=Config())
        access = SimAccess(sim_endpoint(f"http://{WIRE}:{PORT}"), sim_keys())
        exchange = serve_exchange(ExchangeSettings(**terms), clock, host=BROKER, port=PORT)
        async with (
            on_machine(loop, BROKER, exchange) as running,
            on_machine(loop, WIRE, cut_proxy(WIRE, PORT, BROKER)) as proxy,
            start_desk(desk_settings, access, clock, journal_pool=Disk(random.Random(1))) as desk,
        ):
            told = Scene(desk, proxy, running, clock)
            await told.until(lambda: desk.health().status == "ok")
            await scene(told)

    loop = VirtualLoop(seed=7)
    loop.set_exception_handler(all_but_a_late_handler)
    try:
        loop.run_until_complete(main(loop))
    finally:
        loop.close()
