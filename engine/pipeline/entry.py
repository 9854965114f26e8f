"""Stage *submit*: the one request that enters a position together with its exits.

Whole shares in the regular session go out as a native group, ``gtc``: atomic, and the exits outlive the day. An entry
that should live only for the day is cancelled by the desk before the close (``protection/overnight.py``).
"""

from __future__ import annotations

from datetime import datetime

from engine.alpaca.bodies import bracket_body, oto_body
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.ids import client_order_id, leg_id
from engine.model.order import Order
from engine.model.words import OrderClass, OrderRole, OrderType, Purpose, TimeInForce
from engine.pipeline.decide import Decision


def plan_entry(
    decision: Decision, *, desk_id: str, bracket_id: str, now: datetime
) -> tuple[ev.BracketOpened, ev.OrderIntended]:
    """The trade and its entry group. ``decision`` must carry a stop and a quantity: the gate sees to that."""
    signal, plan = decision.case.signal, decision.case.plan
    stop, target = plan.levels.stop_price, plan.levels.take_profit_price
    assert stop is not None
    assert plan.qty >= 1
    entry_id = client_order_id(desk_id, bracket_id, "entry", 1)
    entry_type = OrderType.LIMIT if plan.limit_price is not None else OrderType.MARKET
    order_class = OrderClass.BRACKET if target is not None else OrderClass.OTO
    entry = Order(
        id=entry_id,
        client_order_id=entry_id,
        symbol=signal.symbol,
        side=signal.side,
        type=entry_type,
        order_class=order_class,
        role=OrderRole.ENTRY,
        bracket_id=bracket_id,
        qty=plan.qty,
        time_in_force=TimeInForce.GTC,
        limit_price=plan.limit_price,
        created_at=now,
        status_since=now,
    )
    legs = [_leg(entry, OrderRole.STOP_LOSS, now, decision)]
    if target is not None:
        legs.insert(0, _leg(entry, OrderRole.TAKE_PROFIT, now, decision))
        body = bracket_body(
            client_order_id=entry_id,
            symbol=signal.symbol,
            side=signal.side.value,
            qty=plan.qty,
            limit_price=plan.limit_price,
            take_profit_price=target,
            stop_price=stop,
            stop_limit_price=plan.levels.stop_limit_price,
        )
    else:
        body = oto_body(
            client_order_id=entry_id,
            symbol=signal.symbol,
            side=signal.side.value,
            qty=plan.qty,
            limit_price=plan.limit_price,
            stop_price=stop,
            stop_limit_price=plan.levels.stop_limit_price,
        )
    bracket = Bracket(
        id=bracket_id,
        signal_id=signal.id,
        strategy=signal.strategy,
        symbol=signal.symbol,
        side=signal.side,
        qty=plan.qty,
        stop_price=stop,
        take_profit_price=target,
        opened_at=now,
    )
    intent = ev.OrderIntended(order=entry, body=dict(body), purpose=Purpose.ENTRY, legs=tuple(legs))
    return ev.BracketOpened(bracket=bracket), intent


def _leg(entry: Order, role: OrderRole, now: datetime, decision: Decision) -> Order:
    levels = decision.case.plan.levels
    is_stop = role is OrderRole.STOP_LOSS
    stop_type = OrderType.STOP_LIMIT if levels.stop_limit_price is not None else OrderType.STOP
    return Order(
        id=leg_id(entry.id, "sl" if is_stop else "tp"),
        client_order_id=None,
        symbol=entry.symbol,
        side=entry.side.opposite,
        type=stop_type if is_stop else OrderType.LIMIT,
        order_class=entry.order_class,
        role=role,
        bracket_id=entry.bracket_id,
        parent_id=entry.id,
        qty=entry.qty,
        time_in_force=TimeInForce.GTC,
        limit_price=levels.stop_limit_price if is_stop else levels.take_profit_price,
        stop_price=levels.stop_price if is_stop else None,
        created_at=now,
        status_since=now,
    )
