"""Takes the one consistent picture that the gate judges: plain look-ups in what the desk already knows, no request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
from engine.model.words import DeskState
from engine.pipeline.standing import Standing, StandingTaker
from engine.prop.meters import PropFacts
from engine.rules.exposures import Exposure, Exposures
from engine.rules.facts import AssetFacts, Facts, UserFacts

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
    def calendar_read(self) -> bool: ...

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
        self._book = book
        self._quotes = quotes
        self._around = around
        self._clock = clock
        self._config = config
        self._journal_failure = journal_failure
        self._standing = StandingTaker(book, quotes, around, prop)
        self.has_user_rules = False
        self._user_rules: Callable[[str], UserFacts | None] = lambda _: None

    def judge_by(self, user_rules: Callable[[str], UserFacts | None]) -> None:
        """``user_rules`` tells what the operator's own have said about a signal; None: there are none."""
        self._user_rules = user_rules
        self.has_user_rules = user_rules("") is not None

    def size_pending_by(self, notional: Callable[[str], Decimal | None]) -> None:
        """``notional`` tells what the newest preview of a pending signal would buy or sell."""
        self._standing.pending_notional = notional

    def take(self, signal: Signal, also: tuple[Exposure, ...] = ()) -> Facts:
        """``also`` are entries that are to count as if they had been approved already."""
        around, book, now = self._around, self._book, self._clock.now()
        symbol, standing = signal.symbol, self._standing.take(signal.id)
        exposures, pending, reserved = standing.exposures, standing.pending, standing.reserved
        if also:
            taken = {(one.symbol, one.side) for one in also}
            exposures = Exposures((*exposures, *also))
            pending = Exposures(one for one in pending if (one.symbol, one.side) not in taken)
            reserved += sum((entry.notional for entry in also), ZERO)
        orders = standing.orders.get(symbol, ())
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
            account_age_s=self._account_age_s(now),
            reserved=reserved,
            quote=self._quotes.get(symbol),
            asset=around.asset(symbol),
            corporate=around.corporate.get(symbol),
            broker_unreachable=not around.rest_up,
            exposures=exposures,
            position_qty=self._position_qty(symbol),
            entry_in_flight=self._entry_in_flight(signal, standing),
            exit_in_flight=self._exit_in_flight(signal),
            halted=symbol in around.halted,
            symbol_lost_at=book.lost_at.get(f"symbol:{symbol}"),
            strategy_lost_at=book.lost_at.get(f"strategy:{signal.strategy}"),
            rejects_in_a_row=book.rejects_in_a_row,
            opposite_order=next((order.id for order in orders if order.side is not signal.side), None),
            working_orders=standing.working_entries,
            minutes_open=_minutes(around.session_opened_at, now),
            calendar_read=around.calendar_read,
            minutes_left=_minutes(now, around.session_changes_at) if around.session_open else None,
            symbol_trades=len(book.brackets_of_symbol.get(symbol, ())),
            unexplained_qty=self._unexplained_qty(symbol),
            unknown_order=next((order.id for order in orders if order.unresolved_since is not None), None),
            unsettled_orders=_older(standing.unresolved_since, now),
            orders_today=self._orders_today(now, standing),
            signals_last_minute=self._signals_last_minute(signal.source, now),
            correlations=around.history.correlations(symbol, (exposures.symbols | pending.symbols) - {symbol}),
            betas=around.history.betas(exposures.symbols | {symbol}),
            pending=pending,
            average_true_range=around.history.average_true_range(symbol),
            average_volume=around.history.average_volume(symbol),
            config=self._config,
            prop=_as_of(standing.prop, now),
            user=self._user_rules(signal.id),
        )

    def take_again(self, signal: Signal) -> Facts:
        """The picture for an entry whose intent is in the book already: it does not stand in its own way."""
        facts = self.take(signal)
        return msgspec.structs.replace(facts, unknown_order=None, orders_today=max(0, facts.orders_today - 1))

    def _account_age_s(self, now: datetime) -> float:
        """By both clocks: the monotonic one stands still while the machine sleeps."""
        account = self._around.account
        by_wall_s = (now - account.as_of).total_seconds() if account is not None else 0.0
        return max(self._clock.monotonic_s() - self._around.account_at_s, by_wall_s)

    def strictest_state(self, strategy: str, symbol: str) -> tuple[DeskState, str]:
        scopes = (DESK_SCOPE, f"strategy:{strategy}", f"symbol:{symbol}")
        return max(((self._book.state_of(scope), scope) for scope in scopes), key=lambda pair: _CAUTION[pair[0]])

    def exposures(self) -> Exposures:
        return self._standing.take("").exposures

    def reserved(self) -> Decimal:
        return self._standing.take("").reserved

    def in_play(self) -> frozenset[str]:
        """Symbols that the gate may be asked about: of what is on, and of what waits."""
        standing = self._standing.take("")
        return standing.exposures.symbols | standing.pending.symbols

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

    def _entry_in_flight(self, signal: Signal, standing: Standing) -> str | None:
        for signal_id in standing.on_the_way.get(signal.symbol, ()):
            if signal_id != signal.id:
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

    def _orders_today(self, now: datetime, standing: Standing) -> int:
        """Those that are about to be sent count from their approval on: ten clicks at once see each other."""
        if self._config.limits.max_orders_per_day is None and not self.has_user_rules:
            return 0
        return self._book.entries_on(now) + standing.unsent_entries

    def _signals_last_minute(self, source: str, now: datetime) -> int:
        return self._book.signals_since(source, now - timedelta(minutes=1))


def _minutes(begin: datetime | None, end: datetime | None) -> float | None:
    """From ``begin`` to ``end``; None when either is not known or the order is not that."""
    if begin is None or end is None or end < begin:
        return None
    return (end - begin).total_seconds() / 60


def _older(since: tuple[datetime, ...], now: datetime) -> int:
    if not since:
        return 0
    oldest = now - timedelta(seconds=UNSETTLED_AFTER_S)
    return sum(1 for at in since if at <= oldest)


def _as_of(prop: PropFacts | str | None, now: datetime) -> PropFacts | str | None:
    """The picture of the desk may be a little older than this moment."""
    return msgspec.structs.replace(prop, now=now) if isinstance(prop, PropFacts) else prop
