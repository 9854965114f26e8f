"""Positions that would go into the night without a stop at the broker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from engine.incidents.scene import Scene, about_bracket
from engine.model.incident import Incident, Priority
from engine.model.money import ZERO, plain
from engine.model.words import OrderRole, TimeInForce
from engine.protection.carry import closing_soon
from engine.protection.ledger import is_armed

NOW_BEFORE: Final = timedelta(minutes=10)
"""Priority 1 well before the last five minutes, in which the broker takes no more orders for the close."""
REPLACING_S: Final = 5.0


def carried_bare(scene: Scene) -> Iterator[Incident]:
    """In the last fifteen minutes of the core session: shares whose stop does not outlive the close."""
    closes_at = scene.world.session_changes_at
    if closes_at is None or not closing_soon(scene.world, scene.now):
        return
    for bracket_id in scene.book.open_brackets:
        bracket, cover = scene.book.brackets[bracket_id], scene.book.cover(bracket_id)
        orders = {order.id: order for order in scene.book.orders_of(bracket_id)}
        stops = [
            order
            for order in orders.values()
            if order.role is OrderRole.STOP_LOSS
            and order.time_in_force is TimeInForce.GTC
            and is_armed(order, orders.get(order.parent_id or ""))
        ]
        short = cover.held - min(cover.held, sum((order.leaves_qty for order in stops), ZERO))
        changed_s = min((scene.since_s(order.status_since) for order in orders.values()), default=0.0)
        if short <= 0 or bracket.exit_requested_at is not None or changed_s < REPLACING_S:
            continue
        yield about_bracket(
            scene,
            bracket,
            "carry",
            Priority.NOW if closes_at - scene.now <= NOW_BEFORE else Priority.SOON,
            f"{plain(short)} {bracket.symbol} would be carried over the close without a stop",
            bracket.last_error or "No stop that is good till canceled stands at the broker for them.",
            "Flatten before the close, or press Retry.",
            buttons=("flatten", "retry", "show"),
            deadline_at=closes_at,
        )
