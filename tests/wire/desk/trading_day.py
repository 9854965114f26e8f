"""A whole desk on a real exchange in virtual time: hours of trading in a moment, on a day that the test chooses."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp

from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.clock import LoopClock
from engine.config import Config
from engine.config_file import config_from_table
from engine.desk import Desk
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange
from engine.model.words import Mode
from engine.start import DeskSettings, start_desk
from tests.simulation.virtual import Disk, VirtualLoop
from tests.wire.desk.virtual_rig import BROKER, PORT, all_but_a_late_handler, on_machine

PATIENCE_S: Final = 60.0


@dataclass
class Day:
    """The broker of one trading day, and the desks that are started on it."""

    running: RunningExchange
    clock: LoopClock
    folder: Path
    config: Config
    numbers: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        access = SimAccess(sim_endpoint(f"http://{BROKER}:{PORT}"), sim_keys())
        settings = DeskSettings(mode=Mode.SIM, folder=self.folder, config=self.config)
        async with start_desk(settings, access, self.clock, journal_pool=Disk(random.Random(1))) as desk:
            await self.until(lambda: desk.health().status == "ok")
            yield desk

    async def until(self, true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        async with asyncio.timeout(patience_s):
            while not true():
                await self.clock.sleep(0.02)

    def price(self, symbol: str = "AAPL") -> Decimal:
        return Decimal(str(self.running.exchange.market.quote(symbol).ask))

    def move(self, percent: str, symbol: str = "AAPL") -> None:
        """The market of the symbol jumps."""
        self.running.exchange.move_price(symbol, round(self.price(symbol) * (100 + Decimal(percent)) / 100, 2))

    def signal(self, *, target: bool = True, **changes: Any) -> bytes:
        """Ten AAPL at the market, stop two percent and target five percent away."""
        price = self.price()
        self.numbers.append(1)
        body: dict[str, Any] = {
            "source": "test",
            "id": f"t{len(self.numbers)}",
            "strategy": "test",
            "symbol": "AAPL",
            "side": "buy",
            "intent": "open",
            "qty": 10,
            "entry": {"type": "market"},
            "stop_loss": {"stop_price": str(round(price * Decimal("0.98"), 2))},
        }
        if target:
            body["take_profit"] = {"limit_price": str(round(price * Decimal("1.05"), 2))}
        return json.dumps(body | changes).encode()

    async def approved(self, desk: Desk, raw: bytes) -> str:
        view, _ = await desk.receive(raw)
        await self.until(lambda: desk.quote(view.symbol))
        await desk.approve(view.id, actor="test")
        await self.until(lambda: desk.signal(view.id).status.value not in ("pending", "approved"))
        return desk.signal(view.id).bracket_id or ""

    async def protected(self, desk: Desk, raw: bytes) -> str:
        bracket_id = await self.approved(desk, raw)
        await self.until(lambda: desk.bracket(bracket_id).status.value == "protected")
        return bracket_id

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The exchange itself, over its own socket."""
        url = f"http://{BROKER}:{PORT}{path}"
        async with aiohttp.ClientSession() as session, session.request(method, url, json=body) as answer:
            return await answer.json() if answer.content_type == "application/json" else None

    async def shares(self) -> Decimal:
        return sum((Decimal(position["qty"]) for position in await self.ask("GET", "/v2/positions")), Decimal(0))


def play(
    folder: Path,
    scene: Callable[[Day], Awaitable[None]],
    *,
    begins: datetime,
    config: dict[str, Any] | None = None,
    **settings: Any,
) -> None:
    """Act a scene that begins at ``begins``, with an exchange that follows the calendar."""

    async def main(loop: VirtualLoop) -> None:
        clock = LoopClock(begins)
        terms = {"symbols": ("AAPL", "SPY"), "latency_ms": 20.0, "latency_jitter": 0.0, "session": "real"} | settings
        exchange = serve_exchange(ExchangeSettings(**terms), clock, host=BROKER, port=PORT)
        async with on_machine(loop, BROKER, exchange) as running:
            await scene(Day(running, clock, folder, config_from_table(config or {}, "test")))

    loop = VirtualLoop(seed=7)
    loop.set_exception_handler(all_but_a_late_handler)
    try:
        loop.run_until_complete(main(loop))
    finally:
        loop.close()
