"""From the broker's words to the desk's: wire orders become reports, orders and positions of the model."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from engine.alpaca import wire
from engine.model.account import Account
from engine.model.money import ZERO
from engine.model.order import Evidence, Order, OrderReport
from engine.model.position import Position
from engine.model.words import OrderClass, OrderRole, OrderStatus, OrderType, Side, Source, TimeInForce

STOP_TYPES: Final = frozenset({"stop", "stop_limit", "trailing_stop"})


def evidence(source: Source, evidence_id: str | None, at: datetime) -> Evidence:
    return Evidence(source=source, id=evidence_id, at=at)


def report_from(order: wire.Order, proof: Evidence, update: wire.TradeUpdate | None = None) -> OrderReport:
    """What this message says of ``order``; ``update`` adds the execution it reports."""
    status = word_from(OrderStatus, order.status, OrderStatus.UNRECOGNISED)
    return OrderReport(
        broker_id=order.id,
        status=status,
        evidence=proof,
        raw_status=order.status if status is OrderStatus.UNRECOGNISED else None,
        event=update.event if update else None,
        client_order_id=order.client_order_id or None,
        filled_qty=order.filled_qty,
        filled_avg_price=order.filled_avg_price,
        qty=order.qty,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        updated_at=order.updated_at,
        replaces=order.replaces,
        replaced_by=order.replaced_by,
        execution_id=update.execution_id if update and update.event in ("fill", "partial_fill") else None,
        last_qty=update.qty if update else None,
        last_price=update.price if update else None,
    )


def word_from[W: (OrderType, OrderClass, TimeInForce, OrderStatus)](words: type[W], raw: str, unknown: W) -> W:
    """The wire's word as ours; one that nobody has seen before becomes ``unknown``, never an exception."""
    try:
        return words(raw or "simple")
    except ValueError:
        return unknown


def order_from(found: wire.Order, order_id: str, role: OrderRole, bracket_id: str | None, at: datetime) -> Order:
    """An order that was found at the broker, as one of the book."""
    return Order(
        id=order_id,
        client_order_id=found.client_order_id or None,
        symbol=found.symbol,
        side=Side(found.side) if found.side in ("buy", "sell") else Side.BUY,
        type=word_from(OrderType, found.type, OrderType.MARKET),
        order_class=word_from(OrderClass, found.order_class, OrderClass.SIMPLE),
        role=role,
        bracket_id=bracket_id,
        qty=found.qty if found.qty is not None else ZERO,
        time_in_force=word_from(TimeInForce, found.time_in_force, TimeInForce.DAY),
        limit_price=found.limit_price,
        stop_price=found.stop_price,
        created_at=found.submitted_at or at,
        status_since=at,
    )


def leg_of(legs: tuple[wire.Order, ...], role: OrderRole) -> wire.Order | None:
    """The stop or the target among a group's children, told apart by type: a target is a plain limit."""
    for leg in legs:
        is_stop = leg.type in STOP_TYPES
        if is_stop is (role is OrderRole.STOP_LOSS):
            return leg
    return None


def position_from(found: wire.Position, proof: Evidence) -> Position:
    return Position(symbol=found.symbol, qty=found.qty, avg_entry_price=found.avg_entry_price, evidence=proof)


def account_from(found: wire.Account, request_id: str | None, at: datetime) -> Account:
    return Account(
        account_number=found.account_number,
        status=found.status,
        equity=found.equity or ZERO,
        last_equity=found.last_equity or ZERO,
        cash=found.cash or ZERO,
        buying_power=found.buying_power or ZERO,
        multiplier=found.multiplier or ZERO,
        shorting_enabled=bool(found.shorting_enabled),
        blocked=_why_blocked(found),
        suspended=bool(found.trade_suspended_by_user),
        as_of=at,
        request_id=request_id,
    )


def _why_blocked(found: wire.Account) -> str | None:
    if found.status != "ACTIVE":
        return f"its status is {found.status}"
    if found.account_blocked:
        return "the broker blocked the account"
    if found.trading_blocked:
        return "the broker blocked trading"
    if found.trade_suspended_by_user:
        return "trading was suspended by the user"
    return None
