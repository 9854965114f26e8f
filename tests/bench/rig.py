"""Our desk under measurement: started as ``main.py --headless`` starts it, used through the one door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.bus import Change
from engine.clock import SystemClock
from engine.config import Config
from engine.config_file import config_from_table
from engine.desk import Desk
from engine.exchange.assets import LISTED
from engine.model.words import BracketStatus, Mode, OrderRole
from engine.start import DeskSettings, start_desk
from engine.views import BracketView

SYMBOLS: Final = tuple(asset.symbol for asset in LISTED if not asset.is_crypto and asset.price > 50)
PATIENCE_S: Final = 20.0
LOOK_S: Final = 0.3
FRESH_S: Final = 5.0
"""A quote older than that could go stale while the click is on its way."""
CENT: Final = Decimal("0.01")
_numbers = count(1)


def bench_config(**tables: dict[str, Any]) -> Config:
    """The defaults, with a request budget that a measurement of hundreds of trades does not run into."""
    return config_from_table({"broker": {"requests_per_minute": 100_000}, **tables}, "bench")


@asynccontextmanager
async def desk_at(url: str, folder: Path, config: Config | None = None) -> AsyncIterator[Desk]:
    """A desk that is ready to take approvals."""
    settings = DeskSettings(mode=Mode.SIM, folder=folder, config=config or bench_config())
    async with start_desk(settings, SimAccess(sim_endpoint(url), sim_keys()), SystemClock()) as desk:
        await until(lambda: desk.health().status == "ok")
        yield desk


async def until(is_so: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """Looks every few milliseconds; for what lies outside the measured part."""
    async with asyncio.timeout(within_s):
        while not is_so():
            await asyncio.sleep(0.005)


def signal_body(symbol: str, price: Decimal, *, qty: int = 1, limit_price: Decimal | None = None) -> bytes:
    """A signal in the native form, with exits three percent away."""
    entry: dict[str, Any] = {"type": "market"}
    if limit_price is not None:
        entry = {"type": "limit", "limit_price": str(limit_price)}
    around = limit_price or price
    return msgspec.json.encode(
        {
            "source": "bench",
            "id": f"bench-{time.time_ns()}-{next(_numbers)}",
            "strategy": "bench",
            "symbol": symbol,
            "side": "buy",
            "intent": "open",
            "qty": qty,
            "entry": entry,
            "stop_loss": {"stop_price": str((around * Decimal("0.97")).quantize(CENT))},
            "take_profit": {"limit_price": str((around * Decimal("1.03")).quantize(CENT))},
            "expires_in_s": 600,
        }
    )


async def pending(desk: Desk, body: bytes) -> str:
    """A signal that waits for its click, with every rule's yes, for as long as a quick person looks. Returns its id."""
    view, _ = await desk.receive(body)

    def is_ready() -> bool:
        shown = desk.preview(view.id)
        return shown.approvable and shown.price_age_s is not None and shown.price_age_s < FRESH_S

    await until(is_ready)
    await asyncio.sleep(LOOK_S)
    return view.id


class Moments:
    """When one trade got where, on the loop's clock; noticed as the window notices it, through the bus."""

    def __init__(self, desk: Desk, signal_id: str) -> None:
        self._desk = desk
        self._bracket_id = "b" + signal_id[1:]
        self.acknowledged_s: float | None = None
        self.protected_s: float | None = None
        self.protected = asyncio.Event()
        self.closed = asyncio.Event()
        self.leave = desk.bus.on_changes(self._notice)
        """Stop looking; happens by itself when the trade is closed."""

    def _notice(self, changes: frozenset[Change]) -> None:
        if not any(change.kind == "bracket" and change.key == self._bracket_id for change in changes):
            return
        bracket = self.bracket()
        entry = bracket.legs.entry
        now_s = time.monotonic()
        if self.acknowledged_s is None and entry is not None and entry.broker_id is not None:
            self.acknowledged_s = now_s
        if self.protected_s is None and bracket.status is BracketStatus.PROTECTED:
            self.protected_s = now_s
            self.protected.set()
        if bracket.closed_at is not None:
            self.closed.set()
            self.leave()

    def bracket(self) -> BracketView:
        return self._desk.bracket(self._bracket_id)

    def entry_broker_id(self) -> str:
        [entry] = [order for order in self.bracket().orders if order.role is OrderRole.ENTRY]
        assert entry.broker_id is not None
        return entry.broker_id


async def close_trade(desk: Desk, moments: Moments) -> None:
    """Flat again, so that the next trade in the symbol finds nothing held."""
    await desk.flatten_bracket(moments.bracket().id, actor="bench")
    await asyncio.wait_for(moments.closed.wait(), PATIENCE_S)
