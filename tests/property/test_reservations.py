"""Whatever comes in whatever order: entries never exceed a limit together, and a reservation ends when it may.

The machine does what the desk does around a claim and before the wire: the gate is asked and the answer recorded with
nothing in between, on the real book and picture. Beside it stands a broker of its own that takes, fills, cancels and
closes when it likes, and whose words (answers, executions, account pictures) arrive late, in any order, or never.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.book import Book
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.account import Account
from engine.model.commands import Edits
from engine.model.money import ZERO
from engine.model.order import apply_report
from engine.model.signal import Approval, EntrySpec, SizeSpec
from engine.model.words import OrderStatus, OrderType
from engine.pipeline.decide import Decision, decide
from engine.pipeline.entry import plan_entry
from engine.pipeline.executor import approved_numbers
from engine.pipeline.picture import Pictures
from engine.rules.facts import AssetFacts
from tests.unit.builders import DESK_ID, TRADABLE, config_of, make_account, make_report, make_signal, price_exit, proof
from tests.unit.desk.desk_parts import HandClock
from tests.unit.pipeline.test_picture import Around

PRICE, STOP, TARGET = Decimal(100), Decimal(98), Decimal(110)
SYMBOLS = ("AAPL", "MSFT", "JPM", "NVDA")
EQUITY = Decimal(100_000)
LIMITS = {"max_open_positions": 2, "max_gross_exposure_pct": 14.0, "max_working_orders": 2}
NUMBERS = st.integers(0, 30)
OVER = {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED}


class Everywhere(Around):
    def asset(self, symbol: str) -> AssetFacts | None:
        return TRADABLE


class Life:
    """What the broker knows of one approval, whatever has been told of it."""

    def __init__(self, symbol: str, qty: Decimal) -> None:
        self.symbol = symbol
        self.qty = qty
        self.order_id: str | None = None
        """None: the desk has not written its intent yet."""
        self.status: OrderStatus | None = None
        """At the broker; None: not there."""
        self.filled = ZERO
        self.sold = ZERO
        self.is_gone = False
        """It will never be sent."""
        self.known_at: Any = None
        """When the desk first heard of it."""

    @property
    def leaves(self) -> Decimal:
        if self.is_gone or self.status in OVER:
            return ZERO
        return self.qty - self.filled

    @property
    def bound(self) -> Decimal:
        """Money that it costs or may still cost, wherever it is."""
        return (self.leaves + self.filled - self.sold) * PRICE

    @property
    def at_broker(self) -> Decimal:
        return self.bound if self.status is not None else ZERO

    @property
    def is_on(self) -> bool:
        return self.bound > 0


class ReservationMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.facts: list[ev.Recorded] = []
        self.lives: dict[str, Life] = {}
        """By bracket id."""
        self.number = 0
        self.asked_at: Any = None
        self.answered: Account | None = None
        """An account picture on its way."""

    @initialize(
        binding=st.sampled_from(["power", "max_open_positions", "max_gross_exposure_pct", "max_working_orders"])
    )
    def desk_starts(self, binding: str) -> None:
        """One limit binds at a time: were there several, each would hide that another one is not kept."""
        limits: dict[str, Any] = {name: value for name, value in LIMITS.items() if name == binding}
        self.power = Decimal(12_000 if binding == "power" else 200_000)
        self.config = config_of(
            {"limits": limits | {"max_symbol_exposure_pct": 100.0}, "quotes": {"max_age_s": 86_400.0}}
        )
        self.account_is_read()
        self.begin(Book())

    def begin(self, book: Book) -> None:
        self.book = book
        self.around = Everywhere()
        self.around.account = None
        self.quotes = QuoteBoard(self.clock, lambda _: None)
        for symbol in SYMBOLS:
            self.quotes.take_quote(symbol, PRICE, PRICE)
        self.pictures = Pictures(book, self.quotes, self.around, self.clock, self.config, lambda: None)
        self.tell(ev.DeskStarted(version="test"))
        self.account_arrives()

    def tell(self, *events: ev.AnyEvent) -> None:
        for event in events:
            recorded = ev.Recorded(len(self.facts) + 1, self.clock.now(), event)
            self.book.apply(recorded)
            self.facts.append(recorded)
        self.clock.at_s += 0.25

    # --- what the desk does --------------------------------------------------------------------------------------

    def signal_comes(self, symbol: str, qty: int) -> str:
        self.number += 1
        signal = make_signal(
            id=f"s{self.number:06d}",
            source_id=f"x{self.number}",
            symbol=symbol,
            size=SizeSpec(unit="qty", value=Decimal(qty)),
            entry=EntrySpec(type=OrderType.LIMIT, limit_price=PRICE),
            stop_loss=price_exit(str(STOP)),
            take_profit=price_exit(str(TARGET)),
            reference_price=PRICE,
            expires_at=self.clock.now() + timedelta(hours=1),
        )
        self.tell(ev.SignalReceived(signal=signal))
        return signal.id

    @rule(number=NUMBERS, symbol=st.sampled_from(SYMBOLS), qty=st.integers(10, 90), is_new=st.booleans())
    def person_approves(self, number: int, symbol: str, qty: int, is_new: bool) -> None:
        """A new signal, or one that the gate did not like before."""
        pending = None if is_new else self.chosen(list(self.book.pending), number)
        wanted = pending or self.signal_comes(symbol, qty)
        decision = decide(self.book.signals[wanted].signal, self.pictures.take(self.book.signals[wanted].signal))
        if not decision.approvable:
            return
        self.fits(decision)
        plan = decision.case.plan
        approval = Approval(
            actor="ann",
            at=self.clock.now(),
            preview_id=None,
            qty=plan.qty,
            limit_price=plan.limit_price,
            stop_price=plan.levels.stop_price,
            take_profit_price=plan.levels.take_profit_price,
            notional=plan.notional,
        )
        bracket_id = f"b{wanted[1:]}r{len(self.lives)}"
        self.lives[bracket_id] = Life(decision.case.signal.symbol, plan.qty)
        self.tell(ev.SignalApproved(signal_id=wanted, bracket_id=bracket_id, approval=approval))

    def fits(self, decision: Decision) -> None:
        """The gate said yes: counted by hand, no other entry of the symbol may live."""
        symbol = decision.case.signal.symbol
        assert not [life for life in self.lives.values() if life.symbol == symbol and life.is_on]

    @rule(number=NUMBERS)
    def approval_comes_back(self, number: int) -> None:
        wanted = self.unsent(number)
        if wanted is not None:
            self.lives[self.bracket_of(wanted)].is_gone = True
            self.tell(ev.SignalReturned(signal_id=wanted, why="taken back"))

    @rule(number=NUMBERS, is_quick=st.booleans())
    def entry_is_intended(self, number: int, is_quick: bool) -> None:
        """The gate once more, on what is true now; then the intent is on disk and the request on its way.

        ``is_quick``: with the broker's answer before anything else happens.
        """
        wanted = self.unsent(number)
        if wanted is None:
            return
        record, bracket_id = self.book.signals[wanted], self.bracket_of(wanted)
        assert record.approval is not None
        edits: Edits = approved_numbers(record.approval)
        decision = decide(record.signal, self.pictures.take(record.signal), edits)
        if not decision.approvable:
            self.lives[bracket_id].is_gone = True
            self.tell(ev.SignalDenied(signal_id=wanted, reasons=decision.reasons))
            return
        group = plan_entry(decision, desk_id=DESK_ID, bracket_id=bracket_id, now=self.clock.now())
        (intent,) = group.intents
        self.lives[bracket_id].order_id = intent.order.id
        self.tell(group.opened, intent)
        if is_quick:
            self.lives[bracket_id].status = OrderStatus.NEW
            self.hear(self.lives[bracket_id])

    @rule(number=NUMBERS)
    def answer_is_lost(self, number: int) -> None:
        bracket_id = self.sent(number, unheard=True)
        if bracket_id is not None:
            self.tell(ev.OrderUnresolved(order_id=self.order_of(bracket_id), text="no answer"))

    @rule(number=NUMBERS)
    def broker_refuses_or_never_had_it(self, number: int) -> None:
        bracket_id = self.sent(number, unheard=True)
        if bracket_id is None or self.lives[bracket_id].status is not None:
            return
        self.lives[bracket_id].is_gone = True
        order_id = self.order_of(bracket_id)
        lost = self.book.orders[order_id].unresolved_since is not None
        self.tell(
            ev.OrderNeverReached(order_id=order_id, why="no trace")
            if lost
            else ev.OrderRefused(order_id=order_id, text="no")
        )

    # --- what the broker does ------------------------------------------------------------------------------------

    @rule(number=NUMBERS)
    def broker_takes(self, number: int) -> None:
        bracket_id = self.sent(number)
        if bracket_id is not None and self.lives[bracket_id].status is None:
            self.lives[bracket_id].status = OrderStatus.NEW

    @rule(number=NUMBERS, part=st.sampled_from([0.3, 0.7, 1.0]))
    def broker_fills(self, number: int, part: float) -> None:
        life = self.there(number)
        if life is None or life.status in OVER:
            return
        life.filled = max(life.filled, Decimal(int(life.qty * Decimal(str(part)))))
        life.status = OrderStatus.FILLED if life.filled == life.qty else OrderStatus.PARTIALLY_FILLED

    @rule(number=NUMBERS)
    def broker_cancels(self, number: int) -> None:
        life = self.there(number)
        if life is not None and life.status not in OVER:
            life.status = OrderStatus.CANCELED

    @rule(number=NUMBERS)
    def word_of_an_order_arrives(self, number: int) -> None:
        """As it stands now: a fill may be the first that is heard of it."""
        life = self.there(number)
        if life is not None:
            self.hear(life)

    def hear(self, life: Life) -> None:
        assert life.order_id is not None
        assert life.status is not None
        order = self.book.orders[life.order_id]
        report = make_report(
            life.status,
            broker_id=f"broker-{order.id}",
            filled_qty=life.filled,
            filled_avg_price=PRICE if life.filled else None,
            evidence=proof(self.clock.now()),
            updated_at=self.clock.now(),
        )
        if apply_report(order, report, self.clock.now()) is order:
            return
        life.known_at = life.known_at or self.clock.now()
        self.tell(ev.OrderReported(order_id=order.id, report=report))

    @rule(number=NUMBERS)
    def trade_is_stopped_out(self, number: int) -> None:
        """A whole entry, of which everything has been heard, is sold by its stop, and that is heard at once."""
        life = self.there(number)
        if life is None or life.status is not OrderStatus.FILLED or life.sold:
            return
        self.hear(life)
        life.sold = life.filled
        assert life.order_id is not None
        at = {"evidence": proof(self.clock.now()), "updated_at": self.clock.now()}
        for leg, status, filled in ((".sl", OrderStatus.FILLED, life.qty), (".tp", OrderStatus.CANCELED, ZERO)):
            leg_id = life.order_id + leg
            report = make_report(
                status, broker_id=f"broker-{leg_id}", filled_qty=filled, filled_avg_price=STOP if filled else None, **at
            )
            self.tell(ev.OrderReported(order_id=leg_id, report=report))

    @rule()
    def account_is_asked_for(self) -> None:
        if self.asked_at is None:
            self.asked_at = self.clock.now()
            self.clock.at_s += 0.25

    @rule()
    def account_is_read(self) -> None:
        """At the broker, some time after the asking and before the answer is here."""
        self.asked_at = self.asked_at or self.clock.now()
        if self.answered is None:
            taken = sum((life.at_broker for life in self.lives.values()), ZERO)
            self.answered = make_account(equity=EQUITY, buying_power=self.power - taken, as_of=self.asked_at)
            self.clock.at_s += 0.25

    @precondition(lambda self: self.answered is not None)
    @rule()
    def account_arrives(self) -> None:
        if self.answered is not None:
            self.around.account = self.answered
            self.around.account_at_s = self.clock.monotonic_s()
            self.asked_at = self.answered = None

    @rule(often=st.integers(0, 5))
    def desk_crashes_and_starts_again(self, often: int) -> None:
        if often:
            return
        book = Book()
        for fact in self.facts:
            book.apply(fact)
        self.answered = self.asked_at = None
        self.account_is_read()
        self.begin(book)
        for wanted in [key for key in tuple(book.approved) if book.signals[key].bracket_id not in book.brackets]:
            self.lives[self.bracket_of(wanted)].is_gone = True
            self.tell(ev.SignalReturned(signal_id=wanted, why="approved, never reached the broker"))

    # --- helpers -------------------------------------------------------------------------------------------------

    def chosen(self, found: list[str], number: int) -> str | None:
        return found[number % len(found)] if found else None

    def unsent(self, number: int) -> str | None:
        known = [key for key in self.book.approved if self.book.signals[key].bracket_id not in self.book.brackets]
        return self.chosen(known, number)

    def bracket_of(self, signal_id: str) -> str:
        bracket_id = self.book.signals[signal_id].bracket_id
        assert bracket_id is not None
        return bracket_id

    def order_of(self, bracket_id: str) -> str:
        order_id = self.lives[bracket_id].order_id
        assert order_id is not None
        return order_id

    def sent(self, number: int, *, unheard: bool = False) -> str | None:
        found = [key for key, life in self.lives.items() if life.order_id is not None and not life.is_gone]
        if unheard:
            found = [key for key in found if self.lives[key].known_at is None]
        return self.chosen(found, number)

    def there(self, number: int) -> Life | None:
        found = [key for key, life in self.lives.items() if life.status is not None]
        chosen = self.chosen(found, number)
        return None if chosen is None else self.lives[chosen]

    # --- what must always be true --------------------------------------------------------------------------------

    @invariant()
    def never_two_entries_of_a_symbol(self) -> None:
        on = [life.symbol for life in self.lives.values() if life.is_on]
        assert len(on) == len(set(on))

    @invariant()
    def no_limit_is_exceeded_jointly(self) -> None:
        bound = [life.bound for life in self.lives.values() if life.is_on]
        total = sum(bound, ZERO)
        assert total <= self.power, "more was spent and promised than the broker lends"
        limits = self.config.limits
        if limits.max_gross_exposure_pct is not None:
            assert total <= EQUITY * Decimal(str(limits.max_gross_exposure_pct)) / 100
        if limits.max_open_positions is not None:
            assert len(bound) <= limits.max_open_positions
        if limits.max_working_orders is not None:
            assert sum(life.leaves > 0 for life in self.lives.values()) <= limits.max_working_orders

    @invariant()
    def a_reservation_ends_when_a_newer_account_picture_holds_it_or_the_order_is_dead(self) -> None:
        """By hand, from what the desk has been told: what it knows of an order, not what the broker does by now."""
        account = self.around.account
        expected = ZERO
        for bracket_id, life in self.lives.items():
            if life.order_id is None:
                expected += life.leaves * PRICE
                continue
            order, trade = self.book.orders[life.order_id], self.book.brackets[bracket_id]
            is_held = account is not None and life.known_at is not None and life.known_at < account.as_of
            if not is_held and trade.closed_at is None:
                expected += (order.leaves_qty + order.filled_qty) * PRICE
        assert self.pictures.reserved() == expected


TestReservations = ReservationMachine.TestCase
TestReservations.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
