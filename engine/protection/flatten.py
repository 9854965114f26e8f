"""The way out of a trade: rows of the decision for one that somebody, or a rule, wants closed.

In session with a live target: one PATCH moves it through the market, and the stop stays until it fills. Without one, or
when the moved target does not fill in two seconds: cancel the exits, wait until they are gone and the broker shows the
shares free, close exactly what is held. Outside the core session and in a halt nothing that protects is stripped: the
exits stay until the market opens, unless the operator asked for an extended-hours limit.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from engine.model.money import ceil_to_tick, floor_to_tick
from engine.model.order import Order
from engine.model.words import ExitWhen, OrderRole, OrderStatus, Session
from engine.protection.case import (
    CANCEL_STUCK_S,
    ENTRY,
    Case,
    Close,
    MoveTarget,
    ReadAgain,
    Rest,
    Step,
    cancel_due,
    refused_pause_s,
)

FLATTEN_PATIENCE_S: Final = 2.0
"""A target moved through the market that has not filled for longer is given up for cancel-and-close."""
ARMING_S: Final = 1.0
ARMING_LOOK_S: Final = 0.05
MARKETABLE_BY: Final = Decimal("0.005")
"""How far through the market the moved target goes: half a percent."""
FREE_SHARES_WAIT_S: Final = 2.0
"""So long the broker may take to show shares as free whose exits have ended; then the close is tried all the same."""
REPRICE_S: Final = 10.0
"""An extended-hours close that has not filled for longer is priced anew."""
PATCHABLE: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})
FREED: Final = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED})
BEYOND: Final = "the price is beyond the stop"


def leave(case: Case) -> Step | None:
    """Somebody wants out. The stop stays until the last moment."""
    bracket, cover, now = case.bracket, case.cover, case.now
    if bracket.exit_requested_at is None:
        return None
    if cover.entry_open:
        return cancel_due(case.open_entries, now, bracket.exit_reason) or Rest(
            "the entry's cancel is under way", CANCEL_STUCK_S
        )
    if cover.held == 0:
        remains = [order for order in case.orders if order.is_open]
        return cancel_due(remains, now, "the trade is closed") or Rest("closing", CANCEL_STUCK_S)
    closed = case.closed_market
    if closed is not None and not cover.closing:
        # Never strips exits that could not be followed by an execution; what is uncovered is covered meanwhile.
        return Rest(f"{closed}: the exits stay") if cover.naked == 0 else None
    target = cover.target
    if case.session is Session.CORE and target is not None and case.mark is not None and _is_live(target, case):
        return _by_target(case, target, case.mark)
    return close_at_once(case)


def is_through(case: Case) -> bool:
    """A single live price beyond the stop of uncovered shares, where nobody counts prints and the policy is to exit."""
    return (
        case.stop_through == "exit"
        and case.is_beyond_stop
        and case.bracket.watch_stop_since is None
        and case.closed_market is None
    )


def close_at_once(case: Case) -> Step:
    """Cancel what reserves the shares, wait until it is gone and the shares are free, then close what is held."""
    why = case.bracket.exit_reason or BEYOND
    if case.cover.closing:
        return _stalled_limit(case) or Rest("the closing order is under way", after_s=FLATTEN_PATIENCE_S)
    remains = [order for order in case.orders if order.is_open]
    if remains:
        return cancel_due(remains, case.now, why) or Rest("cancels are under way", after_s=CANCEL_STUCK_S)
    pause_s = refused_pause_s(case)
    if pause_s > 0:
        return Rest("the broker refused the close", after_s=pause_s)
    freed_at = _newest_freed(case)
    if freed_at is not None and case.age_s(freed_at) < FREE_SHARES_WAIT_S and not _are_free(case, freed_at):
        return ReadAgain("the shares of the ended exits must be seen free before they are closed")
    return Close(_closable(case), why, limit_price=_extended_limit(case))


def _newest_freed(case: Case) -> datetime | None:
    """When the last exit ended that had reserved shares."""
    return max((o.status_since for o in case.exits if o.status in FREED and o.broker_id is not None), default=None)


def _are_free(case: Case, freed_at: datetime) -> bool:
    truth = case.truth
    if truth is None or truth.read_at <= freed_at:
        return False
    return truth.available is None or truth.available >= min(case.cover.held, abs(truth.qty))


def _closable(case: Case) -> Decimal:
    """What is held; never more than a newer reading of the broker's own position says."""
    truth, sign = case.truth, case.bracket.side.sign
    if not case.is_read or truth is None or truth.qty * sign <= 0:
        return case.cover.held
    return min(case.cover.held, abs(truth.qty))


def _extended_limit(case: Case) -> Decimal | None:
    if case.session is Session.CORE or case.bracket.exit_when is not ExitWhen.EXTENDED or case.mark is None:
        return None
    return marketable(case, case.mark)


def _stalled_limit(case: Case) -> Step | None:
    """An extended-hours close that the market has left behind makes way for one at the new price."""
    stalled = [
        order
        for order in case.open_exits
        if order.role is OrderRole.EXIT and order.limit_price is not None and case.age_s(order.created_at) > REPRICE_S
    ]
    return cancel_due(stalled, case.now, "the extended-hours close is priced anew")


def marketable(case: Case, mark: Decimal) -> Decimal:
    """A limit half a percent through the market, rounded away from it."""
    if case.is_long:
        return floor_to_tick(mark * (1 - MARKETABLE_BY))
    return ceil_to_tick(mark * (1 + MARKETABLE_BY))


def _is_live(target: Order, case: Case) -> bool:
    return target.is_open and target.role is OrderRole.TAKE_PROFIT and case.is_armed(target)


def _is_arming(case: Case) -> bool:
    """The entry has only just filled: the broker's word that the target works is on its way."""
    filled_at = max((order.status_since for order in case.orders if order.role is ENTRY), default=case.now)
    return case.age_s(filled_at) < ARMING_S


def _by_target(case: Case, target: Order, mark: Decimal) -> Step:
    why = case.bracket.exit_reason
    if target.status is OrderStatus.HELD and _is_arming(case):
        return Rest("the target is being armed", ARMING_LOOK_S)
    moves = _moves_since_asked(case)
    moving = next((order for order in moves if order.is_open), None)
    if moving is not None:
        # Until the broker says that the old target is replaced, it is the one that counts: no second move of it.
        waited_s = case.age_s(moving.created_at)
        if waited_s < FLATTEN_PATIENCE_S:
            return Rest("the target was moved through the market", FLATTEN_PATIENCE_S - waited_s)
        return _strip(case, "the moved target did not fill")
    refused_before = any(order.status is OrderStatus.REJECTED for order in moves)
    if target.status not in PATCHABLE or target.cancel_requested_at is not None or refused_before:
        return _strip(case, why)
    return MoveTarget(target.id, marketable(case, mark))


def _moves_since_asked(case: Case) -> list[Order]:
    """Targets put in another's place to leave by; those that a person moved before are ordinary targets."""
    asked_at = case.bracket.exit_requested_at
    return [
        order
        for order in case.exits
        if order.replaces is not None
        and order.role is OrderRole.TAKE_PROFIT
        and asked_at is not None
        and order.created_at >= asked_at
    ]


def _strip(case: Case, why: str) -> Step:
    return cancel_due(case.open_exits, case.now, why) or Rest("cancel under way", CANCEL_STUCK_S)
