"""An order of the exchange, its statuses, and the registry that finds it.

Unlike the desk's own orders these are mutable: the exchange is their only owner, and everything that leaves it is a
rendered copy. Prices are ``Decimal`` in quote currency, times integer nanoseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from heapq import merge
from itertools import islice, takewhile
from typing import Final, Protocol

import msgspec

ZERO: Final = Decimal(0)

TERMINAL: Final = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})
"""Statuses that never change again (``replaced`` points on through ``replaced_by``)."""

AT_VENUE: Final = frozenset({"new", "partially_filled", "pending_cancel", "pending_replace"})
"""Statuses in which an execution can still happen: a fill may overtake a cancel or a replace."""

STOPS: Final = frozenset({"stop", "stop_limit", "trailing_stop"})


class Order(msgspec.Struct, kw_only=True):
    """One order. ``order_class`` is ``""`` for simple orders, as in Alpaca's answers."""

    id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    order_class: str = ""
    role: str = "simple"
    """``simple``, ``entry``, ``take_profit`` or ``stop_loss``."""
    position_intent: str = "buy_to_open"
    status: str = "pending_new"
    qty: Decimal | None = None
    """None for a notional order until its first execution has priced it."""
    notional: Decimal | None = None
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    """Sum of quantity times price over the executions."""
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    hwm: Decimal | None = None
    extended_hours: bool = False

    seq: int = 0
    """Order of submission; the key of every list."""
    created_at: int = 0
    updated_at: int = 0
    submitted_at: int = 0
    filled_at: int | None = None
    expired_at: int | None = None
    expires_at: int | None = None
    canceled_at: int | None = None
    failed_at: int | None = None
    replaced_at: int | None = None
    replaced_by: str | None = None
    replaces: str | None = None

    parent_id: str | None = None
    leg_ids: list[str] = msgspec.field(default_factory=list)
    routed: bool = False
    """Has been at the venue; decides what a cancel outside trading hours has to wait for."""
    armed: bool = False
    """A leg that its entry's complete fill has made effective (a stop leg is then live although still ``held``)."""
    collared: bool = False
    """A plain buy stop in the form of the stop-limit that Alpaca makes of it."""
    triggered: bool = False
    """A stop whose trigger price has been seen."""
    status_before: str = ""
    """What a refused cancel or replace returns to."""
    buying_power: Decimal = ZERO
    """Buying power that this order reserves now."""
    hold: Decimal = ZERO
    """Shares of the position that this order reserves now; a group reserves once, on one of its legs."""

    @property
    def is_live(self) -> bool:
        return self.status not in TERMINAL

    @property
    def leaves_qty(self) -> Decimal:
        return ZERO if self.qty is None else self.qty - self.filled_qty

    @property
    def filled_avg_price(self) -> Decimal | None:
        return self.filled_value / self.filled_qty if self.filled_qty else None

    @property
    def is_buy(self) -> bool:
        return self.side == "buy"

    @property
    def is_opening(self) -> bool:
        return self.position_intent.endswith("open")

    @property
    def is_leg(self) -> bool:
        return self.role in {"take_profit", "stop_loss"}


class Archive(Protocol):
    """Where orders are found that have left memory. What it gives is a copy: those orders never change again."""

    def order(self, order_id: str) -> Order | None: ...
    def order_of_client_id(self, client_order_id: str) -> Order | None: ...
    def orders_up_to(self, seq: int, *, newest_first: bool) -> Iterator[Order]: ...


class Orders:
    """All orders, found by id, by client id, by symbol while live, and by submission.

    Memory holds the live ones and the newest of those that are over; ``trim`` lets older groups go that are over whole.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._by_id: dict[str, Order] = {}
        self._by_client_id: dict[str, str] = {}
        self._in_sequence: dict[int, Order] = {}
        self._last_seq = 0
        self._let_go_to = 0
        """Up to this ``seq`` memory has gaps."""
        self._live: dict[str, Order] = {}
        self._live_by_side: dict[tuple[str, str], dict[str, Order]] = {}

    def __len__(self) -> int:
        """Orders in memory."""
        return len(self._in_sequence)

    def add(self, order: Order) -> None:
        """Registers an order under both ids; ``seq`` is given here when it is not set yet."""
        if not order.seq:
            order.seq = self._last_seq + 1
        self._last_seq = max(self._last_seq, order.seq)
        self._by_id[order.id] = order
        self._by_client_id[order.client_order_id] = order.id
        self._in_sequence[order.seq] = order
        self.note_status(order)

    def forgo(self, seq: int) -> None:
        """Orders up to ``seq`` were not loaded: they are in the archive alone."""
        self._let_go_to = max(self._let_go_to, seq)
        self._last_seq = max(self._last_seq, seq)

    def trim(self, most: int) -> None:
        """Lets the oldest groups go that are over whole, until about ``most`` orders are left.

        To be called when everything is committed. Costs nothing until a tenth too many are there.
        """
        surplus = len(self._in_sequence) - most
        if surplus <= most // 10:
            return
        for order in tuple(islice(self._in_sequence.values(), 2 * surplus)):
            if order.seq not in self._in_sequence or order.is_live or order.parent_id in self._by_id:
                continue
            legs = [leg for leg in map(self._by_id.get, order.leg_ids) if leg is not None and leg.parent_id == order.id]
            if any(leg.is_live for leg in legs):
                continue
            for gone in (order, *legs):
                del self._by_id[gone.id], self._in_sequence[gone.seq]
                self._by_client_id.pop(gone.client_order_id, None)
                self._let_go_to = max(self._let_go_to, gone.seq)

    def note_status(self, order: Order) -> None:
        """Keeps the indexes of live orders true after a change of status."""
        if order.is_live:
            self._live[order.id] = order
            self._live_by_side.setdefault((order.symbol, order.side), {})[order.id] = order
        else:
            self._live.pop(order.id, None)
            self._live_by_side.get((order.symbol, order.side), {}).pop(order.id, None)

    def get(self, order_id: str) -> Order | None:
        known = self._by_id.get(order_id)
        return known if known is not None or not self._let_go_to else self._archive.order(order_id)

    def __getitem__(self, order_id: str) -> Order:
        known = self.get(order_id)
        if known is None:
            raise KeyError(order_id)
        return known

    def by_client_id(self, client_order_id: str) -> Order | None:
        order_id = self._by_client_id.get(client_order_id)
        if order_id is not None:
            return self._by_id[order_id]
        return self._archive.order_of_client_id(client_order_id) if self._let_go_to else None

    def live(self) -> list[Order]:
        """A copy: callers change statuses while they walk it."""
        return list(self._live.values())

    def live_in(self, symbol: str) -> list[Order]:
        return [*self.live_on("buy", symbol), *self.live_on("sell", symbol)]

    def live_on(self, side: str, symbol: str) -> Collection[Order]:
        """Live orders of one side of a symbol; not a copy."""
        return self._live_by_side.get((symbol, side), {}).values()

    def newest_first(self) -> Iterator[Order]:
        for seq in reversed(self._in_sequence):
            if seq > self._let_go_to:
                yield self._in_sequence[seq]
        yield from self._older(newest_first=True)

    def oldest_first(self) -> Iterator[Order]:
        yield from self._older(newest_first=False)
        for seq, order in self._in_sequence.items():
            if seq > self._let_go_to:
                yield order

    def _older(self, *, newest_first: bool) -> Iterator[Order]:
        """The part of the sequence in which memory has gaps; what is in memory is newer than its copy."""
        if not self._let_go_to:
            return
        kept = list(takewhile(lambda order: order.seq <= self._let_go_to, self._in_sequence.values()))
        sign = -1 if newest_first else 1
        archived = self._archive.orders_up_to(self._let_go_to, newest_first=newest_first)
        yield from merge(
            kept[::sign], (copy for copy in archived if copy.id not in self._by_id), key=lambda order: sign * order.seq
        )

    def is_awaited(self, order: Order) -> bool:
        """Whether it replaces an order that is still the one at the venue."""
        old = None if order.replaces is None else self.get(order.replaces)
        return old is not None and old.status == "pending_replace"

    def legs(self, order: Order) -> list[Order]:
        """Those that are not forgotten: a group goes whole, and something may still be due for its entry."""
        return [leg for leg in map(self.get, order.leg_ids) if leg is not None]

    def siblings(self, order: Order) -> list[Order]:
        """The other exits of the same group: the other legs, or in an OCO parent and child of each other."""
        if order.order_class == "oco" and order.parent_id is None:
            return self.legs(order)
        if order.parent_id is None:
            return []
        parent = self.get(order.parent_id)
        if parent is None:
            return []
        others = [leg for leg in self.legs(parent) if leg.id != order.id]
        return [parent, *others] if parent.order_class == "oco" else others
