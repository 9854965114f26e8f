"""An order's state in a few words, beyond its status."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.money import plain
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus


def order_note(order: Order, parent: Order | None, armed: bool) -> str:
    if order.unresolved_since is not None:
        return "fate at the broker unknown"
    if order.status is OrderStatus.SENDING:
        return "no answer yet"
    if order.cancel_requested_at is not None and order.is_open:
        return "cancel asked"
    if order.status is OrderStatus.HELD:
        if armed:
            return "held is normal"
        entering = parent is not None and parent.role is OrderRole.ENTRY and parent.is_open
        return "waits for the fill" if entering else "not armed"
    if order.busted_qty > 0:
        return f"{plain(order.busted_qty)} executed and taken back by the venue"
    if order.last_error is not None:
        return order.last_error
    return "" if order.order_class.value == "simple" else order.order_class.value


def nothing_entered(orders: Iterable[Order], is_closed: bool) -> str:
    """What became of a trade whose entries have no executions that stand."""
    if any(order.role is OrderRole.ENTRY and order.busted_qty > 0 for order in orders):
        return "taken back by the venue"
    return "nothing filled" if is_closed else ""
