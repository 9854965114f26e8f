"""Takes the one consistent picture that the gate judges: plain look-ups in what the desk already knows, no request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

import msgspec

from engine.book import DESK_SCOPE, Book
from engine.clock import Clock
from engine.config import Config
from engine.market.quotes import QuoteBoard
from engine.model.account import Account
from engine.model.corporate import CorporateChange
from engine.model.money import ZERO
from engine.model.signal import Signal
from engine.model.words import DeskState, Intent, OrderRole, OrderStatus, Side
from engine.prop.meters import PropFacts
from engine.rules.exposures import Exposure, Exposures
from engine.rules.facts import AssetFacts, Facts

UNSETTLED_AFTER_S = 10.0

_CAUTION = {state: rank for rank, state in enumerate(DeskState)}


class History(Protocol):
    """What daily bars tell."""

    def correlations(self, symbol: str, others: Iterable[str]) -> Mapping[str, float | None]: ...

    def betas(self, symbols: Iterable[str]) -> Mapping[str, Decimal | None]: ...

    def average_true_range(self, symbol: str) -> Decimal | None: ...

    def average_volume(self, symbol: str) -> Decimal | None: ...


class Surroundings(Protocol):
    """What the desk knows besides its book."""

    gate_locked_by: str | None
    session_open: bool | None
    extended_open: bool
    session_opened_at: datetime | None
    session_changes_at: datetime | None
    halted: set[str]
    corporate: dict[str, CorporateChange]
    account: Account | None
    account_at_s: float

    @property
    def not_ready(self) -> str | None: ...

    @property
    def stream_up(self) -> bool: ...

    @property
    def rest_up(self) -> bool: ...

    @property
    def history(self) -> History: ...

    def asset(self, symbol: str) -> AssetFacts | None: ...


class Pictures:
    def __init__(
        self,
        book: Book,
        quotes: QuoteBoard,
        around: Surroundings,
        clock: Clock,
        config: Config,
        journal_failure: Callable[[], str | None],
        prop: Callable[[str], PropFacts | str | None] = lambda _: None,
    ) -> None:
        """``prop`` tells what prop-firm mode looks at, besides the signal it is given."""
        self.pending_notional: Callable[[str], Decimal | None] = lambda _: None
        """What the newest preview of a pending signal would buy or sell, in account currency."""
        self._book = book
        self._quotes = quotes
        self._around = around
        self._clock = clock
        self._config = config
        self._journal_failure = journal_failure
        self._prop = prop

    def take(self, signal: Signal, also: tuple[Exposure, ...] = ()) -> Facts:
        """``also`` are entries that are to count as if they had been approved already."""
        around, now = self._around, self._clock.now()
        exposures = Exposures((*self.exposures(besides=signal.id), *also))
        taken = {(one.symbol, one.side) for one in also}
        waiting = self._pending(besides=signal.id)
        pending = Exposures(one for one in waiting if (one.symbol, one.side) not in taken)
        others = (exposures.symbols | pending.symbols) - {signal.symbol}
        state, scope = self.strictest_state(signal.strategy, signal.symbol)
        return Facts(
            now=now,
            state=state,
            state_scope=scope,
            gate_locked_by=around.gate_locked_by,
            not_ready=around.not_ready,
            stream_up=around.stream_up,
            journal_failure=self._journal_failure(),
            session_open=around.session_open,
            extended_open=around.extended_open,
            account=around.account,
            account_age_s=self._clock.monotonic_s() - around.account_at_s,
            reserved=self.reserved(besides=signal.id) + sum((entry.notional for entry in also), ZERO),
            quote=self._quotes.get(signal.symbol),
            asset=around.asset(signal.symbol),
            corporate=around.corporate.get(signal.symbol),
            broker_unreachable=not around.rest_up,
            exposures=exposures,
            position_qty=self._position_qty(signal.symbol),
            entry_in_flight=self._entry_in_flight(signal),
            exit_in_flight=self._exit_in_flight(signal),
            halted=signal.symbol in around.halted,
            symbol_lost_at=self._book.lost_at.get(f"symbol:{signal.symbol}"),
            strategy_lost_at=self._book.lost_at.get(f"strategy:{signal.strategy}"),
            rejects_in_a_row=self._book.rejects_in_a_row,
            opposite_order=self._opposite_order(signal),
            working_orders=self._working_orders(signal.id),
            minutes_open=_minutes(around.session_opened_at, now),
            minutes_left=_minutes(now, around.session_changes_at) if around.session_open else None,
            symbol_trades=len(self._book.brackets_of_symbol.get(signal.symbol, ())),
            unexplained_qty=self._unexplained_qty(signal.symbol),
            unknown_order=self._unknown_order(signal.symbol),
            unsettled_orders=self._unsettled(now),
            orders_today=self._orders_today(now),
            signals_last_minute=self._signals_last_minute(signal.source, now),
            correlations=around.history.correlations(signal.symbol, others),
            betas=around.history.betas(exposures.symbols | {signal.symbol}),
            pending=pending,
            average_true_range=around.history.average_true_range(signal.symbol),
            average_volume=around.history.average_volume(signal.symbol),
            config=self._config,
            prop=self._prop(signal.id),
        )

    def take_again(self, signal: Signal) -> Facts:
        """The picture for an entry whose intent is in the book already: it does not stand in its own way."""
        facts = self.take(signal)
        return msgspec.structs.replace(facts, unknown_order=None, orders_today=max(0, facts.orders_today - 1))

    def strictest_state(self, strategy: str, symbol: str) -> tuple[DeskState, str]:
        scopes = (DESK_SCOPE, f"strategy:{strategy}", f"symbol:{symbol}")
        return max(((self._book.state_of(scope), scope) for scope in scopes), key=lambda pair: _CAUTION[pair[0]])

    def exposures(self, besides: str = "") -> Iterator[Exposure]:
        """Held and working trades, approved ones on their way, and positions that no trade of ours explains."""
        book = self._book
        explained: dict[str, Decimal] = {}
        for bracket_id in book.open_brackets:
            bracket, cover = book.brackets[bracket_id], book.cover(bracket_id)
            working = cover.entry_leaves
            explained[bracket.symbol] = explained.get(bracket.symbol, ZERO) + cover.held * bracket.side.sign
            if bracket.signal_id == besides:
                continue
            price = self._price(bracket.symbol, bracket.side) or self._entry_price(bracket_id) or bracket.stop_price
            notional = (cover.held + working) * price
            yield Exposure(symbol=bracket.symbol, side=bracket.side, notional=notional, strategy=bracket.strategy)
        for signal, notional in self._on_the_way(besides):
            yield Exposure(symbol=signal.symbol, side=signal.side, notional=notional, strategy=signal.strategy)
        for position in book.positions.values():
            foreign = position.qty - explained.get(position.symbol, ZERO)
            if foreign != 0:
                side = Side.BUY if foreign > 0 else Side.SELL
                price = self._price(position.symbol, side) or position.avg_entry_price or ZERO
                yield Exposure(symbol=position.symbol, side=side, notional=abs(foreign) * price)

    def reserved(self, besides: str = "") -> Decimal:
        """Buying power of entries that an account picture newer than the broker's answer does not hold yet."""
        book, account = self._book, self._around.account
        total = ZERO
        for order_id in book.open_orders:
            order = book.orders[order_id]
            bracket = book.brackets.get(order.bracket_id or "")
            if order.role is not OrderRole.ENTRY or (bracket is not None and bracket.signal_id == besides):
                continue
            counted = (
                account is not None
                and order.status is not OrderStatus.SENDING
                and order.evidence is not None
                and order.created_at < account.as_of
                and order.status_since < account.as_of
            )
            if not counted:
                price = order.limit_price or self._price(order.symbol, order.side) or ZERO
                total += order.leaves_qty * price
        total += sum((notional for _, notional in self._on_the_way(besides)), ZERO)
        return total

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

    def _pending(self, besides: str) -> Iterator[Exposure]:
        """Other signals that would enter, each at the size that its newest preview gave it."""
        for signal_id in self._book.pending:
            signal = self._book.signals[signal_id].signal
            if signal_id != besides and signal.intent is not Intent.CLOSE:
                notional = self.pending_notional(signal_id) or ZERO
                yield Exposure(symbol=signal.symbol, side=signal.side, notional=notional, strategy=signal.strategy)

    def in_play(self) -> set[str]:
        """Symbols that the gate may be asked about: of what is on, and of what waits."""
        return {one.symbol for one in (*self.exposures(), *self._pending(besides=""))}

    def _price(self, symbol: str, side: Side) -> Decimal | None:
        quote = self._quotes.get(symbol)
        return quote.touch(side.sign) if quote is not None else None

    def _entry_price(self, bracket_id: str) -> Decimal | None:
        entry = self._book.cover(bracket_id).entry
        return None if entry is None else entry.filled_avg_price or entry.limit_price

    def _position_qty(self, symbol: str) -> Decimal:
        position = self._book.positions.get(symbol)
        held = sum((self._book.cover(b.id).held * b.side.sign for b in self._book.open_brackets_of(symbol)), ZERO)
        # Whichever knows more: the stream's fill may be ahead of its position, and a position may be another hand's.
        return held if held != 0 or position is None else position.qty

    def _unexplained_qty(self, symbol: str) -> Decimal:
        position = self._book.positions.get(symbol)
        trades = list(self._book.open_brackets_of(symbol))
        if position is None or not trades:
            return ZERO if position is None else position.qty
        held = sum((self._book.cover(trade.id).held * trade.side.sign for trade in trades), ZERO)
        moving = any(self._book.cover(trade.id).entry_open or self._book.cover(trade.id).closing for trade in trades)
        return ZERO if moving else position.qty - held

    def _entry_in_flight(self, signal: Signal) -> str | None:
        for signal_id in (*self._book.approved, *self._book.held_entries):
            other = self._book.signals[signal_id]
            if signal_id != signal.id and other.bracket_id is not None and other.signal.symbol == signal.symbol:
                return signal_id
        for bracket in self._book.open_brackets_of(signal.symbol):
            if bracket.signal_id != signal.id and self._book.cover(bracket.id).entry_open:
                return bracket.id
        return None

    def _exit_in_flight(self, signal: Signal) -> str | None:
        for bracket in self._book.open_brackets_of(signal.symbol):
            cover = self._book.cover(bracket.id)
            leaving = cover.held == 0 and cover.orders_open and not cover.entry_open
            if bracket.signal_id != signal.id and (leaving or cover.flipped > 0):
                return bracket.id
        return None

    def _opposite_order(self, signal: Signal) -> str | None:
        for order_id in self._book.open_orders:
            order = self._book.orders[order_id]
            if order.symbol == signal.symbol and order.side is not signal.side:
                return order_id
        return None

    def _working_orders(self, besides: str) -> int:
        """Entries that may still execute, and approved ones whose intent is not in the book yet."""
        book, count = self._book, 0
        for order_id in book.open_orders:
            order = book.orders[order_id]
            bracket = book.brackets.get(order.bracket_id or "")
            if order.role is OrderRole.ENTRY and (bracket is None or bracket.signal_id != besides):
                count += 1
        return count + sum(1 for _ in self._on_the_way(besides))

    def _unknown_order(self, symbol: str) -> str | None:
        for order_id in self._book.open_orders:
            order = self._book.orders[order_id]
            if order.symbol == symbol and order.unresolved_since is not None:
                return order_id
        return None

    def _unsettled(self, now: datetime) -> int:
        oldest = now - timedelta(seconds=UNSETTLED_AFTER_S)
        open_orders = (self._book.orders[order_id] for order_id in self._book.open_orders)
        return sum(1 for o in open_orders if o.unresolved_since is not None and o.unresolved_since <= oldest)

    def _orders_today(self, now: datetime) -> int:
        if self._config.limits.max_orders_per_day is None:
            return 0
        return self._book.entries_on(now)

    def _signals_last_minute(self, source: str, now: datetime) -> int:
        return self._book.signals_since(source, now - timedelta(minutes=1))


def _minutes(begin: datetime | None, end: datetime | None) -> float | None:
    """From ``begin`` to ``end``; None when either is not known or the order is not that."""
    if begin is None or end is None or end < begin:
        return None
    return (end - begin).total_seconds() / 60
