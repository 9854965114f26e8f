"""Stage *submit*: the requests that enter a position together with its exits.

Whole shares in the regular session go out as native groups, ``gtc``: atomic, and the exits outlive the day. An entry
that should live only for the day is cancelled by the desk before the close (``protection/overnight.py``). A group has
one target, so a trade with several is entered by as many groups, all with the same stop. The broker takes no groups of
coins: such an entry goes alone, and its stop follows the fill.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from engine.alpaca.bodies import Body, bracket_body, oto_body, simple_body
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.ids import client_order_id, leg_id
from engine.model.order import Order
from engine.model.symbols import is_coin
from engine.model.words import OrderClass, OrderRole, OrderType, Purpose, TimeInForce
from engine.pipeline.decide import Decision


class EntryGroup(msgspec.Struct, frozen=True, kw_only=True):
    """All that one approval sends: one trade, and the intents of its requests in the order of their ids."""

    opened: ev.BracketOpened
    intents: tuple[ev.OrderIntended, ...]


def plan_entry(decision: Decision, *, desk_id: str, bracket_id: str, now: datetime) -> EntryGroup:
    """The trade and its entry group. ``decision`` must carry a stop and a quantity: the gate sees to that."""
    signal, plan = decision.case.signal, decision.case.plan
    stop, target = plan.levels.stop_price, plan.levels.take_profit_price
    assert stop is not None
    assert plan.qty > 0
    first_id = client_order_id(desk_id, bracket_id, "entry", 1)
    parts: tuple[tuple[Decimal, Decimal | None], ...] = tuple((part.qty, part.price) for part in plan.targets)
    if plan.extended or is_coin(signal.symbol):
        intents: tuple[ev.OrderIntended, ...] = (_alone(decision, first_id, bracket_id, now),)
    else:
        intents = tuple(
            _group(decision, qty, price, client_order_id(desk_id, bracket_id, "entry", number), bracket_id, now)
            for number, (qty, price) in enumerate(parts or ((plan.qty, target),), start=1)
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
        targets=plan.targets,
        follow=plan.follow,
        trail=plan.trail,
    )
    return EntryGroup(opened=ev.BracketOpened(bracket=bracket), intents=intents)


def _alone(decision: Decision, entry_id: str, bracket_id: str, now: datetime) -> ev.OrderIntended:
    """An entry whose exits follow: a limit good in the extended hours of its day, or any entry of a coin."""
    signal, plan = decision.case.signal, decision.case.plan
    assert plan.limit_price is not None or not plan.extended
    kind = OrderType.MARKET if plan.limit_price is None else OrderType.LIMIT
    tif = TimeInForce.DAY if plan.extended else TimeInForce.GTC
    entry = Order(
        id=entry_id,
        client_order_id=entry_id,
        symbol=signal.symbol,
        side=signal.side,
        type=kind,
        order_class=OrderClass.SIMPLE,
        role=OrderRole.ENTRY,
        bracket_id=bracket_id,
        qty=plan.qty,
        time_in_force=tif,
        limit_price=plan.limit_price,
        created_at=now,
        status_since=now,
    )
    body = simple_body(
        client_order_id=entry_id,
        symbol=signal.symbol,
        side=signal.side.value,
        type="market" if plan.limit_price is None else "limit",
        qty=plan.qty,
        limit_price=plan.limit_price,
        time_in_force="day" if plan.extended else "gtc",
        extended_hours=plan.extended,
    )
    return ev.OrderIntended(order=entry, body=dict(body), purpose=Purpose.ENTRY)


def _group(
    decision: Decision, qty: Decimal, target: Decimal | None, entry_id: str, bracket_id: str, now: datetime
) -> ev.OrderIntended:
    """One native group for ``qty`` shares: a bracket, or an OTO without a target."""
    signal, plan = decision.case.signal, decision.case.plan
    entry = Order(
        id=entry_id,
        client_order_id=entry_id,
        symbol=signal.symbol,
        side=signal.side,
        type=OrderType.LIMIT if plan.limit_price is not None else OrderType.MARKET,
        order_class=OrderClass.BRACKET if target is not None else OrderClass.OTO,
        role=OrderRole.ENTRY,
        bracket_id=bracket_id,
        qty=qty,
        time_in_force=TimeInForce.GTC,
        limit_price=plan.limit_price,
        created_at=now,
        status_since=now,
    )
    legs = [_leg(entry, OrderRole.STOP_LOSS, now, decision, None)]
    if target is not None:
        legs.insert(0, _leg(entry, OrderRole.TAKE_PROFIT, now, decision, target))
    body = _body(decision, qty, target, entry_id)
    return ev.OrderIntended(order=entry, body=dict(body), purpose=Purpose.ENTRY, legs=tuple(legs))


def _body(decision: Decision, qty: Decimal, target: Decimal | None, entry_id: str) -> Body:
    signal, plan = decision.case.signal, decision.case.plan
    stop = plan.levels.stop_price
    assert stop is not None
    if target is None:
        return oto_body(
            client_order_id=entry_id,
            symbol=signal.symbol,
            side=signal.side.value,
            qty=qty,
            limit_price=plan.limit_price,
            stop_price=stop,
            stop_limit_price=plan.levels.stop_limit_price,
        )
    return bracket_body(
        client_order_id=entry_id,
        symbol=signal.symbol,
        side=signal.side.value,
        qty=qty,
        limit_price=plan.limit_price,
        take_profit_price=target,
        stop_price=stop,
        stop_limit_price=plan.levels.stop_limit_price,
    )


def _leg(entry: Order, role: OrderRole, now: datetime, decision: Decision, target: Decimal | None) -> Order:
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
        limit_price=levels.stop_limit_price if is_stop else target,
        stop_price=levels.stop_price if is_stop else None,
        created_at=now,
        status_since=now,
    )
