"""A desk of a few dozen lines behind the same door: it keeps pictures, decides once, and writes a journal in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from engine.bus import Bus
from engine.clock import SystemClock
from engine.errors import CommandRefused
from engine.intake.door import Span
from engine.intake.formats.detect import parse
from engine.model import events as ev
from engine.model.commands import NO_EDITS, Agreement, Edits
from engine.model.words import DeskState, ExitWhen, OrderStatus, SignalStatus
from engine.protection.carry import CarrySheet
from engine.protection.corporate import RepricingView
from engine.views import (
    AccountView,
    BracketView,
    HealthView,
    IncidentView,
    LatencyView,
    OrderView,
    PositionView,
    PreviewView,
    SignalView,
)
from engine.views_drills import DrillsView, DrillView, RunningDrillView
from tests.wire.api import views
from tests.wire.api.views import replace


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    symbol: str
    text: str
    settlements: tuple[str, ...]


class ScriptedDesk:
    def __init__(self) -> None:
        self.clock = SystemClock()
        self.bus = Bus()
        self.journal: list[ev.Recorded] = []
        self.signals_by_id: dict[str, SignalView] = {}
        self.orders_by_id = {views.ORDER.id: views.ORDER}
        self.brackets_by_id = {views.BRACKET.id: views.BRACKET}
        self.incidents_by_id = {views.INCIDENT.id: views.INCIDENT}
        self.states: dict[str, DeskState] = {"desk": DeskState.ACTIVE}
        found = Difference(
            id="d1", symbol="TSLA", text="4 TSLA that no trade explains", settlements=("adopt", "ignore")
        )
        self.differences_by_id = {found.id: found}
        self.did: list[tuple[Any, ...]] = []
        """Commands as they arrived."""
        self.fails: BaseException | None = None
        """Raised by the next call of ``account``: a desk in trouble."""
        self.streams = 0

    # --- reading -----------------------------------------------------------------------------------------------------

    def health(self) -> HealthView:
        gate = "locked" if self.differences_by_id else "open"
        return replace(views.HEALTH, journal_seq=len(self.journal), desk_state=self.states["desk"], start_gate=gate)

    def account(self) -> AccountView:
        if self.fails is not None:
            raise self.fails
        return views.ACCOUNT

    def signals(self, status: SignalStatus | None = None, limit: int = 500) -> list[SignalView]:
        newest_first = reversed(self.signals_by_id.values())
        return [signal for signal in newest_first if status is None or signal.status is status][:limit]

    def signal(self, signal_id: str) -> SignalView:
        return self.signals_by_id.get(signal_id) or _not_found("signal", signal_id)

    def preview(self, signal_id: str, edits: Edits = NO_EDITS) -> PreviewView:
        self.signal(signal_id)
        changed = {name: getattr(edits, name) for name in edits.changed()}
        return replace(views.PREVIEW, **changed)

    def orders(self, status: Span = "open", limit: int = 500) -> list[OrderView]:
        everything = status == "all"
        return [o for o in self.orders_by_id.values() if everything or o.status is OrderStatus.NEW][:limit]

    def order(self, order_id: str) -> OrderView:
        return self.orders_by_id.get(order_id) or _not_found("order", order_id)

    def brackets(self, status: Span = "open", limit: int = 500) -> list[BracketView]:
        return list(self.brackets_by_id.values())[:limit]

    def bracket(self, bracket_id: str) -> BracketView:
        return self.brackets_by_id.get(bracket_id) or _not_found("bracket", bracket_id)

    def corporate_actions(self) -> list[RepricingView]:
        return []

    async def reprice_bracket(self, bracket_id: str, *, actor: str) -> BracketView:
        return self._did("reprice", self.bracket(bracket_id), actor)

    def carry(self) -> CarrySheet:
        return CarrySheet(closes_at=None, is_due=False, rows=())

    def positions(self) -> list[PositionView]:
        return [views.POSITION]

    def incidents(self, status: Span = "open", limit: int = 500) -> list[IncidentView]:
        return [i for i in self.incidents_by_id.values() if status == "all" or i.acked_at is None][:limit]

    def incident(self, incident_id: str) -> IncidentView:
        return self.incidents_by_id.get(incident_id) or _not_found("incident", incident_id)

    def latency(self) -> LatencyView:
        return views.LATENCY

    def differences(self) -> list[Difference]:
        return list(self.differences_by_id.values())

    async def records(self, after: int) -> AsyncIterator[ev.Recorded]:
        news = asyncio.Event()
        unsubscribe = self.bus.on_records(lambda _: news.set())
        self.streams += 1
        seq = after
        try:
            while True:
                news.clear()
                while seq < len(self.journal):
                    seq += 1
                    yield self.journal[seq - 1]
                await news.wait()
        finally:
            self.streams -= 1
            unsubscribe()

    # --- commands ----------------------------------------------------------------------------------------------------

    async def receive(
        self,
        raw: bytes,
        *,
        source: str | None = None,
        format: str | None = None,  # noqa: A002 - the query parameter's own name
        began_s: float | None = None,
    ) -> tuple[SignalView, bool]:
        assert began_s is not None
        assert began_s <= self.clock.monotonic_s()
        draft = parse(raw, source=source, received_at=self.clock.now(), format=format)
        for known in self.signals_by_id.values():
            if (known.source, known.source_id) == (draft.source, draft.source_id):
                return known, True
        signal_id = f"s{len(self.signals_by_id) + 1:06d}"
        view = replace(
            views.SIGNAL,
            id=signal_id,
            source=draft.source,
            source_id=draft.source_id,
            symbol=draft.symbol,
            note=draft.note,
        )
        self.signals_by_id[signal_id] = view
        self.record(ev.SignalReceived(signal=draft.to_signal(signal_id)))
        return view, False

    async def approve(
        self,
        signal_id: str,
        *,
        actor: str,
        preview_id: str | None = None,
        edits: Edits = NO_EDITS,
        reason: str = "",
    ) -> SignalView:
        signal = self._pending(signal_id)
        if preview_id not in (None, views.PREVIEW.preview_id):
            raise CommandRefused("CHANGED_SINCE_SHOWN", "the price moved by 12 ticks", reasons=[views.DENY])
        self.did.append(("approve", signal_id, actor, preview_id, edits, *((reason,) if reason else ())))
        return self._decide(signal, SignalStatus.APPROVED, actor)

    async def reject(self, signal_id: str, *, actor: str, reason: str = "", code: int | None = None) -> SignalView:
        signal = self._pending(signal_id)
        self.record(ev.SignalRejected(signal_id=signal_id, actor=actor, reason=reason, code=code))
        decided = self._decide(signal, SignalStatus.REJECTED, actor)
        return replace(decided, decision_note=reason, decision_code=code)

    async def cancel_order(self, order_id: str, *, actor: str) -> OrderView:
        return self._did("cancel", self.order(order_id), actor)

    async def lookup_order(self, order_id: str, *, actor: str) -> OrderView:
        return self._did("lookup", self.order(order_id), actor)

    async def attest_order(self, order_id: str, *, actor: str, settlement: str) -> OrderView:
        return self._did("attest", self.order(order_id), actor, settlement)

    async def retry_bracket(self, bracket_id: str, *, actor: str) -> BracketView:
        return self._did("retry", self.bracket(bracket_id), actor)

    async def flatten_bracket(self, bracket_id: str, *, actor: str, when: ExitWhen = ExitWhen.NOW) -> BracketView:
        return self._did("flatten", self.bracket(bracket_id), actor)

    async def flatten(self, *, symbol: str | None, actor: str, when: ExitWhen = ExitWhen.NOW) -> list[BracketView]:
        self.did.append(("flatten", symbol, actor))
        return [b for b in self.brackets_by_id.values() if symbol in (None, b.symbol)]

    async def set_state(
        self,
        state: DeskState,
        *,
        scope: str = "desk",
        actor: str,
        confirm: str | None = None,
        second: Agreement | None = None,
    ) -> HealthView:
        if self.states.get(scope) is DeskState.HALTED and state is not DeskState.HALTED and confirm != "RELEASE":
            raise CommandRefused("CONFIRM_REQUIRED", "type RELEASE to leave halted", field="confirm")
        self.states[scope] = state
        self.record(ev.DeskStateSet(scope=scope, state=state, actor=actor, cause="asked"))
        return self.health()

    async def poll_orders(self, on: bool, *, actor: str) -> HealthView:
        self.did.append(("poll", on, actor))
        return self.health()

    async def ack_incident(self, incident_id: str, *, actor: str) -> IncidentView:
        acked = replace(self.incident(incident_id), acked_at=self.clock.now(), acked_by=actor)
        self.incidents_by_id[incident_id] = acked
        return acked

    async def settle_difference(
        self,
        difference_id: str,
        *,
        settlement: str,
        actor: str,
        stop_price: Decimal | None = None,
        take_profit_price: Decimal | None = None,
    ) -> list[Difference]:
        if difference_id not in self.differences_by_id:
            _not_found("difference", difference_id)
        del self.differences_by_id[difference_id]
        self.did.append(("settle", difference_id, settlement, actor, stop_price, take_profit_price))
        return self.differences()

    # --- inside ------------------------------------------------------------------------------------------------------

    def record(self, *facts: ev.AnyEvent) -> None:
        fresh = [ev.Recorded(len(self.journal) + n, self.clock.now(), fact) for n, fact in enumerate(facts, 1)]
        self.journal += fresh
        self.bus.publish(fresh, ())

    def _pending(self, signal_id: str) -> SignalView:
        signal = self.signal(signal_id)
        if signal.status is not SignalStatus.PENDING:
            raise CommandRefused("ALREADY_DECIDED", f"{signal_id} is {signal.status}")
        return signal

    def _decide(self, signal: SignalView, status: SignalStatus, actor: str) -> SignalView:
        decided = replace(signal, status=status, preview=None, decided_by=actor)
        self.signals_by_id[signal.id] = decided
        return decided

    def _did[V: (OrderView, BracketView)](self, what: str, view: V, *how: str) -> V:
        self.did.append((what, view.id, *how))
        return view


def _not_found(what: str, found: str) -> NoReturn:
    raise CommandRefused("NOT_FOUND", f"there is no {what} {found}", http_status=404)


Script = Callable[[ScriptedDesk], None]


class ScriptedDrills:
    """A room with one drill, that runs until it is ended."""

    def __init__(self) -> None:
        self.begun_by: str | None = None

    def view(self) -> DrillsView:
        running = RunningDrillView(
            drill="lost_reply",
            title="Lost reply",
            stage="setting",
            task="",
            symbol="AAPL",
            since=views.T0,
            ends_at=None,
        )
        known = DrillView(name="lost_reply", title="Lost reply", about="An answer never comes.", best=None)
        return DrillsView(drills=(known,), running=running if self.begun_by else None, results=())

    async def begin(self, name: str, *, actor: str) -> DrillsView:
        if self.begun_by:
            raise CommandRefused("DRILL_RUNNING", f"{name} is running.")
        self.begun_by = actor
        return self.view()

    async def end(self, *, actor: str) -> DrillsView:
        self.begun_by = None
        return self.view()
