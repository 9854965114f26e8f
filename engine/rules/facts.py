"""One consistent picture of everything the gate looks at, taken at one moment.

The rules are pure functions of it. Taking the picture is the desk's work (``pipeline/picture.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

import msgspec

from engine.config import Config
from engine.market.quotes import QuoteView
from engine.model.account import Account
from engine.model.corporate import CorporateChange
from engine.model.follow import Follow, Trail
from engine.model.money import ZERO
from engine.model.signal import Levels, Reason, Signal
from engine.model.targets import TargetPart
from engine.model.words import DeskState, Verdict
from engine.prop.meters import PropFacts
from engine.rules.exposures import Exposures


class AssetFacts(msgspec.Struct, frozen=True, kw_only=True):
    tradable: bool
    shortable: bool
    easy_to_borrow: bool
    fractionable: bool


class OrderShown(msgspec.Struct, frozen=True, kw_only=True):
    """What of an order the operator's own rules are asked about: another one of these is another question."""

    symbol: str
    side: str
    qty: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    take_profit_price: Decimal | None
    targets: tuple[TargetPart, ...]
    trigger_price: Decimal | None
    extended: bool


class UserAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator's own rules said about one order."""

    order: OrderShown
    reasons: tuple[Reason, ...] = ()
    failed: str | None = None
    """Why there is no answer that counts."""


class UserFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Of the operator's own rules, as far as one signal is concerned."""

    name: str
    """Of their file."""
    broken: str | None
    """Why it can answer nothing."""
    answers: tuple[UserAnswer, ...] = ()
    """The newest first."""
    stands_in: UserAnswer | None = None
    """For a preview alone: what they said a moment ago about a slightly different order."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    now: datetime
    state: DeskState
    """The strictest of desk, strategy and symbol."""
    state_scope: str
    gate_locked_by: str | None
    """What keeps the start gate locked, None when it is open."""
    not_ready: str | None
    """Something of the desk itself that is still being loaded."""
    stream_up: bool
    journal_failure: str | None
    session_open: bool | None
    """The core session, as the broker's clock says."""
    extended_open: bool
    """Before or after the core session of a trading day."""
    account: Account | None
    account_age_s: float
    reserved: Decimal
    """Buying power promised to entries that ``account`` does not count yet."""
    quote: QuoteView | None
    asset: AssetFacts | None
    broker_unreachable: bool
    exposures: Exposures
    position_qty: Decimal
    """Signed, of the signal's symbol."""
    entry_in_flight: str | None
    """Id of the approved signal or working entry of this symbol."""
    exit_in_flight: str | None = None
    """Id of an earlier trade of this symbol that holds nothing, but whose exits may still execute."""
    corporate: CorporateChange | None = None
    """A split or large dividend ahead of the symbol."""
    halted: bool = False
    """Trading in the symbol stands still, as the data stream last said."""
    symbol_lost_at: datetime | None = None
    """When a trade in the symbol last closed with a loss."""
    strategy_lost_at: datetime | None = None
    """When a trade of the strategy last closed with a loss."""
    rejects_in_a_row: int = 0
    """Entries that the broker refused since it last took one."""
    opposite_order: str | None = None
    """An order of ours that rests on the other side of the symbol."""
    working_orders: int = 0
    """Entries at the broker or on their way."""
    minutes_open: float | None = None
    """Since the core session opened by the calendar; None when that is not known."""
    calendar_read: bool = True
    """Whether today's hours are known; without them ``minutes_open`` is None for that reason."""
    minutes_left: float | None = None
    """Until the core session closes by the broker's clock; None when that is not known."""
    symbol_trades: int = 0
    """Open trades of this desk in the symbol."""
    unexplained_qty: Decimal = ZERO
    """Signed shares of the symbol that no trade of this desk explains."""
    unknown_order: str | None
    """An unsettled order of this symbol."""
    unsettled_orders: int
    """Orders anywhere that nobody could settle for more than 10 s."""
    orders_today: int
    signals_last_minute: int
    """Of the signal's source."""
    correlations: Mapping[str, float | None]
    """Symbol of another exposure -> correlation with the signal's symbol; None without enough shared history."""
    betas: Mapping[str, Decimal | None] = {}
    """Symbol -> beta against the market; None without enough history."""
    pending: Exposures = Exposures()
    """Other signals that wait for a decision, as they were last sized: they count for nothing, and are shown."""
    average_true_range: Decimal | None = None
    """ATR(14) of the symbol's daily bars, in quote currency."""
    average_volume: Decimal | None = None
    """Shares of the symbol in a day, over the newest 20."""
    config: Config
    prop: PropFacts | str | None = None
    """Of prop-firm mode; text says why it cannot be kept, None: the mode is off."""
    user: UserFacts | None = None
    """None: the operator has no rules of his own."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent: prices on the tick grid, quantity on the lot grid."""

    qty: Decimal
    size_reason: str
    basis: Decimal | None
    """Price the entry is expected at: its limit, or the far touch of a market order."""
    levels: Levels
    limit_price: Decimal | None
    targets: tuple[TargetPart, ...] = ()
    """Where there are several, one order group each; empty: all of it leaves at ``levels.take_profit_price``."""
    follow: Follow | None = None
    """Exits that are measured anew from the price of the fill."""
    trail: Trail | None = None
    """The stop follows the best price seen."""
    extended: bool = False
    """Sent for the extended hours: without exits, which no broker takes then."""
    trigger_price: Decimal | None = None
    """The desk sends the entry when this price has been seen; None: at once."""

    @property
    def notional(self) -> Decimal | None:
        return None if self.basis is None else self.qty * self.basis

    @property
    def risk_per_share(self) -> Decimal | None:
        if self.basis is None or self.levels.stop_price is None:
            return None
        return abs(self.basis - self.levels.stop_price)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One signal before the gate."""

    signal: Signal
    facts: Facts
    plan: Plan


def shown_pct(exact: Decimal, limit: Decimal, places: Decimal) -> Decimal:
    """A percentage for a sentence. Judged is the exact one; what is above its limit never reads as if it were not."""
    rounded = exact.quantize(places)
    return exact.quantize(places, rounding=ROUND_CEILING) if exact > limit >= rounded else rounded


def passed(code: str, text: str, measured: object = None, limit: object = None) -> Reason:
    return Reason(code=code, text=text, verdict=Verdict.PASS, measured=_text(measured), limit=_text(limit))


def warned(code: str, text: str, measured: object = None, limit: object = None) -> Reason:
    return Reason(code=code, text=text, verdict=Verdict.WARN, measured=_text(measured), limit=_text(limit))


def denied(code: str, text: str, measured: object = None, limit: object = None) -> Reason:
    return Reason(code=code, text=text, verdict=Verdict.DENY, measured=_text(measured), limit=_text(limit))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
