"""What of an order can be changed by hand, what it would mean, and why not. Views in, words out."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from engine.model.commands import OrderChange
from engine.model.words import OrderClass, OrderRole, OrderStatus, OrderType
from engine.views import BracketView, OrderView
from gui import formatting as say
from gui.exit_words import Exit, moved_words, why_not
from gui.status_words import role_words

type Number = Literal["limit_price", "stop_price", "qty"]

_LIMITS: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_CHANGEABLE: Final = frozenset(
    {OrderStatus.NEW, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.HELD, OrderStatus.PENDING_NEW}
)
_EXITS: Final[dict[OrderRole, Exit]] = {OrderRole.STOP_LOSS: "stop", OrderRole.TAKE_PROFIT: "target"}


def changeable(order: OrderView) -> frozenset[Number]:
    """The numbers of it that the broker would change now; empty when there are none."""
    if order.status not in _CHANGEABLE or order.broker_id is None or order.unresolved_since is not None:
        return frozenset()
    found: set[Number] = set()
    if order.type in _LIMITS:
        found.add("limit_price")
    if order.type in _STOPS:
        found.add("stop_price")
    if order.order_class is OrderClass.SIMPLE and order.role is not OrderRole.STOP_LOSS:
        found.add("qty")
    return frozenset(found)


def filled_tip(order: OrderView) -> str:
    """What the executed quantity leaves out; nothing where it leaves out nothing."""
    if not order.busted_qty:
        return ""
    return f"{say.qty(order.filled_qty)} executed and stand · {say.qty(order.busted_qty)} taken back by the venue"


def exit_of(order: OrderView, trade: BracketView | None) -> Exit | None:
    """Which exit of its trade the order is, when moving it moves that."""
    if trade is None or len(trade.targets) > 1:
        return None
    return _EXITS.get(order.role)


def change_sentence(order: OrderView, change: OrderChange) -> str:
    """``Change the entry of 10 JPM: limit 309.50 → 308.90``."""
    parts = [
        f"{name} {show(now)} → {show(to)}"
        for name, now, to, show in (
            ("quantity", order.qty, change.qty, say.qty),
            ("limit", order.limit_price, change.limit_price, say.price),
            ("stop", order.stop_price, change.stop_price, say.price),
        )
        if to is not None
    ]
    what = f"the {role_words(order)} of {say.qty(order.qty)} {order.symbol}"
    return f"Change {what}: {', '.join(parts)}" if parts else f"Change {what}"


def change_against(order: OrderView, trade: BracketView | None, change: OrderChange) -> str | None:
    """Why it cannot be so: the desk or the broker would refuse it."""
    if change.qty is not None and change.qty <= order.filled_qty:
        return f"{say.qty(order.filled_qty)} have been filled already: cancel the rest instead."
    which = exit_of(order, trade)
    at = _exit_price(which, change)
    if which is not None and trade is not None and at is not None:
        against = why_not(trade, which, at)
        return f"{say.sentence(against)}." if against is not None else None
    if order.role is OrderRole.ENTRY and trade is not None and trade.stop_price is not None:
        limit = change.limit_price
        if limit is not None and (limit - trade.stop_price) * trade.side.sign <= 0:
            return f"An entry there lies beyond its own stop at {say.price(trade.stop_price)}."
    return None


def change_means(order: OrderView, trade: BracketView | None, change: OrderChange) -> str:
    """What follows from it, in a sentence."""
    which = exit_of(order, trade)
    at = _exit_price(which, change)
    if which is not None and trade is not None and at is not None and trade.held_qty > 0:
        return f"{moved_words(trade, which, at)}."
    if order.role is OrderRole.ENTRY:
        limit, qty = change.limit_price or order.limit_price, change.qty or order.qty
        cost = f"{say.money(limit * qty)} instead of {say.money(_cost(order))}" if limit is not None else ""
        return f"{cost}. What costs or risks more passes every rule again." if cost else ""
    return ""


def _exit_price(which: Exit | None, change: OrderChange) -> Decimal | None:
    return change.stop_price if which == "stop" else change.limit_price if which == "target" else None


def _cost(order: OrderView) -> Decimal | None:
    return order.limit_price * order.qty if order.limit_price is not None else None
