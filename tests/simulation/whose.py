"""Whose an order at the broker is, and what for: told by the client ids, as nothing else tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.exchange.orders import Order as BrokerOrder
from engine.model.ids import bracket_id_of

if TYPE_CHECKING:
    from tests.simulation.world import World

OURS: Final = "gl-"
"""How every client order id of this desk begins."""


def enters(order: BrokerOrder) -> bool:
    """The parent of a group, or an entry of ours that goes alone: the broker tells them apart by nothing but our id."""
    return order.role == "entry" or any(f"-{word}-" in order.client_order_id for word in ("entry", "reprice"))


def group_of(world: World, order: BrokerOrder) -> str:
    """What all exits share that close the same shares: their group's parent, through all replacements."""
    orders = world.broker.exchange.floor.orders
    while (earlier := orders.get(order.replaces or order.parent_id or "")) is not None:
        order = earlier
    return order.id


def is_foreign(world: World, order: BrokerOrder) -> bool:
    """Not made by us: neither it, nor its group's parent, nor what it replaces, carries an id of ours."""
    orders = world.broker.exchange.floor.orders
    while not order.client_order_id.startswith(OURS):
        earlier = orders.get(order.replaces or order.parent_id or "")
        if earlier is None:
            return True
        order = earlier
    return False


def is_entry(client_order_id: str) -> bool:
    return "-entry-" in client_order_id


def bracket_of(client_order_id: str) -> str:
    """``gl-7f3a2c-000017r2-entry-1`` belongs to ``b000017r2``."""
    parts = client_order_id.split("-")
    return bracket_id_of("s" + parts[2]) if len(parts) == 5 else client_order_id
