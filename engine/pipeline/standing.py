"""What stands on the whole desk: exposures, reservations, work in flight. Taken once, for all signals judged on it.

A signal that stands in it itself (approved, held back, working) is judged on a picture without it, which is taken for
it alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from engine.book import Book
from engine.market.quotes import QuoteBoard
from engine.model.account import Account
from engine.model.bracket import Bracket
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.signal import Signal
from engine.model.words import Intent, OrderRole, Side
from engine.prop.meters import PropFacts
from engine.protection.ledger import Cover
from engine.rules.exposures import Exposure, Exposures


class HasAccount(Protocol):
    account: Account | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    exposures: Exposures
    reserved: Decimal
    """Buying power promised to entries that the account does not count yet."""
    working_entries: int
    """Entries that may still execute, and approved ones whose intent is not in the book yet."""
    unsent_entries: int
    """Approved ones that are about to be sent, and have no intent in the book yet."""
    pending: Exposures
    """What waits for a decision, whoever is asked about it."""
    prop: PropFacts | str | None
    orders: Mapping[str, tuple[Order, ...]]
    """Symbol -> open orders, oldest first."""
    unresolved_since: tuple[datetime, ...]
    """Of the orders that nobody could settle yet."""
    on_the_way: Mapping[str, tuple[str, ...]]
    """Symbol -> approved signals whose entry the broker has not answered, or that the desk holds back."""
    own: frozenset[str]
    """Signals that stand in this picture themselves."""


class StandingTaker:
    def __init__(
        self, book: Book, quotes: QuoteBoard, around: HasAccount, prop: Callable[[str], PropFacts | str | None]
    ) -> None:
        self._book = book
        self._quotes = quotes
        self._around = around
        self._prop = prop
        self.pending_notional: Callable[[str], Decimal | None] = lambda _: None
        """What the newest preview of a pending signal would buy or sell, in account currency."""
        self._kept: dict[str, tuple[Cover, Decimal | None, Exposure]] = {}
        """Bracket id -> its exposure, with what it was made of."""
        self._counted: dict[str, tuple[Cover, datetime]] = {}
        """Bracket id -> its cover when an account picture held all of its entries, and as of when that one was."""
        self._waiting: dict[str, Exposure] = {}
        """Signal id -> what it would add."""
        self._pending = Exposures()
        self._last: Standing | None = None
        self._taken_of: tuple[object, int, Account | None] | None = None

    def take(self, besides: str) -> Standing:
        """As it is now, without the signal ``besides``. The last one again, while nothing has happened since."""
        now_of = (self._book.stamp, self._quotes.version, self._around.account)
        known = self._taken_of
        is_same = known is not None and known[0] is now_of[0] and known[1] == now_of[1] and known[2] is now_of[2]
        if self._last is None or not is_same:
            self._last, self._taken_of = self._look(""), now_of
        return self._look(besides) if besides in self._last.own else self._last

    def _look(self, besides: str) -> Standing:
        book = self._book
        for gone in self._kept.keys() - book.open_brackets.keys():
            del self._kept[gone]
        for gone in self._counted.keys() - book.open_brackets.keys():
            del self._counted[gone]
        for decided in self._waiting.keys() - book.pending.keys():
            del self._waiting[decided]
        orders: defaultdict[str, list[Order]] = defaultdict(list)
        for order_id in book.open_orders:
            order = book.orders[order_id]
            orders[order.symbol].append(order)
        on_the_way: defaultdict[str, list[str]] = defaultdict(list)
        for signal_id in (*book.approved, *book.held_entries):
            if book.signals[signal_id].bracket_id is not None:
                on_the_way[book.signals[signal_id].signal.symbol].append(signal_id)
        return Standing(
            exposures=Exposures(self.exposures(besides)),
            reserved=self.reserved(besides),
            working_entries=self._working_entries(besides),
            unsent_entries=self._unsent_entries(besides),
            pending=self._same_or_new(Exposures(self.pending())),
            prop=self._prop(besides),
            orders={symbol: tuple(known) for symbol, known in orders.items()},
            unresolved_since=tuple(o.unresolved_since for of in orders.values() for o in of if o.unresolved_since),
            on_the_way={symbol: tuple(known) for symbol, known in on_the_way.items()},
            own=frozenset((*book.approved, *book.held_entries, *self._in_trades())),
        )

    def _in_trades(self) -> Iterator[str]:
        for bracket_id in self._book.open_brackets:
            yield self._book.brackets[bracket_id].signal_id

    def exposures(self, besides: str = "") -> Iterator[Exposure]:
        """Held and working trades, approved ones on their way, and positions that no trade of ours explains."""
        book = self._book
        explained: dict[str, Decimal] = {}
        for bracket_id in book.open_brackets:
            bracket = book.brackets[bracket_id]
            if bracket.symbol in book.positions:
                held = book.cover(bracket_id).held * bracket.side.sign
                explained[bracket.symbol] = explained.get(bracket.symbol, ZERO) + held
            if bracket.signal_id != besides:
                yield self._exposure_of(bracket, book.cover(bracket_id))
        for signal, notional in self._on_the_way(besides):
            yield Exposure(symbol=signal.symbol, side=signal.side, notional=notional, strategy=signal.strategy)
        for position in book.positions.values():
            foreign = position.qty - explained.get(position.symbol, ZERO)
            if foreign != 0:
                side = Side.BUY if foreign > 0 else Side.SELL
                price = self._price(position.symbol, side) or position.avg_entry_price or ZERO
                yield Exposure(symbol=position.symbol, side=side, notional=abs(foreign) * price)

    def _exposure_of(self, bracket: Bracket, cover: Cover) -> Exposure:
        """The same object again while neither the trade nor the price moved: most of fifty have not since the last."""
        quoted = self._price(bracket.symbol, bracket.side)
        known = self._kept.get(bracket.id)
        if known is not None and known[0] is cover and known[1] is quoted:
            return known[2]
        price = quoted or self._entry_price(bracket.id) or bracket.stop_price
        notional = (cover.held + cover.entry_leaves) * price
        made = Exposure(symbol=bracket.symbol, side=bracket.side, notional=notional, strategy=bracket.strategy)
        self._kept[bracket.id] = cover, quoted, made
        return made

    def reserved(self, besides: str = "") -> Decimal:
        """Buying power of entries that an account picture newer than the broker's answer does not hold yet.

        A fill ends no reservation: until such a picture is here, the money that it cost still stands in the old one.
        """
        total = sum((notional for _, notional in self._on_the_way(besides)), ZERO)
        for bracket_id in self._book.open_brackets:
            if self._book.brackets[bracket_id].signal_id != besides:
                total += self._uncounted(bracket_id)
        return total

    def _uncounted(self, bracket_id: str) -> Decimal:
        """What the account picture lacks of a trade. One that lacks nothing is not looked at again until it moves."""
        account, cover = self._around.account, self._book.cover(bracket_id)
        known = self._counted.get(bracket_id)
        if known is not None and account is not None and known[0] is cover and known[1] <= account.as_of:
            return ZERO
        entries = [order for order in self._book.orders_of(bracket_id) if order.role is OrderRole.ENTRY]
        lacking = [order for order in entries if account is None or not _is_counted(order, account)]
        if not lacking and account is not None:
            self._counted[bracket_id] = cover, account.as_of
        return sum((self._worth(order) for order in lacking), ZERO)

    def _worth(self, order: Order) -> Decimal:
        price = order.limit_price or self._price(order.symbol, order.side) or ZERO
        return order.leaves_qty * price + order.filled_qty * (order.filled_avg_price or price)

    def pending(self) -> Iterator[Exposure]:
        """Signals that would enter, each at the size that its newest preview gave it."""
        for signal_id in self._book.pending:
            signal = self._book.signals[signal_id].signal
            if signal.intent is not Intent.CLOSE:
                yield self._pending_exposure(signal, self.pending_notional(signal_id) or ZERO)

    def _pending_exposure(self, signal: Signal, notional: Decimal) -> Exposure:
        known = self._waiting.get(signal.id)
        if known is None or known.notional != notional:
            known = Exposure(symbol=signal.symbol, side=signal.side, notional=notional, strategy=signal.strategy)
            self._waiting[signal.id] = known
        return known

    def _same_or_new(self, pending: Exposures) -> Exposures:
        """What waits changes seldom: the same object keeps the sums that were made of it."""
        if pending != self._pending:
            self._pending = pending
        return self._pending

    def _working_entries(self, besides: str) -> int:
        return sum(1 for _ in self._open_entries(besides)) + sum(1 for _ in self._on_the_way(besides))

    def _unsent_entries(self, besides: str) -> int:
        unsent = (self._book.signals[key].bracket_id for key in self._book.approved if key != besides)
        return sum(1 for bracket_id in unsent if bracket_id is not None and bracket_id not in self._book.brackets)

    def _open_entries(self, besides: str) -> Iterator[Order]:
        for order_id in self._book.open_orders:
            order = self._book.orders[order_id]
            bracket = self._book.brackets.get(order.bracket_id or "")
            if order.role is OrderRole.ENTRY and (bracket is None or bracket.signal_id != besides):
                yield order

    def _on_the_way(self, besides: str) -> Iterator[tuple[Signal, Decimal]]:
        """Approved entries whose intent is not in the book yet, those that the desk holds back too, with notional."""
        for signal_id in (*self._book.approved, *self._book.held_entries):
            record = self._book.signals[signal_id]
            signal, approval = record.signal, record.approval
            if signal_id == besides or approval is None or record.bracket_id is None:
                continue
            if record.bracket_id not in self._book.brackets:
                price = (
                    approval.limit_price or approval.trigger_price or self._price(signal.symbol, signal.side) or ZERO
                )
                yield signal, approval.qty * price

    def _price(self, symbol: str, side: Side) -> Decimal | None:
        return self._quotes.touch(symbol, side.sign)

    def _entry_price(self, bracket_id: str) -> Decimal | None:
        entry = self._book.cover(bracket_id).entry
        return None if entry is None else entry.filled_avg_price or entry.limit_price


def _is_counted(order: Order, account: Account) -> bool:
    """Whether the broker had the order, or had refused it, before the account was asked for."""
    if order.known_since is None:
        return order.is_terminal
    return order.known_since < account.as_of
