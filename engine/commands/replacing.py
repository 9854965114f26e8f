"""The desk's door for changing one order at the broker: a PATCH under a new id of ours.

Armed exits go the way of every move (``commands/exits.py``). A working entry may be changed too; whatever raises its
quantity, its notional or its risk passes the whole gate first. Grouped orders take prices only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from engine.alpaca.bodies import replace_body
from engine.alpaca.budget import Slot
from engine.book import Book
from engine.clock import Clock
from engine.commands.exits import ExitCommands
from engine.errors import CommandRefused
from engine.gateway import Gateway
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.commands import Edits, OrderChange
from engine.model.money import ZERO, plain
from engine.model.order import Order
from engine.model.words import OrderClass, OrderRole, OrderType, Purpose
from engine.pipeline.decide import Decision, decide
from engine.pipeline.picture import Pictures
from engine.pipeline.protect import plan_changed_order
from engine.present import Presenter
from engine.user_rules.board import UserRulesBoard
from engine.views import OrderView

JUDGED_WITHIN_S: Final = 60.0
ROOM_WITHIN_S: Final = 5.0
"""A change of an entry that finds no room among the requests in this time is given up: its price was of that moment."""
LIMITS: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class ReplaceCommands:
    def __init__(
        self,
        book: Book,
        gateway: Gateway,
        pictures: Pictures,
        exits: ExitCommands,
        presenter: Presenter,
        clock: Clock,
        user_rules: UserRulesBoard,
    ) -> None:
        self._book = book
        self._gateway = gateway
        self._pictures = pictures
        self._exits = exits
        self._presenter = presenter
        self._clock = clock
        self._user_rules = user_rules

    async def replace(self, order_id: str, change: OrderChange, *, actor: str) -> OrderView:
        """The order that replaces this one, as the broker has answered; the old one may still fill first."""
        order = self._book.orders.get(order_id)
        if order is None:
            raise CommandRefused("NOT_FOUND", f"There is no order {order_id}.", http_status=404)
        order, bracket = self._open(order_id)
        _refuse_unfit(order, change)
        if order.role is OrderRole.ENTRY:
            return await self._change_entry(order_id, change, actor)
        if order.role in (OrderRole.TAKE_PROFIT, OrderRole.STOP_LOSS) and not bracket.targets:
            return await self._move(bracket, order, change, actor)
        change = _what_differs(order, change)
        if change == OrderChange():
            raise CommandRefused("NOTHING_TO_CHANGE", f"{order.id} stands like this already.")
        if change.qty is not None and change.qty > self._book.cover(bracket.id).held:
            text = f"{plain(change.qty)} are more than the trade holds."
            raise CommandRefused("NOT_REPLACEABLE", text, field="qty", http_status=422)
        return await self._send(bracket, order, change, actor, self._clock.now())

    def _open(self, order_id: str) -> tuple[Order, Bracket]:
        """The order as it is now, and its trade; refused where nothing of it can be changed."""
        order = self._book.orders[order_id]
        bracket = self._book.brackets.get(order.bracket_id or "")
        if order.is_terminal or order.broker_id is None or bracket is None:
            raise CommandRefused("NOT_OPEN", f"{order_id} is {order.status.value}: nothing of it can be changed.")
        return order, bracket

    def _open_entry(self, order_id: str) -> tuple[Order, Bracket]:
        """The same; one change at a time."""
        order, bracket = self._open(order_id)
        under_way = next((o for o in self._book.orders_of(bracket.id) if o.replaces == order_id and o.is_open), None)
        if under_way is not None:
            text = f"{under_way.id} is to take its place: wait until the broker has answered."
            raise CommandRefused("CHANGE_IN_FLIGHT", text)
        return order, bracket

    async def _change_entry(self, order_id: str, change: OrderChange, actor: str) -> OrderView:
        """In the moment in which there is room for the request: what was true before the wait counts no more."""
        self._open_entry(order_id)
        async with self._gateway.entry_slot(ROOM_WITHIN_S) as slot:
            if slot is None:
                text = "Not changed: the limit of requests leaves no room for entries now. Try again in a moment."
                raise CommandRefused("REQUEST_LIMIT", text)
            order, bracket = self._open_entry(order_id)
            change = _what_differs(order, change)
            if change == OrderChange():
                raise CommandRefused("NOTHING_TO_CHANGE", f"{order.id} stands like this already.")
            await self._pass_gate(bracket, order, change)
            self._open_entry(order_id)  # a rule of the operator's own may have taken its time
            return await self._send(bracket, order, change, actor, self._clock.now(), slot=slot)

    async def _move(self, bracket: Bracket, order: Order, change: OrderChange, actor: str) -> OrderView:
        """An exit of a trade with one target: the trade's own price moves with it."""
        if change.qty is not None:
            text = "The size of a protective stop follows the shares that are held."
            raise CommandRefused("NOT_REPLACEABLE", text, field="qty", http_status=422)
        is_stop = order.role is OrderRole.STOP_LOSS
        view = await self._exits.move(
            bracket.id,
            actor=actor,
            stop_price=change.stop_price if is_stop else None,
            take_profit_price=None if is_stop else change.limit_price,
        )
        leg = view.legs.stop_loss if is_stop else view.legs.take_profit
        return leg if leg is not None else self._presenter.order(order)

    async def _pass_gate(self, bracket: Bracket, order: Order, change: OrderChange) -> None:
        """Every rule again, for an entry that grows; one that shrinks needs none."""
        limit, qty = change.limit_price or order.limit_price, change.qty or order.qty
        sign = bracket.side.sign
        if limit is not None and (limit - bracket.stop_price) * sign <= 0:
            text = f"An entry at {plain(limit)} lies beyond its own stop at {plain(bracket.stop_price)}."
            raise CommandRefused("STOP_ON_WRONG_SIDE", text, field="limit_price", http_status=422)
        before = order.limit_price or ZERO
        is_riskier = limit is not None and abs(limit - bracket.stop_price) > abs(before - bracket.stop_price)
        grows = qty > order.qty or (limit is not None and limit * qty > before * order.qty) or is_riskier
        record = self._book.signals.get(bracket.signal_id)
        if not grows or record is None:
            return
        own = self._book.cover(bracket.id).held * sign
        # Its time to live was for the approval; what is judged anew is the order.
        lives_on = max(record.signal.expires_at, self._clock.now() + timedelta(seconds=JUDGED_WITHIN_S))
        signal = msgspec.structs.replace(record.signal, expires_at=lives_on)

        def judged() -> Decision:
            facts = self._pictures.take_again(signal)
            facts = msgspec.structs.replace(
                facts, entry_in_flight=None, exit_in_flight=None, position_qty=facts.position_qty - own
            )
            return decide(signal, facts, Edits(qty=qty, limit_price=change.limit_price))

        await self._user_rules.ask(signal.id, judged)
        decision = judged()
        if not decision.approvable:
            raise CommandRefused("DENIED", decision.denies[0].text, reasons=decision.reasons)

    async def _send(
        self,
        bracket: Bracket,
        order: Order,
        change: OrderChange,
        actor: str,
        now: datetime,
        *,
        slot: Slot | None = None,
    ) -> OrderView:
        replacement = plan_changed_order(
            bracket,
            self._book.orders_of(bracket.id),
            order,
            limit_price=change.limit_price,
            stop_price=change.stop_price,
            qty=change.qty,
            desk_id=self._book.desk_id,
            now=now,
        )
        body = replace_body(
            client_order_id=replacement.id,
            limit_price=change.limit_price,
            stop_price=change.stop_price,
            qty=change.qty,
        )
        purpose = Purpose.REPLACE if order.role is OrderRole.ENTRY else Purpose.PROTECT
        sent = await self._gateway.replace(
            ev.ReplaceIntended(order_id=order.id, order=replacement, body=dict(body), purpose=purpose, actor=actor),
            slot=slot,
        )
        if sent.error is not None and not sent.is_unknown:
            raise CommandRefused("BROKER_REFUSED", f"Not changed, {order.id} stands: {sent.error.operator_text}")
        return self._presenter.order(self._book.orders[replacement.id])


def _refuse_unfit(order: Order, change: OrderChange) -> None:
    """What this kind of order cannot have."""
    for name, value in msgspec.structs.asdict(change).items():
        if value is not None and not (value.is_finite() and value > 0):
            raise CommandRefused("NOT_POSITIVE", f"{name} must be above zero, not {value}", field=name, http_status=422)
    if change.qty is not None and order.order_class is not OrderClass.SIMPLE:
        text = f"Alpaca changes prices of grouped orders only, and {order.id} belongs to one."
        raise CommandRefused("NOT_REPLACEABLE", text, field="qty", http_status=422)
    if change.qty is not None and change.qty <= order.filled_qty:
        text = f"{plain(order.filled_qty)} have been filled already: cancel the rest instead."
        raise CommandRefused("NOT_REPLACEABLE", text, field="qty", http_status=422)
    for name, value, types in (
        ("limit_price", change.limit_price, LIMITS),
        ("stop_price", change.stop_price, STOPS),
    ):
        if value is not None and order.type not in types:
            text = f"A {order.type.value} order has no {name}."
            raise CommandRefused("NOT_REPLACEABLE", text, field=name, http_status=422)


def _what_differs(order: Order, change: OrderChange) -> OrderChange:
    """Without the numbers that stand so already: the broker refuses a PATCH that changes nothing."""
    given = msgspec.structs.asdict(change)
    return OrderChange(**{name: None if value == getattr(order, name) else value for name, value in given.items()})
