"""Stage *protect*: the orders that cover or close what a trade holds, when its native exits do not.

Every function plans one journaled write; sending is the gateway's work, deciding the supervisor's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from engine.alpaca.bodies import oco_body, replace_body, simple_body
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.ids import client_order_id, leg_id, parts_of
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.targets import TargetPart
from engine.model.words import OrderClass, OrderRole, OrderStatus, OrderType, Purpose, Side, TimeInForce


def plan_exits(
    bracket: Bracket, orders: Sequence[Order], qty: Decimal, *, desk_id: str, now: datetime
) -> ev.OrderIntended:
    """Stop and target for ``qty`` held shares as one OCO; a plain stop when the trade has no target."""
    if bracket.take_profit_price is None:
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
    order_id = _next_id(bracket, orders, "stop", desk_id)
    stop = _order(
        bracket,
        order_id,
        OrderRole.STOP_LOSS,
        OrderType.STOP,
        OrderClass.SIMPLE,
        qty,
        now,
        stop_price=bracket.stop_price,
    )
    body = simple_body(
        client_order_id=order_id,
        symbol=bracket.symbol,
        side=bracket.side.opposite.value,
        type="stop",
        qty=qty,
        time_in_force="gtc",
        stop_price=bracket.stop_price,
        position_intent=_closing_intent(bracket),
    )
    return ev.OrderIntended(order=stop, body=dict(body), purpose=Purpose.PROTECT)


def plan_close(
    bracket: Bracket, orders: Sequence[Order], qty: Decimal, *, desk_id: str, now: datetime
) -> ev.OrderIntended:
    """One market order for what is held, under an id of ours, that the broker refuses rather than flips."""
    order_id = _next_id(bracket, orders, "close", desk_id)
    order = _order(
        bracket,
        order_id,
        OrderRole.EXIT,
        OrderType.MARKET,
        OrderClass.SIMPLE,
        qty,
        now,
        time_in_force=TimeInForce.DAY,
    )
    body = simple_body(
        client_order_id=order_id,
        symbol=bracket.symbol,
        side=bracket.side.opposite.value,
        type="market",
        qty=qty,
        time_in_force="day",
        position_intent=_closing_intent(bracket),
    )
    return ev.OrderIntended(order=order, body=dict(body), purpose=Purpose.CLOSE)


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
    order = Order(
        id=order_id,
        client_order_id=order_id,
        symbol=target.symbol,
        side=target.side,
        type=target.type,
        order_class=target.order_class,
        role=target.role,
        bracket_id=bracket.id,
        parent_id=target.parent_id,
        qty=target.qty,
        time_in_force=target.time_in_force,
        limit_price=limit_price,
        filled_qty=Decimal(0),
        status=OrderStatus.SENDING,
        replaces=target.id,
        created_at=now,
        status_since=now,
    )
    body = replace_body(client_order_id=order_id, limit_price=limit_price)
    return ev.ReplaceIntended(order_id=target.id, order=order, body=dict(body), purpose=Purpose.CLOSE, actor=actor)


def _closing_intent(bracket: Bracket) -> Literal["sell_to_close", "buy_to_close"]:
    return "sell_to_close" if bracket.side is Side.BUY else "buy_to_close"


def _next_id(bracket: Bracket, orders: Sequence[Order], purpose: str, desk_id: str) -> str:
    """The next unused client id of this purpose: derivable from the orders alone, also after a crash."""
    known = (parts_of(order.id, desk_id) for order in orders)
    taken = max((parts.attempt for parts in known if parts is not None and parts.purpose == purpose), default=0)
    return client_order_id(desk_id, bracket.id, purpose, taken + 1)


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
