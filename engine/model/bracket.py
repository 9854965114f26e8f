"""A trade: an entry with its protective exits, however they are realised at the broker.

The record keeps what was decided and counted. Its status and its cover are computed from the legs by
``protection/ledger.py``, so that they cannot disagree with them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from engine.model.follow import Follow, Trail
from engine.model.money import ZERO
from engine.model.targets import TargetPart
from engine.model.words import ExitWhen, Side


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """A repair plan that the operator chose and that is not done yet."""

    plan_id: str
    kind: str
    state: str
    """The broken state it is to mend."""
    actor: str
    began_at: datetime
    text: str = ""


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    signal_id: str
    strategy: str
    symbol: str
    side: Side
    """Of the entry."""
    qty: Decimal
    """Of the entry as approved."""
    stop_price: Decimal
    take_profit_price: Decimal | None
    """The exits as approved, or as last moved by the operator."""
    opened_at: datetime
    targets: tuple[TargetPart, ...] = ()
    """Where the trade leaves in parts; ``take_profit_price`` is the nearest of them then."""
    follow: Follow | None = None
    """Exits that are to be measured from the fill, where the entry went out at the market."""
    followed_at: datetime | None = None
    trail: Trail | None = None
    high_water: Decimal | None = None
    """The best price that a trailing stop has been moved for."""
    trailed_at: datetime | None = None
    wanted_targets: tuple[TargetPart, ...] = ()
    """Where several targets are being moved."""
    repriced_for: str | None = None
    """The newest corporate action that the exits have been placed anew for."""
    order_ids: tuple[str, ...] = ()
    """Every order ever made for this trade, oldest first."""
    attempts: int = 0
    """Placements of exits that failed since the entry or since the last Retry."""
    gave_up_at: datetime | None = None
    exit_requested_at: datetime | None = None
    """The operator or a rule wants out: from here on the exits serve the close."""
    exit_reason: str = ""
    exit_when: ExitWhen = ExitWhen.NOW
    last_error: str | None = None
    adjusted_qty: Decimal = ZERO
    """Shares that left (or joined) by another hand at the broker, signed against the entry side."""
    naked_since: datetime | None = None
    naked_s: float = 0.0
    """Finished naked spans; the running one is measured from ``naked_since``."""
    naked_counted_at: datetime | None = None
    naked_share_s: float = 0.0
    """Uncovered shares times seconds, counted up to ``naked_counted_at``."""
    closed_at: datetime | None = None
    watch_stop_since: datetime | None = None
    """The desk itself holds the stop against live quotes; it ends with the first broker stop that stands."""
    watch_target_since: datetime | None = None
    """The desk itself waits for the target's price, because no target stands at the broker."""
    watch_why: str = ""
    unprotected_until: datetime | None = None
    """A person keeps the supervisor's hands off until then."""
    wanted_stop_price: Decimal | None = None
    wanted_take_profit_price: Decimal | None = None
    """Exits that somebody asked to move and the broker has not confirmed yet."""
    moves_asked_at: datetime | None = None
    ids_after: int = 0
    """Attempts up to here may be in use at the broker without a line in the journal: a process was killed."""
    move_refused: str | None = None
    """What the broker said to the newest move, when it refused it."""
    breakeven_at: datetime | None = None
    """When the stop was moved to the entry; the rule does it once a trade."""
    rearmed_at: datetime | None = None
    """The newest Retry: placements before it are not held against the next ones."""
    stop_passed_at: datetime | None = None
    """The broker called the stop passed, and the policy is to ask."""
    repair: Repair | None = None
