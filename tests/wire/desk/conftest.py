"""A whole desk on a real exchange over loopback sockets: nothing between them is replaced."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.clock import Clock, SystemClock
from engine.config import Config
from engine.config_file import config_from_table
from engine.desk import Desk
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange
from engine.model.words import Mode
from engine.start import DeskSettings, start_desk
from engine.views import BracketView

PATIENCE_S = 10.0


class Rig:
    """One exchange, one data folder, and desks that can be started and stopped on them."""

    def __init__(self, exchange: RunningExchange, folder: Path, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.exchange = exchange
        self.folder = folder
        self._ids = itertools.count(1)

    @asynccontextmanager
    async def desk(self, *, opens: bool = True, **config: Any) -> AsyncIterator[Desk]:
        """A running desk whose start gate is open, or that has a difference to settle; waits for neither if told."""
        access = SimAccess(sim_endpoint(self.exchange.url), sim_keys())
        settings = DeskSettings(
            mode=Mode.SIM,
            folder=self.folder,
            config=config_from_table(config, "test") if config else Config(),
        )
        async with start_desk(settings, access, self.clock) as desk:
            await until(lambda: not opens or desk.health().status == "ok" or desk.differences())
            yield desk

    def price(self, symbol: str) -> Decimal:
        quote = self.exchange.exchange.market.quote(symbol)
        return Decimal(str(quote.ask))

    def signal(self, symbol: str = "AAPL", side: str = "buy", qty: int | None = 10, **changes: Any) -> bytes:
        """A market signal with a stop 1 % and a target 2 % away."""
        price = self.price(symbol)
        sign = 1 if side == "buy" else -1
        body: dict[str, Any] = {
            "source": "test",
            "id": f"t{next(self._ids)}",
            "strategy": "test",
            "symbol": symbol,
            "side": side,
            "intent": "open",
            "entry": {"type": "market"},
            "stop_loss": {"stop_price": str(round(price * (1 - sign * Decimal("0.01")), 2))},
            "take_profit": {"limit_price": str(round(price * (1 + sign * Decimal("0.02")), 2))},
        }
        if qty is not None:
            body["qty"] = qty
        return json.dumps({**body, **changes}).encode()

    def resting(self, symbol: str = "JPM", qty: int = 10) -> bytes:
        """A limit far below the market that will not fill by itself."""
        limit = round(self.price(symbol) * Decimal("0.95"), 2)
        return self.signal(
            symbol,
            qty=qty,
            entry={"type": "limit", "limit_price": str(limit)},
            stop_loss={"stop_price": str(round(limit * Decimal("0.99"), 2))},
            take_profit={"limit_price": str(round(limit * Decimal("1.10"), 2))},
        )

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the exchange itself says, or does when told to, over its own socket."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.exchange.url + path, json=body) as answer,
        ):
            return await answer.json() if answer.content_type == "application/json" else None

    async def orders(self) -> list[dict[str, Any]]:
        """All orders at the exchange, groups nested."""
        found: list[dict[str, Any]] = await self.ask("GET", "/v2/orders?status=all&nested=true&limit=500")
        return found

    async def entries(self) -> list[dict[str, Any]]:
        """Entry groups at the exchange."""
        return [order for order in await self.orders() if order["order_class"] in ("bracket", "oto")]

    async def positions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.ask("GET", "/v2/positions")
        return found

    async def fill_by_hand(self, order_id: str, qty: int) -> None:
        await self.ask("POST", f"/_exchange/orders/{order_id}/fill", {"qty": str(qty)})


async def until(true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait for something to become true; says what it was waiting for when it does not."""
    async with asyncio.timeout(patience_s):
        while not true():
            await asyncio.sleep(0.01)


async def approved(desk: Desk, raw: bytes) -> str:
    """Send a signal and approve it; returns the bracket's id once the entry is at the broker."""
    view, _ = await desk.receive(raw)
    await desk.approve(view.id, actor="test")
    await until(lambda: desk.signal(view.id).status.value not in ("pending", "approved"))
    return desk.signal(view.id).bracket_id or ""


async def protected(desk: Desk, raw: bytes) -> BracketView:
    bracket_id = await approved(desk, raw)
    await until(lambda: desk.bracket(bracket_id).status.value == "protected")
    return desk.bracket(bracket_id)


class ShiftedClock(SystemClock):
    """The machine's own time, moved to another moment: sessions open and close as they do in New York."""

    def __init__(self, moment: datetime) -> None:
        self._shift = moment - datetime.now(UTC)

    def now(self) -> datetime:
        return super().now() + self._shift


@asynccontextmanager
async def rig_at(folder: Path, moment: datetime) -> AsyncIterator[Rig]:
    """A rig whose exchange keeps real hours, begun at ``moment``."""
    clock = ShiftedClock(moment)
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=folder / "exchange.db", session="real")
    async with serve_exchange(settings, clock) as exchange:
        yield Rig(exchange, folder / "desk", clock)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=tmp_path / "exchange.db")
    async with serve_exchange(settings, SystemClock()) as exchange:
        yield Rig(exchange, tmp_path / "desk")
