"""Broker truth against the book: at start, after each reconnect, on a timer, and whenever somebody doubts a symbol.

Reads orders, positions and account; folds what is known; settles what the desk left behind when it died; and lists what
it cannot explain as differences, which keep the start gate locked until the operator has settled each. Never guesses.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from engine.adoption import Adopter
from engine.alpaca import wire
from engine.alpaca.client import AlpacaClient
from engine.alpaca.vocabulary import TERMINAL_STATUSES
from engine.book import Book
from engine.clock import Clock
from engine.errors import BrokerError, EngineError, IllegalTransition, InvariantViolated
from engine.model import events as ev
from engine.model.ids import desk_of
from engine.model.money import ZERO, plain
from engine.model.order import Evidence, Order
from engine.model.words import OrderRole, OrderStatus, SignalStatus, Source
from engine.recorder import Recorder
from engine.reports import leg_of, position_from, report_from
from engine.surroundings import World

log = logging.getLogger(__name__)

PAGE: Final = 500
MAX_PAGES: Final = 20
BUSY_EVERY_S: Final = 12.0
"""Orders are read this often while anything works: five requests a minute."""
IDLE_EVERY_S: Final = 30.0
"""Positions and account, and orders when nothing works."""
SECOND_LOOK_S: Final = 1.1
CONFIRM_AFTER_S: Final = 2.0
"""A gap between book and broker that looks the same for this long is real."""
AT_REST: Final = frozenset({OrderStatus.HELD, OrderStatus.NEW, OrderStatus.ACCEPTED})
DOUBT_PAUSE_S: Final = 0.3
"""Doubts that come together are settled together."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something at the broker that the book does not explain."""

    id: str
    kind: str
    """``order`` or ``position``."""
    symbol: str
    text: str
    settlements: tuple[str, ...]


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
        adopter: Adopter,
        *,
        take_answer: Callable[[str, wire.Order, Evidence], None],
        settle: Callable[[str], None],
    ) -> None:
        """``settle`` starts the look-ups of an order of unknown fate."""
        self._client = client
        self._recorder = recorder
        self._book = book
        self._world = world
        self._clock = clock
        self._adopter = adopter
        self._take_answer = take_answer
        self._settle = settle
        self._doubts: set[str] = set()
        self._suspects: dict[str, tuple[Decimal, Decimal, float]] = {}
        """Symbol -> what trades explain, what the broker holds, and since when they differ in just this way."""
        self._wake = asyncio.Event()
        self._whole = True
        self._account_doubted = False
        self._began_at = clock.now()
        self.has_read = False
        """Whether orders and positions have been read since this process began."""
        self.differences: dict[str, Difference] = {}
        self.verified: dict[str, Evidence] = {}
        """Order id -> when REST last confirmed it as the book has it. Not journaled: it proves nothing tomorrow."""

    # --- asking for a look -------------------------------------------------------------------------------------------

    def doubt(self, symbol: str) -> None:
        """Something about this symbol cannot be true: read it again soon."""
        self._doubts.add(symbol)
        self._wake.set()

    def doubt_all(self) -> None:
        """A gap in the stream: read everything again."""
        self._whole = True
        self._wake.set()

    def doubt_account(self) -> None:
        """Fills changed the account: read it again soon."""
        self._account_doubted = True
        self._wake.set()

    async def run(self) -> None:
        """For ever: on doubts at once, else on the timer."""
        last_whole_s = float("-inf")
        while True:
            now_s = self._clock.monotonic_s()
            try:
                if self._whole or now_s - last_whole_s >= IDLE_EVERY_S:
                    self._whole = False
                    await self.everything()
                    last_whole_s = self._clock.monotonic_s()
                elif self._doubts:
                    await self.symbols(self._take_doubts())
                elif self._account_doubted:
                    self._account_doubted = False
                    await self._world.refresh_account()
                elif self._book.open_orders:
                    await self._read_orders(())
            except BrokerError as lost:
                log.info("reconciliation: %s", lost)
            self._wake.clear()
            if not (self._whole or self._doubts or self._account_doubted):
                await self._pause(SECOND_LOOK_S if self._suspects else BUSY_EVERY_S if self.has_read else 2.0)
                self._doubts.update(self._suspects)
            await self._clock.sleep(DOUBT_PAUSE_S)

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

    async def everything(self) -> None:
        """Account, session, positions, orders. Raises ``BrokerError``, ``WrongAccount``."""
        account = await self._world.refresh_account()
        self._check_account(account.account_number)
        await self._world.refresh_session()
        orders = await self._read_orders(())
        if not self.has_read:
            await self._settle_left_behind()
        positions = await self._world.asking(self._client.positions())
        proof = self._proof(positions.request_id)
        held = {position.symbol: position for position in positions.value.items}
        for symbol in held.keys() | self._book.positions.keys():
            self._take_position(symbol, held.get(symbol), proof)
        self._compare(orders, held.keys() | self._book.brackets_of_symbol.keys())
        self.has_read = True
        self._lock_or_open()

    async def symbols(self, symbols: Iterable[str]) -> None:
        """The same for some symbols. Raises ``BrokerError``."""
        wanted = sorted(set(symbols))
        if not wanted:
            return
        await self._read_orders(wanted)
        for symbol in wanted:
            answer = await self._world.asking(self._client.position(symbol))
            self._take_position(symbol, answer.value, self._proof(answer.request_id))
        self._compare([], wanted)
        self._lock_or_open()

    def _check_account(self, number: str) -> None:
        if self._book.account_number is None:
            self._recorder.record(ev.AccountBound(account_number=number))
        elif self._book.account_number != number:
            raise WrongAccount(
                f"This journal belongs to account {self._book.account_number}, the keys open {number}: "
                "use another data folder."
            )

    async def _read_orders(self, symbols: Iterable[str]) -> list[wire.Order]:
        """All orders back to the oldest one that is still alive, page by page, folded into the book."""
        after = self._oldest_alive() - timedelta(minutes=1)
        found: list[wire.Order] = []
        until: datetime | None = None
        for _ in range(MAX_PAGES):
            answer = await self._world.asking(
                self._client.orders(status="all", symbols=symbols, after=after, until=until, limit=PAGE, nested=True)
            )
            rows = answer.value.items
            proof = self._proof(answer.request_id)
            for order in rows:
                self._take_order(order, proof)
            found += rows
            if len(rows) < PAGE or rows[-1].submitted_at is None:
                break
            until = rows[-1].submitted_at
        await self._read_unlisted({order.id for order in _with_legs(found)}, symbols)
        return found

    def _oldest_alive(self) -> datetime:
        alive = [self._book.orders[order_id].created_at for order_id in self._book.open_orders]
        parents = [bracket.opened_at for b in self._book.open_brackets if (bracket := self._book.brackets[b])]
        return min([*alive, *parents, self._clock.now()])

    async def _read_unlisted(self, listed: set[str], symbols: Iterable[str]) -> None:
        """Open orders that the list did not show are read one by one: their parent may be older than the list."""
        wanted = set(symbols)
        for order_id in tuple(self._book.open_orders):
            order = self._book.orders[order_id]
            if order.broker_id is None or order.broker_id in listed or (wanted and order.symbol not in wanted):
                continue
            answer = await self._world.asking(self._client.order(order.broker_id))
            if answer.value is not None:
                self._take_order(answer.value, self._proof(answer.request_id))

    def _take_order(self, found: wire.Order, proof: Evidence) -> None:
        order_id = self._book.order_of_client_id.get(found.client_order_id) or self._book.order_of_broker_id.get(
            found.id
        )
        if order_id is None:
            order_id = self._adopter.adopt(found)
        if order_id is not None:
            known = self._book.orders[order_id]
            if known.unresolved_since is not None or known.broker_id is None:
                self._take_answer(order_id, found, proof)
            else:
                self._fold(order_id, found, proof)
        for leg in found.legs:
            leg_id = self._book.order_of_broker_id.get(leg.id)
            if leg_id is None and order_id is not None:
                self._name_leg(order_id, found, proof)
                leg_id = self._book.order_of_broker_id.get(leg.id) or self._adopter.adopt(leg)
            if leg_id is not None:
                self._fold(leg_id, leg, proof)

    def _name_leg(self, parent_id: str, found: wire.Order, proof: Evidence) -> None:
        """A leg whose broker id is not known yet (the answer of its submit was lost)."""
        bracket_id = self._book.orders[parent_id].bracket_id
        for order in self._book.orders_of(bracket_id) if bracket_id else ():
            leg = leg_of(found.legs, order.role)
            if order.parent_id == parent_id and order.broker_id is None and leg is not None:
                self._fold(order.id, leg, proof)

    def _fold(self, order_id: str, found: wire.Order, proof: Evidence) -> None:
        before = self._book.orders[order_id]
        report = report_from(found, proof)
        self.verified[order_id] = proof
        if _says_the_same(before, found):
            return
        try:
            self._recorder.report(order_id, report)
        except (IllegalTransition, InvariantViolated) as surprise:
            log.warning("REST shows %s as %s: %s", order_id, found.status, surprise)

    def _take_position(self, symbol: str, found: wire.Position | None, proof: Evidence) -> None:
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
                self._take_answer(order_id, nested.value or answer.value, self._proof(nested.request_id))
            else:
                self._never_reached(order)
        for order_id in tuple(self._book.open_orders):
            order = self._book.orders[order_id]
            if order.cancel_requested_at is not None and order.status is not OrderStatus.PENDING_CANCEL:
                # The wish died with the last process. The supervisor asks anew for what it still wants gone.
                why = "The desk stopped before the broker took the cancel; ask again if it is still wanted."
                self._recorder.record(ev.CancelRefused(order_id=order_id, text=why))
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
            record = self._book.signals.get(bracket.signal_id)
            if record is not None and record.status in (SignalStatus.APPROVED, SignalStatus.FAILED):
                self._recorder.record(
                    ev.SignalReturned(signal_id=bracket.signal_id, why="approved, never reached the broker")
                )

    # --- differences -------------------------------------------------------------------------------------------------

    def _compare(self, orders: list[wire.Order], symbols: Iterable[str]) -> None:
        for order in orders:
            if order.status not in TERMINAL_STATUSES and self._is_foreign(order):
                desk = desk_of(order.client_order_id)
                whose = f"desk {desk}" if desk else "another program or by hand"
                self._differ("order", order.id, order.symbol, f"an order of {order.symbol} was made by {whose}")
            else:
                self.differences.pop(f"order:{order.id}", None)  # it has ended, or is explained by now
        for symbol in set(symbols):
            self._compare_position(symbol)

    def _is_foreign(self, order: wire.Order) -> bool:
        return (
            order.client_order_id not in self._book.order_of_client_id and order.id not in self._book.order_of_broker_id
        )

    def _compare_position(self, symbol: str) -> None:
        brackets = list(self._book.open_brackets_of(symbol))
        if any(self._is_moving(bracket.id) for bracket in brackets):
            return
        position = self._book.positions.get(symbol)
        actual = position.qty if position is not None else ZERO
        explained = sum((self._book.cover(b.id).held * b.side.sign for b in brackets), ZERO)
        if actual == explained:
            self.differences.pop(f"position:{symbol}", None)
            self._suspects.pop(symbol, None)
            return
        if not self._is_confirmed(symbol, explained, actual):
            return
        for bracket in brackets:
            held = self._book.cover(bracket.id).held
            gone = min(held, max(ZERO, (explained - actual) * bracket.side.sign))
            if gone > 0:
                # Less at the broker than the trades say: another hand closed it. Covering or selling it would flip.
                why = f"{plain(gone)} {symbol} were closed at the broker by another hand."
                self._recorder.record(ev.BracketAdjusted(bracket_id=bracket.id, qty=-gone, why=why))
                explained -= gone * bracket.side.sign
        if actual != explained:
            extra = actual - explained
            self._differ("position", symbol, symbol, f"{plain(extra)} {symbol} are held that no trade explains")

    def _is_confirmed(self, symbol: str, explained: Decimal, actual: Decimal) -> bool:
        """One look proves nothing: an execution may fall between reading the orders and reading the position."""
        now_s = self._clock.monotonic_s()
        seen = self._suspects.get(symbol)
        if seen is None or seen[:2] != (explained, actual):
            self._suspects[symbol] = (explained, actual, now_s)
            return False
        if now_s - seen[2] < CONFIRM_AFTER_S:
            return False
        del self._suspects[symbol]
        return True

    def _is_moving(self, bracket_id: str) -> bool:
        """An execution may be under way whose report and whose position do not agree yet."""
        return any(
            order.is_open and (order.role is OrderRole.EXIT or order.status not in AT_REST)
            for order in self._book.orders_of(bracket_id)
        )

    def _differ(self, kind: str, key: str, symbol: str, text: str) -> None:
        difference_id = f"{kind}:{key}"
        if self._book.settled.get(difference_id) is None and difference_id not in self.differences:
            self.differences[difference_id] = Difference(
                id=difference_id, kind=kind, symbol=symbol, text=text, settlements=("ignore",)
            )

    def settle_difference(self, difference_id: str, settlement: str, actor: str) -> None:
        difference = self.differences.pop(difference_id)
        self._recorder.record(
            ev.DifferenceSettled(difference_id=difference_id, settlement=settlement, actor=actor, text=difference.text)
        )
        self._lock_or_open()

    def _lock_or_open(self) -> None:
        if not self.has_read:
            return
        if self.differences:
            self._world.gate_locked_by = _sentence(self.differences.values())
        elif self._suspects:
            self._world.gate_locked_by = f"the position of {', '.join(sorted(self._suspects))} is read once more"
        else:
            self._world.gate_locked_by = None
        self._world.has_unexplained_shares = any(found.kind == "position" for found in self.differences.values())

    def _proof(self, request_id: str | None) -> Evidence:
        return Evidence(source=Source.REST, id=request_id, at=self._clock.now())


def _with_legs(orders: Iterable[wire.Order]) -> Iterable[wire.Order]:
    for order in orders:
        yield order
        yield from order.legs


def _says_the_same(order: Order, found: wire.Order) -> bool:
    return (
        order.status.value == found.status
        and order.filled_qty == found.filled_qty
        and order.qty == (found.qty or order.qty)
        and order.limit_price == (found.limit_price or order.limit_price)
        and order.stop_price == (found.stop_price or order.stop_price)
    )


def _sentence(differences: Iterable[Difference]) -> str:
    texts = [difference.text for difference in differences]
    return texts[0] if len(texts) == 1 else f"{texts[0]} (and {len(texts) - 1} more)"
