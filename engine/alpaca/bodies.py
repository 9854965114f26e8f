"""Order bodies: the exact JSON that goes to Alpaca, as plain dicts.

The dict that is built here is previewed, journaled and sent; ``encode_body`` makes the same bytes of it each time.
Every number is a decimal string in plain notation, never a float: a float has gone out as 302.00329999999997 before
and was refused for it. Every order carries our own ``client_order_id``, since it is what an order of unknown
fate is looked up by.

The builders refuse what is wrong whatever the market does (a float, a price of zero, a missing leg) with
``ValueError`` or ``TypeError``: a bug of the caller's. Prices against the market, sizes against the account and
tick grids are the gate's business. Source: https://docs.alpaca.markets/docs/orders-at-alpaca
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

type Side = Literal["buy", "sell"]
type PositionIntent = Literal["buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"]
type SimpleType = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
type TimeInForce = Literal["day", "gtc", "opg", "cls", "ioc", "fok"]
type GroupTimeInForce = Literal["day", "gtc"]
type Body = dict[str, object]

MAX_CLIENT_ORDER_ID_LENGTH: Final = 128

_PRICES_OF_TYPE: Final[dict[str, frozenset[str]]] = {
    "market": frozenset(),
    "limit": frozenset({"limit_price"}),
    "stop": frozenset({"stop_price"}),
    "stop_limit": frozenset({"limit_price", "stop_price"}),
}

_ENCODER: Final = msgspec.json.Encoder()


def bracket_body(
    *,
    client_order_id: str,
    symbol: str,
    side: Side,
    qty: Decimal,
    take_profit_price: Decimal,
    stop_price: Decimal,
    limit_price: Decimal | None = None,
    stop_limit_price: Decimal | None = None,
    time_in_force: GroupTimeInForce = "gtc",
) -> Body:
    """An entry with both exits: at the market, or at ``limit_price``.

    One time in force governs all three orders. ``stop_limit_price`` makes the stop a stop-limit, which a gap can jump.
    """
    body = _group(client_order_id, symbol, side, qty, "bracket", limit_price, time_in_force)
    body["take_profit"] = {"limit_price": wire_number(take_profit_price)}
    body["stop_loss"] = _stop_loss(stop_price, stop_limit_price)
    return body


def oto_body(
    *,
    client_order_id: str,
    symbol: str,
    side: Side,
    qty: Decimal,
    stop_price: Decimal | None = None,
    take_profit_price: Decimal | None = None,
    limit_price: Decimal | None = None,
    stop_limit_price: Decimal | None = None,
    time_in_force: GroupTimeInForce = "gtc",
) -> Body:
    """An entry with exactly one exit."""
    if (stop_price is None) == (take_profit_price is None):
        raise ValueError("an OTO order has exactly one exit: a stop or a target")
    body = _group(client_order_id, symbol, side, qty, "oto", limit_price, time_in_force)
    if stop_price is not None:
        body["stop_loss"] = _stop_loss(stop_price, stop_limit_price)
    elif take_profit_price is not None:
        if stop_limit_price is not None:
            raise ValueError("stop_limit_price belongs to a stop")
        body["take_profit"] = {"limit_price": wire_number(take_profit_price)}
    return body


def oco_body(
    *,
    client_order_id: str,
    symbol: str,
    side: Side,
    qty: Decimal,
    take_profit_price: Decimal,
    stop_price: Decimal,
    stop_limit_price: Decimal | None = None,
    time_in_force: GroupTimeInForce = "gtc",
) -> Body:
    """Both exits for shares already held; ``side`` is the exits' own (sell for a long position).

    The order that the broker returns is the target; the stop is its leg.
    """
    return {
        "client_order_id": _checked_id(client_order_id),
        "symbol": symbol,
        "side": side,
        "type": "limit",
        "qty": wire_number(qty),
        "time_in_force": time_in_force,
        "order_class": "oco",
        "take_profit": {"limit_price": wire_number(take_profit_price)},
        "stop_loss": _stop_loss(stop_price, stop_limit_price),
    }


def simple_body(
    *,
    client_order_id: str,
    symbol: str,
    side: Side,
    type: SimpleType,  # noqa: A002  the wire's word
    time_in_force: TimeInForce,
    qty: Decimal | None = None,
    notional: Decimal | None = None,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    trail_price: Decimal | None = None,
    trail_percent: Decimal | None = None,
    extended_hours: bool = False,
    position_intent: PositionIntent | None = None,
) -> Body:
    """One order. A closing one says so in ``position_intent``, so that the broker refuses it rather than flip."""
    if (qty is None) == (notional is None):
        raise ValueError("an order has exactly one of qty and notional")
    given = {
        "limit_price": limit_price,
        "stop_price": stop_price,
        "trail_price": trail_price,
        "trail_percent": trail_percent,
    }
    prices = {name: price for name, price in given.items() if price is not None}
    if type == "trailing_stop":
        if prices.keys() not in ({"trail_price"}, {"trail_percent"}):
            raise ValueError("a trailing stop has exactly one of trail_price and trail_percent")
    elif prices.keys() != _PRICES_OF_TYPE[type]:
        raise ValueError(f"a {type} order has {sorted(_PRICES_OF_TYPE[type]) or 'no prices'}, found {sorted(prices)}")
    if position_intent is not None and not position_intent.startswith(side):
        raise ValueError(f"a {side} order cannot be {position_intent}")
    body: Body = {"client_order_id": _checked_id(client_order_id), "symbol": symbol, "side": side, "type": type}
    body["qty" if qty is not None else "notional"] = wire_number(qty if qty is not None else notional)
    body["time_in_force"] = time_in_force
    body |= {name: wire_number(price) for name, price in prices.items()}
    if extended_hours:
        body["extended_hours"] = True
    if position_intent is not None:
        body["position_intent"] = position_intent
    return body


def replace_body(
    *,
    client_order_id: str,
    qty: Decimal | None = None,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    trail: Decimal | None = None,
    time_in_force: TimeInForce | None = None,
) -> Body:
    """New terms for a working order, under a new id of ours (without one the broker makes up its own)."""
    given = {"qty": qty, "limit_price": limit_price, "stop_price": stop_price, "trail": trail}
    changes: Body = {name: wire_number(number) for name, number in given.items() if number is not None}
    if time_in_force is not None:
        changes["time_in_force"] = time_in_force
    if not changes:
        raise ValueError("a replacement changes something")
    return {"client_order_id": _checked_id(client_order_id), **changes}


def wire_number(number: Decimal | None) -> str:
    """A positive decimal in plain notation, all its digits kept."""
    if not isinstance(number, Decimal):
        raise TypeError(f"money and quantities are Decimal, found {number!r}")
    if not number.is_finite() or number <= 0:
        raise ValueError(f"a price or quantity is above zero, found {number}")
    return format(number, "f")


def encode_body(body: Body) -> bytes:
    """The bytes that are sent: the dict's own order, no blanks. Raises ``TypeError`` for a float or a Decimal in it."""
    _refuse_inexact(body)
    return _ENCODER.encode(body)


def _group(
    client_order_id: str,
    symbol: str,
    side: Side,
    qty: Decimal,
    order_class: str,
    limit_price: Decimal | None,
    time_in_force: GroupTimeInForce,
) -> Body:
    body: Body = {
        "client_order_id": _checked_id(client_order_id),
        "symbol": symbol,
        "side": side,
        "type": "market" if limit_price is None else "limit",
        "qty": wire_number(qty),
        "time_in_force": time_in_force,
        "order_class": order_class,
    }
    if qty != qty.to_integral_value():
        raise ValueError(f"order groups take whole shares, found {qty}")
    if limit_price is not None:
        body["limit_price"] = wire_number(limit_price)
    return body


def _stop_loss(stop_price: Decimal, limit_price: Decimal | None) -> Body:
    leg: Body = {"stop_price": wire_number(stop_price)}
    if limit_price is not None:
        leg["limit_price"] = wire_number(limit_price)
    return leg


def _checked_id(client_order_id: str) -> str:
    if not client_order_id or len(client_order_id) > MAX_CLIENT_ORDER_ID_LENGTH:
        raise ValueError(f"a client_order_id has 1 to {MAX_CLIENT_ORDER_ID_LENGTH} characters: {client_order_id!r}")
    return client_order_id


def _refuse_inexact(value: object) -> None:
    if isinstance(value, dict):
        for entry in value.values():
            _refuse_inexact(entry)
    elif not isinstance(value, str | bool | int | None):
        raise TypeError(f"an order body holds texts, whole numbers and flags, found {value!r}")
