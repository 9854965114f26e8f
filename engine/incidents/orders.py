"""Orders whose truth at the broker is not known, or does not come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from engine.incidents.scene import COVERS_SHOWN, Scene, about_desk, about_order
from engine.model.incident import Incident, Priority
from engine.model.money import plain
from engine.model.words import OrderRole, OrderStatus

UNKNOWN_GRACE_S: Final = 10.0
STUCK_CANCEL_S: Final = 10.0
TAKEN_BACK_TOLD_S: Final = 900.0
REJECTS_WITHIN_S: Final = 300.0
MANY_REJECTS: Final = 3
"""Trades refused. What one trade is refused, however often, is told by its signal and its own incident; from this many
trades on something is wrong with all of them."""


def unknown(scene: Scene) -> Iterator[Incident]:
    """A write whose fate is not settled."""
    for order_id in scene.book.open_orders:
        order = scene.book.orders[order_id]
        if scene.since_s(order.unresolved_since) > UNKNOWN_GRACE_S:
            yield about_order(
                scene,
                order,
                "unknown",
                Priority.NOW,
                f"{order.symbol}: nobody knows whether the broker has {order.id}",
                "It may fill at any time; entries of this symbol are stopped.",
                "The desk asks again every 5 s, the order says what it heard. Look it up now, or attest after seeing "
                "the broker's own page.",
                buttons=("lookup", "show"),
            )


def refused_in_vain(scene: Scene) -> Iterator[Incident]:
    """The broker said no in its answer, and its own books say yes."""
    for bracket_id in scene.book.open_brackets:
        for order in scene.book.orders_of(bracket_id):
            if order.was_refused_in_vain:
                yield about_order(
                    scene,
                    order,
                    "refused-in-vain",
                    Priority.SOON,
                    f"{order.symbol}: the broker refused {order.id} and has it all the same, as {order.status.value}",
                    "The desk follows the broker's books: the order works, and what it fills is held and protected.",
                    "Compare with the broker's own page; cancel it when it is not wanted any more.",
                    buttons=("show",),
                )


def taken_back(scene: Scene) -> Iterator[Incident]:
    """The venue took back what had been executed: rare enough that a person should know."""
    for order_id, told_at in scene.book.taken_back.items():
        if scene.since_s(told_at) > TAKEN_BACK_TOLD_S:
            continue
        order = scene.book.orders[order_id]
        what = {OrderRole.ENTRY: "the entry", OrderRole.FOREIGN: "another's order"}.get(order.role, "an exit")
        left = f"{plain(order.filled_qty)} of {plain(order.qty)} stand"
        yield about_order(
            scene,
            order,
            "taken-back",
            Priority.SOON,
            f"{order.symbol}: the venue took back {plain(order.busted_qty)} executed shares of {what} ({left})",
            "The trade holds what stands: shares that are back are protected, exits that are too large by now are cut.",
            "Compare position and executions with the broker's own page.",
            buttons=("show",),
        )


def stuck_cancel(scene: Scene) -> Iterator[Incident]:
    """A cancel that the broker took and does not confirm."""
    for order_id in scene.book.open_orders:
        order = scene.book.orders[order_id]
        if scene.cancelling_s(order) > STUCK_CANCEL_S:  # since the first ask: the desk repeats it
            yield about_order(
                scene,
                order,
                "stuck",
                Priority.SOON,
                f"{order.symbol}: the cancel of {order.id} is not confirmed",
                "The order may still fill.",
                "Wait: the desk asks again by itself. If it lasts, only Alpaca's support can end the order.",
                buttons=("show",),
            )


def unrecognised(scene: Scene) -> Iterator[Incident]:
    """A status that this program does not know."""
    for order_id in scene.book.open_orders:
        order = scene.book.orders[order_id]
        if order.status is OrderStatus.UNRECOGNISED:
            yield about_order(
                scene,
                order,
                "unrecognised",
                Priority.SOON,
                f"{order.symbol}: the broker calls {order.id} “{order.raw_status}”",
                "This desk does not know that word and counts the order as no cover.",
                "Look it up, and see the broker's own page.",
                buttons=("lookup", "show"),
            )


def rejected(scene: Scene) -> Iterator[Incident]:
    """The broker refuses one order after the other: one incident, however many there are."""
    recent = {
        order_id: found
        for order_id, found in reversed(scene.book.rejections.items())
        if scene.since_s(found.at) <= REJECTS_WITHIN_S
    }
    newest_first = tuple(recent.values())
    if len({_trade_of(scene, order_id) for order_id in recent}) >= MANY_REJECTS:
        newest = newest_first[0]
        symbols = len({found.symbol for found in newest_first})
        where = newest.symbol if symbols == 1 else f"{symbols} symbols"
        yield msgspec.structs.replace(
            about_desk(
                scene,
                "rejects",
                Priority.SOON,
                f"{where}: the broker refuses orders, the newest: {newest.text}",
                "What was sent does not stand; held shares without exits are told by themselves.",
                "Read the newest refusal; pause the desk or the strategy until its cause is known.",
                buttons=("show",),
            ),
            count=len(newest_first),
            covers=tuple(f"{found.symbol}: {found.text}" for found in newest_first[:COVERS_SHOWN]),
        )


def _trade_of(scene: Scene, order_id: str) -> str:
    order = scene.book.orders.get(order_id)
    return order_id if order is None or order.bracket_id is None else order.bracket_id
