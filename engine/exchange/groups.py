"""How the legs of bracket, OTO and OCO orders follow each other.

The rules that surprise, and on which a client's protection hangs:

- Exits are ``held`` and not effective until the entry is *completely* filled; cancelling a partly filled entry takes
  its exits with it.
- After the entry's fill the target is ``new`` while the stop stays ``held``: Alpaca watches its trigger. The single
  exit of an OTO becomes ``new``.
- The two exits reserve the position's shares once. One exit's end is the other's, except that a stop that triggers
  first takes the target out of the market and then goes in itself.

Source: docs.alpaca.markets/docs/orders-at-alpaca, "Bracket Orders"; forum.alpaca.markets/t/3697.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from engine.exchange.orders import ZERO, Order

if TYPE_CHECKING:
    from engine.exchange.floor import Floor
    from engine.exchange.matching import Matching


class Groups:
    """Leg behaviour; called by ``Matching`` after it has changed one order."""

    def __init__(self, floor: Floor, matching: Matching) -> None:
        self._floor = floor
        self._matching = matching

    def on_routed(self, order: Order) -> None:
        """An OCO's target is at the venue: its stop is watched from now on."""
        if order.order_class == "oco" and order.parent_id is None:
            for leg in self._floor.orders.legs(order):
                self._watch(leg)

    def on_execution(self, order: Order, qty: Decimal, *, complete: bool) -> None:
        """Arms the exits of a filled entry; lets the other exit follow an exit's execution."""
        if order.role == "entry":
            if complete:
                self._matching.later(partial(self._arm, order))
            return
        for sibling in self._floor.orders.siblings(order):
            if not sibling.is_live:
                continue
            if complete and self._both_fill(order, sibling):
                continue
            if not complete and order.role == "take_profit" and self._floor.faults.kills_legs(order):
                self._matching.finish(order, "canceled")
                continue
            if complete:
                self._matching.later(partial(self._end_sibling, sibling))
            elif sibling.role == "stop_loss":
                self._resize(sibling, qty)

    def on_triggered(self, stop: Order) -> None:
        """A stop's price was seen: the target leaves the market before the stop enters it."""
        stop.triggered = True
        hold = stop.hold
        for sibling in self._floor.orders.siblings(stop):
            if sibling.is_live:
                hold += sibling.hold
                self._end_sibling(sibling)
        if stop.is_live:
            self._floor.account.reserve(stop, hold=min(hold, stop.leaves_qty) if hold else ZERO)
        if stop.status == "held":
            stop.status = "new"
            stop.routed = True
            self._floor.touch(stop)
            self._floor.emit("new", stop)
        else:
            self._floor.touch(stop)

    def on_dead(self, order: Order, status: str) -> None:
        """An entry takes its exits with it, an exit its sibling."""
        followers = self._floor.orders.legs(order) if order.role == "entry" else self._floor.orders.siblings(order)
        for follower in followers:
            if not follower.is_live or (order.is_leg and follower.triggered):
                continue
            if status == "expired":
                self._matching.finish(follower, "expired")
            else:
                self._matching.later(partial(self._end_sibling, follower))

    def on_replaced(self, old: Order, new: Order) -> None:
        """The replacement takes the old order's place in its group."""
        orders = self._floor.orders
        if old.parent_id is not None:
            parent = orders[old.parent_id]
            parent.leg_ids = [new.id if leg_id == old.id else leg_id for leg_id in parent.leg_ids]
            self._floor.touch(parent)
        for leg in orders.legs(old):
            leg.parent_id = new.id
            self._floor.touch(leg)
        new.leg_ids, old.leg_ids = old.leg_ids, list(old.leg_ids)

    def resume(self) -> None:
        """After a restart: entries that filled and whose exits were not armed yet."""
        for leg in self._floor.orders.live():
            if leg.is_leg and not leg.armed and leg.parent_id is not None:
                parent = self._floor.orders[leg.parent_id]
                if parent.role == "entry" and parent.status == "filled":
                    self._matching.later(partial(self._arm, parent))

    def _both_fill(self, order: Order, sibling: Order) -> bool:
        """In a fast market both exits execute: the second opens a position the other way."""
        if not self._floor.faults.fills_both(order):
            return False
        price = sibling.stop_price or sibling.limit_price
        assert price is not None
        self._matching.execute(sibling, sibling.leaves_qty, price)
        return True

    def _arm(self, entry: Order) -> None:
        """Makes the exits of a completely filled entry effective, or rejects them where a fault says so."""
        legs = [leg for leg in self._floor.orders.legs(entry) if leg.is_live and not leg.armed]
        if not legs or self._floor.faults.leaves_held(entry):
            return
        if self._floor.faults.rejects_legs(entry):
            for leg in legs:
                self._matching.finish(leg, "rejected")
            return
        for leg in legs:
            if leg.role == "stop_loss" and len(entry.leg_ids) > 1:
                self._watch(leg)
                continue
            leg.armed = leg.routed = True
            if leg.status == "held":
                leg.status = "new"
            self._floor.account.reserve(leg, hold=leg.leaves_qty)
            leg.submitted_at = self._floor.now_ns()
            self._floor.touch(leg)
            self._floor.emit("new", leg)
            self._matching.engage(leg)

    def _watch(self, stop: Order) -> None:
        """A stop leg that is effective while its status stays ``held``; its target holds the shares."""
        if not stop.is_live or stop.armed:
            return
        stop.armed = True
        self._floor.touch(stop)
        self._matching.engage(stop)

    def _end_sibling(self, order: Order) -> None:
        if order.is_live:
            self._matching.finish(order, "canceled", silent=not self._floor.settings.sibling_cancel_event)

    def _resize(self, stop: Order, executed: Decimal) -> None:
        """The stop covers what the partly filled target has left."""
        assert stop.qty is not None
        if stop.leaves_qty <= executed:
            return  # both exits have executed; what is left of either is the client's to sort out
        if not self._floor.settings.resize_stop_by_replacing:
            stop.qty -= executed
            self._floor.touch(stop)
            return
        self._matching.replace_at_once(stop, stop.qty - executed)
