"""What happens to one order: acceptance, routing, execution, cancel, replace, expiry.

An order is routed one venue delay after its acceptance and executed one more after that. Cancels and replaces are
asynchronous: until they are through, the order is still at the venue and an execution can win the race. Executions
follow Alpaca's paper rules: against the quote, regardless of its size. How legs follow their group stands in
``groups.py``.

Source: docs.alpaca.markets/docs/orders-at-alpaca, /docs/paper-trading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, Decimal
from functools import partial
from math import inf

import msgspec

from engine.exchange.floor import Execution, Floor, decimal_price
from engine.exchange.groups import Groups
from engine.exchange.market import Tick
from engine.exchange.orders import AT_VENUE, STOPS, ZERO, Order
from engine.exchange.wire import activity_stamp

FRACTION_STEP = Decimal("0.000000001")
"""Alpaca's finest quantity."""
POWER_STEP = Decimal("0.0001")
"""Reservations are kept on this grid, so that their running sum stays exact."""


class Matching:
    """Moves orders through their life. Every public method leaves the floor consistent."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._groups = Groups(floor, self)

    # -- in ---------------------------------------------------------------------------------------------------------

    def accept(self, order: Order, legs: list[Order]) -> None:
        """Takes an admitted order, with its legs, into the book."""
        floor = self._floor
        now_ns = floor.now_ns()
        for each in (order, *legs):
            each.created_at = each.submitted_at = each.updated_at = now_ns
            floor.orders.add(each)
            floor.changed.orders[each.id] = each
        order.status = "pending_new" if floor.is_tradable(order) else "accepted"
        floor.emit(order.status, order)
        for leg in legs:
            leg.status = "held"
            floor.emit("held", leg)
        if order.status == "pending_new":
            floor.after_venue(partial(self.route, order))

    def route(self, order: Order) -> None:
        """The venue takes the order: ``new``."""
        if order.status not in {"pending_new", "accepted"}:
            return
        order.status = "new"
        order.routed = True
        self._floor.touch(order)
        self._floor.emit("new", order)
        self._groups.on_routed(order)
        self.engage(order)

    def engage(self, order: Order) -> None:
        """Lets the market act on an order that is at the venue."""
        floor = self._floor
        if order.time_in_force == "cls":
            return  # waits for ``closing_auction``
        if order.type in STOPS and not order.triggered:
            floor.book_of(order.symbol).rest_stop(order)
            return
        if order.type in {"limit", "stop_limit"}:
            floor.book_of(order.symbol).rest_limit(order)
        floor.after_venue(partial(self._try_now, order))

    def _try_now(self, order: Order) -> None:
        self.try_execute(order)
        if order.time_in_force in {"ioc", "fok", "opg"} and order.status in AT_VENUE:
            self.finish(order, "canceled")

    def queue_opens(self) -> None:
        """Routes what waited for the session, and completes the cancels that waited for the venue to answer."""
        for order in self._floor.orders.live():
            if not self._floor.is_tradable(order):
                continue
            if order.status == "accepted":
                self.route(order)
            elif order.status == "pending_cancel":
                self._floor.after_venue(partial(self.answer_cancel, order))

    def reopen(self, symbol: str) -> None:
        """After a halt: what was at the venue meets the market again."""
        for order in self._floor.orders.live_in(symbol):
            if self.is_working(order):
                self.engage(order)

    # -- executions -------------------------------------------------------------------------------------------------

    def is_working(self, order: Order) -> bool:
        """Whether the market may act on it: at the venue, or a stop leg that Alpaca watches while it is ``held``."""
        if order.status not in AT_VENUE and not (order.status == "held" and order.armed):
            return False
        if order.is_leg and order.parent_id is not None and not order.armed:
            return False  # its entry has not filled, whatever becomes of a wish to cancel it
        if order.replaces is not None and order.status == "new" and not order.routed:
            return False  # its predecessor is still the one at the venue
        return order.qty is None or order.qty > order.filled_qty

    def on_tick(self, tick: Tick) -> None:
        """Triggers the stops and fills the limits that a tick reaches."""
        floor = self._floor
        book = floor.resting.get(tick.symbol)
        if book is None:
            return
        quote = floor.market.quote(tick.symbol)
        low, high = (tick.trade.price, tick.trade.price) if tick.trade else (inf, -inf)
        for order in book.trailing():
            self._trail(order, low)
        stops = book.reached_stops(quote, low, high, self.is_working)
        for order in stops:
            if order.triggered:
                continue
            if floor.is_tradable(order):
                self._groups.on_triggered(order)
                self.engage(order)
            else:
                book.rest_stop(order)
        for order in book.crossed_limits(quote, low, high, self.is_working):
            self.try_execute(order, traded=decimal_price(tick.trade.price) if tick.trade else None)
            if self.is_working(order):
                book.rest_limit(order)

    def _trail(self, order: Order, traded: float) -> None:
        """Moves a trailing stop with the best trade seen, or triggers it; ``traded`` is infinite without a trade."""
        if traded == inf or not self._floor.is_tradable(order):
            return
        price = decimal_price(traded)
        assert order.hwm is not None
        assert order.stop_price is not None
        if (price > order.hwm) if not order.is_buy else (price < order.hwm):
            order.hwm = price
            order.stop_price = trailing_stop_price(order, price)
            self._floor.touch(order)
        elif (price <= order.stop_price) if not order.is_buy else (price >= order.stop_price):
            self._groups.on_triggered(order)
            self.engage(order)

    def execution_price(self, order: Order, traded: Decimal | None = None) -> Decimal | None:
        """The price at which the order would execute now, or None: market at the touch, limits no worse."""
        quote = self._floor.market.quote(order.symbol)
        touch = decimal_price(quote.ask if order.is_buy else quote.bid)
        limit = order.limit_price
        if limit is None:
            return touch
        if (touch <= limit) if order.is_buy else (touch >= limit):
            return touch
        if traded is not None and ((traded <= limit) if order.is_buy else (traded >= limit)):
            return limit
        return None

    def try_execute(self, order: Order, *, traded: Decimal | None = None) -> None:
        """Executes the order if the market lets it: whole, or a part first where settings or faults say so."""
        floor = self._floor
        if not self.is_working(order) or floor.market.is_halted(order.symbol) or not floor.is_tradable(order):
            return
        if order.status == "held" or (order.type in STOPS and not order.triggered):
            return
        price = self.execution_price(order, traded)
        if price is None:
            return
        if order.qty is None:
            assert order.notional is not None
            order.qty = (order.notional / price).quantize(FRACTION_STEP, ROUND_DOWN)
        leaves = order.leaves_qty
        part = self._first_part(order)
        if part is None or order.time_in_force == "fok":
            self.execute(order, leaves, price)
            return
        self.execute(order, part, price)
        floor.after(floor.rng.uniform(0.1, 0.9), partial(self.try_execute, order))

    def _first_part(self, order: Order) -> Decimal | None:
        """How much of an untouched order comes first, or None for all of it."""
        if order.filled_qty or order.leaves_qty < 2:
            return None
        forced = self._floor.faults.partial_fill(order)
        if forced is not None:
            return forced if ZERO < forced < order.leaves_qty else None
        rate = self._floor.settings.partial_fill_rate
        if rate <= 0.0 or self._floor.rng.random() >= rate:
            return None
        return Decimal(self._floor.rng.randint(1, int(order.leaves_qty) - 1))

    def execute(self, order: Order, qty: Decimal, price: Decimal) -> None:
        """Books an execution of ``qty`` at ``price`` and tells the stream and the group."""
        floor = self._floor
        assert order.qty is not None
        assert ZERO < qty <= order.leaves_qty
        position_qty = floor.account.execute(order.symbol, order.side, qty, price)
        power = (order.buying_power * (order.leaves_qty - qty) / order.leaves_qty).quantize(POWER_STEP)
        order.filled_qty += qty
        order.filled_value += qty * price
        complete = order.filled_qty == order.qty
        now_ns = floor.now_ns()
        order.filled_at = now_ns
        if complete:
            order.status = "filled"
            order.status_before = ""
            floor.account.release(order)
        else:
            if order.status not in {"pending_cancel", "pending_replace"}:
                order.status = "partially_filled"
            floor.account.reserve(order, hold=max(order.hold - qty, ZERO), power=power)
        floor.touch(order)
        floor.changed.positions.add(order.symbol)
        floor.changed.account = True
        execution_id = floor.new_id()
        kind = "fill" if complete else "partial_fill"
        execution = Execution(
            id=f"{activity_stamp(now_ns)}::{execution_id}",
            execution_id=execution_id,
            order_id=order.id,
            symbol=order.symbol,
            side=order.side,
            type=kind,
            price=price,
            qty=qty,
            cum_qty=order.filled_qty,
            leaves_qty=order.leaves_qty,
            order_status=order.status,
            at_ns=now_ns,
        )
        floor.executions.append(execution)
        floor.changed.executions.append(execution)
        floor.emit(kind, order, execution_id=execution_id, price=price, qty=qty, position_qty=position_qty)
        self._groups.on_execution(order, qty, complete=complete)

    def take_back(self, order: Order, execution: Execution) -> None:
        """Undoes an execution in the account, as a bust does, and tells the stream."""
        floor = self._floor
        for counted in (order, *self._successors(order)):  # a replacement carries on what its predecessor had executed
            counted.filled_qty -= execution.qty
            counted.filled_value -= execution.qty * execution.price
            floor.touch(counted)
        if order.is_live and order.hold > 0:
            floor.account.reserve(order, hold=order.hold + execution.qty)
        other_side = "sell" if execution.side == "buy" else "buy"
        position_qty = floor.account.execute(order.symbol, other_side, execution.qty, execution.price)
        floor.changed.positions.add(order.symbol)
        floor.changed.account = True
        floor.emit(
            "trade_bust",
            order,
            execution_id=execution.execution_id,
            price=execution.price,
            qty=execution.qty,
            position_qty=position_qty,
        )

    def _successors(self, order: Order) -> Iterator[Order]:
        successor = self._floor.orders.get(order.replaced_by or "")
        while successor is not None:
            yield successor
            successor = self._floor.orders.get(successor.replaced_by or "")

    # -- out --------------------------------------------------------------------------------------------------------

    def finish(self, order: Order, status: str, *, silent: bool = False) -> None:
        """Ends an order that has not filled: ``canceled``, ``expired`` or ``rejected``."""
        if not order.is_live:
            return
        floor = self._floor
        now_ns = floor.now_ns()
        order.status = status
        if status == "canceled":
            order.canceled_at = now_ns
        elif status == "expired":
            order.expired_at = now_ns
        else:
            order.failed_at = now_ns
        floor.account.release(order)
        floor.touch(order)
        if not silent:
            floor.emit(status, order)
        self._groups.on_dead(order, status)

    def begin_cancel(self, order: Order) -> None:
        """Notes a cancel request; it completes when the venue answers, and may lose against an execution."""
        floor = self._floor
        order.status_before = order.status
        order.status = "pending_cancel"
        floor.touch(order)
        floor.emit("pending_cancel", order)
        if floor.faults.sticks(order):
            return
        if order.routed and not floor.is_tradable(order):
            return  # outside trading hours the venue answers at the open: ``queue_opens``
        floor.after_venue(partial(self.answer_cancel, order))

    def answer_cancel(self, order: Order) -> None:
        """The venue takes it, or not."""
        if order.status != "pending_cancel":
            return
        if not self._floor.faults.rejects_cancel(order):
            self.finish(order, "canceled")
            return
        order.status = "partially_filled" if order.filled_qty else order.status_before
        self._floor.touch(order)
        self._floor.emit("order_cancel_rejected", order)

    def begin_replace(self, old: Order, new: Order) -> None:
        """Registers the replacement; it becomes effective when the venue answers, if the old order still lives."""
        floor = self._floor
        now_ns = floor.now_ns()
        new.created_at = new.submitted_at = now_ns
        floor.orders.add(new)
        floor.touch(new)
        old.status_before = old.status
        old.status = "pending_replace"
        floor.touch(old)
        floor.emit("pending_replace", old)
        floor.after_venue(partial(self._finish_replace, old, new))

    def _finish_replace(self, old: Order, new: Order) -> None:
        floor = self._floor
        overtaken = new.qty is not None and old.filled_qty >= new.qty
        if old.status != "pending_replace" or overtaken or not new.is_live:
            if old.status == "pending_replace":
                old.status = "partially_filled" if old.filled_qty else old.status_before
                floor.touch(old)
            self.finish(new, "rejected")
            floor.emit("order_replace_rejected", old)
            return
        power, hold = old.buying_power + new.buying_power, old.hold
        held = old.status_before == "held"
        if old.status_before == "partially_filled" or old.filled_qty:
            new.filled_qty, new.filled_value, new.filled_at = old.filled_qty, old.filled_value, old.filled_at
            new.status = "partially_filled"
        old.status = "replaced"
        old.replaced_at = floor.now_ns()
        old.replaced_by = new.id
        floor.account.release(old)
        floor.touch(old)
        floor.emit("replaced", old)
        new.routed, new.armed = old.routed, old.armed
        floor.account.reserve(new, hold=min(hold, new.leaves_qty) if hold else ZERO, power=power)
        self._groups.on_replaced(old, new)
        floor.touch(new)
        floor.emit("held" if held else "new", new)
        if new.armed or not held:
            self.engage(new)

    def replace_at_once(self, old: Order, qty: Decimal) -> None:
        """Alpaca's own replacement of a stop leg by a smaller one: no request, no refusal."""
        floor = self._floor
        new = successor(old, floor.new_id(), floor.new_id())
        new.qty = qty
        self.begin_replace(old, new)

    def closing_auction(self) -> None:
        """Executes the on-close orders at the last price, where their limit allows it."""
        for order in self._floor.orders.live():
            if order.time_in_force != "cls" or not self.is_working(order):
                continue
            price = self._floor.mark(order.symbol)
            limit = order.limit_price
            if limit is None or ((price <= limit) if order.is_buy else (price >= limit)):
                self.execute(order, order.leaves_qty, price)
            else:
                self.finish(order, "canceled")

    def expire_day_orders(self, *, extended: bool) -> None:
        """Ends what lives for the day only: at the core close, or (``extended``) at the end of the late session.

        Groups go whole, because one time in force governs all their legs.
        """
        for order in self._floor.orders.live():
            of_the_day = order.time_in_force in {"day", "opg", "cls"} and "/" not in order.symbol
            if of_the_day and order.is_live and order.extended_hours is extended:
                self.finish(order, "expired")

    def end_day(self) -> None:
        """Ends good-till-canceled orders whose ninety days are over, and cancels that the venue still owes."""
        now_ns = self._floor.now_ns()
        for order in self._floor.orders.live():
            if order.status == "pending_cancel":
                self.finish(order, "canceled")
            elif order.expires_at is not None and order.expires_at <= now_ns:
                self.finish(order, "expired")

    def resume(self) -> None:
        """Continues every live order of a book that was read from disk."""
        floor = self._floor
        for order in floor.orders.live():
            if order.status == "pending_replace":
                new = next((o for o in floor.orders.live_in(order.symbol) if o.replaces == order.id), None)
                if new is not None:
                    floor.after_venue(partial(self._finish_replace, order, new))
            elif order.status == "pending_new":
                floor.after_venue(partial(self.route, order))
            elif order.status == "pending_cancel":
                floor.after_venue(partial(self.answer_cancel, order))
            elif self.is_working(order):
                self.engage(order)
        self._groups.resume()

    def later(self, action: Callable[[], None]) -> None:
        """One venue delay from now."""
        self._floor.after_venue(action)


def successor(old: Order, order_id: str, client_order_id: str) -> Order:
    """The order that will replace ``old``: the same terms, its own ids, nothing filled and nothing reserved yet."""
    return msgspec.structs.replace(
        old,
        id=order_id,
        client_order_id=client_order_id,
        seq=0,
        replaces=old.id,
        replaced_by=None,
        replaced_at=None,
        status="held" if old.status == "held" else "new",
        status_before="",
        filled_qty=ZERO,
        filled_value=ZERO,
        filled_at=None,
        leg_ids=[],
        routed=False,
        armed=False,
        triggered=False,
        hold=ZERO,
        buying_power=ZERO,
    )


def trailing_stop_price(order: Order, hwm: Decimal) -> Decimal:
    """The stop of a trailing order at a high (for buys: low) water mark, rounded to the grid."""
    if order.trail_price is not None:
        distance = order.trail_price
    else:
        assert order.trail_percent is not None
        distance = hwm * order.trail_percent / 100
    price = hwm + distance if order.is_buy else hwm - distance
    return price.quantize(Decimal("0.01") if price >= 1 else Decimal("0.0001"))
