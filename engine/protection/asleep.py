"""The row of the decision for exits that the broker never woke: the entry has filled, and all still wait as ``held``.

Alpaca arms a native group's exits when its entry is completely filled: the target becomes ``new``, and so does the only
stop of an OTO; the stop beside a target alone stays ``held`` for life. Users have seen groups whose exits all stayed
``held`` and never acted. The fill proves cover for some seconds, since the word about the legs follows it; a reading
after that which still shows the whole group ``held`` proves the opposite.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus, Session
from engine.protection.case import ENTRY, Case, DoubtExits, ReadAgain, Step
from engine.protection.ledger import parent_of

WAKING_S: Final = 5.0
"""The exits of a filled entry have this long to be woken, in the core session."""


def doubt_sleepers(case: Case) -> Step | None:
    """Read the group again when its time to wake is over; read and still ``held``, it covers nothing."""
    if case.session is not Session.CORE or case.halted:
        return None  # what waits for the opening waits rightly
    by_id = {order.id: order for order in case.orders}
    for entry in case.orders:
        if entry.role is not ENTRY or entry.status is not OrderStatus.FILLED:
            continue
        legs = [order for order in case.open_exits if order.parent_id and parent_of(order, by_id) is entry]
        if not _sleep_on(legs, case):
            continue
        due_at = max(order.status_since for order in (entry, *legs)) + timedelta(seconds=WAKING_S)
        if case.now < due_at:
            continue
        if case.truth is None or case.truth.read_at < due_at:
            return ReadAgain("the exits are still held after the fill")
        if _are_reserved_for(legs, case):
            continue
        return DoubtExits(
            tuple(order.id for order in legs),
            f"The broker left the exits of {entry.id} held after its fill: they are not armed, and cover nothing.",
        )
    return None


def _sleep_on(legs: Sequence[Order], case: Case) -> bool:
    """Every exit of the group waits, its target among them: a stop whose target is gone stays ``held`` rightly."""
    if not legs or any(leg.status is not OrderStatus.HELD or leg.asleep_since is not None for leg in legs):
        return False
    parents = {leg.parent_id for leg in legs}
    had_target = any(order.role is OrderRole.TAKE_PROFIT and order.parent_id in parents for order in case.orders)
    return not had_target or any(leg.role is OrderRole.TAKE_PROFIT for leg in legs)


def _are_reserved_for(legs: Sequence[Order], case: Case) -> bool:
    """Whether the broker holds the shares for these exits, where one of them was replaced.

    After a PATCH of one leg Alpaca reports the other ``held`` again for a while, so that word alone does not condemn a
    group that was woken before; shares free for other orders do.
    """
    if all(leg.replaces is None for leg in legs) or case.truth is None or case.truth.available is None:
        return False
    waiting: Decimal = max((leg.leaves_qty for leg in legs), default=ZERO)
    return case.truth.available < waiting
