"""The desk as it was: the pictures of ``engine.desk.Desk``, of a moment that is over. Every command is refused.

Signals, orders, trades, positions, incidents, log and latencies are folded from the journal and are exact. Prices,
previews and what the state bar says of account and session come from the tape, and are at most seconds old; a day
without a tape has none, and nothing stands in for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import Executor as Pool, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, Never

from engine import VERSION
from engine.book import DESK_SCOPE, Book
from engine.book_status import book_part
from engine.bus import Bus, Change
from engine.clock import SystemClock
from engine.errors import CommandRefused
from engine.halt.ladder import ladder
from engine.incidents.stats import alarm_stats
from engine.journal.facts import facts_about
from engine.latency import LatencySample, timeline
from engine.market.quotes import QuoteBoard, QuoteView
from engine.model.commands import NO_EDITS, Edits
from engine.model.money import ZERO
from engine.model.signal import SignalRecord
from engine.model.words import Mode, SignalStatus
from engine.past.bars import bars_from
from engine.past.days import Day, Mark, marks_of
from engine.past.frame import NOTHING, Frame
from engine.past.moment import Moment
from engine.past.tape_file import KEY_EVERY_S, TAPE_FILE, TapeReader
from engine.present import Presenter
from engine.views import (
    AccountView,
    ActivityLine,
    BarView,
    BracketView,
    DeskView,
    HealthView,
    IncidentView,
    LagView,
    LatencyView,
    LinkView,
    OrderView,
    PositionView,
    PreviewView,
    SignalView,
    SpanView,
)
from engine.views_batch import RejectReasonView
from engine.views_halt import HaltView
from engine.views_limits import MandateView
from engine.views_truth import AlarmStatsView, FactView

UNKNOWN_LINK: Final = LinkView(up=False, since=None, last_seen_at=None, why="not on the tape", word="down")
UNKNOWN_LAG: Final = LagView(p50=None, p99=None, max=None)
_WOUND_ON_S: Final = 2 * KEY_EVERY_S
"""A longer way is shorter from a key frame."""


def refused(*_: Any, **__: Any) -> Never:
    raise CommandRefused("REPLAY", "This is a day that is over: it can be looked at, and nothing can be done in it.")


async def refused_later(*_: Any, **__: Any) -> Never:
    refused()


class MomentClock(SystemClock):
    """Stands at the moment that is looked at; only its sleep is real."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()


class PastExits:
    plans = staticmethod(refused)
    repair = move = break_even = protect_again = staticmethod(refused_later)


class PastAlarms:
    shelve = unshelve = staticmethod(refused_later)

    def __init__(self, desk: PastDesk) -> None:
        self._desk = desk

    def stats(self) -> AlarmStatsView:
        return alarm_stats(self._desk.book, self._desk.at)


class PastReplacing:
    replace = staticmethod(refused_later)


class PastTicket:
    preview = staticmethod(refused)
    look = send = staticmethod(refused_later)

    def leave(self) -> None:
        """There is nothing to leave."""


class PastHalt:
    prove = suspend = resume = staticmethod(refused_later)

    def __init__(self, desk: PastDesk) -> None:
        self._desk = desk

    def ladder(self) -> HaltView:
        return ladder(self._desk.book)


class PastMandates:
    grant = confirm = revoke = revoke_all = staticmethod(refused_later)

    def __init__(self, desk: PastDesk) -> None:
        self._desk = desk

    def views(self, *, everything: bool = False, limit: int = 500) -> Sequence[MandateView]:
        """Those that were in force: the tape holds no others."""
        return () if everything else (self._desk.frame.mandates or ())[:limit]


class PastDesk:
    """Reads as a desk does, of the moment that ``go`` was given last."""

    approve = reject = undo = approve_batch = reject_batch = staticmethod(refused_later)
    cancel_order = lookup_order = attest_order = staticmethod(refused_later)
    retry_bracket = reprice_bracket = flatten_bracket = flatten = staticmethod(refused_later)
    set_state = poll_orders = confirm_account = settle_difference = set_demo = staticmethod(refused_later)
    ack_incident = cancel_working_entries = staticmethod(refused_later)
    preview_batch = staticmethod(refused)
    is_sending = False

    def __init__(self, mode: Mode, moment: Moment, marks: Sequence[Mark], tape: TapeReader, pool: Pool) -> None:
        self.mode = mode
        self.bus = Bus()
        self.clock = MomentClock(moment.at)
        self.marks = marks
        self.frame: Frame = NOTHING
        self.exits = PastExits()
        self.replacing = PastReplacing()
        self.alarms = PastAlarms(self)
        self.ticket = PastTicket()
        self.halt = PastHalt(self)
        self.mandates = PastMandates(self)
        self._moment = moment
        self._tape = tape
        self._pool = pool
        self._taped_at: datetime | None = None
        """Up to where the tape is in ``frame``; None: it has to be looked up anew."""
        self._quotes = QuoteBoard(self.clock, lambda _symbol: None)
        self._presented: Presenter | None = None

    # --- the moment ------------------------------------------------------------------------------------------------

    @property
    def day(self) -> Day:
        return self._moment.day

    @property
    def at(self) -> datetime:
        return self.clock.at

    @property
    def book(self) -> Book:
        return self._moment.memory.book

    @property
    def has_tape(self) -> bool:
        """Prices of this moment are known."""
        return self._taped_at is not None

    async def go(self, at: datetime) -> bool:
        """Be at that time of the day, and tell the listeners what is out of date; True: it went back."""
        at = min(max(at, self.day.began_at), self.day.ended_at)
        went_back = at < self.clock.at

        def tell(changes: set[Change], is_back: bool) -> None:
            nonlocal went_back
            went_back |= is_back
            self.clock.at = self._moment.at
            self._presented = None
            self.bus.publish((), changes)

        await self._moment.go(at, tell)
        self.clock.at = at
        before = self.frame
        run = asyncio.get_running_loop().run_in_executor
        self.frame, self._taped_at = await run(self._pool, wound, self._tape, before, self._taped_at, at)
        self._quotes = board_of(self.frame, at)
        self._presented = None
        now = self.frame.prices
        moved = {symbol for symbol in before.prices.keys() | now.keys() if before.prices.get(symbol) != now.get(symbol)}
        self.bus.publish((), {Change("desk", ""), *(Change("quote", symbol) for symbol in moved)})
        return went_back

    @property
    def _presenter(self) -> Presenter:
        if self._presented is None:
            self._presented = Presenter(self.book, self._quotes, self.frame.proofs, self.clock.now)
        return self._presented

    # --- reading: the desk -----------------------------------------------------------------------------------------

    def view(self) -> DeskView:
        shown = self.frame.desk
        links = self._moment.links
        book, now = self.book, self.clock.now()
        return DeskView(
            health=self._health(),
            account=self._account(),
            rest=links.get("rest", UNKNOWN_LINK),
            stream=links.get("stream", UNKNOWN_LINK),
            quotes=links.get("quotes", UNKNOWN_LINK),
            rest_ms=shown.rest_ms if shown else None,
            clock_offset_ms=shown.clock_offset_ms if shown else None,
            budget_used=shown.budget_used if shown else 0,
            budget_limit=shown.budget_limit if shown else 0,
            session_open=shown.session_open if shown else None,
            session_changes_at=shown.session_changes_at if shown else None,
            demo_on=None,
            gate_locked_by=shown.gate_locked_by if shown else None,
            trips=shown.trips if shown else (),
            prop_firm=shown.prop_firm if shown else (),
            **book_part(book, now),
        )

    def _health(self) -> HealthView:
        shown, links = self.frame.desk, self._moment.links

        def word(name: str) -> str:
            return links.get(name, UNKNOWN_LINK).word

        return HealthView(
            status=shown.health.status if shown else "ok",
            mode=self.mode,
            account=self.book.account_number,
            desk_state=self.book.state_of(DESK_SCOPE),
            start_gate=shown.health.start_gate if shown else "open",
            journal_seq=self._moment.seq,
            loop_lag_ms=shown.health.loop_lag_ms if shown else UNKNOWN_LAG,
            version=shown.health.version if shown else VERSION,
            started_at=shown.health.started_at if shown else self.day.began_at,
            rest=word("rest"),
            stream=word("stream"),
            quotes=word("quotes"),
        )

    def _account(self) -> AccountView:
        if self.frame.desk is not None:
            return self.frame.desk.account
        unknown: dict[str, Any] = dict.fromkeys(AccountView.__struct_fields__)
        known = {"account_number": self.book.account_number, "reserved": ZERO, "gross_exposure": ZERO}
        return AccountView(**unknown | known | {"naked_share_s_today": 0.0})

    def activity(self, limit: int = 500) -> list[ActivityLine]:
        return self._moment.memory.activity.newest(limit)

    def quote(self, symbol: str) -> QuoteView | None:
        return self._quotes.get(symbol)

    def differences(self) -> Sequence[Any]:
        """The journal knows only those that were settled."""
        return ()

    # --- reading: signals, orders, trades --------------------------------------------------------------------------

    def signals(self, status: SignalStatus | None = None, limit: int = 500) -> list[SignalView]:
        book = self.book
        if status is SignalStatus.PENDING:
            chosen: Iterable[str] = reversed(book.pending)
        else:
            chosen = reversed(book.signals) if status is None else book.signals.having(status)
        return [self._signal(book.signals[key]) for key in islice(chosen, max(0, limit))]

    def signal(self, signal_id: str) -> SignalView:
        return self._signal(_known(self.book.signals, signal_id, "signal"))

    def _signal(self, record: SignalRecord) -> SignalView:
        pending = record.status is SignalStatus.PENDING
        return self._presenter.signal(record, self.frame.previews.get(record.signal.id) if pending else None)

    def preview(self, signal_id: str, edits: Edits = NO_EDITS) -> PreviewView:
        """As it was shown; what other numbers would have done is not known."""
        preview = self.signal(signal_id).preview
        if preview is None or edits.changed():
            refused()
        return preview

    @staticmethod
    def reject_reasons() -> list[RejectReasonView]:
        return []

    def orders(self, status: Literal["open", "all"] = "open", limit: int = 500) -> list[OrderView]:
        chosen = self.book.open_orders if status == "open" else self.book.orders
        return [self._presenter.order(self.book.orders[key]) for key in islice(reversed(chosen), max(0, limit))]

    def order(self, order_id: str) -> OrderView:
        return self._presenter.order(_known(self.book.orders, order_id, "order"))

    def brackets(self, status: Literal["open", "all"] = "open", limit: int = 500) -> list[BracketView]:
        chosen = self.book.open_brackets if status == "open" else self.book.brackets
        return [self._presenter.bracket(key) for key in islice(reversed(chosen), max(0, limit))]

    def bracket(self, bracket_id: str) -> BracketView:
        _known(self.book.brackets, bracket_id, "bracket")
        return self._presenter.bracket(bracket_id)

    def positions(self) -> list[PositionView]:
        return self._presenter.positions()

    def position(self, symbol: str) -> PositionView | None:
        return self._presenter.position(symbol)

    def incidents(self, status: Literal["open", "all"] = "open", limit: int = 500) -> list[IncidentView]:
        book = self.book
        open_ids = set(book.open_incidents.values())
        chosen = (key for key in reversed(book.incidents) if status == "all" or key in open_ids)
        return [self._presenter.incident(book.incidents[key]) for key in islice(chosen, max(0, limit))]

    def incident(self, incident_id: str) -> IncidentView:
        return self._presenter.incident(_known(self.book.incidents, incident_id, "incident"))

    # --- reading: latency, prices ----------------------------------------------------------------------------------

    def latency(self) -> LatencyView:
        shown = self.frame.desk
        return LatencyView(
            stages=self._moment.memory.latency.stats(),
            loop_lag=shown.health.loop_lag_ms if shown else UNKNOWN_LAG,
        )

    def latency_samples(self, after: int = 0) -> list[LatencySample]:
        return self._moment.memory.latency.samples(after)

    def timeline(self, signal_id: str) -> list[SpanView]:
        record = _known(self.book.signals, signal_id, "signal")
        bracket = self.book.brackets.get(record.bracket_id or "")
        return timeline(
            record.signal.received_at,
            self._moment.memory.latency.spans(signal_id),
            bracket.naked_since if bracket is not None else None,
        )

    async def facts_about(self, subjects: Sequence[str]) -> list[FactView]:
        """What the journal held about these at the moment."""
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._pool, facts_about, self._moment.path, subjects, self._moment.seq)

    async def bars(self, symbol: str, *, minutes: int = 240, step: int = 1) -> list[BarView]:
        """Made from the tape's prices; refused with NO_TAPE where there are none."""
        run = asyncio.get_running_loop().run_in_executor
        bars = await run(self._pool, bars_from, self._tape, symbol, self.clock.now(), minutes, step)
        if not bars:
            raise CommandRefused("NO_TAPE", f"The tape holds no prices of {symbol} for this time.")
        return bars


def _known[T](table: Mapping[str, T], key: str, what: str) -> T:
    if key not in table:
        raise CommandRefused("NOT_FOUND", f"There is no {what} {key} yet.", http_status=404)
    return table[key]


def wound(tape: TapeReader, frame: Frame, taped_at: datetime | None, at: datetime) -> tuple[Frame, datetime | None]:
    """The tape as of ``at``: from ``frame`` on, which it showed at ``taped_at``, or looked up anew."""
    if taped_at is None or not 0 <= (at - taped_at).total_seconds() < _WOUND_ON_S:
        return tape.as_of(at)
    for written_at, later in tape.between(taped_at, at):
        frame, taped_at = frame.then(later), written_at
    return frame, taped_at


def board_of(frame: Frame, at: datetime) -> QuoteBoard:
    """The frame's prices, as old as they are at that time."""
    clock = MomentClock(at)
    board = QuoteBoard(clock, lambda _symbol: None)
    for symbol, prices in frame.prices.items():
        clock.at = prices.at
        board.take_quote(symbol, prices.bid, prices.ask)
        if prices.last is not None:
            board.take_trade(symbol, prices.last)
    clock.at = at
    return board


@asynccontextmanager
async def open_past(journal: Path, mode: Mode, day: Day) -> AsyncIterator[PastDesk]:
    """A day of a journal, at its first fact, until the block ends. The journal may be that of a running desk.

    Raises:
        JournalUnavailable, JournalUnreadable: it cannot be read.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="past") as pool:
        moment = await Moment.open(journal, day, pool, SystemClock())
        try:
            marks = await asyncio.get_running_loop().run_in_executor(pool, marks_of, journal, day)
            desk = PastDesk(mode, moment, marks, TapeReader(journal.with_name(TAPE_FILE)), pool)
            await desk.go(day.began_at)
            yield desk
        finally:
            moment.close()
