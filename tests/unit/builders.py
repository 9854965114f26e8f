"""Values of the model for tests: a plain AAPL trade, of which each test changes what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.book import Book
from engine.bus import Change
from engine.config import Config
from engine.config_file import config_from_table
from engine.market.quotes import QuoteView
from engine.model import events as ev
from engine.model.account import Account
from engine.model.bracket import Bracket
from engine.model.ids import leg_id
from engine.model.order import Evidence, Order, OrderReport
from engine.model.signal import Approval, EntrySpec, ExitSpec, Signal, SizeSpec
from engine.model.words import (
    DeskState,
    Intent,
    OrderClass,
    OrderRole,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    Source,
    TimeInForce,
)
from engine.rules.exposures import Exposures
from engine.rules.facts import AssetFacts, Facts

T0: Final = datetime(2026, 8, 21, 14, 0, tzinfo=UTC)
"""A Friday, 10:00 in New York."""
DESK_ID: Final = "7f3a2c"
ENTRY_ID: Final = f"gl-{DESK_ID}-000001-entry-1"

replace = msgspec.structs.replace


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def price_exit(value: str, limit_price: str | None = None) -> ExitSpec:
    return ExitSpec(
        unit="price", value=Decimal(value), limit_price=None if limit_price is None else Decimal(limit_price)
    )


def make_signal(**changes: Any) -> Signal:
    """Buy 10 AAPL limit 187.20, stop 184.90, target 191.80; 60 seconds to live."""
    signal = Signal(
        id="s000001",
        source="breakout",
        source_id="breakout-000123",
        strategy="breakout",
        symbol="AAPL",
        side=Side.BUY,
        intent=Intent.OPEN,
        size=SizeSpec(unit="qty", value=Decimal(10)),
        entry=EntrySpec(type=OrderType.LIMIT, limit_price=Decimal("187.20")),
        stop_loss=price_exit("184.90"),
        take_profit=price_exit("191.80"),
        reference_price=Decimal("187.10"),
        made_at=T0,
        received_at=T0,
        expires_at=after(60),
    )
    return replace(signal, **changes)


def make_quote(bid: str | None = "187.08", ask: str | None = "187.10", *, age_s: float = 0.4, **more: Any) -> QuoteView:
    return QuoteView(
        symbol=more.get("symbol", "AAPL"),
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
        last=more.get("last"),
        at=T0,
        age_s=age_s,
    )


def make_account(**changes: Any) -> Account:
    """100,000 of equity, 200,000 of buying power."""
    account = Account(
        account_number="PA0001",
        status="ACTIVE",
        equity=Decimal(100_000),
        last_equity=Decimal(99_000),
        cash=Decimal(100_000),
        buying_power=Decimal(200_000),
        multiplier=Decimal(2),
        shorting_enabled=True,
        blocked=None,
        as_of=T0,
    )
    return replace(account, **changes)


TRADABLE: Final = AssetFacts(tradable=True, shortable=True, easy_to_borrow=True, fractionable=True)


def config_of(table: Mapping[str, Any]) -> Config:
    return config_from_table(dict(table), "test")


def make_facts(**changes: Any) -> Facts:
    """A desk on which everything is fit: each rule says yes to ``make_signal()``."""
    facts = Facts(
        now=after(1),
        state=DeskState.ACTIVE,
        state_scope="desk",
        gate_locked_by=None,
        not_ready=None,
        stream_up=True,
        journal_failure=None,
        session_open=True,
        extended_open=False,
        account=make_account(),
        account_age_s=1.0,
        reserved=Decimal(0),
        quote=make_quote(),
        asset=TRADABLE,
        broker_unreachable=False,
        exposures=Exposures(),
        position_qty=Decimal(0),
        entry_in_flight=None,
        unknown_order=None,
        unsettled_orders=0,
        orders_today=0,
        signals_last_minute=1,
        correlations={},
        config=Config(),
    )
    for name in ("exposures", "pending"):
        if name in changes:
            changes[name] = Exposures(changes[name])
    return replace(facts, **changes)


def proof(at: datetime = T0, source: Source = Source.STREAM, evidence_id: str | None = "proof") -> Evidence:
    return Evidence(source=source, id=evidence_id, at=at)


def make_order(**changes: Any) -> Order:
    """The entry of ``make_bracket()`` as it is intended: 10 AAPL, limit 187.20, with exits."""
    order = Order(
        id=ENTRY_ID,
        client_order_id=ENTRY_ID,
        symbol="AAPL",
        side=Side.BUY,
        type=OrderType.LIMIT,
        order_class=OrderClass.BRACKET,
        role=OrderRole.ENTRY,
        qty=Decimal(10),
        bracket_id="b000001",
        time_in_force=TimeInForce.GTC,
        limit_price=Decimal("187.20"),
        created_at=T0,
        status_since=T0,
    )
    return replace(order, **changes)


def make_report(status: OrderStatus, **changes: Any) -> OrderReport:
    report = OrderReport(broker_id="broker-entry", status=status, evidence=proof())
    return replace(report, **changes)


def make_bracket(**changes: Any) -> Bracket:
    bracket = Bracket(
        id="b000001",
        signal_id="s000001",
        strategy="breakout",
        symbol="AAPL",
        side=Side.BUY,
        qty=Decimal(10),
        stop_price=Decimal("184.90"),
        take_profit_price=Decimal("191.80"),
        opened_at=T0,
    )
    return replace(bracket, **changes)


def working(order: Order, status: OrderStatus = OrderStatus.NEW, **changes: Any) -> Order:
    """``order`` as the broker has confirmed it."""
    return replace(order, **{"status": status, "broker_id": f"broker-{order.id}", "evidence": proof()} | changes)


def make_exit(role: OrderRole, order_id: str, **changes: Any) -> Order:
    """A live exit of the long AAPL trade, standing alone."""
    is_stop = role is OrderRole.STOP_LOSS
    kind = OrderType.STOP if is_stop else OrderType.LIMIT if role is OrderRole.TAKE_PROFIT else OrderType.MARKET
    order = make_order(
        id=order_id,
        client_order_id=order_id,
        side=Side.SELL,
        type=kind,
        order_class=OrderClass.SIMPLE,
        role=role,
        limit_price=Decimal("191.80") if role is OrderRole.TAKE_PROFIT else None,
        stop_price=Decimal("184.90") if is_stop else None,
    )
    return working(order, **changes)


def legs_of(entry: Order, **changes: Any) -> tuple[Order, Order]:
    """Target and stop of a native bracket, live unless told otherwise."""
    target = make_exit(
        OrderRole.TAKE_PROFIT,
        leg_id(entry.id, "tp"),
        client_order_id=None,
        parent_id=entry.id,
        order_class=entry.order_class,
    )
    stop = make_exit(
        OrderRole.STOP_LOSS,
        leg_id(entry.id, "sl"),
        client_order_id=None,
        parent_id=entry.id,
        order_class=entry.order_class,
        status=OrderStatus.HELD,
    )
    return replace(target, **changes), replace(stop, **changes)


def oco_of(number: int = 1, qty: int = 10, **changes: Any) -> tuple[Order, Order]:
    """Target (the parent) and stop of an OCO placed after the fill, live unless told otherwise."""
    order_id = f"gl-{DESK_ID}-000001-oco-{number}"
    target = make_exit(OrderRole.TAKE_PROFIT, order_id, order_class=OrderClass.OCO, qty=Decimal(qty))
    stop = make_exit(
        OrderRole.STOP_LOSS,
        leg_id(order_id, "sl"),
        client_order_id=None,
        parent_id=order_id,
        order_class=OrderClass.OCO,
        qty=Decimal(qty),
        status=OrderStatus.HELD,
    )
    return replace(target, **changes), replace(stop, **changes)


def filled(order: Order, qty: int | None = None, price: str = "187.20") -> Order:
    """``order`` with ``qty`` shares executed; all of it, and so over, when None."""
    done = order.qty if qty is None else Decimal(qty)
    status = OrderStatus.FILLED if done == order.qty else OrderStatus.PARTIALLY_FILLED
    return working(order, status, filled_qty=done, filled_avg_price=Decimal(price))


def make_approval(at: datetime = T0, **changes: Any) -> Approval:
    approval = Approval(
        actor="window",
        at=at,
        preview_id=None,
        qty=Decimal(10),
        limit_price=Decimal("187.20"),
        stop_price=Decimal("184.90"),
        take_profit_price=Decimal("191.80"),
    )
    return replace(approval, **changes)


class Story:
    """Facts told to a book one after the other, each at its second after ``T0``."""

    def __init__(self) -> None:
        self.book = Book()
        self.facts: list[ev.Recorded] = []

    def tell(self, event: ev.AnyEvent, at_s: float = 0.0) -> set[Change]:
        recorded = ev.Recorded(len(self.facts) + 1, after(at_s), event)
        changes = self.book.apply(recorded)
        self.facts.append(recorded)
        return changes

    def approve(self, signal: Signal | None = None, at_s: float = 0.0, number: str = "000001") -> None:
        signal = signal or make_signal()
        if signal.id not in self.book.signals:
            self.tell(ev.SignalReceived(signal=signal), at_s)
        self.tell(
            ev.SignalApproved(signal_id=signal.id, bracket_id=f"b{number}", approval=make_approval(after(at_s))), at_s
        )

    def enter(
        self, at_s: float = 0.0, *, order_class: OrderClass = OrderClass.BRACKET, qty: int = 10, side: Side = Side.BUY
    ) -> None:
        """The trade of signal ``s000001`` is opened and its entry group intended."""
        entry = make_order(order_class=order_class, qty=Decimal(qty), side=side, created_at=after(at_s))
        unborn = {"status": OrderStatus.SENDING, "broker_id": None, "evidence": None, "side": side.opposite}
        target, stop = legs_of(entry, **unborn, qty=Decimal(qty))
        legs = (stop,) if order_class is OrderClass.OTO else (target, stop)
        self.tell(ev.BracketOpened(bracket=make_bracket(qty=Decimal(qty), side=side, opened_at=after(at_s))), at_s)
        self.tell(ev.OrderIntended(order=entry, body={}, purpose=Purpose.ENTRY, legs=legs), at_s)

    def report(self, order_id: str, status: OrderStatus, at_s: float = 0.0, **more: Any) -> set[Change]:
        """``filled``: shares executed so far; other words as in ``OrderReport``."""
        done = Decimal(more.pop("filled", 0))
        report = make_report(
            status,
            broker_id=more.pop("broker_id", f"broker-{order_id}"),
            filled_qty=done,
            filled_avg_price=Decimal(more.pop("price", "187.20")) if done else None,
            evidence=proof(after(at_s)),
            updated_at=more.pop("updated_at", after(at_s)),
            **more,
        )
        return self.tell(ev.OrderReported(order_id=order_id, report=report), at_s)

    def answer(self, at_s: float = 0.0, entry: OrderStatus = OrderStatus.ACCEPTED) -> None:
        """The broker's answer to the entry group: the legs are held."""
        self.report(ENTRY_ID, entry, at_s)
        for order_id in (f"{ENTRY_ID}.tp", f"{ENTRY_ID}.sl"):
            if order_id in self.book.orders:
                self.report(order_id, OrderStatus.HELD, at_s)

    def is_protected(self, at_s: float = 0.0) -> None:
        """From nothing to a protected position of ten shares."""
        self.approve(at_s=at_s)
        self.enter(at_s)
        self.answer(at_s)
        self.report(ENTRY_ID, OrderStatus.FILLED, at_s, filled=10, execution_id="x1")

    def replayed(self) -> Book:
        book = Book()
        for recorded in self.facts:
            book.apply(recorded)
        return book


def state_of(book: Book) -> dict[str, Any]:
    """All that a book knows, comparable."""
    return {name: value for name, value in vars(book).items() if name != "_changes"}
