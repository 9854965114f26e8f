"""Whatever happens, in whatever order: a mandate never exceeds one of its bounds.

The machine does what the desk does around a claim: the bounds are asked and the approval recorded with nothing in
between, on the real book, and everything else may happen before and after: other claims, returns, denials, lost and
rejected orders, worse fills, revocation, a crash with a refold of the journal, a new day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.book import Book
from engine.mandate_loss import loss_today
from engine.model import events as ev
from engine.model.mandate import Mandate
from engine.model.money import ZERO
from engine.model.signal import Approval
from engine.model.words import DeskState, OrderStatus, Purpose, Side
from engine.rules.mandates import MandateAsk, MandatePolicy, burn_of, why_not
from tests.unit.builders import T0, legs_of, make_bracket, make_order, make_report, make_signal, proof

EACH, DAY, COUNT, LOSS = Decimal(3_000), Decimal(7_000), 4, Decimal(400)
PRICE = Decimal(100)
NEW_YORK = ZoneInfo("America/New_York")
NUMBERS = st.integers(0, 30)


class Life:
    """What really happened to one approval, counted apart from the book."""

    def __init__(self, notional: Decimal, at: datetime) -> None:
        self.notional = notional
        self.at = at
        self.is_unsent = False


class MandateMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.facts: list[ev.Recorded] = []
        self.book = Book()
        self.lives: dict[str, Life] = {}
        self.revoked_when = False
        self.until = T0 + timedelta(hours=60)
        self.number = 0
        self.slipped = ZERO
        """What fills cost more than was approved: no bound can know it before."""
        self.tell(ev.DeskStarted(version="test"))

    @initialize(loss=st.sampled_from([None, LOSS]))
    def mandate_is_given(self, loss: Decimal | None) -> None:
        mandate = Mandate(
            id="m0001",
            strategy="breakout",
            symbols=(),
            sides=(Side.BUY,),
            max_notional_each=EACH,
            max_notional_day=DAY,
            max_count=COUNT,
            max_loss_day=loss,
            until=self.until,
            created_at=T0,
            created_by="ann",
        )
        self.tell(ev.MandateGranted(mandate=mandate))

    def tell(self, *events: ev.AnyEvent) -> None:
        for event in events:
            recorded = ev.Recorded(len(self.facts) + 1, self.now, event)
            self.book.apply(recorded)
            self.facts.append(recorded)

    def chosen(self, number: int, statuses: set[str]) -> str | None:
        found = [key for key, record in self.book.signals.items() if record.status.value in statuses]
        return found[number % len(found)] if found else None

    # --- what the desk does --------------------------------------------------------------------------------------

    def signal_comes(self) -> None:
        self.number += 1
        signal = make_signal(id=f"s{self.number:06d}", source_id=f"x{self.number}", symbol=f"SYM{self.number}")
        self.tell(ev.SignalReceived(signal=signal))

    @rule(number=NUMBERS, qty=st.integers(5, 32), stop=st.integers(94, 99), is_new=st.booleans())
    def mandate_claims(self, number: int, qty: int, stop: int, is_new: bool) -> None:
        """A new signal, or one that came back: the machine asks for those too, which the desk leaves to a person."""
        wanted = None if is_new else self.chosen(number, {"pending"})
        if wanted is None:
            self.signal_comes()
            wanted = f"s{self.number:06d}"
        record = self.book.mandates["m0001"]
        risk = (PRICE - stop) * qty
        asked = MandateAsk(
            signal=self.book.signals[wanted].signal,
            closes=False,
            notional=qty * PRICE,
            risk=risk,
            warning=None,
            state=self.book.state_of("desk"),
            now=self.now,
        )
        burn = burn_of(record, self.now, loss_today(self.book, record, self.now))
        policy = MandatePolicy(run=self.book.run, confirm_after_restart=True, wait_on_warn=True)
        if why_not(record, asked, burn, policy) is not None:
            return
        assert not self.revoked_when, "a revoked mandate approves nothing"
        assert self.now < self.until
        assert self.book.state_of("desk") is DeskState.ACTIVE
        life = f"b{wanted[1:]}r{len(self.lives)}"
        approval = Approval(
            actor="mandate:m0001",
            at=self.now,
            preview_id=None,
            qty=Decimal(qty),
            limit_price=PRICE,
            stop_price=Decimal(stop),
            take_profit_price=None,
            notional=qty * PRICE,
        )
        self.lives[life] = Life(qty * PRICE, self.now)
        self.tell(ev.SignalApproved(signal_id=wanted, bracket_id=life, approval=approval))

    @rule(number=NUMBERS)
    def approval_comes_back(self, number: int) -> None:
        wanted = self.unsent(number)
        if wanted is not None:
            self.lives[self.life_of(wanted)].is_unsent = True
            self.tell(ev.SignalReturned(signal_id=wanted, why="taken back"))

    @rule(number=NUMBERS)
    def gate_denies_at_the_last_moment(self, number: int) -> None:
        wanted = self.unsent(number)
        if wanted is not None:
            self.lives[self.life_of(wanted)].is_unsent = True
            self.tell(ev.SignalDenied(signal_id=wanted, reasons=()))

    @rule(number=NUMBERS)
    def person_rejects_what_was_not_sent_yet(self, number: int) -> None:
        wanted = self.unsent(number)
        if wanted is not None:
            self.lives[self.life_of(wanted)].is_unsent = True
            self.tell(ev.SignalRejected(signal_id=wanted, actor="ann", reason=""))

    @rule(number=NUMBERS)
    def entry_is_sent(self, number: int) -> None:
        wanted = self.unsent(number)
        if wanted is None:
            return
        record = self.book.signals[wanted]
        approval, life = record.approval, record.bracket_id
        assert approval is not None
        assert life is not None
        order_id = f"gl-7f3a2c-{life[1:]}-entry-1"
        common: dict[str, Any] = {"symbol": record.signal.symbol, "bracket_id": life, "qty": approval.qty}
        entry = make_order(id=order_id, client_order_id=order_id, limit_price=PRICE, **common)
        unborn = {"status": OrderStatus.SENDING, "broker_id": None, "evidence": None}
        legs = legs_of(entry, **unborn, **common)
        bracket = make_bracket(
            id=life,
            signal_id=wanted,
            symbol=record.signal.symbol,
            qty=approval.qty,
            stop_price=approval.stop_price,
            opened_at=self.now,
        )
        self.tell(
            ev.BracketOpened(bracket=bracket), ev.OrderIntended(order=entry, body={}, purpose=Purpose.ENTRY, legs=legs)
        )

    @rule(number=NUMBERS, by=st.sampled_from(["desk", "ann"]))
    def broker_never_had_it(self, number: int, by: str) -> None:
        order_id = self.order(number, {"sending"})
        if order_id is not None:
            bracket_id = self.book.orders[order_id].bracket_id
            assert bracket_id is not None
            self.lives[bracket_id].is_unsent = by == "desk"
            self.tell(ev.OrderNeverReached(order_id=order_id, why="no trace", actor=by))

    @rule(number=NUMBERS)
    def broker_refuses(self, number: int) -> None:
        order_id = self.order(number, {"sending"})
        if order_id is not None:
            self.tell(ev.OrderRefused(order_id=order_id, text="no"))

    @rule(number=NUMBERS, worse=st.integers(0, 5))
    def entry_fills(self, number: int, worse: int) -> None:
        order_id = self.order(number, {"sending", "new"})
        if order_id is not None:
            order = self.book.orders[order_id]
            assert order.bracket_id is not None
            price = PRICE + worse
            report = make_report(
                OrderStatus.FILLED,
                broker_id=f"broker-{order_id}",
                filled_qty=order.qty,
                filled_avg_price=price,
                evidence=proof(self.now),
                updated_at=self.now,
            )
            self.tell(ev.OrderReported(order_id=order_id, report=report))
            life = self.lives[order.bracket_id]
            self.slipped += max(ZERO, order.qty * price - life.notional)
            life.notional = max(life.notional, order.qty * price)

    # --- what else happens ---------------------------------------------------------------------------------------

    @precondition(lambda self: not self.revoked_when)
    @rule(number=st.integers(0, 9))
    def person_revokes(self, number: int) -> None:
        if number == 0:  # seldom, or nothing else would be seen
            self.revoked_when = True
            self.tell(ev.MandateRevoked(mandate_id="m0001", actor="ann"))

    @rule(state=st.sampled_from(list(DeskState)), often=st.integers(0, 7))
    def state_changes(self, state: DeskState, often: int) -> None:
        chosen = state if often == 0 else DeskState.ACTIVE
        self.tell(ev.DeskStateSet(scope="desk", state=chosen, actor="ann", cause=""))

    @rule(confirmed=st.integers(0, 3))
    def desk_crashes_and_starts_again(self, confirmed: int) -> None:
        book = Book()
        for fact in self.facts:
            book.apply(fact)
        assert book.mandates == self.book.mandates
        self.book = book
        self.tell(ev.DeskStarted(version="test"))
        for wanted in [key for key in tuple(book.approved) if book.signals[key].bracket_id not in book.brackets]:
            self.lives[self.life_of(wanted)].is_unsent = True
            self.tell(ev.SignalReturned(signal_id=wanted, why="approved, never reached the broker"))
        if confirmed:
            self.tell(ev.MandateConfirmed(mandate_id="m0001", actor="ann"))

    @rule(hours=st.integers(1, 3))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    # --- helpers -------------------------------------------------------------------------------------------------

    def unsent(self, number: int) -> str | None:
        found = [key for key in self.book.approved if self.book.signals[key].bracket_id not in self.book.brackets]
        return found[number % len(found)] if found else None

    def life_of(self, signal_id: str) -> str:
        bracket_id = self.book.signals[signal_id].bracket_id
        assert bracket_id is not None
        return bracket_id

    def order(self, number: int, statuses: set[str]) -> str | None:
        found = [
            order.id
            for order in self.book.orders.values()
            if order.role.value == "entry" and order.status.value in statuses
        ]
        return found[number % len(found)] if found else None

    # --- what must always be true --------------------------------------------------------------------------------

    @precondition(lambda self: bool(self.book.mandates))
    @invariant()
    def no_bound_is_exceeded(self) -> None:
        counted = [life for life in self.lives.values() if not life.is_unsent]
        assert len(counted) <= COUNT
        days: dict[Any, Decimal] = {}
        for life in counted:
            day = life.at.astimezone(NEW_YORK).date()
            days[day] = days.get(day, ZERO) + life.notional
        assert all(spent <= DAY + self.slipped for spent in days.values())
        burned = burn_of(self.book.mandates["m0001"], self.now, ZERO)
        assert burned.count == len(counted), "the book's count is the true one"
        assert burned.notional_today == days.get(self.now.astimezone(NEW_YORK).date(), ZERO)


TestMandates = MandateMachine.TestCase
TestMandates.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
