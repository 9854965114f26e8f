"""Broker truth against the book: at start, after each reconnect, on a timer, and whenever somebody doubts a symbol.

Reads orders, positions and account; folds what is known; settles what the desk left behind when it died; and lists what
it cannot explain as differences, which keep the start gate locked until the operator has settled each. Never guesses.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.alpaca import wire
from engine.alpaca.client import AlpacaClient
from engine.book import Book
from engine.busts import Busts
from engine.clock import Clock
from engine.differences import AT_REST, Difference, Differences
from engine.errors import BrokerError, EngineError
from engine.model import events as ev
from engine.model.money import ZERO
from engine.model.order import Evidence, Order
from engine.model.words import OrderRole, OrderStatus, SignalStatus, Source
from engine.order_reading import OrderReader
from engine.protection.case import Truth
from engine.recorder import Recorder
from engine.reports import position_from
from engine.surroundings import World
from engine.views_truth import ReconciliationView
from engine.withdrawal import wish_died

log = logging.getLogger(__name__)

UNREAD: Final = "what happened while the order stream was away has not been read yet"
BUSY_EVERY_S: Final = 5.0
"""Orders are read this often while one is under way, as far as the timer's budget goes."""
RESTING_EVERY_S: Final = 15.0
"""And this often while they only rest: it leaves room in the budget for what gets under way."""
IDLE_EVERY_S: Final = 30.0
"""Positions, and orders when nothing works."""
SLOW_EVERY_S: Final = 50.0
"""Account and session: fills and the session's own change ask for them sooner."""
AGAIN_EVERY_S: Final = 60.0
"""A page of orders that are over, for what the venue takes back of one of them and tells nobody."""
TIMER_BUDGET: Final = 10
"""Requests a minute that the timer may spend. Doubts, gaps in the stream and a person's look are not counted."""
BUDGET_S: Final = 60.0
WHOLE_COST: Final = 2
SLOW_COST: Final = 2
POLL_EVERY_S: Final = 2.0
"""Orders and positions while they are polled in place of the stream: 60 requests a minute."""
AFTER_LOSS_S: Final = 2.0
"""A look that failed is tried again so soon."""
SECOND_LOOK_S: Final = 1.1
DOUBT_PAUSE_S: Final = 0.3
"""Doubts that come together are settled together."""


class WrongAccount(EngineError):
    """The keys open another account than the one this journal belongs to."""


class Reconciler:
    def __init__(
        self,
        client: AlpacaClient,
        recorder: Recorder,
        book: Book,
        world: World,
        clock: Clock,
        differences: Differences,
        reader: OrderReader,
        busts: Busts,
        *,
        settle: Callable[[str], None],
    ) -> None:
        """``settle`` starts the look-ups of an order of unknown fate."""
        self._client = client
        self._recorder = recorder
        self._book = book
        self._world = world
        self._clock = clock
        self._differences = differences
        self._busts = busts
        self.reader = reader
        self._settle = settle
        self._doubts: set[str] = set()
        self._wake = asyncio.Event()
        self._whole = True
        self._lost = ""
        """Why the last look failed: told once."""
        self._account_doubted = False
        self._last_whole_s = self._last_slow_s = self._last_orders_s = self._last_again_s = float("-inf")
        self._spent: deque[float] = deque()
        """When the timer spent its requests of the last minute, in the loop's seconds."""
        self.read_at: datetime | None = None
        """When the newest reading of all orders and positions began that ended well."""
        self.looked_at: datetime | None = None
        """When the newest look ended well."""
        self._began_at = clock.now()
        self._gaps = 0
        """So often nobody knew what the stream had not told."""
        self.has_read = False
        """Whether orders and positions have been read since this process began."""
        self.truths: dict[str, Truth] = {}
        """Symbol -> what REST last said is held."""

    # --- asking for a look -------------------------------------------------------------------------------------------

    def doubt(self, symbol: str) -> None:
        """Something about this symbol cannot be true: read it again soon."""
        self._doubts.add(symbol)
        self._wake.set()

    def doubt_all(self) -> None:
        """A gap in the stream: read everything again, and let nobody enter on what is known from before it."""
        self._whole = True
        self._gaps += 1
        self._world.unread = UNREAD
        self._wake.set()

    def doubt_account(self) -> None:
        """Fills changed the account: read it again soon."""
        self._account_doubted = True
        self._wake.set()

    async def run(self) -> None:
        """For ever: on doubts at once, else on the timer."""
        while True:
            now_s = self._clock.monotonic_s()
            has_failed = False
            before = self._world.asked
            is_timed = not (self._whole or self._doubts or self._account_doubted)
            whole, self._whole = self._whole, False
            try:
                if whole or now_s - self._last_whole_s >= IDLE_EVERY_S:
                    is_slow = whole or now_s - self._last_slow_s >= SLOW_EVERY_S or self._session_is_over()
                    await self.everything(slow=is_slow)
                    self._last_whole_s = self._last_orders_s = self._clock.monotonic_s()
                    self._last_slow_s = now_s if is_slow else self._last_slow_s
                elif self._doubts:
                    await self.symbols(self._take_doubts())
                elif self._account_doubted:
                    self._account_doubted = False
                    await self._world.refresh_account()
                elif self._world.stream.polled_by is not None:
                    await self._poll()
                elif self._book.open_orders and self._may_read_orders(now_s):
                    await self.reader.read(())
                    self._last_orders_s = now_s
                await self.reader.check_refusals()
                if is_timed and now_s - self._last_again_s >= AGAIN_EVERY_S and self._has_room(now_s):
                    self._last_again_s = now_s
                    await self.reader.read_again()
            except BrokerError as lost:
                has_failed = True
                self._whole = self._whole or whole  # a gap is closed by a look that ended well, not by one that began
                if lost.operator_text != self._lost:
                    log.info("reconciliation: %s", lost)
                self._lost = lost.operator_text
            if not has_failed:
                self._lost = ""
                self.looked_at = self._clock.now()
            if is_timed and self._world.stream.polled_by is None:
                self._spent.extend([now_s] * (self._world.asked - before))
            self._wake.clear()
            if not (self._whole or self._doubts or self._account_doubted):
                await self._pause(self._pause_s(has_failed))
                self._doubts.update(self._doubtful)
            await self._clock.sleep(DOUBT_PAUSE_S)

    def spent(self) -> int:
        """Requests of the timer in the last minute."""
        while self._spent and self._clock.monotonic_s() - self._spent[0] >= BUDGET_S:
            self._spent.popleft()
        return len(self._spent)

    def _may_read_orders(self, now_s: float) -> bool:
        """Whether it is time, and there is room."""
        if now_s - self._last_orders_s < RESTING_EVERY_S - BUSY_EVERY_S / 2 and not self._is_moving():
            return False
        return self._has_room(now_s)

    def _has_room(self, now_s: float) -> bool:
        """For one request more in the timer's budget, with the next whole look set aside."""
        if self.spent() >= TIMER_BUDGET:
            return False
        whole_due_s = IDLE_EVERY_S - (now_s - self._last_whole_s)
        is_slow = now_s + whole_due_s - self._last_slow_s >= SLOW_EVERY_S
        still_counted = sum(at_s > now_s + whole_due_s - BUDGET_S for at_s in self._spent)
        return still_counted + 1 + WHOLE_COST + (SLOW_COST if is_slow else 0) <= TIMER_BUDGET

    def _is_moving(self) -> bool:
        """An order is under way to somewhere, and should have arrived soon."""
        return any(
            order.status not in AT_REST or order.unresolved_since is not None or order.cancel_requested_at is not None
            for order in map(self._book.orders.__getitem__, self._book.open_orders)
        )

    def _session_is_over(self) -> bool:
        """The session was to open or close meanwhile: the broker says whether it did."""
        changes_at = self._world.session_changes_at
        return changes_at is None or self._clock.now() >= changes_at

    def view(self) -> ReconciliationView:
        return ReconciliationView(
            looked_at=self.looked_at,
            every_s=self._every_s(),
            requests_last_min=self.spent(),
            requests_limit=TIMER_BUDGET,
            failing=self._lost,
        )

    @property
    def _doubtful(self) -> set[str]:
        """Symbols that another look is owed to, soon. One that an order of unknown fate leaves open gets it once."""
        unread = self.reader.unsearched(self._differences.gaps())
        return self._differences.doubtful | self._busts.doubtful | unread

    def _every_s(self) -> float:
        if self._world.stream.polled_by is not None:
            return POLL_EVERY_S
        if not self._book.open_orders:
            return IDLE_EVERY_S
        return BUSY_EVERY_S if self._is_moving() else RESTING_EVERY_S

    def _pause_s(self, has_failed: bool) -> float:
        if self._doubtful:
            return SECOND_LOOK_S
        if has_failed or not self.has_read:
            return AFTER_LOSS_S
        return BUSY_EVERY_S if self._world.stream.polled_by is None else POLL_EVERY_S

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _take_doubts(self) -> set[str]:
        doubts, self._doubts = self._doubts, set()
        return doubts

    # --- looking -----------------------------------------------------------------------------------------------------

    async def everything(self, *, slow: bool = True) -> None:
        """Positions, orders, and with ``slow`` account and session. Raises ``BrokerError``, ``WrongAccount``."""
        began_at, gaps = self._clock.now(), self._gaps
        if slow:
            account = await self._world.refresh_account()
            self._check_account(account.account_number)
            await self._world.refresh_session()
        orders = await self.reader.read(())
        if not self.has_read:
            await self._settle_left_behind()
        await self._read_positions(orders)
        self.has_read = True
        self.read_at = began_at
        if gaps == self._gaps:  # else another one came while this was read
            self._world.unread = None
        self._lock_or_open()

    async def _poll(self) -> None:
        """What the stream would have told: orders and positions. Raises ``BrokerError``."""
        await self._read_positions(await self.reader.read(()))
        self._lock_or_open()

    async def _read_positions(self, orders: list[wire.Order]) -> None:
        """All positions, compared with the trades and with ``orders``."""
        asked_at = self._clock.now()
        positions = await self._world.asking(self._client.positions())
        proof = self._proof(positions.request_id)
        held = {position.symbol: position for position in positions.value.items}
        self._differences.note_unreadable("positions", positions.value.unreadable)
        for symbol in held.keys() | self._book.positions.keys():
            if symbol in held or not positions.value.unreadable:  # a row that cannot be read may be this one
                self._take_position(symbol, held.get(symbol), proof, asked_at)
        in_question = held.keys() | self._book.brackets_of_symbol.keys() | self._differences.unexplained
        self._differences.compare(orders, in_question)

    async def symbols(self, symbols: Iterable[str]) -> None:
        """The same for some symbols. Raises ``BrokerError``."""
        wanted = sorted(set(symbols))
        if not wanted:
            return
        await self.reader.read(wanted)
        for symbol in wanted:
            asked_at = self._clock.now()
            answer = await self._world.asking(self._client.position(symbol))
            self._take_position(symbol, answer.value, self._proof(answer.request_id), asked_at)
        gaps = self._differences.gaps()
        if gaps.keys() & set(wanted):
            await self.reader.read_executions(set(wanted))
            await self.reader.read_executed(set(wanted), gaps)
        self._differences.compare([], wanted)
        self._lock_or_open()

    def _check_account(self, number: str) -> None:
        if self._book.account_number is None:
            self._recorder.record(ev.AccountBound(account_number=number))
        elif self._book.account_number != number:
            raise WrongAccount(
                f"This journal belongs to account {self._book.account_number}, the keys open {number}: "
                "use another data folder."
            )

    def _take_position(self, symbol: str, found: wire.Position | None, proof: Evidence, asked_at: datetime) -> None:
        qty, available = (found.qty, found.qty_available) if found is not None else (ZERO, ZERO)
        # Of a short position Alpaca gives both with a minus.
        free = abs(available) if available is not None else None
        self.truths[symbol] = Truth(qty=qty, available=free, read_at=asked_at)
        known = self._book.positions.get(symbol)
        if found is None:
            if known is not None:
                gone = msgspec.structs.replace(known, qty=ZERO, avg_entry_price=None, evidence=proof)
                self._recorder.record(ev.PositionReported(position=gone))
        elif known is None or known.qty != found.qty or known.avg_entry_price != found.avg_entry_price:
            self._recorder.record(ev.PositionReported(position=position_from(found, proof)))

    # --- what a crash left behind ------------------------------------------------------------------------------------

    async def _settle_left_behind(self) -> None:
        """Writes whose answer the last process never saw, and approvals that never became an intent."""
        for order_id in tuple(self._book.open_orders):
            order = self._book.orders[order_id]
            if order.broker_id is not None or order.client_order_id is None or order.created_at >= self._began_at:
                continue
            if order.unresolved_since is not None:
                self._settle(order_id)
                continue
            answer = await self._world.asking(self._client.order_by_client_id(order.client_order_id))
            if answer.value is not None:
                nested = await self._world.asking(self._client.order(answer.value.id))
                self.reader.take_answer(order_id, nested.value or answer.value, self._proof(nested.request_id))
            else:
                self._never_reached(order)
        for order_id in tuple(self._book.open_orders):
            order = self._book.orders[order_id]
            if order.cancel_requested_at is not None and order.status is not OrderStatus.PENDING_CANCEL:
                self._recorder.record(wish_died(order_id))
        for signal_id in tuple(self._book.approved):
            record = self._book.signals[signal_id]
            if record.bracket_id not in self._book.brackets:
                self._recorder.record(ev.SignalReturned(signal_id=signal_id, why="approved, never reached the broker"))

    def _never_reached(self, order: Order) -> None:
        self._recorder.record(
            ev.OrderNeverReached(order_id=order.id, why="The desk stopped before the broker had it; it was not resent.")
        )
        bracket = self._book.brackets.get(order.bracket_id or "")
        if order.role is OrderRole.ENTRY and bracket is not None:
            entries = (other for other in self._book.orders_of(bracket.id) if other.role is OrderRole.ENTRY)
            if not all(entry.is_terminal and entry.was_unknown_to_broker for entry in entries):
                return  # a trade of several requests, of which one may have arrived
            record = self._book.signals.get(bracket.signal_id)
            if record is not None and record.status in (SignalStatus.APPROVED, SignalStatus.FAILED):
                self._recorder.record(
                    ev.SignalReturned(signal_id=bracket.signal_id, why="approved, never reached the broker")
                )

    # --- differences -------------------------------------------------------------------------------------------------

    @property
    def differences(self) -> dict[str, Difference]:
        """What keeps the start gate locked, by id."""
        return self._differences.open

    def settle_difference(self, difference_id: str, settlement: str, actor: str) -> None:
        self._differences.settle(difference_id, settlement, actor)
        self._lock_or_open()

    async def unexplained_qty(self, symbol: str) -> Decimal:
        """What the broker holds beyond the trades, read now. Raises ``BrokerError``."""
        await self.symbols([symbol])
        return self._differences.unexplained_qty(symbol)

    def _lock_or_open(self) -> None:
        if self.has_read:
            self._differences.lock_or_open()

    def _proof(self, request_id: str | None) -> Evidence:
        return Evidence(source=Source.REST, id=request_id, at=self._clock.now())
