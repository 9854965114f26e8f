"""The exchange without sockets: book, matching, prices and time behind a handful of calls.

``Exchange`` is what ``rest.py`` asks and what ``server.py`` drives: ``run_due`` lets time pass, every call that changes
something ends with ``settle``, which commits the changes and only then gives the trade updates to the streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from itertools import chain
from typing import Any

from engine.clock import Clock
from engine.exchange import assets
from engine.exchange.accounts import Account, AccountState
from engine.exchange.admission import Admission
from engine.exchange.amendment import Amending
from engine.exchange.corporate import CorporateActions
from engine.exchange.errors import Refusal, not_found, unprocessable
from engine.exchange.faults import Faults
from engine.exchange.floor import Execution, Floor, TradeUpdate, decimal_price
from engine.exchange.history import MINUTES_PER_DAY
from engine.exchange.market import Market, Print, Quote, Tick
from engine.exchange.matching import FRACTION_STEP, Matching
from engine.exchange.orders import Order
from engine.exchange.replay import Tape
from engine.exchange.requests import Amendment, Ticket
from engine.exchange.session import OpenSession, RealSession, Session
from engine.exchange.settings import ExchangeSettings
from engine.exchange.store import Store
from engine.exchange.unstored import Unstored
from engine.exchange.wire import nested_order_json, order_json

MINUTES_BEFORE_START = 120
_SAVE_PRICES_EVERY_S = 5.0
_EXTENDED_PACE = 0.3
"""Activity of the extended sessions, as a fraction of the core session's."""


class Exchange:
    """One account at one exchange. Not thread-safe, does not sleep, opens nothing but its store."""

    def __init__(self, settings: ExchangeSettings, clock: Clock, faults: Faults | None = None) -> None:
        self.settings = settings
        self.faults = faults if faults is not None else Faults()
        tape = Tape.load(settings.replay) if settings.replay is not None else None
        self.store: Store | Unstored = Unstored() if settings.db_path is None else Store(settings.db_path)
        now = clock.now()
        session: Session = OpenSession(now) if settings.session == "open" else RealSession()
        self._day = session.closing_day(now)
        self.market = self._open_market(tape, now_ns=int(now.timestamp()) * 1_000_000_000)
        account = Account(AccountState(id="", number="", cash=settings.cash, last_equity=settings.cash), self._mark)
        self.floor = Floor(
            settings,
            clock,
            market=self.market,
            session=session,
            account=account,
            faults=self.faults,
            archive=self.store,
        )
        self._busted: set[str] = set()
        """Executions that were taken back, by id."""
        self.matching = Matching(self.floor)
        self.admission = Admission(self.floor)
        self.amending = Amending(self.floor)
        self.corporate = CorporateActions(self)
        self._phase = session.phase(now)
        self._next_prices_s = _SAVE_PRICES_EVERY_S
        self._equity_minute = 0
        self._frozen: dict[str, tuple[Quote, Print]] = {}
        self.on_updates: Callable[[list[TradeUpdate]], None] | None = None
        """Takes the trade updates of what was just committed."""
        self.on_ticks: Callable[[list[Tick]], None] | None = None
        """Takes the market data of the steps just made."""
        self._load()

    def close(self) -> None:
        """Saves the prices and closes the book."""
        self.settle()
        self.store.save_market(self.market.state())
        self.store.close()

    def _open_market(self, tape: Tape | None, *, now_ns: int) -> Market:
        chosen = self.settings.symbols if tape is None else tape.symbols
        listed = [asset for asset in assets.LISTED if chosen is None or asset.symbol in chosen]
        before = MINUTES_BEFORE_START
        if self.settings.session == "real":
            opened_ns = int(self._day.opens.timestamp()) * 1_000_000_000
            before = min(max((now_ns - opened_ns) // 60_000_000_000, 0), MINUTES_PER_DAY)
        return Market(
            listed,
            seed=self.settings.seed,
            day=self._day.day,
            now_ns=now_ns,
            step_s=self.settings.quote_interval_s,
            minutes_before=before,
            resume=self.store.load_market(),
            tape=tape,
            tape_speed=self.settings.replay_speed,
        )

    def _load(self) -> None:
        """The book as the last process left it, or a new account."""
        floor, account = self.floor, self.floor.account
        state = self.store.load_account()
        if state is None:
            account.state.id, account.state.number = floor.new_id(), f"PA{floor.rng.randrange(10**10):010d}"
            account.state.created_at = floor.now_ns()
            account.state.multiplier = self.settings.multiplier
            floor.changed.account = True
        else:
            account.state = state
        account.positions = self.store.load_positions()
        kept, left_out_to = self.store.load_orders(self.settings.orders_kept)
        floor.orders.forgo(left_out_to)
        for order in kept:
            hold, power = order.hold, order.buying_power
            order.hold = order.buying_power = Decimal(0)
            floor.orders.add(order)
            account.reserve(order, hold=hold, power=power)
        floor.executions, floor.executions_let_go = self.store.load_executions(self.settings.orders_kept)
        self.matching.resume()
        if self.settings.session == "real":
            self._expire_what_a_close_ended()
        self.settle()

    def _expire_what_a_close_ended(self) -> None:
        """Day orders of a day whose close the exchange has slept through."""
        floor = self.floor
        now = floor.now()
        for order in floor.orders.live():
            day = floor.session.closing_day(datetime.fromtimestamp(order.submitted_at / 1e9, UTC))
            if order.time_in_force == "day" and order.is_live and day.closes <= now and "/" not in order.symbol:
                self.matching.finish(order, "expired")

    def _mark(self, symbol: str) -> Decimal:
        return decimal_price(self.market.last_price(symbol))

    # -- time -------------------------------------------------------------------------------------------------------

    def run_due(self) -> float:
        """Does everything that is due now; returns the seconds until something is due again."""
        floor = self.floor
        elapsed = floor.elapsed_s()
        while (action := floor.next_due(elapsed)) is not None:
            action()
        if self.market.next_step_s <= elapsed:
            self._step_market(elapsed)
        self._follow_session()
        self.settle()
        due = self.market.next_step_s
        if floor.next_action_s is not None:
            due = min(due, floor.next_action_s)
        return max(due - floor.elapsed_s(), 0.0)

    def _step_market(self, elapsed: float) -> None:
        floor = self.floor
        now = floor.now()
        day, phase = self._day, floor.session.phase(now)
        fraction = (now - day.opens) / (day.closes - day.opens)
        pace = {"core": 1.0, "closed": 0.0}.get(phase, _EXTENDED_PACE)
        self._freeze()
        ticks = self.market.advance(
            elapsed, floor.now_ns(), fraction=fraction, trading={"us_equity": pace, "crypto": 1.0}
        )
        for tick in ticks:
            self.matching.on_tick(tick)
        ticks = [tick for tick in ticks if tick.symbol not in self._frozen]
        if ticks and self.on_ticks is not None:
            self.on_ticks(ticks)
        if elapsed >= self._next_prices_s:
            self._next_prices_s = elapsed + _SAVE_PRICES_EVERY_S
            self.store.save_market(self.market.state())
            self._note_equity()

    def _freeze(self) -> None:
        """Keeps what was last told of symbols whose quotes a fault has stopped; trading goes on unseen."""
        if self.faults or self._frozen:
            silent = [asset.symbol for asset in self.market.assets if self.faults.silences(asset.symbol)]
            self._frozen = {symbol: (self.quote(symbol), self.trade(symbol)) for symbol in silent}

    def quote(self, symbol: str) -> Quote:
        """The quote as the market data API tells it."""
        frozen = self._frozen.get(symbol)
        return frozen[0] if frozen is not None else self.market.quote(symbol)

    def trade(self, symbol: str) -> Print:
        """The newest trade as the market data API tells it."""
        frozen = self._frozen.get(symbol)
        return frozen[1] if frozen is not None else self.market.trade(symbol)

    def _note_equity(self) -> None:
        minute = int(self.floor.now().timestamp()) // 60 * 60
        if minute != self._equity_minute:
            self._equity_minute = minute
            self.store.add_equity(minute, float(self.floor.account.equity))

    def _follow_session(self) -> None:
        """Ends the day at its close; routes what waited for the open."""
        floor = self.floor
        now = floor.now()
        if now >= self._day.closes:
            self.matching.closing_auction()
            self.matching.expire_day_orders(extended=self.settings.session == "open")
            self.matching.expire_day_orders(extended=False)
            self.matching.end_day()
            floor.account.start_day()
            floor.changed.account = True
            floor.changed.positions.update(floor.account.positions)
            self._day = floor.session.closing_day(now)
            self.market.close_day(self._day.day)
        phase = floor.session.phase(now)
        if phase != self._phase:
            if phase == "closed":
                self.matching.expire_day_orders(extended=True)
            self._phase = phase
            self.matching.queue_opens()

    def settle(self) -> None:
        """Commits what has changed, then hands out the trade updates it caused."""
        floor = self.floor
        self.store.commit(floor.changed, floor.account.positions, floor.account.state)
        floor.trim()
        if floor.outbox:
            updates, floor.outbox = floor.outbox, []
            if self.on_updates is not None:
                self.on_updates(updates)

    # -- orders -----------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket) -> Order:
        """Accepts an order or raises ``Refusal``."""
        order, legs = self.admission.admit(ticket)
        if order.order_class in {"bracket", "oto"}:
            self.faults.note_group(order)
        self.matching.accept(order, legs)
        return order

    def find(self, order_id: str) -> Order:
        """The order of an id, or Alpaca's 404."""
        order = self.floor.orders.get(order_id)
        if order is None:
            raise not_found(f"order not found for {order_id}")
        return order

    def replace(self, order_id: str, change: Amendment) -> Order:
        """The successor of an order; the replacement itself completes later."""
        old = self.find(order_id)
        new = self.amending.amend(old, change)
        self.matching.begin_replace(old, new)
        return new

    def cancel(self, order_id: str) -> Order:
        """Requests a cancel; it completes later, and an execution may come first."""
        order = self.find(order_id)
        if not order.is_live:
            raise unprocessable(f'order is already in "{order.status}" state')
        if order.status == "pending_cancel":
            raise unprocessable("order pending cancel")
        if order.status == "pending_replace" or self.floor.orders.is_awaited(order):
            raise unprocessable("order pending replace")
        if any(sibling.status == "pending_replace" for sibling in self.floor.orders.siblings(order)):
            raise unprocessable("order pending replace")  # a leg under replacement locks its sibling
        self.matching.begin_cancel(order)
        return order

    def cancel_all(self) -> list[tuple[Order, Refusal | None]]:
        """Cancels every open order; one row a group (its legs follow), with the refusal where it can't be canceled."""
        rows: list[tuple[Order, Refusal | None]] = []
        seen: set[str] = set()
        for order in self.floor.orders.live():
            top = order.parent_id or order.id
            if top in seen or not order.is_live:
                continue
            seen.add(top)
            try:
                rows.append((self.cancel(order.id), None))
            except Refusal as refusal:
                rows.append((order, refusal))
        return rows

    def close_position(self, name: str, *, qty: Decimal | None = None, percentage: Decimal | None = None) -> Order:
        """A market order that closes a position, or a part of it; its client id is the exchange's own."""
        symbol = self.floor.asset(name).symbol
        position = self.floor.account.positions.get(symbol)
        if position is None:
            raise not_found("position does not exist")
        held = abs(position.qty)
        if percentage is not None:
            qty = held * percentage / 100
            qty = qty.quantize(Decimal(1) if held % 1 == 0 else FRACTION_STEP, ROUND_DOWN)
            if qty <= 0:
                raise unprocessable("qty must be > 0")
        return self.submit(
            Ticket(
                symbol=symbol,
                side="sell" if position.qty > 0 else "buy",
                type="market",
                time_in_force="gtc" if "/" in symbol else "day",
                order_class="",
                qty=held if qty is None else qty,
                notional=None,
                limit_price=None,
                stop_price=None,
                trail_price=None,
                trail_percent=None,
                extended_hours=False,
                client_order_id=None,
                position_intent=None,
            )
        )

    def render(self, order: Order, *, nested: bool = True) -> dict[str, Any]:
        """The order as an answer shows it."""
        asset = self.floor.asset(order.symbol)
        return nested_order_json(order, self.floor.orders, asset) if nested else order_json(order, asset)

    def listen(self, *, rendering: bool) -> None:
        """Turns the rendering of trade updates on while somebody listens."""
        nested = self.settings.stream_legs
        self.floor.render_update = (lambda order: self.render(order, nested=nested)) if rendering else None

    # -- by hand, as another client at the broker would ---------------------------------------------------------------

    def fill_by_hand(self, order_id: str, qty: Decimal | None, price: Decimal | None) -> Order:
        """Executes an order (its rest by default) at a price (the touch by default), whatever the market says."""
        order = self.find(order_id)
        if order.qty is None or not order.is_live or order.leaves_qty <= 0:
            raise unprocessable(f'order is already in "{order.status}" state')
        if self.floor.orders.is_awaited(order):
            raise unprocessable("order chain not fully replaced")
        part = order.leaves_qty if qty is None else min(qty, order.leaves_qty)
        if price is None:
            quote = self.market.quote(order.symbol)
            price = order.limit_price or decimal_price(quote.ask if order.is_buy else quote.bid)
        order.routed = True
        self.matching.execute(order, part, price)
        return order

    def cancel_by_hand(self, order_id: str) -> Order:
        """As another client would; of a cancel that is stuck it is the venue's late answer."""
        order = self.find(order_id)
        if order.status != "pending_cancel":
            return self.cancel(order_id)
        self.matching.finish(order, "canceled")
        return order

    def bust(self, order_id: str) -> Order:
        """The venue takes the order's newest execution back: the shares return, the order keeps its status."""
        order = self.find(order_id)
        its_own = (each for each in reversed(self.floor.executions) if each.order_id == order.id)
        taken = next((each for each in its_own if each.execution_id not in self._busted), None)
        if taken is None:
            raise unprocessable("no execution to take back")
        self._busted.add(taken.execution_id)
        self.matching.take_back(order, taken)
        return order

    def set_position(self, name: str, qty: Decimal, price: Decimal | None) -> None:
        """A position that comes or goes without an order (a transfer)."""
        symbol = self.floor.asset(name).symbol
        self.floor.account.set_position(symbol, qty, price or self._mark(symbol))
        self.floor.changed.positions.add(symbol)

    def move_price(self, name: str, price: Decimal) -> None:
        """A shock: the market of a symbol jumps to a price."""
        symbol = self.floor.asset(name).symbol
        tick = self.market.shock(symbol, float(price), self.floor.now_ns())
        self.matching.on_tick(tick)
        if self.on_ticks is not None:
            self.on_ticks([tick])

    def halt(self, name: str, *, halted: bool) -> None:
        """Stops or resumes trading in a symbol; what was waiting goes on at the reopening."""
        symbol = self.floor.asset(name).symbol
        self.market.halt(symbol, halted=halted)
        if self.on_ticks is not None:
            self.on_ticks([Tick(symbol, None, None, None, halted, self.floor.now_ns())])
        if not halted:
            self.matching.reopen(symbol)

    def executions(self, *, newest_first: bool) -> Iterator[Execution]:
        """All of the account's, those that have left memory included."""
        floor = self.floor
        older = self.store.executions_up_to(floor.executions_let_go, newest_first=newest_first)
        if newest_first:
            return chain(reversed(floor.executions), older)
        return chain(older, floor.executions)
