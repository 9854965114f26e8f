"""The floor: what every part of the exchange shares. Time, the agenda, ids, the order registry, and what has changed.

Nothing here does I/O. ``matching``, ``groups`` and ``admission`` work on it; ``core.Exchange`` drains ``changed`` into
the store and ``outbox`` into the streams, in this order, after every request and every due action.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from heapq import heappop, heappush
from typing import Any, NamedTuple

import msgspec

from engine.clock import Clock
from engine.exchange.accounts import Account
from engine.exchange.assets import Asset, find_asset
from engine.exchange.errors import not_found
from engine.exchange.faults import Faults
from engine.exchange.market import Market
from engine.exchange.orders import Archive, Order, Orders
from engine.exchange.session import Session
from engine.exchange.settings import ExchangeSettings
from engine.exchange.triggers import RestingOrders

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Execution(msgspec.Struct, kw_only=True):
    """One fill, as the activities list shows it."""

    id: str
    """``<local time to the millisecond>::<uuid>``: Alpaca's form, and the key of paging."""
    execution_id: str
    order_id: str
    symbol: str
    side: str
    type: str
    """``fill`` or ``partial_fill``."""
    price: Decimal
    qty: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    order_status: str
    at_ns: int


class TradeUpdate(NamedTuple):
    """A message for the order stream, rendered when it happened."""

    event: str
    order: Order
    """For faults to match against; may have moved on."""
    data: dict[str, Any]


class Changes:
    """What the store has to write: only rows that changed since the last commit."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.executions: list[Execution] = []
        self.positions: set[str] = set()
        self.account = False

    def __bool__(self) -> bool:
        return bool(self.orders or self.executions or self.positions or self.account)

    def clear(self) -> None:
        self.orders.clear()
        self.executions.clear()
        self.positions.clear()
        self.account = False


class Floor:
    """Shared state and services; see the module."""

    def __init__(
        self,
        settings: ExchangeSettings,
        clock: Clock,
        *,
        market: Market,
        session: Session,
        account: Account,
        faults: Faults,
        archive: Archive,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.market = market
        self.session = session
        self.account = account
        self.faults = faults
        self.orders = Orders(archive)
        self.executions: list[Execution] = []
        self.executions_let_go = 0
        """So many older ones have left memory."""
        self.resting: dict[str, RestingOrders] = {}
        self.changed = Changes()
        self.outbox: list[TradeUpdate] = []
        self.render_update: Callable[[Order], dict[str, Any]] | None = None
        """Renders the order of a trade update; None while nobody listens, which saves the work."""
        self._started_s = clock.monotonic_s()
        self._last_ns = 0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._agenda_seq = 0
        self.rng = random.Random(f"{settings.seed}/venue")
        self._ids = random.Random(f"{settings.seed}/{clock.now().isoformat()}/ids")

    # -- time -------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.clock.now()

    def now_ns(self) -> int:
        """Wall time in nanoseconds, strictly increasing: stamps of different facts differ."""
        since = self.clock.now() - _EPOCH
        now = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
        self._last_ns = now if now > self._last_ns else self._last_ns + 1
        return self._last_ns

    def elapsed_s(self) -> float:
        return self.clock.monotonic_s() - self._started_s

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Puts an action on the agenda; actions due at the same moment run in the order of their calls."""
        self._agenda_seq += 1
        heappush(self._agenda, (self.elapsed_s() + delay_s, self._agenda_seq, action))

    def after_venue(self, action: Callable[[], None]) -> None:
        """Puts an action on the agenda one jittered venue delay from now."""
        self.after(self.settings.venue_ms / 1000.0 * self.rng.uniform(0.7, 1.3), action)

    @property
    def next_action_s(self) -> float | None:
        """Elapsed seconds at which the next action is due."""
        return self._agenda[0][0] if self._agenda else None

    def next_due(self, until_s: float) -> Callable[[], None] | None:
        """Takes the next action due by ``until_s``."""
        if self._agenda and self._agenda[0][0] <= until_s:
            return heappop(self._agenda)[2]
        return None

    # -- facts ------------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """A version 4 UUID from the seeded source."""
        h = f"{self._ids.getrandbits(128):032x}"
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) & 3]}{h[17:20]}-{h[20:]}"

    def asset(self, name: str) -> Asset:
        """The listed asset of a symbol or id, or Alpaca's 404."""
        asset = find_asset(name)
        if asset is None or not self.market.lists(asset.symbol):
            raise not_found(f"asset not found for {name}")
        return asset

    def book_of(self, symbol: str) -> RestingOrders:
        book = self.resting.get(symbol)
        if book is None:
            book = self.resting[symbol] = RestingOrders()
        return book

    def is_tradable(self, order: Order) -> bool:
        """Whether the order may execute in this phase of the session."""
        if "/" in order.symbol:
            return True
        phase = self.session.phase(self.now())
        if phase == "core":
            return True
        return phase != "closed" and order.extended_hours and order.type == "limit"

    def mark(self, symbol: str) -> Decimal:
        """The current price: the last trade."""
        return decimal_price(self.market.last_price(symbol))

    # -- memory -----------------------------------------------------------------------------------------------------

    def trim(self) -> None:
        """Lets old orders and executions go; everything must be committed."""
        most = self.settings.orders_kept
        self.orders.trim(most)
        surplus = len(self.executions) - most
        if surplus > most // 10:
            del self.executions[:surplus]
            self.executions_let_go += surplus

    # -- changes ----------------------------------------------------------------------------------------------------

    def touch(self, order: Order) -> None:
        """Notes that the order has changed now."""
        order.updated_at = self.now_ns()
        self.orders.note_status(order)
        self.changed.orders[order.id] = order

    def emit(self, event: str, order: Order, **fields: object) -> None:
        """Puts a trade update into the outbox, with the order as it is at this moment."""
        if self.render_update is None:
            return
        data: dict[str, Any] = {
            "event": event,
            "execution_id": fields.pop("execution_id", None) or self.new_id(),
            "order": self.render_update(order),
            "timestamp": self._last_ns,
            **fields,
        }
        self.outbox.append(TradeUpdate(event, order, data))


def decimal_price(price: float) -> Decimal:
    """The decimal that a grid price stands for: market prices are floats nearest to theirs."""
    return Decimal(repr(price))
