"""``greenlight.toml``: every key with its default, its unit and its sentence; wrong values are refused by name.

The structs below are the schema. The manual and the settings dialog are made from them, so what is written here is
what the operator reads.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Multiple = Annotated[float, Meta(gt=0, le=100)]
Percent = Annotated[float, Meta(gt=0, le=1000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Ratio = Annotated[float, Meta(gt=0, le=100)]
SymbolName = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9./]*$")]
Window = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]
HeartbeatUrl = Annotated[str, Meta(pattern=r"^(https://\S+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/\S*)?)?$")]
SealedWord = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}:[0-9a-f]{64}$")]
RulesFile = Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]+\.py)?$")]
Usd = Annotated[float, Meta(gt=0, le=1e12)]
"""TOML has no decimals: rules compare with ``Decimal(str(limit))``, which is what the operator wrote."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables of the file."""


class Limits(Section, frozen=True, kw_only=True):
    max_open_positions: Annotated[Count | None, Meta(description="Symbols held or being entered at once.")] = None
    max_order_notional: Annotated[Usd | None, Meta(description="Largest entry in account currency.")] = None
    max_order_qty: Annotated[Count | None, Meta(description="Largest entry in shares.")] = None
    max_gross_exposure_pct: Annotated[
        Percent | None, Meta(description="Sum of all positions and entries at work, in percent of equity.")
    ] = None
    max_symbol_exposure_pct: Annotated[
        Percent, Meta(description="One symbol's position with its entries at work, in percent of equity.")
    ] = 10.0
    max_orders_per_day: Annotated[Count | None, Meta(description="Entries sent since midnight, New York.")] = None
    max_signals_per_minute: Annotated[
        Count | None, Meta(description="Signals of one source; those beyond are recorded and denied.")
    ] = None
    max_stop_distance_pct: Annotated[Percent, Meta(description="Stop distance from the entry, in percent of it.")] = (
        20.0
    )
    min_stop_distance_pct: Annotated[
        Percent | None, Meta(description="A stop nearer to the entry than this is denied, in percent of it.")
    ] = None
    min_reward_risk: Annotated[
        Ratio | None, Meta(description="Reward divided by risk that an entry with a target must have.")
    ] = None
    price_collar_pct: Annotated[
        Percent | None, Meta(description="How far a limit may lie through the market, in percent of it.")
    ] = None
    max_spread_pct: Annotated[
        Percent | None, Meta(description="Distance of bid and offer, in percent of their middle.")
    ] = None
    max_net_exposure_pct: Annotated[
        Percent | None, Meta(description="Longs less shorts, entries at work included, in percent of equity.")
    ] = None
    max_working_orders: Annotated[Count | None, Meta(description="Entries at the broker or on their way at once.")] = (
        None
    )
    max_adv_pct: Annotated[
        Percent | None, Meta(description="Largest entry, in percent of the symbol's average volume of 20 days.")
    ] = None
    max_rejects_in_a_row: Annotated[
        Count | None,
        Meta(
            description="Entries that the broker refuses one after the other; then none until the desk is set active."
        ),
    ] = None
    cool_down_s: Annotated[
        Seconds | None, Meta(description="No entry in a symbol for so long after a trade in it lost.")
    ] = None
    allow_symbols: Annotated[tuple[SymbolName, ...], Meta(description="Only these may be entered; empty: all.")] = ()
    deny_symbols: Annotated[tuple[SymbolName, ...], Meta(description="These are never entered.")] = ()


SizingMethod = Literal["risk_pct", "risk_usd", "notional", "qty", "atr"]


class Sizing(Section, frozen=True, kw_only=True):
    method: Annotated[SizingMethod, Meta(description="Used when a signal leaves the size to the desk.")] = "risk_pct"
    risk_pct: Annotated[Percent, Meta(description="Share of equity that a stop-out may cost, in percent.")] = 0.25
    risk_usd: Annotated[
        Usd, Meta(description="What a stop-out may cost in account currency, for the method risk_usd.")
    ] = 100.0
    notional: Annotated[Usd, Meta(description="Size in account currency, for the method notional.")] = 1000.0
    qty: Annotated[Count, Meta(description="Shares, for the method qty.")] = 1
    target_vol_pct: Annotated[
        Percent,
        Meta(description="For the method atr: what the symbol's ATR(14) may move in a day, in percent of equity."),
    ] = 0.5


class ApprovalRules(Section, frozen=True, kw_only=True):
    undo_s: Annotated[
        float, Meta(ge=0, le=30, description="Seconds between the click and the sending in which it can be undone.")
    ] = 0.0
    default_ttl_s: Annotated[Seconds, Meta(description="Time to live of a signal that names none.")] = 60.0
    max_drift_pct: Annotated[
        Percent, Meta(description="How far the price may have moved from the signal's, in percent.")
    ] = 1.0
    reason_over_warnings: Annotated[
        bool, Meta(description="Who approves although a rule of the gate warns says why; it is recorded.")
    ] = False


class StrategyRules(Section, frozen=True, kw_only=True):
    on_position: Annotated[
        Literal["refuse", "add", "reverse"],
        Meta(
            description="What a signal to open means while its symbol is held: no, more of it, or the other way round."
        ),
    ] = "refuse"
    max_adds: Annotated[Count, Meta(description="With add: further entries on top of the first.")] = 2
    max_position_notional: Annotated[
        Usd | None, Meta(description="With add: largest position in one symbol, in account currency.")
    ] = None
    reverse_within_s: Annotated[
        Seconds, Meta(description="With reverse: the entry is given up when flat was not proved within this time.")
    ] = 30.0
    flat_by_close: Annotated[
        bool, Meta(description="Its positions are closed before the close of the core session.")
    ] = False
    windows: Annotated[
        tuple[Window, ...], Meta(description="Times in New York in which it may enter: `09:45-11:30`; empty: always.")
    ] = ()
    max_exposure_pct: Annotated[
        Percent | None, Meta(description="All its positions and entries at work, in percent of equity.")
    ] = None
    cool_down_s: Annotated[
        Seconds | None, Meta(description="It enters nothing for so long after one of its trades lost.")
    ] = None
    sizing: Annotated[
        SizingMethod | None, Meta(description="Its own method of `[sizing]`; absent, as the keys below: that table's.")
    ] = None
    risk_pct: Annotated[Percent | None, Meta(description="Share of equity that a stop-out may cost, in percent.")] = (
        None
    )
    risk_usd: Annotated[Usd | None, Meta(description="What a stop-out may cost in account currency.")] = None
    notional: Annotated[Usd | None, Meta(description="Size in account currency.")] = None
    qty: Annotated[Count | None, Meta(description="Shares.")] = None
    target_vol_pct: Annotated[
        Percent | None, Meta(description="What the symbol's ATR(14) may move in a day, in percent of equity.")
    ] = None
    allow_symbols: Annotated[tuple[SymbolName, ...], Meta(description="Only these may it enter; empty: all.")] = ()
    deny_symbols: Annotated[tuple[SymbolName, ...], Meta(description="These it never enters.")] = ()


class SessionRules(Section, frozen=True, kw_only=True):
    entries: Annotated[Literal["core", "extended", "any"], Meta(description="Sessions in which entries are sent.")] = (
        "core"
    )
    skip_first_min: Annotated[
        float, Meta(ge=0, le=390, description="No entries in so many first minutes of the core session.")
    ] = 0.0
    skip_last_min: Annotated[
        float, Meta(ge=0, le=390, description="No entries in so many last minutes of it, early closes included.")
    ] = 0.0


class CorrelationRules(Section, frozen=True, kw_only=True):
    enabled: Annotated[bool, Meta(description="Check entries against what is held and working.")] = True
    threshold: Annotated[
        float, Meta(gt=0, le=1, description="Correlation from which two symbols belong to one cluster.")
    ] = 0.75
    max_cluster_count: Annotated[Count, Meta(description="Trades in one cluster.")] = 3
    max_cluster_pct: Annotated[Percent, Meta(description="Summed notional of a cluster, in percent of equity.")] = 30.0
    on_breach: Annotated[Literal["warn", "deny"], Meta(description="What a full cluster does.")] = "warn"
    missing_history: Annotated[
        Literal["warn", "deny"], Meta(description="What fewer than 30 shared daily returns do.")
    ] = "warn"


class PropFirmRules(Section, frozen=True, kw_only=True):
    enabled: Annotated[
        bool, Meta(description="Prop-firm mode, read once at the start. A broken preset stops entries, never the desk.")
    ] = False
    preset: Annotated[
        str,
        Meta(
            description="Name of the firm's rules: a file in `prop_firm/` of the data folder, or one that comes along."
        ),
    ] = ""
    warn_within_pct: Annotated[
        float,
        Meta(ge=0, le=100, description="Warn when less than this part of a limit would be left after the stop-outs."),
    ] = 20.0
    on_breach: Annotated[
        Literal["paused", "reducing", "halted"], Meta(description="The desk's state after a rule was broken.")
    ] = "halted"
    flatten_on_breach: Annotated[bool, Meta(description="Close all positions when a rule was broken.")] = False


class UserRules(Section, frozen=True, kw_only=True):
    user_file: Annotated[
        RulesFile,
        Meta(
            description="Rules of your own: a Python file in the data folder, read at the start. "
            "`rules.py` may be absent; empty: none."
        ),
    ] = "rules.py"
    user_timeout_ms: Annotated[
        float, Meta(ge=1, le=5_000, description="How long it may take over one entry; longer is a no.")
    ] = 50.0


class HeartbeatRules(Section, frozen=True, kw_only=True):
    url: Annotated[
        HeartbeatUrl,
        Meta(description="Where a sign of life is posted to, so that a third party can page; empty: none. A secret."),
    ] = ""
    every_s: Annotated[float, Meta(ge=5, le=3_600, description="Between two of them.")] = 30.0


class TripRules(Section, frozen=True, kw_only=True):
    daily_loss_usd: Annotated[Usd | None, Meta(description="Loss since the last close that trips the desk.")] = None
    daily_loss_pct: Annotated[
        Percent | None, Meta(description="The same in percent of the equity at the last close.")
    ] = None
    daily_loss_state: Annotated[
        Literal["paused", "reducing", "halted"], Meta(description="The desk's state after such a loss.")
    ] = "paused"
    max_rejects: Annotated[
        int, Meta(ge=0, le=10_000, description="Orders that the broker refuses within the time below; 0: off.")
    ] = 10
    rejects_within_s: Annotated[Seconds, Meta(description="The time in which refusals are counted.")] = 60.0
    stream_down_s: Annotated[
        float, Meta(ge=0, le=86_400, description="Seconds without the order stream, once it has been up; 0: off.")
    ] = 120.0
    unsettled_orders: Annotated[
        int, Meta(ge=0, le=1_000, description="Orders of unknown fate for longer than the time below; 0: off.")
    ] = 3
    unsettled_s: Annotated[Seconds, Meta(description="How long their fate may be unknown.")] = 10.0
    state: Annotated[
        Literal["paused", "reducing", "halted"], Meta(description="The desk's state after any trip but a loss.")
    ] = "paused"


class HaltRules(Section, frozen=True, kw_only=True):
    cooling_off_s: Annotated[
        float, Meta(ge=0, le=86_400, description="So long a halt stands at least, whoever wants to leave it; 0: off.")
    ] = 0.0
    second_persons: Annotated[
        dict[str, SealedWord],
        Meta(
            description="Name -> sealed word, as `main.py second-person NAME` prints it: one of them has to agree "
            "before a halt is left; empty: nobody has to."
        ),
    ] = {}


class MandateRules(Section, frozen=True, kw_only=True):
    on_warn: Annotated[
        Literal["wait", "approve"], Meta(description="What a mandate does with a signal that a rule warns about.")
    ] = "wait"
    confirm_after_restart: Annotated[
        bool, Meta(description="After a restart a mandate waits until a person confirms it.")
    ] = True


class ProtectionRules(Section, frozen=True, kw_only=True):
    partial_rescue_after_s: Annotated[
        Seconds, Meta(description="A part-filled entry that leaves shares naked for longer is cut short and covered.")
    ] = 5.0
    stop_through: Annotated[
        Literal["exit", "ask"], Meta(description="What happens when the price is beyond a stop that does not stand.")
    ] = "exit"
    max_attempts: Annotated[
        int, Meta(ge=1, le=20, description="Placements of exits before the desk gives up and calls the operator.")
    ] = 5
    breakeven_at_r: Annotated[
        Multiple | None,
        Meta(description="Gain, in units of the risk taken, that moves the stop to the entry; absent: never."),
    ] = None
    carry: Annotated[
        Literal["protect", "flatten", "ask"],
        Meta(description="What becomes of a position whose exits die at the close, fifteen minutes before it."),
    ] = "protect"
    trail_step_pct: Annotated[
        Percent, Meta(description="A trailing stop moves when it gains this much of its distance, in percent of that.")
    ] = 10.0
    trail_every_s: Annotated[Seconds, Meta(description="It moves no more often than this.")] = 5.0
    default_stop_pct: Annotated[
        Percent | None,
        Meta(description="Stop of signals that have none, in percent; absent: they are denied."),
    ] = None


class BrokerRules(Section, frozen=True, kw_only=True):
    requests_per_minute: Annotated[
        int, Meta(ge=10, le=100_000, description="Rate limit of the account, until the broker's headers say otherwise.")
    ] = 200
    resend_within_s: Annotated[
        float,
        Meta(ge=0, le=120, description="An entry that never arrived is sent once more within this time."),
    ] = 10.0


class QuoteRules(Section, frozen=True, kw_only=True):
    max_age_s: Annotated[Seconds, Meta(description="Older quotes deny entries.")] = 15.0
    feed: Annotated[Literal["iex", "sip"], Meta(description="Alpaca's data feed.")] = "iex"


class ApiRules(Section, frozen=True, kw_only=True):
    allowed_hosts: Annotated[tuple[str, ...], Meta(description="Further Host names that the API answers to.")] = ()
    signal_tokens: Annotated[
        dict[str, str], Meta(description="Source name -> token that may post signals and nothing else.")
    ] = {}
    read_tokens: Annotated[
        dict[str, str], Meta(description="Reader's name -> token that may read everything and change nothing.")
    ] = {}


SIZING_KEYS: Final = ("risk_pct", "risk_usd", "notional", "qty", "target_vol_pct")
"""Keys that a strategy may have of its own."""


class ReplayRules(Section, frozen=True, kw_only=True):
    keep_days: Annotated[
        int,
        Meta(
            ge=0,
            le=400,
            description="Days whose prices are kept for a replay, some megabytes each; 0: none.",
        ),
    ] = 30


class Config(Section, frozen=True, kw_only=True):
    limits: Limits = Limits()
    sizing: Sizing = Sizing()
    approval: ApprovalRules = ApprovalRules()
    session: SessionRules = SessionRules()
    correlation: CorrelationRules = CorrelationRules()
    prop_firm: PropFirmRules = PropFirmRules()
    rules: UserRules = UserRules()
    heartbeat: HeartbeatRules = HeartbeatRules()
    trips: TripRules = TripRules()
    halt: HaltRules = HaltRules()
    mandates: MandateRules = MandateRules()
    protection: ProtectionRules = ProtectionRules()
    broker: BrokerRules = BrokerRules()
    quotes: QuoteRules = QuoteRules()
    api: ApiRules = ApiRules()
    replay: ReplayRules = ReplayRules()
    strategies: dict[str, StrategyRules] = {}
    """By name; the one named ``default`` holds for all that have none of their own."""

    def strategy(self, name: str) -> StrategyRules:
        """The rules of a strategy: its own table, else the one named ``default``, else the defaults of each key."""
        return self.strategies.get(name) or self.strategies.get("default") or StrategyRules()

    def sizing_of(self, name: str) -> Sizing:
        """How a strategy's entries are sized when its signals leave that to the desk."""
        own = self.strategy(name)
        changes = {key: value for key in SIZING_KEYS if (value := getattr(own, key)) is not None}
        if own.sizing is not None:
            changes["method"] = own.sizing
        return msgspec.structs.replace(self.sizing, **changes) if changes else self.sizing
