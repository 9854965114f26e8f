"""Order requests: the form of the body of POST and PATCH, checked before anything is asked of the market.

Numbers may come as JSON strings or numbers (alpaca-py sends floats); both become exact decimals. Refusals carry
Alpaca's texts, see ``errors.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from engine.exchange.errors import Refusal, forbidden, malformed, unprocessable

CLIENT_ORDER_ID_MAX: Final = 128
_TYPES: Final = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
_TIMES: Final = frozenset({"day", "gtc", "opg", "cls", "ioc", "fok"})
_CLASSES: Final = frozenset({"", "simple", "bracket", "oco", "oto"})
_INTENTS: Final = frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"})
_DIGITS_MAX: Final = 18
_QTY_STEP: Final = Decimal("0.000000001")
_CENT: Final = Decimal("0.01")
_PRICE_MAX: Final = Decimal(10) ** 9
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Ticket(msgspec.Struct, kw_only=True):
    """A well-formed order request. ``order_class`` is ``""`` for simple orders."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    order_class: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_price: Decimal | None
    trail_percent: Decimal | None
    extended_hours: bool
    client_order_id: str | None
    position_intent: str | None
    take_profit_limit: Decimal | None = None
    stop_loss_stop: Decimal | None = None
    stop_loss_limit: Decimal | None = None


class Amendment(msgspec.Struct, kw_only=True):
    """A well-formed replace request; None leaves a field as it is."""

    qty: Decimal | None
    time_in_force: str | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail: Decimal | None
    client_order_id: str | None


def decode_object(body: bytes) -> dict[str, Any]:
    """A JSON object with floats kept as exact decimals. Anything else is Alpaca's 400."""
    try:
        decoded = _decode(body) if body else {}
    except msgspec.DecodeError:
        raise Refusal(400, 40010000, "request body format is invalid") from None
    if not isinstance(decoded, dict):
        raise Refusal(400, 40010000, "request body format is invalid")
    return decoded


def decimal_field(body: dict[str, Any], name: str, shown: str | None = None) -> Decimal | None:
    """A positive, finite number, or None when it is absent or null."""
    value = body.get(name)
    if value is None or value == "":
        return None
    shown = shown or name
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise malformed(f"invalid {shown}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise malformed(f"invalid {shown}") from None
    if not number.is_finite() or number > _PRICE_MAX:
        raise malformed(f"invalid {shown}")
    if number <= 0:
        raise malformed(f"{shown} must be > 0")
    return number


def _word(body: dict[str, Any], name: str, allowed: frozenset[str], *, default: str | None = None) -> str:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or value not in allowed:
        raise malformed("invalid order type" if name == "type" else f"invalid {name}")
    return value


def _optional_word(body: dict[str, Any], name: str, allowed: frozenset[str]) -> str | None:
    return None if body.get(name) is None else _word(body, name, allowed)


def client_id_field(body: dict[str, Any]) -> str | None:
    value = body.get("client_order_id")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise malformed("invalid client_order_id")
    if len(value) > CLIENT_ORDER_ID_MAX:
        raise malformed(f"client_order_id must be no more than {CLIENT_ORDER_ID_MAX} characters")
    return value


def parse_ticket(data: bytes) -> Ticket:
    """The order request of a POST body, or the refusal of its form."""
    body = decode_object(data)
    symbol = body.get("symbol")
    order_class = _word(body, "order_class", _CLASSES | {"mleg"}, default="")
    if order_class == "mleg" and symbol:
        raise malformed("symbol is not allowed for mleg order")
    if order_class == "mleg":
        raise forbidden("account not eligible for level3 options trading")
    if not isinstance(symbol, str) or not symbol:
        raise malformed("symbol is required")
    qty, notional = decimal_field(body, "qty"), decimal_field(body, "notional")
    if qty is not None and qty % _QTY_STEP != 0:
        raise malformed("qty must be limited to 9 decimal places")
    if notional is not None and notional % _CENT != 0:
        raise malformed("notional value must be limited to 2 decimal places")
    if qty is None and notional is None:
        raise malformed("qty or notional is required")
    if qty is not None and notional is not None:
        raise malformed("only one of qty or notional is accepted")
    take_profit, stop_loss = _leg(body, "take_profit"), _leg(body, "stop_loss")
    ticket = Ticket(
        symbol=symbol.upper(),
        side=_word(body, "side", frozenset({"buy", "sell"})),
        type=_word(body, "type", _TYPES, default="limit" if order_class == "oco" else None),
        time_in_force=_word(body, "time_in_force", _TIMES),
        order_class="" if order_class == "simple" else order_class,
        qty=qty,
        notional=notional,
        limit_price=decimal_field(body, "limit_price"),
        stop_price=decimal_field(body, "stop_price"),
        trail_price=decimal_field(body, "trail_price"),
        trail_percent=decimal_field(body, "trail_percent"),
        extended_hours=body.get("extended_hours") is True,
        client_order_id=client_id_field(body),
        position_intent=_optional_word(body, "position_intent", _INTENTS),
        take_profit_limit=decimal_field(take_profit, "limit_price", "take_profit.limit_price"),
        stop_loss_stop=decimal_field(stop_loss, "stop_price", "stop_loss.stop_price"),
        stop_loss_limit=decimal_field(stop_loss, "limit_price", "stop_loss.limit_price"),
    )
    if ticket.order_class:
        _check_group_form(ticket)
    _check_prices_of_type(ticket)
    return ticket


def _leg(body: dict[str, Any], name: str) -> dict[str, Any]:
    leg = body.get(name)
    if leg is None:
        return {}
    if not isinstance(leg, dict):
        raise malformed(f"invalid {name}")
    return leg


def _check_group_form(ticket: Ticket) -> None:
    kind = ticket.order_class
    if ticket.extended_hours:
        raise forbidden(f"{kind} orders do not support extended hours trading")
    if ticket.time_in_force not in {"day", "gtc"}:
        raise malformed(f'{kind} orders support only "day" or "gtc" time_in_force')
    if kind in {"bracket", "oco"}:
        if kind == "oco" and ticket.take_profit_limit is None:
            ticket.take_profit_limit = ticket.limit_price
        if ticket.take_profit_limit is None:
            raise malformed(f"{kind} orders require take_profit.limit_price")
        if ticket.stop_loss_stop is None:
            raise malformed(f"{kind} orders require stop_loss.stop_price")
    elif ticket.take_profit_limit is None and ticket.stop_loss_stop is None:
        raise malformed("oto orders require stop_loss.stop_price")
    elif ticket.take_profit_limit is not None and ticket.stop_loss_stop is not None:
        raise malformed("oto orders require only one of take_profit or stop_loss")
    if kind == "oco":
        if ticket.type != "limit":
            raise malformed("oco orders must be limit orders")
        ticket.limit_price = ticket.take_profit_limit
    elif ticket.type not in {"market", "limit"}:
        raise malformed(f"{kind} orders must be market or limit orders")


def _check_prices_of_type(ticket: Ticket) -> None:
    kind, limit, stop = ticket.type, ticket.limit_price, ticket.stop_price
    if kind == "market" and (limit is not None or stop is not None):
        raise malformed("market orders require no stop or limit price")
    if kind == "limit":
        if limit is None:
            raise malformed("limit orders require a limit price")
        if stop is not None:
            raise malformed("limit orders require no stop price")
    if kind == "stop":
        if stop is None:
            raise malformed("stop orders require a stop price")
        if limit is not None:
            raise malformed("stop orders require no limit price")
    if kind == "stop_limit" and (limit is None or stop is None):
        raise malformed("stop limit orders require both stop and limit price")
    trails = (ticket.trail_price is not None) + (ticket.trail_percent is not None)
    if kind == "trailing_stop" and trails != 1:
        raise malformed("trailing stop orders must specify one of trail_price or trail_percent")
    if kind != "trailing_stop" and trails:
        raise malformed(f"{kind} orders require no trail price")


def parse_amendment(data: bytes) -> Amendment:
    """The replace request of a PATCH body, or the refusal of its form."""
    body = decode_object(data)
    if decimal_field(body, "notional") is not None:
        raise unprocessable("notional orders cannot be replaced")
    qty = decimal_field(body, "qty")
    if qty is not None and qty % 1 != 0:
        raise unprocessable("qty of a replace request must be whole shares")
    return Amendment(
        qty=qty,
        time_in_force=_optional_word(body, "time_in_force", _TIMES),
        limit_price=decimal_field(body, "limit_price"),
        stop_price=decimal_field(body, "stop_price"),
        trail=decimal_field(body, "trail"),
        client_order_id=client_id_field(body),
    )


def query_bool(query: dict[str, str], name: str) -> bool:
    """``true`` in any spelling that clients use; absent is false, anything else 422."""
    value = query.get(name)
    if value is None or value == "":
        return False
    lowered = value.lower()
    if lowered in {"true", "1", "t"}:
        return True
    if lowered in {"false", "0", "f"}:
        return False
    raise malformed(f"invalid {name}")


def query_word(query: dict[str, str], name: str, allowed: frozenset[str]) -> str | None:
    """One of the allowed words; None when the parameter is absent or empty, anything else 422."""
    value = query.get(name) or None
    if value is not None and value not in allowed:
        raise malformed(f"invalid {name}: {value}")
    return value


def query_int(
    query: Mapping[str, str], name: str, default: int, maximum: int, refuse: Callable[[str], Refusal] = malformed
) -> int:
    """A whole number from 1 to ``maximum``; larger ones are cut, as Alpaca does for lists."""
    value = query.get(name)
    if value is None or value == "":
        return default
    if not value.isascii() or not value.isdigit() or not value.strip("0"):
        raise refuse(f"invalid {name}: {value}")
    return int(value) if len(value) <= _DIGITS_MAX and int(value) < maximum else maximum
