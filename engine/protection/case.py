"""The language of the decision: what a trade is judged by (``Case``), and what may be done about it (the steps).

A step is one act: one request, or one fact. It never remembers what was tried before; it follows from what is true, so
a restart between any two of them changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from engine.model.bracket import Bracket
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.targets import TargetPart
from engine.model.words import ExitWhen, OrderRole, OrderStatus, Session, Side
from engine.protection.ledger import Cover, is_armed, parent_of, sleeps

ENTRY: Final = OrderRole.ENTRY
DESK: Final = "desk"
"""Actor of what the desk does by itself."""
CANCEL_STUCK_S: Final = 3.0
"""A cancel that is not confirmed for longer is asked for again, and no longer waited for where the law allows."""
REFUSED_CLOSE_S: Final = 0.5
REFUSED_CLOSE_CAP_S: Final = 5.0


# --- steps -----------------------------------------------------------------------------------------------------------


class Rest(msgspec.Struct, frozen=True):
    """Nothing to do; look again after ``after_s`` even without an event, or only on the timer when None."""

    why: str
    after_s: float | None = None


class ReadAgain(msgspec.Struct, frozen=True):
    """What is known cannot be the whole truth: ask the broker before doing anything."""

    why: str


class AttachExits(msgspec.Struct, frozen=True):
    """Place exits of their own for ``qty`` shares: an OCO, or a plain stop where there is no target to place."""

    qty: Decimal
    stop_only: bool = False


class MoveTarget(msgspec.Struct, frozen=True):
    """Make the live target marketable; the stop stays."""

    target_id: str
    limit_price: Decimal


class MoveExit(msgspec.Struct, frozen=True):
    """PATCH one exit to the price that somebody asked for."""

    order_id: str
    stop_price: Decimal | None = None
    limit_price: Decimal | None = None
    qty: Decimal | None = None


class Cancel(msgspec.Struct, frozen=True):
    order_ids: tuple[str, ...]
    why: str


class Close(msgspec.Struct, frozen=True):
    """Send one marketable closing order for ``qty``; with ``limit_price`` a limit that works in extended hours."""

    qty: Decimal
    why: str
    limit_price: Decimal | None = None
    is_flip: bool = False
    """Closes shares held the wrong way: an order on the entry's side."""


class Watch(msgspec.Struct, frozen=True):
    """From here on the desk itself holds this exit against live quotes."""

    target: bool
    why: str


class GiveUp(msgspec.Struct, frozen=True):
    text: str


class ExitsMoved(msgspec.Struct, frozen=True):
    """Every live exit stands where it was wanted."""

    stop_price: Decimal
    take_profit_price: Decimal | None


class MoveRefused(msgspec.Struct, frozen=True):
    text: str


class BreakEven(msgspec.Struct, frozen=True):
    """The rule's turn: the trade has earned enough for its stop to go to the entry."""

    stop_price: Decimal


class AskMove(msgspec.Struct, frozen=True, kw_only=True):
    """The desk itself wants the exits elsewhere: they follow the fill, or the best price seen."""

    stop_price: Decimal | None
    take_profit_price: Decimal | None = None
    targets: tuple[TargetPart, ...] = ()
    high_water: Decimal | None = None
    """Of a trailing stop; None where the exits follow the fill."""
    reason: str


class StopCameBack(msgspec.Struct, frozen=True):
    """The price is on the right side of the stop again: it can be placed."""


class DoubtExits(msgspec.Struct, frozen=True):
    """These exits should act and do not: they stop counting as cover."""

    order_ids: tuple[str, ...]
    why: str


class EndUnprotected(msgspec.Struct, frozen=True):
    why: str


class EndRepair(msgspec.Struct, frozen=True):
    done: bool
    text: str


Step = (
    Rest | ReadAgain | AttachExits | MoveTarget | MoveExit | Cancel | Close | Watch | GiveUp | ExitsMoved | MoveRefused
    | BreakEven | AskMove | StopCameBack | DoubtExits | EndUnprotected | EndRepair
)  # fmt: skip


# --- what is true ----------------------------------------------------------------------------------------------------


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What REST last said of a symbol's position. Not journaled: it proves nothing tomorrow."""

    qty: Decimal
    """Signed."""
    available: Decimal | None
    """Free of reservations, unsigned; None where the broker did not say."""
    read_at: datetime
    """When it was asked."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One trade and all that is known around it."""

    bracket: Bracket
    orders: tuple[Order, ...]
    """Oldest first."""
    cover: Cover
    mark: Decimal | None
    """What the position could be closed at now; None without a live quote."""
    now: datetime
    partial_rescue_after_s: float = 5.0
    stop_through: Literal["exit", "ask"] = "exit"
    breakeven_at_r: float | None = None
    trail_step_pct: float = 10.0
    trail_every_s: float = 5.0
    session: Session = Session.CORE
    halted: bool = False
    truth: Truth | None = None

    @property
    def exits(self) -> list[Order]:
        return [order for order in self.orders if order.role is not ENTRY]

    @property
    def open_exits(self) -> list[Order]:
        return [order for order in self.exits if order.is_open]

    @property
    def open_entries(self) -> list[Order]:
        return [order for order in self.orders if order.role is ENTRY and order.is_open]

    @property
    def naked_for_s(self) -> float:
        since = self.bracket.naked_since
        return self.age_s(since) if since is not None else 0.0

    @property
    def changed_at(self) -> datetime:
        """The newest change of any of the trade's orders."""
        return max((order.status_since for order in self.orders), default=self.bracket.opened_at)

    @property
    def is_read(self) -> bool:
        """The broker was asked about the position after everything that is known of the orders had happened."""
        return self.truth is not None and self.truth.read_at > self.changed_at

    @property
    def closed_market(self) -> str | None:
        """Why a marketable order cannot execute now; None when it can."""
        if self.halted:
            return f"trading in {self.bracket.symbol} is halted"
        if self.session is Session.CORE:
            return None
        if self.session is Session.EXTENDED and self.bracket.exit_when is ExitWhen.EXTENDED:
            return None
        return "the core session is closed"

    @property
    def is_long(self) -> bool:
        return self.bracket.side is Side.BUY

    @property
    def is_beyond_stop(self) -> bool:
        return self.mark is not None and is_beyond(self.bracket.side, self.mark, self.bracket.stop_price)

    def age_s(self, at: datetime) -> float:
        return (self.now - at).total_seconds()

    def is_armed(self, order: Order) -> bool:
        return is_armed(order, parent_of(order, {other.id: other for other in self.orders}))

    def sleeps(self, order: Order) -> bool:
        return sleeps(order, {other.id: other for other in self.orders})


def is_beyond(side: Side, mark: Decimal, stop_price: Decimal) -> bool:
    """Whether the price has reached the stop of a trade entered on ``side``."""
    return mark <= stop_price if side is Side.BUY else mark >= stop_price


# --- shared parts of the rows ----------------------------------------------------------------------------------------


def closing_qty(exits: Iterable[Order]) -> Decimal:
    """Shares that these exits could still close: of each group its largest leg, since one leg ends the other."""
    largest: dict[str, Decimal] = {}
    for order in exits:
        group = order.parent_id or order.id
        largest[group] = max(largest.get(group, ZERO), order.leaves_qty)
    return sum(largest.values(), ZERO)


def cancel_due(orders: Iterable[Order], now: datetime, why: str) -> Cancel | None:
    """Cancel those that are open and not asked yet, or asked so long ago that the answer must be lost.

    One order of a group takes the others along, so of each group only the first open one is named.
    """
    due = []
    groups: set[str] = set()
    for order in orders:
        group = order.parent_id or order.id
        if not order.is_open or order.broker_id is None or group in groups:
            continue
        groups.add(group)
        asked = order.cancel_requested_at
        if asked is None and order.status is OrderStatus.PENDING_CANCEL:
            asked = order.status_since  # by another hand
        if asked is None or (now - asked).total_seconds() > CANCEL_STUCK_S:
            due.append(order.id)
    return Cancel(tuple(due), why) if due else None


def refused_pause_s(case: Case) -> float:
    """A close that the broker refuses (a halt, shares still reserved) is asked again at growing distances."""
    refused = [o for o in case.orders if o.role is OrderRole.EXIT and o.status is OrderStatus.REJECTED]
    if not refused:
        return 0.0
    wait_s = min(REFUSED_CLOSE_CAP_S, REFUSED_CLOSE_S * 2.0 ** min(len(refused) - 1, 16))
    return wait_s - case.age_s(refused[-1].status_since)
