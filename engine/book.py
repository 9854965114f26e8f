"""The only mutable state: the fold of the journal's facts.

``apply`` is the single writer. It is plain, deterministic and does no I/O: the same facts in the same order make the
same book, whether they are lived through or read back after a crash. Values inside are frozen; the book swaps them.
Look-ups on the hot path go through indexes of what is alive, so their cost does not grow with history.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, get_args

import msgspec

from engine.bus import Change
from engine.folds.gate import GateFolds
from engine.folds.halt import HaltFolds
from engine.folds.incidents import IncidentFolds
from engine.folds.limits import LimitFolds
from engine.folds.orders import OrderFolds
from engine.folds.protection import ProtectionFolds, settled
from engine.folds.signals import SignalFolds
from engine.long_table import LongTable
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.order import Order
from engine.model.position import Position
from engine.model.signal import SignalRecord
from engine.model.words import DeskState, SignalStatus
from engine.protection.ledger import Cover, count_naked, cover_of, is_finished
from engine.protection.naked_days import NEW_YORK as NEW_YORK, add_span
from engine.protection.result import realized_pl

replace = msgspec.structs.replace

DESK_SCOPE: Final = "desk"
SIGNALS_REMEMBERED: Final = 10_000
"""Arrivals of one source, at most, for its signals per minute."""
ARRIVALS_COUNTED_FOR: Final = timedelta(minutes=10)
"""Older ones are forgotten with the next."""


class ScopeState(msgspec.Struct, frozen=True, kw_only=True):
    """A desk state as it was set for one scope."""

    state: DeskState
    actor: str
    cause: str
    at: datetime


STANDING_SETTLEMENTS: Final = frozenset({"ignore", "watch"})
"""They leave the difference as it is; the others end it."""


_LOGGED: Final = Change("activity", "")


class Book(GateFolds, HaltFolds, IncidentFolds, LimitFolds, OrderFolds, ProtectionFolds, SignalFolds):
    def __init__(self) -> None:
        GateFolds.__init__(self)
        HaltFolds.__init__(self)
        IncidentFolds.__init__(self)
        LimitFolds.__init__(self)
        self.desk_id = ""
        self.mode = ""
        self.account_number: str | None = None
        self.stopped_in_order = True
        self.demo_on = True
        self.signals = LongTable(SignalRecord, word=lambda record: record.status)
        self.orders = LongTable(Order)
        self.brackets = LongTable(Bracket)
        self.positions: dict[str, Position] = {}
        self.states: dict[str, ScopeState] = {}
        self.settled: dict[str, str] = {}
        """Difference id -> how the operator settled it."""

        self.signals_of_source: dict[str, dict[str, str]] = {}
        """Source -> its own ids -> ours."""
        self.order_of_broker_id: dict[str, str] = {}
        self.former_broker_ids: dict[str, str] = {}
        """By which an order was known once; its newest one stands in the order itself."""
        self.order_of_client_id: dict[str, str] = {}
        self.pending: dict[str, None] = {}
        """Signals that wait for a decision."""
        self.approved: dict[str, None] = {}
        """Signals approved whose entry the broker has not answered yet."""
        self.held_entries: dict[str, None] = {}
        """Signals approved whose entry the desk holds back: it waits for a price, or for a position to close."""
        self.open_orders: dict[str, None] = {}
        self.taken_back: dict[str, datetime] = {}
        """Order id -> when it was told last that the venue took back executions of it."""
        self.open_brackets: dict[str, None] = {}
        self.brackets_of_symbol: defaultdict[str, dict[str, None]] = defaultdict(dict)
        """Open ones."""
        self.closers: dict[str, str] = {}
        """Bracket id -> the closing signal that ends it."""
        self.naked_days: dict[str, float] = {}
        """New York date -> uncovered share-seconds of its finished spans."""
        self._covers: dict[str, Cover] = {}
        self._entries_at: deque[datetime] = deque()
        self._signals_at: defaultdict[str, deque[datetime]] = defaultdict(lambda: deque(maxlen=SIGNALS_REMEMBERED))
        self._changes: set[Change] = set()
        self._is_told = True

    # --- reading ---------------------------------------------------------------------------------------------------

    def orders_of(self, bracket_id: str) -> list[Order]:
        """Oldest first."""
        return self.orders.of(self.brackets[bracket_id].order_ids)

    def cover(self, bracket_id: str) -> Cover:
        """Kept while the trade is open; of one that is over it is computed for whoever asks."""
        known = self._covers.get(bracket_id)
        if known is None:
            known = cover_of(self.brackets[bracket_id], self.orders_of(bracket_id))
            if bracket_id in self.open_brackets:
                self._covers[bracket_id] = known
        return known

    def open_brackets_of(self, symbol: str) -> Iterator[Bracket]:
        for bracket_id in self.brackets_of_symbol.get(symbol, ()):
            yield self.brackets[bracket_id]

    def state_of(self, scope: str) -> DeskState:
        known = self.states.get(scope)
        return known.state if known else DeskState.ACTIVE

    @property
    def stamp(self) -> object:
        """Another object after each fact: what was computed while the same one stood is still true of the book."""
        return self._changes

    def next_signal_number(self) -> int:
        return len(self.signals) + 1

    def entries_on(self, now: datetime) -> int:
        """Entries sent since the trading day of ``now`` began, midnight in New York."""
        local = now.astimezone(NEW_YORK)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        while self._entries_at and self._entries_at[0] < midnight:
            self._entries_at.popleft()
        return len(self._entries_at)

    def signals_since(self, source: str, since: datetime) -> int:
        seen = self._signals_at[source]
        while seen and seen[0] < since:
            seen.popleft()
        return len(seen)

    # --- writing ---------------------------------------------------------------------------------------------------

    def apply(self, recorded: ev.Recorded) -> set[Change]:
        """Fold one fact in; returns which views are out of date.

        Raises:
            IllegalTransition: the order's table does not know the report; nothing moved.
        """
        self._changes = {_LOGGED}
        event = recorded.event
        _FOLDS[type(event)](self, event, recorded.at)
        return self._changes

    @contextmanager
    def untold(self) -> Iterator[None]:
        """Within the block ``apply`` tells no changes: what is read back from the disk has no listener yet."""
        self._is_told = False
        try:
            yield
        finally:
            self._is_told = True

    def _touch(self, kind: str, key: str) -> None:
        if self._is_told:
            self._changes.add(Change(kind, key))  # type: ignore[arg-type]

    # The desk itself

    def _on_journal_opened(self, event: ev.JournalOpened, at: datetime) -> None:
        self.desk_id, self.mode = event.desk_id, event.mode

    def _on_account_bound(self, event: ev.AccountBound, at: datetime) -> None:
        self.account_number = event.account_number
        self._touch("desk", "")

    def _on_desk_started(self, event: ev.DeskStarted, at: datetime) -> None:
        if not self.stopped_in_order:
            self._skip_lost_ids(self.open_brackets)
        self.stopped_in_order = False
        self._note_started()

    def _on_desk_stopped(self, event: ev.DeskStopped, at: datetime) -> None:
        self.stopped_in_order = True

    def _on_desk_state_set(self, event: ev.DeskStateSet, at: datetime) -> None:
        self.states[event.scope] = ScopeState(state=event.state, actor=event.actor, cause=event.cause, at=at)
        if event.scope == DESK_SCOPE and event.state is DeskState.ACTIVE:
            self.rejects_in_a_row = 0
        self._touch("desk", "")

    def _on_demo_switched(self, event: ev.DemoSwitched, at: datetime) -> None:
        self.demo_on = event.on
        self._touch("desk", "")

    def _on_link_changed(self, event: ev.LinkChanged, at: datetime) -> None:
        self._touch("desk", "")

    def _on_difference_settled(self, event: ev.DifferenceSettled, at: datetime) -> None:
        if event.settlement in STANDING_SETTLEMENTS:
            self.settled[event.difference_id] = event.settlement
        self._touch("desk", "")

    def _on_difference_lapsed(self, event: ev.DifferenceLapsed, at: datetime) -> None:
        self.settled.pop(event.difference_id, None)
        self._touch("desk", "")

    def _on_stage_measured(self, event: ev.StageMeasured, at: datetime) -> None:
        self._touch("latency", "")

    # Signals (the rest stands in folds/signals.py)

    def _on_signal_received(self, event: ev.SignalReceived, at: datetime) -> None:
        signal = event.signal
        self.signals[signal.id] = SignalRecord(signal=signal)
        self.signals_of_source.setdefault(signal.source, {})[signal.source_id] = signal.id
        self.pending[signal.id] = None
        arrivals = self._signals_at[signal.source]
        arrivals.append(signal.received_at)
        while arrivals[0] < signal.received_at - ARRIVALS_COUNTED_FOR:
            arrivals.popleft()
        self._touch("signal", signal.id)

    def _on_signal_refused(self, event: ev.SignalRefused, at: datetime) -> None:
        """Only a line in the activity log."""

    # Brackets (their orders stand in folds/orders.py)

    def _on_bracket_opened(self, event: ev.BracketOpened, at: datetime) -> None:
        bracket = event.bracket
        self.brackets[bracket.id] = bracket
        self.open_brackets[bracket.id] = None
        self.brackets_of_symbol[bracket.symbol][bracket.id] = None
        self._touch("bracket", bracket.id)

    def _on_lookup_asked(self, event: ev.LookupAsked, at: datetime) -> None:
        """Only a line in the activity log: what the broker says comes as a report."""

    def _refold_bracket(self, bracket_id: str, at: datetime) -> None:
        """Count naked time up to now, recompute the cover, close the trade when it is over."""
        bracket = known = self.brackets[bracket_id]
        orders = self.orders.of(bracket.order_ids)
        before = self._covers.get(bracket_id)
        cover = self._covers[bracket_id] = cover_of(bracket, orders)
        if before is not None:
            add_span(self.naked_days, bracket.naked_counted_at, at, before.exposed)
        bracket = settled(count_naked(bracket, before, cover, at), cover)
        if is_finished(cover):
            if bracket.closed_at is None:
                bracket = replace(bracket, closed_at=at)
                if realized_pl(orders, cover.avg_entry_price, bracket.side.sign) < 0:
                    self._note_loss(bracket, at)
                self.open_brackets.pop(bracket_id, None)
                self.brackets_of_symbol[bracket.symbol].pop(bracket_id, None)
                closer = self.closers.pop(bracket_id, None)
                if closer is not None and closer not in self.closers.values():
                    self._set_signal_status(closer, SignalStatus.CLOSED)
        elif bracket.closed_at is not None:  # a late fill reopens it
            bracket = replace(bracket, closed_at=None)
            self.open_brackets[bracket_id] = None
            self.brackets_of_symbol[bracket.symbol][bracket_id] = None
        if bracket is not known:
            self.brackets[bracket_id] = bracket
        if bracket_id not in self.open_brackets:
            del self._covers[bracket_id]
        if cover.entry is not None:
            self._advance_signal(bracket, cover, orders)
        self._touch("bracket", bracket_id)
        self._touch("desk", "")

    def _change_bracket(self, bracket_id: str, at: datetime, **changes: object) -> None:
        self.brackets[bracket_id] = replace(self.brackets[bracket_id], **changes)
        self._refold_bracket(bracket_id, at)

    def _on_exits_asleep(self, event: ev.ExitsAsleep, at: datetime) -> None:
        """What was believed to be covered since the fill was naked all that time, and is counted so."""
        bracket_id = event.bracket_id
        before = self.cover(bracket_id).naked
        since = at
        for order_id in event.order_ids:
            order = self.orders[order_id]
            parent = self.orders[order.parent_id or ""]
            since = min(since, parent.status_since)
            self._put_order(replace(order, asleep_since=at), at)
        shares = self.cover(bracket_id).naked - before
        if shares <= 0:
            return
        add_span(self.naked_days, since, at, shares)
        bracket = self.brackets[bracket_id]
        self._change_bracket(
            bracket_id,
            at,
            last_error=event.text,
            naked_since=min(since, bracket.naked_since or since),
            naked_share_s=bracket.naked_share_s + (at - since).total_seconds() * float(shares),
        )

    def _on_protection_failed(self, event: ev.ProtectionFailed, at: datetime) -> None:
        attempts = self.brackets[event.bracket_id].attempts + 1
        self._change_bracket(event.bracket_id, at, attempts=attempts, last_error=event.text)

    def _on_protection_gave_up(self, event: ev.ProtectionGaveUp, at: datetime) -> None:
        self._change_bracket(event.bracket_id, at, gave_up_at=at, last_error=event.text)

    def _on_protection_rearmed(self, event: ev.ProtectionRearmed, at: datetime) -> None:
        self._change_bracket(event.bracket_id, at, gave_up_at=None, attempts=0, rearmed_at=at, stop_passed_at=None)

    def _on_exit_requested(self, event: ev.ExitRequested, at: datetime) -> None:
        if event.signal_id is not None:
            self.closers[event.bracket_id] = event.signal_id
            self._set_signal_status(event.signal_id, SignalStatus.WORKING)
        self._change_bracket(event.bracket_id, at, exit_requested_at=at, exit_reason=event.reason, exit_when=event.when)

    def _on_bracket_adjusted(self, event: ev.BracketAdjusted, at: datetime) -> None:
        adjusted = self.brackets[event.bracket_id].adjusted_qty + event.qty
        self._change_bracket(event.bracket_id, at, adjusted_qty=adjusted, last_error=event.why)

    def _on_position_reported(self, event: ev.PositionReported, at: datetime) -> None:
        position = event.position
        if position.qty == 0:
            self.positions.pop(position.symbol, None)
        else:
            self.positions[position.symbol] = position
            self._note_exposed()
        self._touch("position", position.symbol)


_FOLDS: Final[Mapping[type[Any], Callable[[Book, Any, datetime], None]]] = {
    event: getattr(Book, f"_on_{event.__struct_config__.tag}") for event in get_args(ev.AnyEvent)
}
"""Kind of fact -> its fold. A kind without one fails when the program is loaded, not when it comes."""
