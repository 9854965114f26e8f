"""The ``ticker`` and ``action`` family: TradersPost, TradingView's usual strategy alert, TrendSpider, SignalStack.

Numbers mostly arrive as strings. ``sentiment`` is the position wanted afterwards; without it a direction is all that is
said. What names no direction (``exit``, ``cancel``, ``add``) or no stock (options) is refused, never guessed.
Source: https://docs.traderspost.io/docs/learn/signal-formats
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from engine.intake.draft import SignalDraft
from engine.intake.envelope import Envelope
from engine.intake.exits import check_exits
from engine.intake.fields import Fields
from engine.intake.formats.native import entry_spec, exit_spec, one_of, trailing_stop
from engine.intake.jsontext import refusal
from engine.model.signal import ExitSpec, SizeSpec, SizeUnit
from engine.model.words import Intent, Side, TimeInForce

NAME: Final = "traderspost"
_NAMES: Final = MappingProxyType(
    {
        "type": "orderType",
        "limit_price": "limitPrice",
        "stop_price": "stopPrice",
        "time_in_force": "timeInForce",
        "stop_loss": "stopLoss",
        "take_profit": "takeProfit",
        "made_at": "time",
    }
)
_SIZE_UNITS: Final[Mapping[str, SizeUnit]] = MappingProxyType(
    {
        "fixed_quantity": "qty",
        "dollar_amount": "notional",
        "risk_dollar_amount": "risk_usd",
        "risk_percent": "risk_pct",
    }
)
_WANTED: Final[Mapping[str, Side | None]] = MappingProxyType(
    {"bullish": Side.BUY, "long": Side.BUY, "bearish": Side.SELL, "short": Side.SELL, "flat": None}
)
_OPTION_FIELDS: Final = ("optionType", "strikePrice", "expiration", "strikeCount", "strikesAway", "intrinsicValue")
_TRAILING: Final[dict[str, Literal["percent", "amount"]]] = {"trailAmount": "amount", "trailPercent": "percent"}


def map_fields(fields: Fields, envelope: Envelope) -> SignalDraft:
    """Raises:
    CommandRefused: 422 with code and field.
    """
    fields = fields.named(_NAMES)
    for name in (*_OPTION_FIELDS, *_TRAILING):
        if name in fields:
            raise refusal("UNSUPPORTED_FIELD", f"{name} asks for something this desk does not trade", name)
    side = _side(fields)
    intent = _intent(fields, side)
    time_in_force = fields.word("time_in_force", TimeInForce, "UNKNOWN_TIME_IN_FORCE") or TimeInForce.DAY
    entry = entry_spec(fields, time_in_force)
    stop = _exit(fields, "stop_loss", "stop_price")
    target = _exit(fields, "take_profit", "limit_price")
    reference = fields.amount("signalPrice") or fields.amount("price")
    if intent is not Intent.CLOSE:
        check_exits(side, entry, stop, target, reference)
    source = envelope.source_of(fields.label("source"))
    return SignalDraft(
        source=source,
        source_id=envelope.source_id_of(fields.label("id")),
        strategy=fields.label("strategy") or source,
        symbol=fields.symbol("ticker" if "ticker" in fields else "symbol"),
        side=side,
        intent=intent,
        size=_size(fields),
        entry=entry,
        stop_loss=stop,
        take_profit=target,
        reference_price=reference,
        made_at=fields.time("made_at") or envelope.received_at,
        received_at=envelope.received_at,
        expires_at=envelope.expires_at(fields),
    )


def _side(fields: Fields) -> Side:
    action = fields.text("action")
    if action is None:
        raise fields.missing("action")
    match action.lower():
        case "buy":
            return Side.BUY
        case "sell":
            return Side.SELL
        case "exit" | "close" | "cancel" | "add":
            text = f"action {action} names no side; send buy or sell, and sentiment flat to close a position"
            raise refusal("UNSUPPORTED_ACTION", text, "action")
        case _:
            raise refusal("UNKNOWN_SIDE", f"action is {action[:40]!r}; it must be buy or sell", "action")


def _intent(fields: Fields, side: Side) -> Intent | None:
    sentiment = fields.text("sentiment")
    if sentiment is None:
        return None
    if sentiment.lower() not in _WANTED:
        text = f"sentiment is {sentiment[:40]!r}; it must be one of {', '.join(_WANTED)}"
        raise refusal("UNKNOWN_SENTIMENT", text, "sentiment")
    wanted = _WANTED[sentiment.lower()]
    if wanted is None:
        return Intent.CLOSE
    if wanted is not side:
        raise refusal("CONFLICTING_FIELDS", f"a {side} does not lead to the sentiment {sentiment}", "sentiment")
    return Intent.OPEN


def _size(fields: Fields) -> SizeSpec | None:
    unit = fields.text("quantityType") or "fixed_quantity"
    if unit not in _SIZE_UNITS:
        text = f"quantityType is {unit[:40]!r}; it must be one of {', '.join(_SIZE_UNITS)}"
        raise refusal("UNKNOWN_SIZE_UNIT", text, "quantityType")
    quantity = fields.amount("quantity")
    if quantity is not None and _SIZE_UNITS[unit] == "risk_pct" and quantity > 100:
        raise refusal("OUT_OF_RANGE", f"quantity must be at most 100 percent, not {quantity}", "quantity")
    return None if quantity is None else SizeSpec(unit=_SIZE_UNITS[unit], value=quantity)


def _exit(fields: Fields, name: str, price_name: str) -> ExitSpec | None:
    group = fields.group(name)
    if group is None:
        return None
    group = group.named(_NAMES)
    for trailing, unit in _TRAILING.items():
        if trailing not in group:
            continue
        if name != "stop_loss":
            text = f"{group.where(trailing)}: a target does not trail"
            raise refusal("UNSUPPORTED_FIELD", text, group.where(trailing))
        one_of(group, (trailing, price_name, "percent", "amount"))
        return trailing_stop(group, trailing, unit)
    given = one_of(group, (price_name, "percent", "amount"))
    # A target's limit is its own price, a stop's makes it a stop-limit.
    return exit_spec(group, given, limit_price=group.price("limit_price") if name == "stop_loss" else None)
