"""Rows of the decision for shares without a stop: rescuing a part-filled entry, clearing remains, placing exits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from engine.model.order import Order
from engine.model.symbols import in_one_exit
from engine.model.words import OrderClass, OrderRole, OrderStatus
from engine.protection.case import (
    CANCEL_STUCK_S,
    DESK,
    ENTRY,
    AttachExits,
    Case,
    GiveUp,
    ReadAgain,
    Rest,
    Step,
    Watch,
    cancel_due,
    closing_qty,
)
from engine.protection.watched import why_watch

PROMISED: Final = frozenset({OrderStatus.PENDING_NEW, OrderStatus.ACCEPTED_FOR_BIDDING})
PROMISE_S: Final = 3.0
"""A stop that stays a promise for longer is replaced."""
PROMISE_LOOK_S: Final = 0.2
NAMING_S: Final = 1.0
"""The answer of the submit has this long to name the legs; then they are read."""
UNNAMED_S: Final = 15.0
"""Exits that nobody could name for longer do not exist; the broker refuses what would close their shares twice."""
SLEEPING_LEGS_S: Final = 2.0
"""Legs of a canceled entry die by themselves a moment later; those that do not are canceled by id."""
VANISHED_MAX: Final = 3
VANISHED_WITHIN: Final = timedelta(minutes=10)
"""Cover that another hand takes away so often in this time is not placed again without a person."""
REFUSED_S: Final = 0.25
"""The broker has refused exits that it has all the same: for so long it may show one before another is placed."""
GONE: Final = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})


def rescue_partial(case: Case) -> Step | None:
    """The entry still works and its exits sleep until it is whole: wait a little, then cut it short.

    However the cancel came about (this rescue, a hand, a halt, the end of the day), from here on it is the rescue.
    """
    entries = case.open_entries
    if not entries:
        return None
    asked_at = min((o.cancel_since or o.cancel_requested_at for o in entries if o.cancel_requested_at), default=None)
    chosen = case.bracket.repair is not None
    if asked_at is None and not chosen and case.naked_for_s < case.partial_rescue_after_s:
        return Rest("the entry may still complete", after_s=case.partial_rescue_after_s - case.naked_for_s)
    cancel = cancel_due(entries, case.now, "the entry stays part-filled: cover what is held")
    if cancel is not None:
        return cancel
    if asked_at is not None and case.age_s(asked_at) > CANCEL_STUCK_S:
        return _cover_beside_stuck_entry(case)
    return Rest("the entry's cancel is under way", after_s=CANCEL_STUCK_S)


def _cover_beside_stuck_entry(case: Case) -> Step:
    """The cancel is stuck: an OCO is tried all the same (groups are exempt from the wash-trade check), else watched."""
    attached = [o for o in case.open_exits if o.parent_id is None or not case.sleeps(o)]
    if any(_is_promised(order, case) for order in attached):
        return Rest("the broker is taking the stop", PROMISE_LOOK_S)
    refused = [o for o in case.exits if o.status is OrderStatus.REJECTED and o.parent_id is None]
    if refused or closing_qty(attached) + case.cover.naked > case.cover.held:
        why = "the entry's cancel is stuck, and the broker takes no exits beside it"
        if case.bracket.watch_stop_since is None:
            return Watch(target=False, why=why)
        return Rest(why, after_s=CANCEL_STUCK_S)
    return _exits_for(case)


def cover_what_is_held(case: Case) -> Step:
    """The entry is over and shares stand without a stop: remains of the old exits go first, then new ones come."""
    bracket, cover = case.bracket, case.cover
    watch = why_watch(case)
    if watch is not None and bracket.watch_stop_since is None:
        return Watch(target=False, why=watch)
    if bracket.gave_up_at is not None:
        return Rest("waits for Retry")
    if bracket.stop_passed_at is not None:
        return Rest("the price is beyond the stop: the operator decides")
    if watch is not None:
        return Rest("the desk watches the stop")
    exits = case.open_exits
    if any(_is_promised(order, case) for order in exits):
        return Rest("the broker is taking the stop", PROMISE_LOOK_S)
    if any(_awaits_its_successor(order, case) for order in case.exits):
        return Rest("an exit was replaced, and the order in its place is not told yet", PROMISE_LOOK_S)
    if any(_was_just_refused(order, case) for order in case.exits):
        return Rest("an exit was refused a moment ago: the broker may have it all the same", PROMISE_LOOK_S)
    unnamed = [order for order in exits if _is_unnamed(order, case)]
    if unnamed:
        waited_s = case.age_s(min(order.created_at for order in unnamed))
        why = "the answer that names the exits has not come"
        return Rest(why, PROMISE_LOOK_S) if waited_s < NAMING_S else ReadAgain(why)
    remains = [order for order in exits if order.broker_id is not None]
    if closing_qty(remains) + cover.naked > cover.held and cover.covered > 0:
        # A live target still closes what its smaller stop does not: a fill of it has not been told yet.
        return ReadAgain("the exits at the broker would close more than is held")
    if cover.covered > 0:
        # A live exit is never cancelled to resize upward: further shares get exits of their own.
        return _place(case)
    if remains:
        return _clear(remains, case)
    return _place(case)


def _clear(remains: Sequence[Order], case: Case) -> Step:
    dying = [order for order in remains if case.sleeps(order) and order.cancel_requested_at is None]
    if dying and len(dying) == len(remains):
        ended_at = max((o.status_since for o in case.orders if o.role is ENTRY), default=case.now)
        left_s = SLEEPING_LEGS_S - case.age_s(ended_at)
        if left_s > 0:
            return Rest("the legs of the canceled entry are dying", min(left_s, PROMISE_LOOK_S))
    return cancel_due(remains, case.now, "the stop is gone: replace both exits") or Rest(
        "the old exits' cancel is under way", after_s=CANCEL_STUCK_S
    )


def _place(case: Case) -> Step:
    if len(vanished(case)) >= VANISHED_MAX:
        return GiveUp(f"Exits vanished {VANISHED_MAX} times in ten minutes: another hand takes them away.")
    stop_only = case.bracket.repair is not None and case.bracket.repair.kind == "replace_stop"
    return _exits_for(case, stop_only=stop_only)


def _exits_for(case: Case, *, stop_only: bool = False) -> AttachExits:
    """Groups take whole shares: of coins, and of the part of a share that is left, the broker takes a stop alone."""
    qty = in_one_exit(case.bracket.symbol, case.cover.naked)
    return AttachExits(qty, stop_only=stop_only)


def vanished(case: Case) -> list[Order]:
    """Exits that stood at the broker and went without an execution and without this desk having asked for it."""
    since = case.now - VANISHED_WITHIN
    if case.bracket.rearmed_at is not None:
        since = max(since, case.bracket.rearmed_at)
    return [
        order
        for order in case.exits
        if order.parent_id is None
        and order.role is not OrderRole.EXIT
        and order.order_class in (OrderClass.OCO, OrderClass.SIMPLE)
        and order.broker_id is not None
        and order.status in GONE
        and order.filled_qty == 0
        and order.created_at > since
        and _went_by_itself(order, case)
    ]


def _went_by_itself(carrier: Order, case: Case) -> bool:
    """Nobody here asked for its stop's cancel; that of a target which the desk cleared away afterwards counts too."""
    group = [order for order in case.exits if carrier.id in (order.id, order.parent_id)]
    return not any(
        order.cancel_actor is not None and (order.role is OrderRole.STOP_LOSS or order.cancel_actor != DESK)
        for order in group
    )


def _is_promised(order: Order, case: Case) -> bool:
    """A stop that the broker has accepted but not confirmed as standing: usually a matter of milliseconds."""
    age_s = case.age_s(max(order.created_at, order.status_since))
    return order.role is OrderRole.STOP_LOSS and order.status in PROMISED and age_s < PROMISE_S


def _awaits_its_successor(order: Order, case: Case) -> bool:
    """An exit that was replaced (by another hand, on the broker's own page): its shares belong to its successor."""
    if order.status is not OrderStatus.REPLACED or case.age_s(order.status_since) >= PROMISE_S:
        return False
    return all(other.replaces != order.id for other in case.orders)


def _was_just_refused(order: Order, case: Case) -> bool:
    refused_at = order.refused_at if order.was_refused_in_its_answer else None
    return refused_at is not None and case.age_s(refused_at) < REFUSED_S


def _is_unnamed(order: Order, case: Case) -> bool:
    """An exit that came into being with a request whose answer was lost: its name at the broker is being looked up."""
    return order.broker_id is None and order.parent_id is not None and case.age_s(order.created_at) < UNNAMED_S
