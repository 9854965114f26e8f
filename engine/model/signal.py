"""A strategy's proposal, as it was received, and the resolution of its exits into prices.

A signal never changes. What became of it (status, approval, orders) is kept by the book in a
``SignalRecord`` beside it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from engine.model.money import ceil_to_tick, floor_to_tick, round_to_tick
from engine.model.targets import TargetPart
from engine.model.words import Intent, OrderType, Side, SignalStatus, TimeInForce, Verdict


class EntrySpec(msgspec.Struct, frozen=True, kw_only=True):
    """How the position is to be entered."""

    type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY


ExitUnit = Literal["price", "percent", "amount", "r"]


class ExitSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Where to leave: a price, or a distance from the entry in percent, currency per share, or R (stop distances)."""

    unit: ExitUnit
    value: Decimal
    limit_price: Decimal | None = None
    """Only of a stop: makes it a stop-limit, whose cover is ``limited``."""
    trails: bool = False
    """Only of a stop: ``value`` is the distance at which it follows the best price seen, and never comes back."""


class TargetSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One of several targets: where, and for which part of the trade."""

    exit: ExitSpec
    weight: Decimal
    unit: Literal["qty", "share"]
    """Of ``weight``: shares, or a part of the whole. All targets of a signal have the same."""


SizeUnit = Literal["qty", "notional", "risk_pct", "risk_usd"]


class SizeSpec(msgspec.Struct, frozen=True, kw_only=True):
    unit: SizeUnit
    value: Decimal


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    source: str
    source_id: str
    strategy: str
    symbol: str
    side: Side
    intent: Intent | None
    size: SizeSpec | None
    """None: the desk's sizer decides."""
    entry: EntrySpec
    stop_loss: ExitSpec | None
    take_profit: ExitSpec | None
    reference_price: Decimal | None
    """The price the strategy looked at when it made up its mind; drift is measured from it."""
    made_at: datetime
    received_at: datetime
    expires_at: datetime
    confidence: float | None = None
    note: str = ""
    targets: tuple[TargetSpec, ...] = ()
    """Of a signal with several targets, nearest first; ``take_profit`` is the first of them then."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's verdict, as it is shown before the click and recorded after it."""

    code: str
    text: str
    verdict: Verdict
    measured: str | None = None
    limit: str | None = None


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may change at the approval."""

    qty: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    take_profit_price: Decimal | None


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A person's or a mandate's yes, with the numbers it was given for."""

    actor: str
    at: datetime
    preview_id: str | None
    qty: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    """None only of a closing signal."""
    take_profit_price: Decimal | None
    edited: tuple[str, ...] = ()
    """Names of the values the person changed before approving."""
    proposed: Numbers | None = None
    """What would have been sent without the edits; None when there were none."""
    notional: Decimal | None = None
    """At the expected price, in account currency; None of approvals from before it was kept."""
    undo_until: datetime | None = None
    """Until then nothing is sent and it can be taken back."""
    targets: tuple[TargetPart, ...] = ()
    """Where there are several."""
    trigger_price: Decimal | None = None
    """Of an entry that the desk holds until this price is seen."""
    reason: str = ""
    """Why it was given although a rule warned."""


class HeldEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An approved entry that the desk sends when something has happened first."""

    kind: Literal["trigger", "reverse"]
    """``trigger``: a price is waited for; ``reverse``: the position that it turns round is closed first."""
    since: datetime
    until: datetime | None
    """When it is given up; None: not by time."""
    trigger_price: Decimal | None = None
    released_at: datetime | None = None
    """What was waited for has happened: the entry is judged once more and sent."""


class SignalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A signal with all that became of it. ``status`` is advanced by the book alone."""

    signal: Signal
    status: SignalStatus = SignalStatus.PENDING
    approval: Approval | None = None
    reasons: tuple[Reason, ...] = ()
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision_note: str = ""
    decision_code: int | None = None
    """Of a rejection, when the reason was one of the usual ones."""
    bracket_id: str | None = None
    held: HeldEntry | None = None
    """While the desk holds the entry back, and after."""


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """Exit prices on the tick grid."""

    stop_price: Decimal | None
    stop_limit_price: Decimal | None
    take_profit_price: Decimal | None


def resolve_exits(signal: Signal, basis: Decimal) -> Levels:
    """Exit prices of a signal that enters at ``basis``."""
    return levels_of(signal.side, signal.stop_loss, signal.take_profit, basis)


def levels_of(side: Side, stop_loss: ExitSpec | None, take_profit: ExitSpec | None, basis: Decimal) -> Levels:
    """Exit prices of an entry on ``side`` at ``basis``.

    The stop is rounded toward the entry (a tighter stop risks less than was asked), the target away from nothing:
    to the nearest tick. A target in R without a stop stays None, since R is the stop distance.
    """
    stop = None
    if stop_loss is not None:
        raw = _price(stop_loss, basis, direction=-side.sign, r=None)
        if raw is not None and raw > 0:
            stop = ceil_to_tick(raw) if side is Side.BUY else floor_to_tick(raw)
    target = resolve_target(take_profit, side, basis, stop)
    stop_limit = stop_loss.limit_price if stop_loss is not None else None
    if stop_limit is not None:  # away from the entry: an exit that is a little easier to fill
        stop_limit = floor_to_tick(stop_limit) if side is Side.BUY else ceil_to_tick(stop_limit)
    return Levels(stop_price=stop, stop_limit_price=stop_limit, take_profit_price=target)


def resolve_target(spec: ExitSpec | None, side: Side, basis: Decimal, stop: Decimal | None) -> Decimal | None:
    """The target's price on the nearest tick; None without one, or when R has no stop to be measured by."""
    if spec is None:
        return None
    distance = abs(basis - stop) if stop is not None else None
    raw = _price(spec, basis, direction=side.sign, r=distance)
    return round_to_tick(raw) if raw is not None and raw > 0 else None


def _price(spec: ExitSpec, basis: Decimal, direction: int, r: Decimal | None) -> Decimal | None:
    match spec.unit:
        case "price":
            return spec.value
        case "percent":
            return basis * (1 + direction * spec.value / 100)
        case "amount":
            return basis + direction * spec.value
        case "r":
            return None if r is None else basis + direction * spec.value * r
