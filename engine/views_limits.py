"""Pictures of what bounds the desk: the prop firm's rules, trips of its state, mandates."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.model.words import DeskState, Side, Verdict
from engine.view import View


class PropRuleView(View, frozen=True, kw_only=True):
    """One rule with its headroom, in ``unit``: before, after this trade's stop-out, after all of them."""

    code: str
    name: str
    verdict: Verdict
    text: str
    unit: str
    """``usd``, ``shares``, ``positions``, ``pct``, ``days`` or ``time``."""
    limit: Decimal | None
    floor: Decimal | None
    """The equity at which the rule breaks; None of rules that are no floor."""
    headroom_now: Decimal | None
    headroom_after_stop: Decimal | None
    headroom_after_all_stops: Decimal | None


class PropDayView(View, frozen=True, kw_only=True):
    day: str
    began_at: datetime
    start_balance: Decimal
    start_equity: Decimal
    high_equity: Decimal
    balance: Decimal
    equity: Decimal
    profit: Decimal
    """Balance against its start."""
    traded: bool
    is_late: bool
    """The desk did not run at the reset: compare the start with the firm's number."""
    corrected_by: str | None


class PropBreachView(View, frozen=True, kw_only=True):
    rule: str
    day: str
    text: str
    at: datetime
    stands: bool
    """A daily limit binds for its day, every other one for ever."""


class PropFirmView(View, frozen=True, kw_only=True):
    enabled: bool
    broken: str | None
    """Why the mode cannot be kept; entries are denied then."""
    preset: str | None
    about: str
    size: Decimal | None
    equity: Decimal | None
    balance: Decimal | None
    high_equity: Decimal | None
    high_close: Decimal | None
    rules: tuple[PropRuleView, ...]
    """As the account is now, without a further trade."""
    day: PropDayView | None
    days: tuple[PropDayView, ...]
    """Closed ones, newest first."""
    breaches: tuple[PropBreachView, ...]


class TripView(View, frozen=True, kw_only=True):
    code: str
    state: DeskState
    cause: str
    measured: str
    limit: str
    at: datetime
    stands: bool
    """Its cause is true now: a release needs the words that force it."""
    overridden_by: str | None
    """Who released it although its cause stood; it does not trip again before the cause has ended once."""
    release: str
    """What has to be true and typed, one sentence."""


class MandateView(View, frozen=True, kw_only=True):
    id: str
    status: str
    """``live``, ``unconfirmed`` (after a restart), ``used_up``, ``over`` or ``revoked``."""
    strategy: str
    symbols: tuple[str, ...]
    """Empty: every symbol."""
    sides: tuple[Side, ...]
    max_notional_each: Decimal
    max_notional_day: Decimal
    max_count: int
    max_loss_day: Decimal | None
    until: datetime
    created_at: datetime
    created_by: str
    note: str
    notional_today: Decimal
    notional_left_today: Decimal
    count: int
    count_left: int
    loss_today: Decimal | None
    """Lost by its trades and still at risk in them; None without a limit for it."""
    signal_ids: tuple[str, ...]
    """What it approved, newest first."""
    revoked_at: datetime | None
    revoked_by: str | None
    last_refusal: str
    """Why it did not approve the last signal that it looked at."""
