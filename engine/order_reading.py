"""Reads orders at the broker into the book: whole lists, what lists lack, and what became of ours by another hand.

A list is paged back to the oldest order that is still alive and to the newest one that the last whole list showed, so
that none made since is missed, whatever became of it. Where that was is told by the broker's own stamps, since it is
they that a list is filtered by: our clock may be minutes off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from engine.adoption import Adopter
from engine.alpaca import wire
from engine.alpaca.client import AlpacaClient
from engine.book import Book
from engine.busts import Busts
from engine.clock import Clock
from engine.differences import Differences
from engine.errors import BrokerError, IllegalTransition, InvariantViolated
from engine.model import events as ev
from engine.model.money import ZERO
from engine.model.order import Evidence, Order
from engine.model.words import OrderRole, OrderStatus, Source
from engine.reports import report_from
from engine.surroundings import World

log = logging.getLogger(__name__)

PAGE: Final = 500
MAX_PAGES: Final = 20
MAX_HOPS: Final = 100
"""Replacements of one order that are followed in one look."""
HTTP_OK: Final = 200
FIRST_LOOK_BACK: Final = timedelta(hours=24)
"""How far back the first list of a process reaches at least: what came while nobody looked is in it."""
MARGIN: Final = timedelta(minutes=1)
"""So much of what was listed before is listed again: orders may become visible in another order than they were made."""
AGAIN_PAGE: Final = 100
"""Orders that are over in one second reading: some milliseconds of the loop."""
REFUSAL_STANDS_AFTER_S: Final = 2.0
"""A refusal is believed when the broker still does not know the order after so long."""
REFUSALS_A_LOOK: Final = 5
REFUSALS_MAX: Final = 100
"""Refusals that wait to be checked; in a storm of them the oldest are dropped, and the lists must show them."""
EXECUTED_A_LOOK: Final = 10
"""Executed orders that are read one by one to explain a position."""
EXECUTED_AMONG: Final = 500
"""Orders, the newest, that they are looked for among."""
VERIFIED_KEPT: Final = 500
"""Proofs of orders that are over, before the older half is forgotten."""


class OrderReader:
    def __init__(
        self,
        client: AlpacaClient,
        book: Book,
        world: World,
        clock: Clock,
        adopter: Adopter,
        differences: Differences,
        busts: Busts,
        *,
        take_answer: Callable[[str, wire.Order, Evidence], None],
    ) -> None:
        self._client = client
        self._book = book
        self._world = world
        self._clock = clock
        self._adopter = adopter
        self.take_answer = take_answer
        self._differences = differences
        self._busts = busts
        self._searched: dict[str, object] = {}
        """Symbol -> the gap for which its executed orders have been read one by one."""
        self._again_until: datetime | None = None
        """The next second reading goes on with orders made before; None begins with the newest."""
        self._refused: dict[str, float] = {}
        """Orders refused in the answer, and since when in the loop's seconds: each is asked for once by its id."""
        self._listed_until: datetime | None = None
        """By the broker's clock: orders made before this have been listed, whatever became of them."""
        self.listed: Evidence | None = None
        """The newest reading of all orders, as of when it began."""
        self.verified: dict[str, Evidence] = {}
        """Order id -> when REST last confirmed it as the book has it. Not journaled: it proves nothing tomorrow."""

    def remember(self, records: Sequence[ev.Recorded]) -> None:
        """Refusals in an answer: Alpaca has refused what it carried out, so each is asked for once more."""
        for record in records:
            if isinstance(record.event, ev.OrderRefused):
                self._refused[record.event.order_id] = self._clock.monotonic_s()
                if len(self._refused) > REFUSALS_MAX:
                    del self._refused[next(iter(self._refused))]

    async def read(self, symbols: Sequence[str]) -> list[wire.Order]:
        """All orders back to the oldest one that is still alive, page by page, folded into the book."""
        began_at = self._clock.now()
        bound = self._listed_until or self._first_bound()
        after = min(self._oldest_alive(), bound) - MARGIN
        found: list[wire.Order] = []
        unreadable: list[wire.Unreadable] = []
        seen: set[str] = set()
        until: datetime | None = None
        for _ in range(MAX_PAGES):
            answer = await self._world.asking(
                self._client.orders(status="all", symbols=symbols, after=after, until=until, limit=PAGE, nested=True)
            )
            rows = answer.value.items
            proof = self._proof(answer.request_id)
            for order in reversed(rows):  # the oldest first: an order is known before the one that replaced it
                self.take(order, proof)
                unreadable += order.unreadable_legs
            fresh = [order for order in rows if order.id not in seen]
            seen.update(order.id for order in fresh)
            found += fresh
            unreadable += answer.value.unreadable
            is_last = len(rows) + len(answer.value.unreadable) < PAGE
            if is_last or not fresh or rows[-1].submitted_at is None:
                if not symbols:
                    self._listed_until = proved_until(found, bound)
                    self.listed = Evidence(source=Source.REST, id=answer.request_id, at=began_at)
                break
            # Times are cut to microseconds: the next page begins with what shares the last one's.
            until = rows[-1].submitted_at + timedelta(microseconds=1)
        listed = {order.id for order in _with_legs(found)}
        unreadable += await self._read_unlisted(listed, symbols)
        await self._read_suspects(listed, symbols)
        await self._follow_replacements(found, symbols)
        if unreadable or not symbols:  # a look at some symbols says nothing of the others' rows
            self._differences.note_unreadable("orders", unreadable)
        return found

    def _first_bound(self) -> datetime:
        """How far back the first list reaches, by the broker's clock as far as we know how far off ours is."""
        ahead = timedelta(milliseconds=self._world.clock_offset_ms or 0.0)
        return self._clock.now() + ahead - FIRST_LOOK_BACK

    def _oldest_alive(self) -> datetime:
        open_orders = (self._book.orders[order_id] for order_id in self._book.open_orders)
        # Another hand's order may be months old: it is read by its id.
        alive = [order.created_at for order in open_orders if order.role is not OrderRole.FOREIGN]
        parents = [bracket.opened_at for b in self._book.open_brackets if (bracket := self._book.brackets[b])]
        return min([*alive, *parents, self._clock.now()])

    async def read_again(self) -> None:
        """A page of the orders of the last day, whatever became of them; the next call goes on with older ones.

        Executions that the venue takes back of an order that is over are told by no list of what is alive, and where
        those of two orders cancel out by no position either. Raises ``BrokerError``.
        """
        until, after = self._again_until, self._first_bound()
        answer = await self._world.asking(
            self._client.orders(status="all", after=after, until=until, limit=AGAIN_PAGE, nested=True)
        )
        rows = answer.value.items
        proof = self._proof(answer.request_id)
        for order in reversed(rows):
            self.take(order, proof)
        oldest = rows[-1].submitted_at if len(rows) + len(answer.value.unreadable) >= AGAIN_PAGE and rows else None
        self._again_until = following(oldest, until) if oldest is not None else None

    async def _read_unlisted(self, listed: set[str], symbols: Iterable[str]) -> list[wire.Unreadable]:
        """Open orders that the list did not show are read one by one: their parent may be older than the list.

        Returns those whose answer could not be read.
        """
        wanted = set(symbols)
        unreadable: list[wire.Unreadable] = []
        for order_id in tuple(self._book.open_orders):
            order = self._book.orders[order_id]
            if order.broker_id is None or order.broker_id in listed or (wanted and order.symbol not in wanted):
                continue
            try:
                answer = await self._world.asking(self._client.order(order.broker_id))
            except BrokerError as lost:
                if lost.status_code != HTTP_OK:
                    raise
                unreadable.append(wire.Unreadable(order.broker_id, f"{order_id}: {lost.__cause__ or lost}"))
                continue
            self._differences.note_missing(self._book.orders[order_id], answer.value is None)
            if answer.value is not None:
                self.take(answer.value, self._proof(answer.request_id))
        return unreadable

    async def _read_suspects(self, listed: set[str], symbols: Sequence[str]) -> None:
        """Orders that seemed to have executed less than before get their second look, also where no list has them."""
        for order_id in self._busts.suspects:
            order = self._book.orders[order_id]
            if order.broker_id in listed or (symbols and order.symbol not in symbols):
                continue
            if order.broker_id is None or await self.ask(order.broker_id) is None:
                self._busts.forget(order_id)

    async def check_refusals(self) -> None:
        """Whether the broker has what it refused in an answer: its own books win. Raises ``BrokerError``."""
        now_s = self._clock.monotonic_s()
        due = [order_id for order_id, at_s in self._refused.items() if now_s - at_s >= REFUSAL_STANDS_AFTER_S]
        for order_id in due[:REFUSALS_A_LOOK]:
            order = self._book.orders[order_id]
            if order.was_refused_in_its_answer and order.client_order_id is not None:
                answer = await self._world.asking(self._client.order_by_client_id(order.client_order_id))
                if answer.value is not None:
                    nested = await self._world.asking(self._client.order(answer.value.id))
                    self.take(nested.value or answer.value, self._proof(nested.request_id))
            self._refused.pop(order_id, None)

    async def read_executions(self, symbols: set[str]) -> None:
        """Fills that neither stream nor list told: the account's own history of them, and the orders they belong to.

        Asked when the position does not fit the trades. Raises ``BrokerError``.
        """
        after = min(self._oldest_alive(), self._first_bound())
        answer = await self._world.asking(self._client.activities(after=after, direction="desc"))
        stale: set[str] = set()
        for row in answer.value.items:
            order_id = self._book.order_of_broker_id.get(row.order_id or "")
            if row.symbol not in symbols or order_id is None or row.order_id is None:
                continue
            if (row.cum_qty or ZERO) > self._book.orders[order_id].filled_qty:
                stale.add(row.order_id)
        for broker_id in sorted(stale):
            log.info("the account's history shows executions of %s that nothing else told", broker_id)
            await self.ask(broker_id)

    def unsearched(self, gaps: Mapping[str, object]) -> set[str]:
        """Symbols of these gaps whose executed orders have not been read for just this gap."""
        return {symbol for symbol, gap in gaps.items() if self._searched.get(symbol) != gap}

    async def read_executed(self, symbols: set[str], gaps: Mapping[str, object]) -> None:
        """The newest executed orders one by one, of those symbols whose position the trades do not explain: the venue
        may have taken executions back of one that no list shows any more. Once for each of the ``gaps``, which are all
        that there are now. Raises ``BrokerError``.
        """
        new = self.unsearched(gaps) & symbols
        wanted: list[str] = []
        for order_id in islice(reversed(self._book.orders), EXECUTED_AMONG) if new else ():
            order = self._book.orders[order_id]
            if order.symbol in new and order.filled_qty > 0 and order.broker_id is not None:
                wanted.append(order.broker_id)
        for broker_id in wanted[:EXECUTED_A_LOOK]:
            await self.ask(broker_id)
        self._searched = {key: gap for key, gap in gaps.items() if key in new or self._searched.get(key) == gap}

    async def _follow_replacements(self, rows: list[wire.Order], symbols: Iterable[str]) -> None:
        """What another hand put in the place of an order of ours, hop by hop, into the same trade.

        A list may lack it: the replacement of a leg, or one that was itself replaced while nobody looked.
        """
        listed = {order.id: order for order in _with_legs(rows)}
        wanted = set(symbols)
        heads = [order.id for order in listed.values() if self._is_ours(order)]
        heads += [head for head in self._childless(wanted) if head not in listed]
        for head in heads:
            at: str | None = head
            for _ in range(MAX_HOPS):
                order = listed.get(at or "")
                if order is None or not self._is_ours(order):  # listed before the one that it replaces was known
                    order = await self._ask_order(at or "", listed)
                if order is None or not self._is_ours(order):
                    break
                at = order.replaced_by
                if at is None or at in self._book.order_of_broker_id:
                    break

    def _is_ours(self, order: wire.Order) -> bool:
        return self._known(order) is not None

    def _childless(self, symbols: set[str]) -> Iterable[str]:
        """Replaced orders of open trades, by broker id, whose successor the book does not have."""
        for bracket_id in self._book.open_brackets:
            if symbols and self._book.brackets[bracket_id].symbol not in symbols:
                continue
            orders = self._book.orders_of(bracket_id)
            followed = {order.replaces for order in orders}
            for order in orders:
                if order.status is OrderStatus.REPLACED and order.id not in followed and order.broker_id is not None:
                    yield order.broker_id

    async def _ask_order(self, broker_id: str, listed: dict[str, wire.Order]) -> wire.Order | None:
        """One order that the list did not show, taken into the book where it is ours."""
        answer = await self._world.asking(self._client.order(broker_id))
        if answer.value is None:
            return None
        self.take(answer.value, self._proof(answer.request_id))
        listed.update((order.id, order) for order in _with_legs([answer.value]))
        return answer.value

    async def ask(self, broker_id: str) -> wire.Order | None:
        """One order as the broker shows it now, in the book where it is ours. Raises ``BrokerError``."""
        return await self._ask_order(broker_id, {})

    def take_now(self, found: wire.Order) -> None:
        """Fold an order that was just read."""
        self.take(found, self._proof(None))

    def _known(self, found: wire.Order) -> str | None:
        """Our id of it, when the book has it."""
        by_client = self._book.order_of_client_id.get(found.client_order_id)
        return by_client or self._book.order_of_broker_id.get(found.id)

    def take(self, found: wire.Order, proof: Evidence) -> None:
        order_id = self._known(found) or self._adopter.adopt(found)
        if order_id is not None:
            self._take_known(order_id, found, proof)
        for leg in sorted(found.legs, key=_made_at):  # a leg is known before the one that replaced it
            leg_id = self._known(leg)
            if leg_id is None and order_id is not None:
                self._name_leg(order_id, found, proof)
                leg_id = self._known(leg) or self._adopter.adopt(leg)
            if leg_id is not None:
                self._take_known(leg_id, leg, proof)

    def _take_known(self, order_id: str, found: wire.Order, proof: Evidence) -> None:
        known = self._book.orders[order_id]
        if known.unresolved_since is not None or known.broker_id is None:
            self.take_answer(order_id, found, proof)
        else:
            self._fold(order_id, found, proof)

    def _name_leg(self, parent_id: str, found: wire.Order, proof: Evidence) -> None:
        """Legs whose broker ids are not known yet (the answer of their submit was lost)."""
        bracket_id = self._book.orders[parent_id].bracket_id
        orders = self._book.orders_of(bracket_id) if bracket_id else ()
        if any(order.parent_id == parent_id and order.broker_id is None for order in orders):
            self.take_answer(parent_id, found, proof)

    def _fold(self, order_id: str, found: wire.Order, proof: Evidence) -> None:
        before = self._book.orders[order_id]
        report = report_from(found, proof)
        self.verified[order_id] = proof
        if len(self.verified) > VERIFIED_KEPT + len(self._book.open_orders):
            self._forget_verified()
        if _says_the_same(before, found):
            self._busts.forget(order_id)
            return
        try:
            self._busts.report(order_id, report)
        except (IllegalTransition, InvariantViolated) as surprise:
            log.warning("REST shows %s as %s: %s", order_id, found.status, surprise)

    def _forget_verified(self) -> None:
        """Of orders that are over: they have evidence of their own."""
        for order_id in [key for key in self.verified if key not in self._book.open_orders][: VERIFIED_KEPT // 2]:
            del self.verified[order_id]

    def _proof(self, request_id: str | None) -> Evidence:
        return Evidence(source=Source.REST, id=request_id, at=self._clock.now())


def proved_until(rows: Iterable[wire.Order], before: datetime) -> datetime:
    """What a whole list proves that showed ``rows``: every order made up to the newest of them has been listed.

    An order of after hours is stamped as submitted at the next opening, and others come before it: of its two stamps
    the earlier one counts. A list that shows nothing proves nothing new of what is made from here on.
    """
    made = (min(stamps) for row in rows if (stamps := [at for at in (row.created_at, row.submitted_at) if at]))
    return max(made, default=before)


def following(oldest: datetime, until: datetime | None) -> datetime:
    """Where the page behind this one ends. Times are cut to microseconds: it begins with what shares the last one's,
    unless a page of nothing else has been read.
    """
    again = oldest + timedelta(microseconds=1)
    return again if again != until else oldest


def _with_legs(orders: Iterable[wire.Order]) -> Iterable[wire.Order]:
    for order in orders:
        yield order
        yield from order.legs


def _made_at(order: wire.Order) -> float:
    return order.submitted_at.timestamp() if order.submitted_at is not None else 0.0


def _says_the_same(order: Order, found: wire.Order) -> bool:
    return (
        order.status.value == found.status
        and order.filled_qty == found.filled_qty
        and order.qty == (found.qty or order.qty)
        and order.limit_price == (found.limit_price or order.limit_price)
        and order.stop_price == (found.stop_price or order.stop_price)
    )
