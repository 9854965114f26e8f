"""What a trade needs next: one pure decision from its record, its cover and the live price.

The supervisor asks after every event and on a timer, performs the step, and asks again. A step never looks at what was
tried before, only at what is true, so it makes no difference whether a restart lies between two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from engine.model.bracket import Bracket
from engine.model.money import ZERO, ceil_to_tick, floor_to_tick
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus, Side
from engine.protection.ledger import Cover, is_armed

E: Final = OrderRole.ENTRY

FLATTEN_PATIENCE_S: Final = 2.0
"""A target moved through the market that has not filled for longer is given up for cancel-and-close."""
CANCEL_STUCK_S: Final = 3.0
"""A cancel that is not confirmed for longer is asked for again, and no longer waited for where the law allows."""
ARMING_S: Final = 1.0
ARMING_LOOK_S: Final = 0.05
MARKETABLE_BY: Final = Decimal("0.005")
"""How far through the market the moved target goes: half a percent."""
REFUSED_CLOSE_S: Final = 0.5
REFUSED_CLOSE_CAP_S: Final = 5.0
PROMISED: Final = frozenset({OrderStatus.PENDING_NEW, OrderStatus.ACCEPTED_FOR_BIDDING})
PROMISE_S: Final = 3.0
"""A stop that stays a promise for longer is replaced."""
NAMING_S: Final = 1.0
"""The answer of the submit has this long to name the legs; then they are read."""
UNNAMED_S: Final = 15.0
"""Exits that nobody could name for longer do not exist; the broker refuses what would close their shares twice."""
PROMISE_LOOK_S: Final = 0.2
PATCHABLE: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


class Rest(msgspec.Struct, frozen=True):
    """Nothing to do; look again after ``after_s`` even without an event, or only on the timer when None."""

    why: str
    after_s: float | None = None


class ReadAgain(msgspec.Struct, frozen=True):
    """What is known cannot be the whole truth: ask the broker before doing anything."""

    why: str


class AttachExits(msgspec.Struct, frozen=True):
    qty: Decimal


class MoveTarget(msgspec.Struct, frozen=True):
    """Make the live target marketable; the stop stays."""

    target_id: str
    limit_price: Decimal


class Cancel(msgspec.Struct, frozen=True):
    order_ids: tuple[str, ...]
    why: str


class Close(msgspec.Struct, frozen=True):
    """Send one marketable closing order for ``qty``."""

    qty: Decimal
    why: str


Step = Rest | ReadAgain | AttachExits | MoveTarget | Cancel | Close


def next_step(
    bracket: Bracket,
    orders: Sequence[Order],
    cover: Cover,
    *,
    mark: Decimal | None,
    now: datetime,
    partial_rescue_after_s: float,
    stop_through: Literal["exit", "ask"],
) -> Step:
    """``mark`` is what the position could be closed at now, None without a live quote."""
    if bracket.closed_at is not None:
        return Rest("closed")
    unknown = next((o for o in orders if o.unresolved_since is not None and o.is_open and o.role is not E), None)
    if unknown is not None:
        # A closing order of unknown fate may be live: anything more could sell the same shares twice.
        return Rest(f"{unknown.id} is being looked up", after_s=1.0)
    if any(order.status is OrderStatus.SENDING and (order.parent_id is None or order.replaces) for order in orders):
        return Rest("a request is under way")
    if bracket.exit_requested_at is not None:
        return _leave(bracket, orders, cover, mark, now)
    if cover.held == 0 or cover.closing:
        return Rest("nothing uncovered")
    if cover.naked == 0:
        return Rest("covered")
    if stop_through == "exit" and mark is not None and _is_beyond(bracket, mark):
        return _close_at_once(bracket, orders, cover, now)
    if cover.entry_open:
        return _rescue_partial(bracket, orders, now, partial_rescue_after_s)
    return _cover(bracket, orders, cover, now)


def _is_beyond(bracket: Bracket, mark: Decimal) -> bool:
    return mark <= bracket.stop_price if bracket.side is Side.BUY else mark >= bracket.stop_price


def _rescue_partial(bracket: Bracket, orders: Sequence[Order], now: datetime, after_s: float) -> Step:
    """The entry still works and its exits sleep until it is whole: wait a little, then cut it short."""
    naked_s = (now - bracket.naked_since).total_seconds() if bracket.naked_since else 0.0
    if naked_s < after_s:
        return Rest("the entry may still complete", after_s=after_s - naked_s)
    entries = [order for order in orders if order.role is E]
    return _cancel(entries, now, "the entry stays part-filled: cover what is held") or Rest(
        "the entry's cancel is under way", after_s=CANCEL_STUCK_S
    )


def _cover(bracket: Bracket, orders: Sequence[Order], cover: Cover, now: datetime) -> Step:
    """The entry is over and shares stand without a stop: remains of the old exits go first, then new ones come."""
    if bracket.gave_up_at is not None:
        return Rest("waits for Retry")
    exits = [order for order in orders if order.role is not E and order.is_open]
    if any(_is_promised(order, now) for order in exits):
        return Rest("the broker is taking the stop", PROMISE_LOOK_S)
    unnamed = [order for order in exits if _is_unnamed(order, now)]
    if unnamed:
        waited_s = (now - min(order.created_at for order in unnamed)).total_seconds()
        why = "the answer that names the exits has not come"
        return Rest(why, PROMISE_LOOK_S) if waited_s < NAMING_S else ReadAgain(why)
    remains = [order for order in exits if order.broker_id is not None]
    if _closing_qty(remains) + cover.naked > cover.held and cover.covered > 0:
        # A live target still closes what its smaller stop does not: a fill of it has not been told yet.
        return ReadAgain("the exits at the broker would close more than is held")
    if cover.covered > 0:
        # A live exit is never cancelled to resize upward: further shares get exits of their own.
        return AttachExits(cover.naked)
    if remains:
        return _cancel(remains, now, "the stop is gone: replace both exits") or Rest(
            "the old exits' cancel is under way", after_s=CANCEL_STUCK_S
        )
    return AttachExits(cover.naked)


def _is_promised(order: Order, now: datetime) -> bool:
    """A stop that the broker has accepted but not confirmed as standing: usually a matter of milliseconds."""
    age_s = (now - max(order.created_at, order.status_since)).total_seconds()
    return order.role is OrderRole.STOP_LOSS and order.status in PROMISED and age_s < PROMISE_S


def _is_unnamed(order: Order, now: datetime) -> bool:
    """An exit that came into being with a request whose answer was lost: its name at the broker is being looked up."""
    age_s = (now - order.created_at).total_seconds()
    return order.broker_id is None and order.parent_id is not None and age_s < UNNAMED_S


def _closing_qty(exits: Sequence[Order]) -> Decimal:
    """Shares that these exits could still close: of each group its largest leg, since one leg ends the other."""
    largest: dict[str, Decimal] = {}
    for order in exits:
        group = order.parent_id or order.id
        largest[group] = max(largest.get(group, ZERO), order.leaves_qty)
    return sum(largest.values(), ZERO)


def _leave(bracket: Bracket, orders: Sequence[Order], cover: Cover, mark: Decimal | None, now: datetime) -> Step:
    """Somebody wants out. The stop stays until the last moment."""
    if cover.entry_open:
        entries = [order for order in orders if order.role is E]
        return _cancel(entries, now, bracket.exit_reason) or Rest("the entry's cancel is under way", CANCEL_STUCK_S)
    if cover.held == 0:
        remains = [order for order in orders if order.is_open]
        return _cancel(remains, now, "the trade is closed") or Rest("closing", CANCEL_STUCK_S)
    target = cover.target
    if target is not None and target.is_open and _is_live_target(target, orders) and mark is not None:
        return _by_target(bracket, orders, target, mark, now)
    return _close_at_once(bracket, orders, cover, now)


def _is_live_target(target: Order, orders: Sequence[Order]) -> bool:
    parent = next((order for order in orders if order.id == target.parent_id), None)
    return target.role is OrderRole.TAKE_PROFIT and is_armed(target, parent)


def _is_arming(orders: Sequence[Order], now: datetime) -> bool:
    """The entry has only just filled: the broker's word that the target works is on its way."""
    filled_at = max((order.status_since for order in orders if order.role is E), default=now)
    return (now - filled_at).total_seconds() < ARMING_S


def _by_target(bracket: Bracket, orders: Sequence[Order], target: Order, mark: Decimal, now: datetime) -> Step:
    if target.status is OrderStatus.HELD and _is_arming(orders, now):
        return Rest("the target is being armed", ARMING_LOOK_S)
    moved = target.replaces is not None and "-patch-" in target.id
    if moved:
        waited_s = (now - target.created_at).total_seconds()
        if waited_s < FLATTEN_PATIENCE_S:
            return Rest("the target was moved through the market", FLATTEN_PATIENCE_S - waited_s)
        exits = [order for order in orders if order.role is not E and order.is_open]
        return _cancel(exits, now, "the moved target did not fill") or Rest("cancel under way", CANCEL_STUCK_S)
    refused_before = any("-patch-" in order.id and order.status is OrderStatus.REJECTED for order in orders)
    if target.status not in PATCHABLE or target.cancel_requested_at is not None or refused_before:
        exits = [order for order in orders if order.role is not E and order.is_open]
        return _cancel(exits, now, bracket.exit_reason) or Rest("cancel under way", CANCEL_STUCK_S)
    if bracket.side is Side.BUY:
        return MoveTarget(target.id, floor_to_tick(mark * (1 - MARKETABLE_BY)))
    return MoveTarget(target.id, ceil_to_tick(mark * (1 + MARKETABLE_BY)))


def _close_at_once(bracket: Bracket, orders: Sequence[Order], cover: Cover, now: datetime) -> Step:
    """Cancel what reserves the shares, wait until it is gone, then close exactly what is held."""
    if cover.closing:
        return Rest("the closing order is under way", after_s=FLATTEN_PATIENCE_S)
    remains = [order for order in orders if order.is_open]
    if remains:
        why = bracket.exit_reason or "the price is beyond the stop"
        return _cancel(remains, now, why) or Rest("cancels are under way", after_s=CANCEL_STUCK_S)
    pause_s = _refused_pause_s(orders, now)
    if pause_s > 0:
        return Rest("the broker refused the close", after_s=pause_s)
    return Close(cover.held, bracket.exit_reason or "the price is beyond the stop")


def _refused_pause_s(orders: Sequence[Order], now: datetime) -> float:
    """A close that the broker refuses (a halt, shares still reserved) is asked again at growing distances."""
    refused = [order for order in orders if order.role is OrderRole.EXIT and order.status is OrderStatus.REJECTED]
    if not refused:
        return 0.0
    wait_s = min(REFUSED_CLOSE_CAP_S, REFUSED_CLOSE_S * 2.0 ** min(len(refused) - 1, 16))
    return wait_s - (now - refused[-1].status_since).total_seconds()


def _cancel(orders: Sequence[Order], now: datetime, why: str) -> Cancel | None:
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
        if asked is None or (now - asked).total_seconds() > CANCEL_STUCK_S:
            due.append(order.id)
    return Cancel(tuple(due), why) if due else None
