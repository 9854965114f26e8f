"""Values as Alpaca writes them: numbers as strings, times in RFC 3339 with up to nine digits, every key present.

Everything here takes the exchange's values and returns plain ``dict``s for ``msgspec.json``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from engine.exchange.accounts import Account, AccountState, Position
from engine.exchange.assets import Asset
from engine.exchange.bars import Bar
from engine.exchange.market import Print, Quote
from engine.exchange.orders import Order, Orders
from engine.exchange.session import NEW_YORK

_NS: Final = 1_000_000_000
_DIGITS_MAX: Final = Decimal("0.0000000000000001")


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(at_ns: int) -> str:
    """``2026-08-21T14:03:07.197156123Z``; trailing zeros of the fraction are dropped."""
    seconds, rest = divmod(at_ns, _NS)
    if not rest:
        return _second(seconds) + "Z"
    return f"{_second(seconds)}.{f'{rest:09d}'.rstrip('0')}Z"


def optional_timestamp(at_ns: int | None) -> str | None:
    return None if at_ns is None else timestamp(at_ns)


def activity_stamp(at_ns: int) -> str:
    """The first half of an activity id: UTC to the millisecond, so that ids sort by time."""
    seconds, rest = divmod(at_ns, _NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d%H%M%S}{rest // 1_000_000:03d}"


def number(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def optional_number(value: Decimal | None) -> str | None:
    return None if value is None else number(value)


def ratio(value: Decimal) -> str:
    """A quotient, cut to sixteen digits."""
    return number(value.quantize(_DIGITS_MAX)) if value.is_finite() else "0"


def order_json(order: Order, asset: Asset, legs: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The Order schema of Alpaca's trading API."""
    average = order.filled_avg_price
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": timestamp(order.created_at),
        "updated_at": timestamp(order.updated_at),
        "submitted_at": timestamp(order.submitted_at),
        "filled_at": optional_timestamp(order.filled_at),
        "expired_at": optional_timestamp(order.expired_at),
        "expires_at": optional_timestamp(order.expires_at),
        "canceled_at": optional_timestamp(order.canceled_at),
        "failed_at": optional_timestamp(order.failed_at),
        "replaced_at": optional_timestamp(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset.id,
        "symbol": order.symbol,
        "asset_class": asset.asset_class,
        "notional": optional_number(order.notional),
        "qty": None if order.notional is not None else optional_number(order.qty),
        "filled_qty": number(order.filled_qty),
        "filled_avg_price": None if average is None else ratio(average),
        "order_class": order.order_class,
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "position_intent": order.position_intent,
        "time_in_force": order.time_in_force,
        "limit_price": optional_number(order.limit_price),
        "stop_price": optional_number(order.stop_price),
        "status": order.status,
        "extended_hours": order.extended_hours,
        "legs": legs,
        "trail_percent": optional_number(order.trail_percent),
        "trail_price": optional_number(order.trail_price),
        "hwm": optional_number(order.hwm),
        "ratio_qty": None,
    }


def nested_order_json(order: Order, orders: Orders, asset: Asset) -> dict[str, Any]:
    """An order with its legs rolled up; ``legs`` is null for a leg and for a simple order."""
    legs = [order_json(leg, asset) for leg in orders.legs(order)] if order.leg_ids else None
    return order_json(order, asset, legs)


def position_json(
    position: Position, asset: Asset, *, price: Decimal, last_close: Decimal, available: Decimal
) -> dict[str, Any]:
    """The Position schema. Fractions, not percents; quantities and values of shorts are negative."""
    basis, value = position.cost_basis, position.qty * price
    gain = value - basis
    intraday_qty = position.qty - position.overnight_qty
    day_basis = position.overnight_qty * last_close + intraday_qty * position.avg_entry_price
    day_gain = value - day_basis
    sign = 1 if position.qty > 0 else -1
    return {
        "asset_id": asset.id,
        "symbol": asset.position_symbol,
        "exchange": asset.exchange,
        "asset_class": asset.asset_class,
        "asset_marginable": not asset.is_crypto,
        "qty": number(position.qty),
        "qty_available": number(sign * available),
        "avg_entry_price": ratio(position.avg_entry_price),
        "side": "long" if position.qty > 0 else "short",
        "market_value": number(value),
        "cost_basis": ratio(basis),
        "unrealized_pl": ratio(gain),
        "unrealized_plpc": ratio(gain / abs(basis)) if basis else "0",
        "unrealized_intraday_pl": ratio(day_gain),
        "unrealized_intraday_plpc": ratio(day_gain / abs(day_basis)) if day_basis else "0",
        "current_price": number(price),
        "lastday_price": number(last_close),
        "change_today": ratio(price / last_close - 1) if last_close else "0",
    }


def account_json(account: Account, today: str) -> dict[str, Any]:
    """The Account schema, without the day-trading fields that went on 2026-07-06."""
    state = account.state
    equity = account.equity
    cents = Decimal("0.01")

    def money(value: Decimal) -> str:
        return number(value.quantize(cents))

    power = money(account.buying_power)
    return {
        "id": state.id,
        "account_number": state.number,
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": "USD",
        "created_at": timestamp(state.created_at),
        "balance_asof": today,
        "cash": money(state.cash),
        "accrued_fees": "0",
        "portfolio_value": money(equity),
        "equity": money(equity),
        "last_equity": money(state.last_equity),
        "long_market_value": money(account.market_value(long=True)),
        "short_market_value": money(account.market_value(long=False)),
        "initial_margin": money(account.initial_margin),
        "maintenance_margin": money(account.maintenance_margin),
        "last_maintenance_margin": money(state.last_maintenance),
        "multiplier": str(state.multiplier),
        "buying_power": power,
        "effective_buying_power": power,
        "regt_buying_power": money(account.power(min(state.multiplier, 2))),
        "non_marginable_buying_power": money(account.power(1)),
        "options_buying_power": "0",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "sma": "0",
        "intraday_adjustments": "0",
        "pending_reg_taf_fees": "0",
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "shorting_enabled": account.may_short,
        "trade_suspended_by_user": state.suspend_trade,
        "trading_blocked": state.trading_blocked,
        "transfers_blocked": state.transfers_blocked,
        "account_blocked": state.account_blocked,
    }


def configurations_json(state: AccountState) -> dict[str, Any]:
    return {
        "disable_overnight_trading": state.disable_overnight_trading,
        "fractional_trading": state.fractional_trading,
        "max_margin_multiplier": str(state.multiplier),
        "max_options_trading_level": state.max_options_trading_level,
        "no_shorting": state.no_shorting,
        "ptp_no_exception_entry": state.ptp_no_exception_entry,
        "suspend_trade": state.suspend_trade,
        "trade_confirm_email": state.trade_confirm_email,
    }


def asset_json(asset: Asset, *, halted: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": asset.id,
        "class": asset.asset_class,
        "exchange": asset.exchange,
        "symbol": asset.symbol,
        "name": asset.name,
        "status": "active",
        "tradable": True,
        "marginable": not asset.is_crypto,
        "maintenance_margin_requirement": 100 if asset.is_crypto else 30,
        "margin_requirement_long": "100" if asset.is_crypto else "30",
        "margin_requirement_short": "100" if asset.is_crypto else "30",
        "shortable": asset.shortable,
        "easy_to_borrow": asset.easy_to_borrow,
        "fractionable": asset.fractionable,
        "attributes": ["overnight_halted"] if halted else [],
    }
    if asset.is_crypto:
        body |= {"min_order_size": "0.000000001", "min_trade_increment": "0.000000001", "price_increment": "0.01"}
    else:
        body["borrow_status"] = "easy_to_borrow" if asset.easy_to_borrow else "hard_to_borrow"
    return body


def tape_of(asset: Asset) -> str:
    """A: listed at the NYSE, B: at the regional exchanges, C: at Nasdaq."""
    return {"NYSE": "A", "NASDAQ": "C"}.get(asset.exchange, "B")


def status_json(asset: Asset, *, halted: bool, at_ns: int) -> dict[str, Any]:
    """A halt or its end; the status codes depend on the tape."""
    halt, resumption = ("H", "T") if tape_of(asset) == "C" else ("2", "3")
    return {
        "sc": halt if halted else resumption,
        "sm": "Trading Halt" if halted else "Trading Resumption",
        "rc": "T12" if halted else "",
        "rm": "Trading Halted; For information requested by NASDAQ" if halted else "",
        "t": timestamp(at_ns),
        "z": tape_of(asset),
    }


def quote_json(quote: Quote, asset: Asset) -> dict[str, Any]:
    body: dict[str, Any] = {"bp": quote.bid, "bs": quote.bid_size, "ap": quote.ask, "as": quote.ask_size}
    body["t"] = timestamp(quote.at_ns)
    if not asset.is_crypto:
        body |= {"bx": quote.bid_venue, "ax": quote.ask_venue, "c": ["R"], "z": tape_of(asset)}
        body["bs"], body["as"] = int(quote.bid_size), int(quote.ask_size)
    return body


def trade_json(trade: Print, asset: Asset) -> dict[str, Any]:
    body: dict[str, Any] = {"p": trade.price, "s": trade.size, "t": timestamp(trade.at_ns), "i": trade.id}
    if asset.is_crypto:
        return body | {"tks": "B"}
    conditions = ["@"] if trade.size >= 100 else ["@", "I"]
    return body | {"s": int(trade.size), "x": trade.venue, "c": conditions, "z": tape_of(asset)}


def bar_json(bar: Bar, asset: Asset) -> dict[str, Any]:
    return {
        "t": timestamp(bar.start_ns),
        "o": bar.open,
        "h": bar.high,
        "l": bar.low,
        "c": bar.close,
        "v": bar.volume if asset.is_crypto else int(bar.volume),
        "n": bar.trades,
        "vw": bar.vwap,
    }


def new_york(at: datetime) -> str:
    """A New York time with its offset, to the second: the clock's form."""
    return at.astimezone(NEW_YORK).isoformat(timespec="seconds")
