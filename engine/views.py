"""What the desk shows: frozen pictures, the same for the window and for the API.

The first fields of each view are the operator API's contract, in its order; the rest is for the window and may grow.
Encoding is plain msgspec: Decimals become strings, absent is null, times are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.model.follow import Trail
from engine.model.money import ZERO
from engine.model.order import Evidence
from engine.model.signal import Reason
from engine.model.targets import TargetPart
from engine.model.words import (
    BracketStatus,
    CoverKind,
    DeskState,
    Mode,
    OrderClass,
    OrderRole,
    OrderStatus,
    OrderType,
    Side,
    SignalStatus,
    TimeInForce,
)
from engine.view import View
from engine.views_latency import (
    EndpointView as EndpointView,
    LagView as LagView,
    LatencyView as LatencyView,
    SpanView as SpanView,
    StageStats as StageStats,
)
from engine.views_limits import PropRuleView, TripView
from engine.views_preview import (
    HeadroomView as HeadroomView,
    PreviewView as PreviewView,
    RequestView as RequestView,
    RiskView as RiskView,
)
from engine.views_truth import HeartbeatView, ReconciliationView, UnknownView


class EditView(View, frozen=True, kw_only=True):
    """A number that the person changed before approving."""

    name: str
    proposed: Decimal | None
    approved: Decimal | None


class EntryView(View, frozen=True, kw_only=True):
    type: OrderType
    limit_price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce


class StopView(View, frozen=True, kw_only=True):
    stop_price: Decimal | None
    limit_price: Decimal | None = None


class TargetView(View, frozen=True, kw_only=True):
    limit_price: Decimal | None


class SignalView(View, frozen=True, kw_only=True):
    id: str
    source: str
    strategy: str
    symbol: str
    side: Side
    status: SignalStatus
    qty: Decimal | None
    """As approved; before that as proposed, or as sized by the newest preview."""
    entry: EntryView
    stop_loss: StopView | None
    take_profit: TargetView | None
    reasons: tuple[Reason, ...]
    preview: PreviewView | None
    """Only while pending."""
    created_at: datetime
    received_at: datetime
    expires_at: datetime
    order_ids: tuple[str, ...]
    bracket_id: str | None
    source_id: str
    intent: str | None
    reference_price: Decimal | None
    confidence: float | None
    note: str
    decided_at: datetime | None
    decided_by: str | None
    decision_note: str
    """Reason of a rejection, why it failed, or what was found after a restart."""
    decision_code: int | None = None
    """Digit of a usual reason for a rejection."""
    edits: tuple[EditView, ...] = ()
    """What the person changed, beside what was proposed."""
    undo_until: datetime | None = None
    """Until then the approval can be taken back; None when it cannot."""
    outcome: str = ""
    """What became of it at the broker, in a few words: ``10 @ 187.20, closed for +$46.00``."""
    realized_pl: Decimal | None = None
    trigger_price: Decimal | None = None
    """Of an entry that the desk holds until this price is seen, while it does."""
    approve_reason: str = ""
    """Why a person approved it although a rule warned."""


class OrderView(View, frozen=True, kw_only=True):
    id: str
    client_order_id: str | None
    broker_id: str | None
    symbol: str
    side: Side
    type: OrderType
    status: OrderStatus
    qty: Decimal
    filled_qty: Decimal
    filled_avg_price: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    order_class: OrderClass
    role: OrderRole
    bracket_id: str | None
    unresolved_since: datetime | None
    parent_id: str | None
    time_in_force: TimeInForce
    raw_status: str | None
    created_at: datetime
    status_since: datetime
    updated_at: datetime | None
    cancel_requested_at: datetime | None
    is_armed: bool
    """A ``held`` or live exit that really protects (its entry is completely filled)."""
    note: str
    """Why it is as it is, in a few words: ``waits for the fill``, ``held is normal``, ``stop passed by …``."""
    last_error: str | None
    evidence: Evidence | None
    can_cancel: bool
    cancel_consequence: str | None
    """What cancelling would leave behind (``leaves 100 AAPL naked``), None when nothing."""
    busted_qty: Decimal = ZERO
    """Executed once and taken back by the venue: ``filled_qty`` does not count them."""
    unknown: UnknownView | None = None
    """What is being done about an order of unknown fate; None when it is known."""


class LegsView(View, frozen=True, kw_only=True):
    entry: OrderView | None
    take_profit: OrderView | None
    stop_loss: OrderView | None


class WatchView(View, frozen=True, kw_only=True):
    """Exits that the desk itself holds against live quotes, for as long as it runs."""

    stop_price: Decimal | None
    """None when the stop is the broker's."""
    take_profit_price: Decimal | None
    """None when the target is the broker's."""
    since: datetime
    why: str
    heartbeat_at: datetime | None
    """When a live quote was last held against them; None before the first one since the start."""
    heartbeat_age_s: float | None
    prints: int
    """Agreeing quotes beyond the stop so far; two make it strike."""


class BracketView(View, frozen=True, kw_only=True):
    id: str
    signal_id: str
    symbol: str
    side: Side
    status: BracketStatus
    qty: Decimal
    held_qty: Decimal
    """Unsigned; ``side`` tells the direction."""
    covered_qty: Decimal
    cover_kind: CoverKind
    naked_qty: Decimal
    naked_s: float
    """Up to this picture, the running span included."""
    plan: str
    """How the exits are realised: ``bracket``, ``oto``, ``oco``, ``stop``, ``closing``, ``none``."""
    legs: LegsView
    attempts: int
    last_error: str | None
    evidence: Evidence | None
    strategy: str
    entry_price: Decimal | None
    """Average fill, else the intended price."""
    stop_price: Decimal | None
    """Live at the broker, else as approved."""
    take_profit_price: Decimal | None
    exits_confirmed: bool
    """Stop confirmed by the broker: lines solid, else hollow."""
    market_price: Decimal | None
    quote_age_s: float | None
    unrealized_pl: Decimal | None
    realized_pl: Decimal | None
    r_multiple: Decimal | None
    """Profit of the open part in units of the risk taken."""
    naked_since: datetime | None
    gave_up: bool
    can_retry: bool
    can_flatten: bool
    plan_id: str | None
    """The newest protective or closing action: the id of the order that carries it."""
    opened_at: datetime
    closed_at: datetime | None
    orders: tuple[OrderView, ...]
    """All orders of the trade, entry first."""
    targets: tuple[TargetPart, ...] = ()
    """Where the trade leaves in parts."""
    trail: Trail | None = None
    """The stop follows the best price at this distance."""
    high_water: Decimal | None = None
    """The best price that it was moved for."""
    follows_fill: bool = False
    """Its exits are provisional: they move to where the fill puts them."""
    naked_share_s: float = 0.0
    """Uncovered shares times seconds, the running span included."""
    flipped_qty: Decimal = Decimal(0)
    """Shares held the wrong way, being closed."""
    verified_at: datetime | None = None
    """When the broker last confirmed the cover; older than a minute is ``unverified``."""
    watch: WatchView | None = None
    unprotected_until: datetime | None = None
    """A person keeps the supervisor's hands off until then."""
    wanted_stop_price: Decimal | None = None
    wanted_take_profit_price: Decimal | None = None
    """Moves that the broker has not confirmed yet: draw them hollow."""
    move_refused: str | None = None
    """Why the newest move did not happen; the exits stand where they stood."""
    exit_when: str = "now"
    """Of a trade on its way out: ``now``, ``extended`` or ``open``."""
    repair: str | None = None
    """Kind of the repair plan under way."""


class PlanView(View, frozen=True, kw_only=True):
    """One way to mend a trade: what would be sent, what it costs, and what happens if it breaks half way."""

    id: str
    """Names the picture it was made from: choosing it is refused when that has changed."""
    kind: str
    sentence: str
    requests: tuple[RequestView, ...]
    """In order; what was not known yet when it was shown (ids of replacements) may differ."""
    naked_s: float | None
    """Expected seconds without a stop from now on; None: for as long as it lasts."""
    worst_loss_usd: Decimal | None
    """None when it has no bound, or without a live price."""
    if_step_two_fails: str
    confirm: str | None = None
    """What has to be typed with it."""


class PlansView(View, frozen=True, kw_only=True):
    bracket_id: str
    state: str
    """Of the catalogue in ``docs/protection.md``."""
    sentence: str
    plans: tuple[PlanView, ...]
    """The best first."""


class PositionView(View, frozen=True, kw_only=True):
    symbol: str
    qty: Decimal
    """Signed: shorts are negative."""
    avg_entry_price: Decimal | None
    market_price: Decimal | None
    unrealized_pl: Decimal | None
    covered_qty: Decimal
    naked_qty: Decimal
    strategy: str | None
    """None when no trade of this desk explains it."""
    market_value: Decimal | None
    quote_age_s: float | None
    evidence: Evidence | None
    naked_share_s: float = 0.0
    """Uncovered shares times seconds of its open trades."""


class AccountView(View, frozen=True, kw_only=True):
    account_number: str | None
    status: str | None
    equity: Decimal | None
    last_equity: Decimal | None
    cash: Decimal | None
    buying_power: Decimal | None
    day_pl: Decimal | None
    """Equity marked from quotes, against yesterday's close."""
    reserved: Decimal
    """Buying power promised to approved entries that the broker has not counted yet."""
    gross_exposure: Decimal
    blocked: str | None
    as_of: datetime | None
    request_id: str | None
    naked_share_s_today: float = 0.0
    """Uncovered shares times seconds since midnight in New York, over all trades."""


class IncidentView(View, frozen=True, kw_only=True):
    id: str
    priority: int
    cause: str
    consequence: str
    action: str
    subject_kind: str
    subject_id: str
    symbol: str | None
    raised_at: datetime
    deadline_at: datetime | None
    buttons: tuple[str, ...]
    count: int
    acked_at: datetime | None
    acked_by: str | None
    cleared_at: datetime | None
    covers: tuple[str, ...] = ()
    """Causes of the incidents that it stands for, the newest first."""
    shelved_until: datetime | None = None
    shelved_by: str | None = None
    shelved_why: str = ""
    can_shelve: bool = False
    key: str = ""
    """What it is about: one that comes again has another id and the same key."""


class LinkView(View, frozen=True, kw_only=True):
    """One way to the broker."""

    up: bool
    since: datetime | None
    last_seen_at: datetime | None
    why: str = ""
    word: str = ""
    """As the health says it: ``up``, ``down``, and of the order stream ``polling``."""


class HealthView(View, frozen=True, kw_only=True):
    status: str
    """``ok``, ``degraded`` (a link is down or the gate is locked) or ``stopping``."""
    mode: Mode
    account: str | None
    desk_state: DeskState
    start_gate: str
    rest: str
    stream: str
    quotes: str
    journal_seq: int
    loop_lag_ms: LagView
    version: str
    started_at: datetime
    reconciliation: ReconciliationView | None = None
    """Reading the broker's orders, positions and account anew; None before there is a reader."""
    heartbeat: HeartbeatView | None = None
    """None when no address is set."""


class DeskView(View, frozen=True, kw_only=True):
    """All that the state bar shows."""

    health: HealthView
    account: AccountView
    desk_state_cause: str
    rest: LinkView
    stream: LinkView
    quotes: LinkView
    rest_ms: float | None
    """Newest request's time to its answer."""
    clock_offset_ms: float | None
    naked_qty: Decimal
    naked_symbols: tuple[str, ...]
    naked_s: float
    """Age of the oldest running naked span."""
    incidents: tuple[int, int, int]
    """Open ones of priority 1, 2, 3, in sight."""
    pending: int
    budget_used: int
    budget_limit: int
    session_open: bool | None
    session_changes_at: datetime | None
    naked_share_s_today: float = 0.0
    """Uncovered shares times seconds since midnight in New York."""
    demo_on: bool | None
    """None when there is no demo strategy."""
    gate_locked_by: str | None = None
    """Why no entries are taken before anything else is asked; None when the start gate is open."""
    trips: tuple[TripView, ...] = ()
    """What changed the desk's state by itself and was not released."""
    prop_firm: tuple[PropRuleView, ...] = ()
    """Headroom of each rule of prop-firm mode, as the account is."""
    mandates: int = 0
    """Live ones."""
    wants_confirmation: bool = False
    """A live desk whose account's number has not been typed yet."""
    shelved: int = 0
    """Open incidents that somebody has put out of sight for a while."""
    flat_proved_at: datetime | None = None
    """When the broker showed that nothing is left; None once anything came after it."""
    is_suspended: bool = False
    """The broker takes no order of the account."""
    clock_error_ms: float | None = None
    """How far ``clock_offset_ms`` may be off either way."""


class ActivityLine(View, frozen=True, kw_only=True):
    seq: int
    at: datetime
    level: str
    """``info``, ``good``, ``warn`` or ``bad``."""
    symbol: str | None
    text: str
    subject: str


class BarView(View, frozen=True, kw_only=True):
    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
