"""The only subscriber: what changed is staged by key, and once a frame the desk is asked for those views.

``desk.bus.on_changes`` may call a thousand times a second; each call only adds to sets. Prices come faster than anyone
can read, so quotes are taken up at a third of the frames. What moves by itself (naked seconds, ages of links) is
asked for again on the beat.

A frame is done in steps, one turn of the loop each, so that between two of them a click, a fill or a timer gets its
turn: the longest step is what the loop is late, not the sum. While an order is on its way to the broker, none is taken.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from engine.bus import Change, ChangeKind, Unsubscribe
from engine.errors import CommandRefused
from engine.model.commands import Edits
from engine.model.words import BracketStatus, SignalStatus
from engine.views import ActivityLine, BracketView, DeskView, PlansView, PreviewView, SignalView, SpanView
from engine.views_batch import BatchPreviewView, RejectReasonView
from engine.views_halt import HaltView
from engine.views_limits import MandateView
from engine.views_truth import AlarmStatsView
from gui.door import Difference, Door, Quote
from gui.frame_clock import FrameClock, RightOfWay

HISTORY: Final = 500
"""Rows of the past that a list starts with."""

_QUOTE_FRAMES: Final = 3
"""Quotes are taken up every third frame: about 4 times a second."""

_ACTIVITY_STEP: Final = 120

_BRACKETS_A_STEP: Final = 8
_ORDERS_A_STEP: Final = 40
"""Views that are asked for in one turn of the loop: some 1.5 ms."""


_LOOK_MS: Final = 1
"""How soon a frame that gives way looks again whether the road is free."""


class Bridge(QObject):
    """Hands fresh views to whoever shows them. Lists come with the keys of what is gone."""

    desk_changed = Signal(object)
    signals_changed = Signal(object, object)
    orders_changed = Signal(object, object)
    brackets_changed = Signal(object, object)
    positions_changed = Signal(object, object)
    incidents_changed = Signal(object, object)
    activity_grew = Signal(object)
    latency_changed = Signal(object, object)
    quotes_changed = Signal(object)
    """Symbols whose price moved."""
    rewound = Signal()
    """Of a day looked at again: what only ever grows begins anew, from the moment that it went back to."""

    def __init__(self, desk: Door, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.clock = FrameClock(self)
        self._stale: defaultdict[ChangeKind, set[str]] = defaultdict(set)
        self._quoted: set[str] = set()
        self._frames = 0
        self._open_brackets: dict[str, BracketView] = {}
        self._pending: dict[str, str] = {}
        self._activity_seq = 0
        self._log_grew = False
        self._sample_index = 0
        self._unsubscribe: Unsubscribe | None = None
        self._steps: deque[Callable[[], None]] = deque()
        self._beats: list[Callable[[], None]] = []
        self._turn = QTimer(self, interval=0, singleShot=True)
        self._turn.timeout.connect(self._take_step)
        self._road = RightOfWay(lambda: desk.is_sending)
        self.clock.frame.connect(self._frame)
        self.clock.beat.connect(self._beat)

    def start(self) -> None:
        """Everything once, then what changes."""
        self._unsubscribe = self._desk.bus.on_changes(self._told)
        desk = self._desk
        self.refresh_desk()
        # The desk lists newest first; models keep the order of arrival.
        self._hand_signals(desk.signals(limit=HISTORY)[::-1], [])
        self.orders_changed.emit(desk.orders("all", HISTORY)[::-1], [])
        brackets = {bracket.id: bracket for bracket in desk.brackets("all", HISTORY)[::-1]}
        brackets.update((bracket.id, bracket) for bracket in desk.brackets("open", HISTORY)[::-1])
        self._hand_brackets(list(brackets.values()), [])
        self.positions_changed.emit(desk.positions(), [])
        # Those that are over too: what was urgent and nobody has seen is still to be seen.
        incidents = {incident.id: incident for incident in desk.incidents("all", HISTORY)[::-1]}
        incidents.update((incident.id, incident) for incident in desk.incidents("open", HISTORY)[::-1])
        self.incidents_changed.emit(list(incidents.values()), [])
        self._take_activity(HISTORY)
        self._take_latency()
        for show_time in self._beats:
            show_time()

    def each_beat(self, show_time: Callable[[], None]) -> None:
        """Called four times a second, in a turn of its own: ages and countdowns are a quarter of a second older."""
        self._beats.append(show_time)

    def rewind(self) -> None:
        """The desk has gone back in time."""
        self._activity_seq = self._sample_index = 0
        self.rewound.emit()
        self._take_activity(HISTORY)
        self._take_latency()

    def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self.clock.stop()
        self._turn.stop()
        self._steps.clear()

    # --- asked by panels, for what they show right now ---------------------------------------------------------

    def desk(self) -> DeskView:
        return self._desk.view()

    def alarm_stats(self) -> AlarmStatsView:
        """How good the alarms are."""
        return self._desk.alarms.stats()

    def refresh_desk(self) -> None:
        """Show the desk as it is now: a command that changes it need not wait for the beat."""
        self.desk_changed.emit(self._desk.view())

    def ladder(self) -> HaltView:
        return self._desk.halt.ladder()

    def plans(self, bracket_id: str) -> PlansView | None:
        """What is wrong with a trade, and what mends it; None when there is no such trade."""
        try:
            return self._desk.exits.plans(bracket_id)
        except CommandRefused:
            return None

    def mandates(self) -> Sequence[MandateView]:
        """Those in force and those that wait to be confirmed, newest first."""
        return self._desk.mandates.views()

    def strategies(self) -> list[str]:
        """Of the newest signals, by name."""
        return sorted({signal.strategy for signal in self._desk.signals(limit=HISTORY)})

    def differences(self) -> Sequence[Difference]:
        """What keeps the start gate locked and can be settled."""
        return self._desk.differences()

    def preview(self, signal_id: str, edits: Edits) -> PreviewView | None:
        """What approving with these changes would do now; None when it is not pending any more."""
        try:
            return self._desk.preview(signal_id, edits)
        except CommandRefused:
            return None

    def preview_ticket(self, raw: bytes) -> PreviewView | CommandRefused:
        """What a ticket would do now, or why it is none yet."""
        try:
            return self._desk.ticket.preview(raw)
        except CommandRefused as refused:
            return refused

    def quote(self, symbol: str) -> Quote | None:
        return self._desk.quote(symbol) if symbol else None

    def symbols(self) -> list[str]:
        """Of everything that is or was on lately, by name."""
        signals = (signal.symbol for signal in self._desk.signals(limit=HISTORY))
        return sorted({*signals, *(position.symbol for position in self._desk.positions())})

    def signal(self, signal_id: str) -> SignalView | None:
        try:
            return self._desk.signal(signal_id)
        except CommandRefused:
            return None

    def preview_batch(self, ids: Sequence[str]) -> BatchPreviewView | None:
        """What approving all of these together would do now; None when none of them is pending any more."""
        try:
            return self._desk.preview_batch(ids)
        except CommandRefused:
            return None

    def reject_reasons(self) -> Sequence[RejectReasonView]:
        return self._desk.reject_reasons()

    def timeline(self, signal_id: str) -> tuple[list[SpanView], datetime | None]:
        """Spans of a trade, and when its signal arrived."""
        try:
            return self._desk.timeline(signal_id), self._desk.signal(signal_id).received_at
        except CommandRefused:
            return [], None

    # --- following ---------------------------------------------------------------------------------------------

    def _told(self, changes: frozenset[Change]) -> None:
        for kind, key in changes:
            if kind == "quote":
                self._quoted.add(key)
            else:
                self._stale[kind].add(key)
        self.clock.request()

    def _frame(self) -> None:
        """Lay out what this frame has to do."""
        stale, self._stale = self._stale, defaultdict(set)
        self._frames += 1
        priced: set[str] = set()
        if self._quoted:
            if self._frames % _QUOTE_FRAMES == 0:
                priced = self._take_quotes(stale)
            else:
                self.clock.request()  # they wait for their frame
        desk = self._desk
        if "desk" in stale or "account" in stale:
            self.soon(self.refresh_desk)
        if signals := stale["signal"]:
            self.soon(lambda: self._hand_signals(*_ask(desk.signal, signals)))
        if stale["bracket"] or stale["order"]:
            self.soon(lambda: self._show_trades(stale["bracket"], stale["order"], priced))
        if positions := stale["position"]:
            self.soon(lambda: self._show_positions(positions))
        if incidents := stale["incident"]:
            self.soon(lambda: self.incidents_changed.emit(*_ask(desk.incident, incidents)))
        if "activity" in stale:
            self._log_grew = True  # read on the beat: nobody reads sixteen new logs a second
        if "latency" in stale:
            self.soon(self._take_latency)

    def soon(self, step: Callable[[], None]) -> None:
        """Do it in a turn of its own, after the steps that wait already."""
        self._steps.append(step)
        if not self._turn.isActive():
            self._turn.start(0)

    def _take_step(self) -> None:
        if self._road.is_taken():
            self._turn.start(_LOOK_MS)
            return
        with self.clock.pace.spending():
            self._steps.popleft()()
        if self._steps:
            self._turn.start(0)

    def _show_trades(self, keys: set[str], orders: set[str], priced: set[str]) -> None:
        """Trades, and then the orders: a leg's face depends on its trade (armed once the entry has filled)."""

        def show(brackets: list[BracketView], gone: list[str]) -> None:
            if keys:
                self._hand_brackets(brackets, gone)
            moved = keys - priced
            touched = orders.union(order.id for bracket in brackets if bracket.id in moved for order in bracket.orders)
            if touched:
                self.soon(lambda: self._read(self._desk.order, touched, _ORDERS_A_STEP, self.orders_changed.emit))

        self._read(self._desk.bracket, keys, _BRACKETS_A_STEP, show)

    def _read[V](
        self,
        read: Callable[[str], V],
        keys: Iterable[str],
        at_once: int,
        then: Callable[[list[V], list[str]], object],
    ) -> None:
        """Ask for some views at each step, then hand over all of them and the keys of what is gone."""
        self._read_on(read, deque(sorted(keys)), at_once, then, [], [])

    def _read_on[V](
        self,
        read: Callable[[str], V],
        rest: deque[str],
        at_once: int,
        then: Callable[[list[V], list[str]], object],
        views: list[V],
        gone: list[str],
    ) -> None:
        """No function that knows itself: such a cycle keeps all the views of a frame until the collector walks."""
        found, lost = _ask(read, [rest.popleft() for _ in range(min(at_once, len(rest)))])
        views.extend(found)
        gone.extend(lost)
        if rest:
            self.soon(partial(self._read_on, read, rest, at_once, then, views, gone))
        else:
            then(views, gone)

    def _show_positions(self, keys: set[str]) -> None:
        asked = {symbol: self._desk.position(symbol) for symbol in keys}
        self.positions_changed.emit([p for p in asked.values() if p], [s for s, p in asked.items() if p is None])

    def _beat(self) -> None:
        self.soon(self.refresh_desk)
        running = [b.id for b in self._open_brackets.values() if b.naked_since is not None]
        if running:
            self.soon(lambda: self._read(self._desk.bracket, running, _BRACKETS_A_STEP, self._hand_brackets))
        if self._log_grew:
            self._log_grew = False
            self.soon(lambda: self._take_activity(_ACTIVITY_STEP))
        for show_time in self._beats:
            self.soon(show_time)

    def _take_quotes(self, stale: defaultdict[ChangeKind, set[str]]) -> set[str]:
        """Prices moved: rows and cards of those symbols are out of date, nothing else.

        Tells the trades that are stale for their price alone.
        """
        quoted, self._quoted = self._quoted, set()
        touched = [key for key, bracket in self._open_brackets.items() if bracket.symbol in quoted]
        priced = set(touched) - stale["bracket"]
        stale["bracket"].update(touched)
        stale["position"].update(self._open_brackets[key].symbol for key in touched)
        stale["signal"].update(key for key, symbol in self._pending.items() if symbol in quoted)
        self.quotes_changed.emit(frozenset(quoted))
        return priced

    def _hand_signals(self, views: list[SignalView], gone: list[str]) -> None:
        for view in views:
            if view.status is SignalStatus.PENDING:
                self._pending[view.id] = view.symbol
            else:
                self._pending.pop(view.id, None)
        for key in gone:
            self._pending.pop(key, None)
        self.signals_changed.emit(views, gone)

    def _hand_brackets(self, views: list[BracketView], gone: list[str]) -> None:
        for view in views:
            if view.status is BracketStatus.CLOSED:
                self._open_brackets.pop(view.id, None)
            else:
                self._open_brackets[view.id] = view
        for key in gone:
            self._open_brackets.pop(key, None)
        self.brackets_changed.emit(views, gone)

    def _take_activity(self, limit: int) -> None:
        lines = self._desk.activity(limit)
        if limit < HISTORY and len(lines) == limit and lines[-1].seq > self._activity_seq:
            lines = self._desk.activity(HISTORY)  # more than a step came in one frame
        fresh: list[ActivityLine] = [line for line in reversed(lines) if line.seq > self._activity_seq]
        if fresh:
            self._activity_seq = fresh[-1].seq
            self.activity_grew.emit(fresh)

    def _take_latency(self) -> None:
        samples = self._desk.latency_samples(self._sample_index)
        if samples:
            self._sample_index = samples[-1].index
        self.latency_changed.emit(self._desk.latency(), samples)


def _ask[V](read: Callable[[str], V], keys: Iterable[str]) -> tuple[list[V], list[str]]:
    """Views by key; what the desk no longer knows is gone."""
    views: list[V] = []
    gone: list[str] = []
    for key in sorted(keys):
        try:
            views.append(read(key))
        except CommandRefused:
            gone.append(key)
    return views, gone
