"""Cover against the real exchange: whatever its messages suffer, the ledger claims no more than it would close."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings, strategies as st

from engine.alpaca import wire
from engine.book import Book
from engine.errors import IllegalTransition, InvariantViolated
from engine.model import events as ev
from engine.model.order import Evidence
from engine.model.words import OrderRole, Source
from engine.pipeline.protect import plan_exits
from engine.reports import leg_of, report_from
from tests.unit.builders import DESK_ID, ENTRY_ID, Story, after, replace
from tests.unit.exchange.trader import Trader

BRACKET = "b000001"
WORDS = ["fill entry", "cancel entry", "fill target", "cancel target", "drop", "attach", "wait"]
ACTS = st.lists(st.sampled_from(WORDS), max_size=8)


class Told:
    """The desk's book, told of an exchange's orders by its answers, its stream and its REST reads."""

    def __init__(self, trader: Trader) -> None:
        self.trader = trader
        self.story = Story()
        self.story.approve()
        self.story.enter()
        self.seq = 0
        answer = trader.bracket(
            target="280", stop="250", type="limit", limit_price="260", client_order_id=ENTRY_ID, qty="10"
        )
        self.answer(ENTRY_ID, answer)

    @property
    def book(self) -> Book:
        return self.story.book

    def answer(self, order_id: str, found: dict[str, Any]) -> None:
        order = wire.read_order(found)
        self.report(order_id, order, Source.ANSWER)
        for known in self.book.orders_of(BRACKET):
            leg = leg_of(order.legs, known.role)
            if known.parent_id == order_id and leg is not None:
                self.report(known.id, leg, Source.ANSWER)

    def report(self, order_id: str, found: wire.Order, source: Source, update: wire.TradeUpdate | None = None) -> None:
        self.seq += 1
        proof = Evidence(source=source, id=str(self.seq), at=after(self.seq))
        with contextlib.suppress(IllegalTransition, InvariantViolated):  # told, and read again
            fact = ev.OrderReported(order_id=order_id, report=report_from(found, proof, update))
            self.story.tell(fact, self.seq)

    def stream(self, message: dict[str, Any]) -> None:
        update = wire.read_trade_update(message | {"timestamp": None}, arrived_at_s=0.0)
        order_id = self.book.order_of_client_id.get(update.order.client_order_id)
        order_id = order_id or self.book.order_of_broker_id.get(update.order.id)
        if order_id is not None:
            self.report(order_id, update.order, Source.STREAM, update)

    def read(self) -> None:
        for row in self.trader.get("/v2/orders", status="all", nested="true", limit="500"):
            for found in _with_legs(wire.read_order(row)):
                order_id = self.book.order_of_broker_id.get(found.id)
                if order_id is not None:
                    self.report(order_id, found, Source.REST)

    # --- acts at the broker --------------------------------------------------------------------------------------

    def act(self, what: str, qty: int) -> None:
        orders = {order.role: order for order in self.book.orders_of(BRACKET)}
        who = orders[OrderRole.ENTRY if "entry" in what else OrderRole.TAKE_PROFIT]
        at_broker = self.trader.exchange.floor.orders.get(who.broker_id or "")
        sleeps = at_broker is not None and at_broker.parent_id is not None and not at_broker.armed
        if what == "fill target" and sleeps:
            pass  # no market fills an exit whose entry is not whole
        elif what.startswith("fill"):
            self.trader.call("POST", f"/_exchange/orders/{who.broker_id}/fill", {"qty": str(qty)})
        elif what.startswith("cancel"):
            self.trader.call("DELETE", f"/v2/orders/{who.broker_id}")
        elif what == "drop":
            self.trader.move("249")
            self.trader.move("271")
        elif what == "attach":
            self.attach()
        self.trader.wait(0.05)

    def attach(self) -> None:
        """An OCO for what the book calls naked, as the supervisor would place it."""
        naked = self.book.cover(BRACKET).naked
        if naked <= 0:
            return
        bracket = self.book.brackets[BRACKET]
        priced = _at(bracket)
        intent = plan_exits(
            priced, self.book.orders_of(BRACKET), naked, desk_id=DESK_ID, now=datetime(2026, 8, 21, tzinfo=UTC)
        )
        self.story.tell(intent)
        answer = self.trader.call("POST", "/v2/orders", intent.body)
        if answer.status == 200:
            self.answer(intent.order.id, answer.json)
        else:
            self.story.tell(ev.OrderRefused(order_id=intent.order.id, text="refused"))

    # --- the exchange's own truth --------------------------------------------------------------------------------

    def would_close(self) -> Decimal:
        """Shares of the position that its armed, live stops would close."""
        floor = self.trader.exchange.floor
        stops = sum(
            (o.leaves_qty for o in floor.orders.live_in("AAPL") if o.type == "stop" and _is_effective(floor, o)),
            Decimal(0),
        )
        return min(stops, max(Decimal(0), floor.account.qty("AAPL")))

    def holds(self) -> Decimal:
        return self.trader.exchange.floor.account.qty("AAPL")


def _at(bracket: Any) -> Any:
    return replace(bracket, stop_price=Decimal(250), take_profit_price=Decimal(280))


def _is_effective(floor: Any, order: Any) -> bool:
    return order.parent_id is None or order.armed


def _with_legs(order: wire.Order) -> Iterator[wire.Order]:
    yield order
    yield from order.legs


@settings(max_examples=60, deadline=None)
@given(acts=ACTS, data=st.data())
def test_the_ledger_never_claims_more_than_the_exchange_would_close(acts: list[str], data: st.DataObject) -> None:
    trader = Trader()
    try:
        told = Told(trader)
        trader.wait(0.05)
        for what in acts:
            told.act(what, data.draw(st.integers(1, 10)))
            news, trader.updates = trader.updates, []
            doubled = news + data.draw(st.lists(st.sampled_from(news), max_size=3) if news else st.just([]))
            for message in data.draw(st.permutations(doubled)):
                if data.draw(st.integers(0, 4)):  # one of five is lost
                    told.stream(message)
        trader.wait(1.0)
        told.read()
        cover = told.book.cover(BRACKET)
        assert cover.held - cover.flipped == told.holds()
        assert cover.covered <= told.would_close()
    finally:
        trader.close()


@settings(max_examples=40, deadline=None)
@given(acts=ACTS, data=st.data())
def test_nor_does_it_when_every_message_comes_doubled_and_out_of_order(acts: list[str], data: st.DataObject) -> None:
    """Nothing is lost here, and nothing is read: the stream alone has told it."""
    trader = Trader()
    try:
        told = Told(trader)
        trader.wait(0.05)
        for what in acts:
            told.act(what, data.draw(st.integers(1, 10)))
            trader.wait(0.2)
            news, trader.updates = trader.updates, []
            for message in data.draw(st.permutations(news + news)):
                told.stream(message)
            assert told.book.cover(BRACKET).covered <= told.would_close()
    finally:
        trader.close()
