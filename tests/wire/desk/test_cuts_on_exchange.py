"""Submit, close, cancel and replace while the wire to the broker breaks: one order there, and the same in the book.

The real desk, the real exchange and real aiohttp in virtual time; what the adapter makes of each cut by itself stands
in ``tests/wire/adapter/test_cuts.py``.
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
import pytest

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
from tests.wire.desk.cut_proxy import HEAD_END, Break, CutProxy, Length, Message, cut_proxy

BROKER: Final = "127.0.0.9"
WIRE: Final = "127.0.0.8"
"""Simulated machines; the desk speaks plain HTTP to loopback names alone."""
PORT: Final = 8900
PATIENCE_S: Final = 60.0

REFUSED_ALL_THE_SAME: Final = (
    b"HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n"
    b'{"code":42210000,"message":"order chain not fully replaced"}'
)


@dataclass
class Scene:
    desk: Desk
    proxy: CutProxy
    running: RunningExchange
    clock: LoopClock

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                await self.clock.sleep(0.05)

    def signal(self, *, resting: bool = False, target: bool = True) -> bytes:
        price = Decimal(str(self.running.exchange.market.quote("AAPL").ask))
        basis = round(price * Decimal("0.95"), 2) if resting else price
        body: dict[str, Any] = {
            "source": "test",
            "id": "t1",
            "strategy": "test",
            "symbol": "AAPL",
            "side": "buy",
            "intent": "open",
            "qty": 10,
            "entry": {"type": "limit", "limit_price": str(basis)} if resting else {"type": "market"},
            "stop_loss": {"stop_price": str(round(basis * Decimal("0.98"), 2))},
        }
        if target:
            body["take_profit"] = {"limit_price": str(round(basis * Decimal("1.05"), 2))}
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
            return await answer.json()

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
    try:
        loop.run_until_complete(main(loop))
    finally:
        loop.close()


def _first_line(message: Message) -> int:
    return message.head.index(b"\r\n") + 2


CUTS: Final[dict[str, dict[str, Length]]] = {
    "before the request": {"request": lambda _: 0},
    "within the request's head": {"request": lambda request: len(request.head) // 2},
    "one byte before the request's end": {"request": lambda request: len(request.whole) - 1},
    "before the answer": {"answer": lambda _: 0},
    "after the status line": {"answer": _first_line},
    "within the answer's head": {"answer": lambda answer: answer.head.index(HEAD_END)},
    "half way through the answer": {"answer": lambda answer: len(answer.head) + len(answer.body) // 2 - 1},
    "one byte before the answer's end": {"answer": lambda answer: len(answer.whole) - 1},
}


@pytest.mark.parametrize("cut", CUTS)
def test_an_entry_exists_once(tmp_path: Path, cut: str) -> None:
    async def scene(told: Scene) -> None:
        told.proxy.armed = Break(method="POST", path="/v2/orders", **CUTS[cut])
        bracket_id = await told.protected()
        assert told.proxy.broke == 1
        assert await told.shares() == 10
        assert len(await told.at_the_broker()) == 3  # the entry and its two exits
        view = told.desk.bracket(bracket_id)
        assert (view.held_qty, view.covered_qty) == (10, 10)
        await told.agree()

    play(tmp_path, scene)


@pytest.mark.parametrize("cut", CUTS)
def test_a_close_exists_once_and_never_flips(tmp_path: Path, cut: str) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.protected(target=False)
        told.proxy.armed = Break(method="POST", path="/v2/orders", **CUTS[cut])
        await told.desk.flatten_bracket(bracket_id, actor="test")
        await told.until(lambda: told.desk.bracket(bracket_id).status.value == "closed")
        assert told.proxy.broke == 1
        assert await told.shares() == 0
        assert await told.sold() == [10]
        await told.agree()

    play(tmp_path, scene)


@pytest.mark.parametrize("cut", CUTS)
def test_a_cancel_is_asked_until_it_is_heard(tmp_path: Path, cut: str) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.approved(told.signal(resting=True))
        entry = told.desk.bracket(bracket_id).legs.entry
        assert entry is not None
        entry_id = entry.id
        await told.until(lambda: told.desk.order(entry_id).status.value == "new")
        told.proxy.armed = Break(method="DELETE", path="/v2/orders/", **CUTS[cut])
        await told.desk.cancel_order(entry_id, actor="test")
        await told.until(lambda: told.desk.order(entry_id).status.value == "canceled")
        assert told.proxy.broke == 1
        assert await told.shares() == 0
        assert {order["status"] for order in await told.at_the_broker()} == {"canceled"}
        await told.agree()

    play(tmp_path, scene)


@pytest.mark.parametrize("cut", CUTS)
def test_a_replacement_exists_once_or_is_settled_as_never_made(tmp_path: Path, cut: str) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.protected()
        told.proxy.armed = Break(method="PATCH", path="/v2/orders/", **CUTS[cut])
        await told.desk.flatten_bracket(bracket_id, actor="test")
        await told.until(lambda: told.desk.bracket(bracket_id).status.value == "closed")
        assert told.proxy.broke == 1
        assert await told.shares() == 0
        assert await told.sold() == [10]
        patches = [request for request in told.proxy.arrived if request.method == "PATCH"]
        assert len({json.loads(request.body)["client_order_id"] for request in patches}) == len(patches)
        await told.agree()

    play(tmp_path, scene)


def test_a_replacement_that_was_refused_and_made_all_the_same_is_found(tmp_path: Path) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.protected()
        told.proxy.armed = Break(method="PATCH", path="/v2/orders/", instead=REFUSED_ALL_THE_SAME)
        await told.desk.flatten_bracket(bracket_id, actor="test")
        await told.until(lambda: told.desk.bracket(bracket_id).status.value == "closed")
        assert told.proxy.broke == 1
        assert await told.shares() == 0
        (patched,) = [order for order in told.desk.orders("all") if "-patch-" in order.id]
        assert patched.status.value == "filled"
        await told.agree()

    play(tmp_path, scene)


def test_an_old_order_that_fills_before_its_replacement_is_counted_once(tmp_path: Path) -> None:
    async def scene(told: Scene) -> None:
        bracket_id = await told.protected()
        target = told.desk.bracket(bracket_id).legs.take_profit
        await told.desk.flatten_bracket(bracket_id, actor="test")
        assert target is not None
        await told.until(lambda: told.desk.order(target.id).status.value == "pending_replace")
        await told.ask("POST", f"/_exchange/orders/{target.broker_id}/fill", {"qty": "10"})
        await told.until(lambda: told.desk.bracket(bracket_id).status.value == "closed")
        assert await told.shares() == 0
        assert told.desk.order(target.id).status.value == "filled"
        (patched,) = [order for order in told.desk.orders("all") if "-patch-" in order.id]
        assert patched.status.value == "rejected"
        await told.agree()

    play(tmp_path, scene, venue_ms=300.0)
