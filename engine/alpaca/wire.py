"""What Alpaca says, as frozen values: one struct a kind, fields named as on the wire (market data: spelled out).

Quantities are shares (fractions possible), prices in the quote currency per share, times aware UTC. Status, type,
class and side stay strings (see ``vocabulary``). Reading is lenient (see ``reading``). Sources: the Trading and Market
Data API specifications of 2026-06-24; recorded answers stand in the tests.
"""

from __future__ import annotations

import datetime as dt
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import field

from engine.alpaca.reading import Malformed, Rows, Unreadable, read, unreadable_from

__all__ = [
    "Account",
    "AccountConfigurations",
    "Activity",
    "Asset",
    "Bar",
    "CalendarDay",
    "Clock",
    "CorporateAction",
    "Order",
    "Position",
    "Quote",
    "Rows",
    "Snapshot",
    "Trade",
    "TradeUpdate",
    "TradingStatus",
    "Unreadable",
    "read_order",
    "read_position",
    "read_snapshot",
    "read_trade_update",
]

ZERO = Decimal(0)


_QUOTED_IN: Final = ("USDT", "USDC", "USD", "BTC")
"""Currencies that coins are priced in, the longest spelling first."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order, or a leg of one. A leg carries no link to its parent: the parent lists its legs."""

    id: str
    client_order_id: str = ""
    """Ours for what we sent; a leg's is the broker's own."""
    symbol: str = ""
    side: str = ""
    type: str = ""
    order_class: str = "simple"
    """The wire's empty string means simple, and reads so."""
    status: str
    qty: Decimal | None = None
    """None for an order by notional."""
    notional: Decimal | None = None
    filled_qty: Decimal
    """Never absent: an order that does not tell it is not readable, since none executed would mean a bust."""
    filled_avg_price: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: str = ""
    extended_hours: bool = False
    position_intent: str | None = None
    asset_class: str = ""
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    updated_at: datetime | None = None
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    expires_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    legs: tuple[Order, ...] = ()
    unreadable_legs: tuple[Unreadable, ...] = ()
    """Legs that came and could not be read: read this order again before trusting its cover."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Shares held; ``qty`` is negative for a short."""

    symbol: str
    qty: Decimal
    qty_available: Decimal | None = None
    """Not reserved by a working closing order; None when the broker doesn't say."""
    side: str = ""
    avg_entry_price: Decimal | None = None
    current_price: Decimal | None = None
    lastday_price: Decimal | None = None
    market_value: Decimal | None = None
    cost_basis: Decimal | None = None
    unrealized_pl: Decimal | None = None
    unrealized_plpc: Decimal | None = None
    """A fraction: 0.2 is 20 %."""
    unrealized_intraday_pl: Decimal | None = None
    change_today: Decimal | None = None
    asset_id: str = ""
    asset_class: str = ""
    exchange: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Money in account currency. The pattern-day-trader fields, removed on 2026-07-06, are not read."""

    id: str
    account_number: str = ""
    status: str
    """``ACTIVE`` trades; anything else does not."""
    currency: str = "USD"
    cash: Decimal | None = None
    equity: Decimal | None = None
    last_equity: Decimal | None = None
    """At the previous day's close, 16:00 New York."""
    buying_power: Decimal | None = None
    regt_buying_power: Decimal | None = None
    non_marginable_buying_power: Decimal | None = None
    multiplier: Decimal | None = None
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    last_maintenance_margin: Decimal | None = None
    long_market_value: Decimal | None = None
    short_market_value: Decimal | None = None
    sma: Decimal | None = None
    shorting_enabled: bool = False
    trading_blocked: bool = False
    account_blocked: bool = False
    transfers_blocked: bool = False
    trade_suspended_by_user: bool = False
    created_at: datetime | None = None


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    symbol: str
    name: str = ""
    exchange: str = ""
    asset_class: str = field(default="", name="class")
    status: str = ""
    tradable: bool = False
    fractionable: bool = False
    marginable: bool = False
    shortable: bool = False
    borrow_status: str | None = None
    """``easy_to_borrow`` or ``hard_to_borrow``; replaced the boolean field of that name in 2026."""
    attributes: tuple[str, ...] = ()
    min_order_size: Decimal | None = None
    min_trade_increment: Decimal | None = None
    price_increment: Decimal | None = None


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's own clock. ``is_open`` is the core session only."""

    timestamp: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


class CalendarDay(msgspec.Struct, frozen=True, kw_only=True):
    """One trading day; times of day are New York's, without zone."""

    date: dt.date
    open: time
    close: time
    session_open: str = ""
    """``HHMM``, extended hours included."""
    session_close: str = ""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the account's history. ``FILL`` rows are executions, the best source for fills the stream lost."""

    id: str
    """``<timestamp>::<uuid>``; the next page continues after it."""
    activity_type: str
    type: str = ""
    """For fills: ``fill`` or ``partial_fill``."""
    order_id: str | None = None
    order_status: str | None = None
    symbol: str = ""
    side: str = ""
    qty: Decimal | None = None
    price: Decimal | None = None
    cum_qty: Decimal | None = None
    leaves_qty: Decimal | None = None
    transaction_time: datetime | None = None
    date: dt.date | None = None
    net_amount: Decimal | None = None
    per_share_amount: Decimal | None = None
    description: str = ""
    status: str = ""


class AccountConfigurations(msgspec.Struct, frozen=True, kw_only=True):
    """The account's own settings, which the broker keeps and enforces. None where it doesn't say."""

    suspend_trade: bool | None = None
    """True blocks new orders, whoever sends them; whether exits too is not documented."""
    no_shorting: bool | None = None
    fractional_trading: bool | None = None
    max_margin_multiplier: Decimal | None = None
    ptp_no_exception_entry: bool | None = None
    disable_overnight_trading: bool | None = None
    trade_confirm_email: str = ""


class CorporateAction(msgspec.Struct, frozen=True, kw_only=True):
    """Something that changes a holding without a trade; which fields it has depends on its kind."""

    kind: str
    """The list that it came in: ``forward_splits``, ``cash_dividends``, ``cash_mergers``, ..."""
    id: str = ""
    symbol: str = ""
    ex_date: dt.date | None = None
    """From this day on the price is without it."""
    process_date: dt.date | None = None
    record_date: dt.date | None = None
    payable_date: dt.date | None = None
    old_rate: Decimal | None = None
    new_rate: Decimal | None = None
    """Of a split: ``new_rate`` shares for ``old_rate``."""
    rate: Decimal | None = None
    """Of a dividend: cash or shares per share."""
    special: bool = False
    old_symbol: str = ""
    new_symbol: str = ""
    acquiree_symbol: str = ""
    acquirer_symbol: str = ""
    source_symbol: str = ""


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Best bid and offer of the feed; sizes in shares or round lots as the feed has them."""

    symbol: str = field(name="S")
    bid_price: Decimal = field(default=ZERO, name="bp")
    """0 when there is no bid."""
    bid_size: Decimal = field(default=ZERO, name="bs")
    bid_exchange: str = field(default="", name="bx")
    ask_price: Decimal = field(default=ZERO, name="ap")
    """0 when there is no offer."""
    ask_size: Decimal = field(default=ZERO, name="as")
    ask_exchange: str = field(default="", name="ax")
    at: datetime = field(name="t")
    conditions: tuple[str, ...] = field(default=(), name="c")
    tape: str = field(default="", name="z")
    arrived_at_s: float = 0.0
    """Our monotonic time of arrival."""


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A print."""

    symbol: str = field(name="S")
    price: Decimal = field(name="p")
    size: Decimal = field(default=ZERO, name="s")
    at: datetime = field(name="t")
    exchange: str = field(default="", name="x")
    conditions: tuple[str, ...] = field(default=(), name="c")
    trade_id: str = field(default="", name="i")
    tape: str = field(default="", name="z")
    arrived_at_s: float = 0.0


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar; ``at`` is its beginning."""

    symbol: str = field(name="S")
    open: Decimal = field(name="o")
    high: Decimal = field(name="h")
    low: Decimal = field(name="l")
    close: Decimal = field(name="c")
    volume: Decimal = field(default=ZERO, name="v")
    vwap: Decimal | None = field(default=None, name="vw")
    trade_count: int | None = field(default=None, name="n")
    at: datetime = field(name="t")
    arrived_at_s: float = 0.0


class TradingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A halt or its end, as the data stream reports it; codes depend on the tape."""

    symbol: str = field(name="S")
    status_code: str = field(default="", name="sc")
    status_message: str = field(default="", name="sm")
    reason_code: str = field(default="", name="rc")
    reason_message: str = field(default="", name="rm")
    at: datetime = field(name="t")
    tape: str = field(default="", name="z")
    arrived_at_s: float = 0.0


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Latest values of one symbol; each part may be missing."""

    symbol: str
    latest_trade: Trade | None = None
    latest_quote: Quote | None = None
    minute_bar: Bar | None = None
    daily_bar: Bar | None = None
    prev_daily_bar: Bar | None = None


class TradeUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the order stream. ``order`` is cumulative; ``qty`` and ``price`` are this execution's own."""

    event: str
    order: Order
    at: datetime | None = field(default=None, name="timestamp")
    execution_id: str | None = None
    """Identity of an execution; the stream repeats messages, so de-duplicate by it."""
    event_id: str | None = None
    price: Decimal | None = None
    qty: Decimal | None = None
    position_qty: Decimal | None = None
    """Shares held after this execution."""
    arrived_at_s: float = 0.0


def read_order(row: object) -> Order:
    """An order with its legs. Raises ``Malformed``."""
    if not isinstance(row, dict):
        raise Malformed(f"an order must be a JSON object, found {type(row).__name__}")
    found = row.get("legs") or []
    if not isinstance(found, list):
        raise Malformed(f"Order.legs: not a list but {type(found).__name__}")
    legs: list[Order] = []
    unreadable: list[Unreadable] = []
    for leg in found:
        try:
            legs.append(read_order(leg))
        except Malformed as error:
            unreadable.append(unreadable_from(repr(leg), error))
    return read(
        Order,
        row,
        symbol=_word(row, "symbol"),
        type=_word(row, "type") or _word(row, "order_type"),
        order_class=_word(row, "order_class") or "simple",
        legs=tuple(legs),
        unreadable_legs=tuple(unreadable),
    )


def read_position(row: dict[str, Any]) -> Position:
    """Raises ``Malformed``."""
    symbol = _word(row, "symbol")
    if not symbol:
        raise Malformed("Position.symbol is missing")
    if _word(row, "asset_class") == "crypto":
        symbol = _pair_of(symbol)
    return read(Position, row, symbol=symbol)


def _pair_of(symbol: str) -> str:
    """``BTC/USD`` for ``BTCUSD``: positions are spelled without the slash that orders and quotes have."""
    if "/" in symbol:
        return symbol
    quoted = next((each for each in _QUOTED_IN if symbol.endswith(each) and symbol != each), None)
    return symbol if quoted is None else f"{symbol.removesuffix(quoted)}/{quoted}"


def _word(row: dict[str, Any], key: str) -> str:
    """A text without surrounding blanks (recorded positions carry ``"AAPL "``), or an empty one."""
    found = row.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Malformed(f"{key}: not a text but {type(found).__name__}")
    return found.strip()


def read_trade_update(row: object, *, arrived_at_s: float) -> TradeUpdate:
    """The ``data`` of a ``trade_updates`` message. Raises ``Malformed``."""
    if not isinstance(row, dict):
        raise Malformed(f"a trade update must be a JSON object, found {type(row).__name__}")
    return read(TradeUpdate, row, order=read_order(row.get("order")), arrived_at_s=arrived_at_s)


def read_snapshot(symbol: str, row: dict[str, Any]) -> Snapshot:
    """Raises ``Malformed``."""

    def part[T: msgspec.Struct](kind: type[T], key: str) -> T | None:
        found = row.get(key)
        return None if found is None else read(kind, found, symbol=symbol)

    return Snapshot(
        symbol=symbol,
        latest_trade=part(Trade, "latestTrade"),
        latest_quote=part(Quote, "latestQuote"),
        minute_bar=part(Bar, "minuteBar"),
        daily_bar=part(Bar, "dailyBar"),
        prev_daily_bar=part(Bar, "prevDailyBar"),
    )
