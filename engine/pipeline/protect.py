"""Stage *protect*: the orders that cover or close what a trade holds, when its native exits do not.

Every function plans one journaled write; sending is the gateway's work, deciding the supervisor's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from engine.alpaca.bodies import oco_body, replace_body, simple_body
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.ids import client_order_id, leg_id, parts_of
from engine.model.money import ZERO, floor_to_tick
from engine.model.order import Order
from engine.model.symbols import is_coin
from engine.model.targets import TargetPart
from engine.model.words import OrderClass, OrderRole, OrderStatus, OrderType, Purpose, Side, TimeInForce

COIN_LIMIT_BELOW: Final = Decimal("0.01")
"""The broker takes no plain stop of a coin: its stop-limit's limit lies this part of the price beneath the stop."""


def plan_exits(
    bracket: Bracket, orders: Sequence[Order], qty: Decimal, *, desk_id: str, now: datetime, stop_only: bool = False
) -> ev.OrderIntended:
    """Stop and target for ``qty`` held shares as one OCO; a plain stop without a target, or when ``stop_only``.

    Coins and parts of a share stand in no group: their target is for the desk to watch.
    """
    if bracket.take_profit_price is None or stop_only or is_coin(bracket.symbol) or qty % 1:
        return _plan_stop(bracket, orders, qty, desk_id=desk_id, now=now)
    part = open_target(bracket, orders)
    target_price = part.price if part is not None else bracket.take_profit_price
    qty = min(qty, part.qty) if part is not None else qty  # further shares get an OCO of the next target
    order_id = _next_id(bracket, orders, "oco", desk_id)
    target = _order(
        bracket,
        order_id,
        OrderRole.TAKE_PROFIT,
        OrderType.LIMIT,
        OrderClass.OCO,
        qty,
        now,
        limit_price=target_price,
    )
    stop = _order(
        bracket,
        leg_id(order_id, "sl"),
        OrderRole.STOP_LOSS,
        OrderType.STOP,
        OrderClass.OCO,
        qty,
        now,
        stop_price=bracket.stop_price,
        parent_id=order_id,
    )
    body = oco_body(
        client_order_id=order_id,
        symbol=bracket.symbol,
        side=bracket.side.opposite.value,
        qty=qty,
        take_profit_price=target_price,
        stop_price=bracket.stop_price,
    )
    return ev.OrderIntended(order=target, body=dict(body), purpose=Purpose.PROTECT, legs=(stop,))


def open_target(bracket: Bracket, orders: Sequence[Order]) -> TargetPart | None:
    """The nearest of several targets with shares that neither left at it nor wait there; None when all do."""
    for part in bracket.targets:
        at = [o for o in orders if o.role is OrderRole.TAKE_PROFIT and o.limit_price == part.price]
        placed = sum((order.filled_qty + order.leaves_qty for order in at), ZERO)
        if placed < part.qty:
            return TargetPart(price=part.price, qty=part.qty - placed)
    return None


def _plan_stop(
    bracket: Bracket, orders: Sequence[Order], qty: Decimal, *, desk_id: str, now: datetime
) -> ev.OrderIntended:
    """Good till canceled; of parts of a share for the day, which is all the broker takes. Of a coin, a stop-limit."""
    order_id = _next_id(bracket, orders, "stop", desk_id)
    a_coin = is_coin(bracket.symbol)
    limit_price = floor_to_tick(bracket.stop_price * (1 - COIN_LIMIT_BELOW)) if a_coin else None
    for_the_day = not a_coin and qty % 1 != 0
    stop = _order(
        bracket,
        order_id,
        OrderRole.STOP_LOSS,
        OrderType.STOP_LIMIT if a_coin else OrderType.STOP,
        OrderClass.SIMPLE,
        qty,
        now,
        stop_price=bracket.stop_price,
        limit_price=limit_price,
        time_in_force=TimeInForce.DAY if for_the_day else TimeInForce.GTC,
    )
    body = simple_body(
        client_order_id=order_id,
        symbol=bracket.symbol,
        side=bracket.side.opposite.value,
        type="stop_limit" if a_coin else "stop",
        qty=qty,
        time_in_force="day" if for_the_day else "gtc",
        stop_price=bracket.stop_price,
        limit_price=limit_price,
        position_intent=_closing_intent(bracket),
    )
    return ev.OrderIntended(order=stop, body=dict(body), purpose=Purpose.PROTECT)


def plan_close(
    bracket: Bracket,
    orders: Sequence[Order],
    qty: Decimal,
    *,
    desk_id: str,
    now: datetime,
    limit_price: Decimal | None = None,
    is_flip: bool = False,
) -> ev.OrderIntended:
    """One order for what is held, under an id of ours, that the broker refuses rather than flips.

    At the market; with ``limit_price`` a limit that also works in extended hours. ``is_flip`` closes shares that are
    held the wrong way, on the entry's own side.
    """
    order_id = _next_id(bracket, orders, "flip" if is_flip else "close", desk_id)
    side = bracket.side if is_flip else bracket.side.opposite
    order = msgspec.structs.replace(
        _order(
            bracket,
            order_id,
            OrderRole.EXIT,
            OrderType.MARKET if limit_price is None else OrderType.LIMIT,
            OrderClass.SIMPLE,
            qty,
            now,
            limit_price=limit_price,
            time_in_force=TimeInForce.GTC if is_coin(bracket.symbol) else TimeInForce.DAY,
        ),
        side=side,
    )
    body = simple_body(
        client_order_id=order_id,
        symbol=bracket.symbol,
        side=side.value,
        type="market" if limit_price is None else "limit",
        qty=qty,
        time_in_force="gtc" if is_coin(bracket.symbol) else "day",
        limit_price=limit_price,
        extended_hours=limit_price is not None,
        position_intent="buy_to_close" if side is Side.BUY else "sell_to_close",
    )
    return ev.OrderIntended(order=order, body=dict(body), purpose=Purpose.CLOSE)


def plan_moved_exit(
    bracket: Bracket,
    orders: Sequence[Order],
    exit_order: Order,
    *,
    stop_price: Decimal | None = None,
    limit_price: Decimal | None = None,
    qty: Decimal | None = None,
    desk_id: str,
    now: datetime,
    actor: str,
) -> ev.ReplaceIntended:
    """An exit at another price, or a plain stop for fewer shares; it covers until its replacement does.

    A stop-limit keeps the distance between its two prices.
    """
    if stop_price is not None and exit_order.type is OrderType.STOP_LIMIT and limit_price is None:
        assert exit_order.limit_price is not None
        assert exit_order.stop_price is not None
        limit_price = exit_order.limit_price + stop_price - exit_order.stop_price
    order_id = _next_id(bracket, orders, "move", desk_id)
    order = _successor(exit_order, order_id, bracket.id, now)
    order = msgspec.structs.replace(
        order,
        qty=qty or exit_order.qty,
        stop_price=stop_price or exit_order.stop_price,
        limit_price=limit_price or exit_order.limit_price,
    )
    body = replace_body(client_order_id=order_id, stop_price=stop_price, limit_price=limit_price, qty=qty)
    return ev.ReplaceIntended(
        order_id=exit_order.id, order=order, body=dict(body), purpose=Purpose.PROTECT, actor=actor
    )


def plan_marketable_target(
    bracket: Bracket,
    orders: Sequence[Order],
    target: Order,
    limit_price: Decimal,
    *,
    desk_id: str,
    now: datetime,
    actor: str,
) -> ev.ReplaceIntended:
    """The way out that never strips the stop: the target's limit is moved through the market."""
    order_id = _next_id(bracket, orders, "patch", desk_id)
    order = msgspec.structs.replace(_successor(target, order_id, bracket.id, now), limit_price=limit_price)
    body = replace_body(client_order_id=order_id, limit_price=limit_price)
    return ev.ReplaceIntended(order_id=target.id, order=order, body=dict(body), purpose=Purpose.CLOSE, actor=actor)


def plan_changed_order(
    bracket: Bracket,
    orders: Sequence[Order],
    order: Order,
    *,
    limit_price: Decimal | None,
    stop_price: Decimal | None,
    qty: Decimal | None,
    desk_id: str,
    now: datetime,
) -> Order:
    """What a person's PATCH makes of an order of the trade: a working entry, a close, or one of several targets."""
    purpose = "reprice" if order.role is OrderRole.ENTRY else "move"
    successor = _successor(order, _next_id(bracket, orders, purpose, desk_id), bracket.id, now)
    return msgspec.structs.replace(
        successor,
        qty=qty or order.qty,
        limit_price=limit_price or order.limit_price,
        stop_price=stop_price or order.stop_price,
    )


def _successor(old: Order, order_id: str, bracket_id: str, now: datetime) -> Order:
    """The order that a PATCH makes of ``old``: its own id, nothing filled, nothing known at the broker yet."""
    return Order(
        id=order_id,
        client_order_id=order_id,
        symbol=old.symbol,
        side=old.side,
        type=old.type,
        order_class=old.order_class,
        role=old.role,
        bracket_id=bracket_id,
        # The target of an OCO is its group's parent: its successor stays in the group of its stop.
        parent_id=old.parent_id or (old.id if old.order_class is OrderClass.OCO else None),
        qty=old.qty,
        time_in_force=old.time_in_force,
        limit_price=old.limit_price,
        stop_price=old.stop_price,
        status=OrderStatus.SENDING,
        replaces=old.id,
        created_at=now,
        status_since=now,
    )


def _closing_intent(bracket: Bracket) -> Literal["sell_to_close", "buy_to_close"]:
    return "sell_to_close" if bracket.side is Side.BUY else "buy_to_close"


def _next_id(bracket: Bracket, orders: Sequence[Order], purpose: str, desk_id: str) -> str:
    """The next unused client id of this purpose, beyond all that a killed process may have used unseen."""
    known = (parts_of(order.id, desk_id) for order in orders)
    taken = max((parts.attempt for parts in known if parts is not None and parts.purpose == purpose), default=0)
    return client_order_id(desk_id, bracket.id, purpose, max(taken, bracket.ids_after) + 1)


def _order(
    bracket: Bracket,
    order_id: str,
    role: OrderRole,
    kind: OrderType,
    order_class: OrderClass,
    qty: Decimal,
    now: datetime,
    *,
    limit_price: Decimal | None = None,
    stop_price: Decimal | None = None,
    parent_id: str | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> Order:
    return Order(
        id=order_id,
        client_order_id=order_id if parent_id is None else None,
        symbol=bracket.symbol,
        side=bracket.side.opposite,
        type=kind,
        order_class=order_class,
        role=role,
        bracket_id=bracket.id,
        parent_id=parent_id,
        qty=qty,
        time_in_force=time_in_force,
        limit_price=limit_price,
        stop_price=stop_price,
        created_at=now,
        status_since=now,
    )
