"""An Alpaca order body, as scripts send it: a proposal to place exactly this.

Entries only: ``simple``, ``bracket`` and ``oto``. An ``oco`` is a pair of exits and proposes nothing to enter.
Source: https://docs.alpaca.markets/reference/postorder
"""

from __future__ import annotations

from typing import Final, Literal

from engine.intake.draft import SignalDraft
from engine.intake.envelope import Envelope
from engine.intake.exits import check_exits
from engine.intake.fields import Fields
from engine.intake.formats.native import entry_spec, one_of, trailing_stop
from engine.intake.jsontext import refusal
from engine.model.signal import ExitSpec, SizeSpec
from engine.model.words import Intent, OrderClass, Side, TimeInForce

NAME: Final = "alpaca"
_ENTRY_CLASSES: Final = (OrderClass.SIMPLE, OrderClass.BRACKET, OrderClass.OTO)
_TRAILING: Final[dict[str, Literal["percent", "amount"]]] = {"trail_price": "amount", "trail_percent": "percent"}
_INTENTS: Final = {
    "buy_to_open": (Side.BUY, Intent.OPEN),
    "sell_to_open": (Side.SELL, Intent.OPEN),
    "buy_to_close": (Side.BUY, Intent.CLOSE),
    "sell_to_close": (Side.SELL, Intent.CLOSE),
}


def map_fields(fields: Fields, envelope: Envelope) -> SignalDraft:
    """Raises:
    CommandRefused: 422 with code and field.
    """
    symbol = fields.symbol("symbol")
    side = fields.word("side", Side, "UNKNOWN_SIDE")
    if side is None:
        raise fields.missing("side")
    intent = _intent(fields, side)
    fields.word("order_class", OrderClass, "UNKNOWN_ORDER_CLASS", _ENTRY_CLASSES)
    time_in_force = fields.word("time_in_force", TimeInForce, "UNKNOWN_TIME_IN_FORCE") or TimeInForce.DAY
    entry = entry_spec(fields, time_in_force)
    stop = _stop_loss(fields)
    target = _take_profit(fields)
    if intent is not Intent.CLOSE:
        check_exits(side, entry, stop, target, reference=None)
    source = envelope.source_of(fields.label("source"))
    return SignalDraft(
        source=source,
        source_id=envelope.source_id_of(fields.label("client_order_id")),
        strategy=fields.label("strategy") or source,
        symbol=symbol,
        side=side,
        intent=intent,
        size=_size(fields),
        entry=entry,
        stop_loss=stop,
        take_profit=target,
        reference_price=None,
        made_at=envelope.received_at,
        received_at=envelope.received_at,
        expires_at=envelope.expires_at(fields),
    )


def _intent(fields: Fields, side: Side) -> Intent | None:
    text = fields.text("position_intent")
    if text is None:
        return None
    known = _INTENTS.get(text.lower())
    if known is None:
        allowed = ", ".join(_INTENTS)
        raise refusal(
            "UNKNOWN_INTENT", f"position_intent is {text[:40]!r}; it must be one of {allowed}", "position_intent"
        )
    intended_side, intent = known
    if intended_side is not side:
        raise refusal("CONFLICTING_FIELDS", f"position_intent {text} contradicts side {side}", "position_intent")
    return intent


def _size(fields: Fields) -> SizeSpec | None:
    qty = fields.amount("qty")
    notional = fields.amount("notional")
    if qty is not None and notional is not None:
        raise refusal("CONFLICTING_FIELDS", "qty and notional exclude each other", "notional")
    if qty is not None:
        return SizeSpec(unit="qty", value=qty)
    return None if notional is None else SizeSpec(unit="notional", value=notional)


def _stop_loss(fields: Fields) -> ExitSpec | None:
    group = fields.group("stop_loss")
    if group is None:
        return None
    for trailing, unit in _TRAILING.items():
        if trailing in group:
            # Alpaca takes such a leg and drops the trail without a word: here it means what it says.
            one_of(group, (trailing, "stop_price"))
            return trailing_stop(group, trailing, unit)
    price = group.price("stop_price")
    if price is None:
        raise group.missing("stop_price")
    return ExitSpec(unit="price", value=price, limit_price=group.price("limit_price"))


def _take_profit(fields: Fields) -> ExitSpec | None:
    group = fields.group("take_profit")
    if group is None:
        return None
    price = group.price("limit_price")
    if price is None:
        raise group.missing("limit_price")
    return ExitSpec(unit="price", value=price)
