"""A desk of hand-made scenes: frozen views, a real bus, and commands that do something and are remembered.

It implements ``gui.door.Door`` for drawing and for testing the window. Commands move the views as the desk would, so
that a test can follow a click to what the screen says afterwards. ``hold`` makes a command wait, ``refuse`` makes it
refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from engine.bus import Bus, Change
from engine.errors import CommandRefused
from engine.model.commands import NO_EDITS, Agreement, Edits
from engine.model.rejections import REJECTIONS
from engine.model.words import TERMINAL, BracketStatus, DeskState, Mode, OrderRole, OrderStatus, SignalStatus
from engine.views import (
    ActivityLine,
    BarView,
    BracketView,
    DeskView,
    HealthView,
    IncidentView,
    LatencyView,
    OrderView,
    PositionView,
    PreviewView,
    SignalView,
    SpanView,
)
from engine.views_batch import BatchPreviewView, BatchRowView, OutcomeView, RejectReasonView
from engine.views_truth import FactView
from tests.gui.scene_alarms import SceneAlarms
from tests.gui.scene_halt import SceneHalt
from tests.gui.scene_mandates import SceneMandates
from tests.gui.scene_orders import SceneReplacing
from tests.gui.scene_pieces import FrozenClock, SceneDifference, SceneQuote, SceneSample
from tests.gui.scene_repair import SceneExits
from tests.gui.scene_ticket import SceneTicket

replace = msgspec.structs.replace


class SceneDesk:
    def __init__(
        self,
        view: DeskView,
        *,
        signals: Sequence[SignalView] = (),
        orders: Sequence[OrderView] = (),
        brackets: Sequence[BracketView] = (),
        positions: Sequence[PositionView] = (),
        incidents: Sequence[IncidentView] = (),
        activity: Sequence[ActivityLine] = (),
        latency: LatencyView,
        samples: Sequence[SceneSample] = (),
        timelines: dict[str, list[SpanView]] | None = None,
        bars: dict[str, list[BarView]] | None = None,
        quotes: dict[str, SceneQuote] | None = None,
        differences: Sequence[SceneDifference] = (),
    ) -> None:
        """All sequences oldest first."""
        self.bus = Bus()
        self.mode: Mode = view.health.mode
        self.is_sending = False
        self.commands: list[tuple[Any, ...]] = []
        self.clock = FrozenClock(view.health.started_at)
        self.ladder = SceneHalt(self._take)
        self.given = SceneMandates(self._take, self.clock)
        self.planner = SceneExits(self._take, self.bracket, self.put)
        self.alarms = SceneAlarms(self._take, self.incident, self.put)
        self.replacing = SceneReplacing(self._take, self.order, self.put)
        self.ticket = SceneTicket(self._take, self.clock)
        self._view = view
        self._signals = {s.id: s for s in signals}
        self._orders = {o.id: o for o in orders}
        self._brackets = {b.id: b for b in brackets}
        self._positions = {p.symbol: p for p in positions}
        self._incidents = {i.id: i for i in incidents}
        self._activity = list(activity)
        self._latency = latency
        self._samples = list(samples)
        self._timelines = timelines or {}
        self._bars = bars or {}
        self.facts: list[FactView] = []
        self.asked_bars: list[tuple[str, int, int]] = []
        self._quotes = quotes or {}
        self._differences = {d.id: d for d in differences}
        self._gates: dict[str, asyncio.Event] = {}
        self._refusals: dict[str, CommandRefused] = {}

    # --- what a test can do to it --------------------------------------------------------------------------

    def hold(self, command: str) -> None:
        """``command`` waits until released."""
        self._gates[command] = asyncio.Event()

    def release(self, command: str) -> None:
        self._gates.pop(command).set()

    def refuse(self, command: str, code: str, text: str) -> None:
        """The next ``command`` is refused."""
        self._refusals[command] = CommandRefused(code, text)

    def put(self, *views: SignalView | OrderView | BracketView | IncidentView | PositionView | DeskView) -> None:
        """New pictures, told on the bus as the desk tells them."""
        changes = []
        for view in views:
            match view:
                case SignalView():
                    self._signals[view.id] = view
                    changes.append(Change("signal", view.id))
                case OrderView():
                    self._orders[view.id] = view
                    changes.append(Change("order", view.id))
                case BracketView():
                    self._brackets[view.id] = view
                    changes.append(Change("bracket", view.id))
                case IncidentView():
                    self._incidents[view.id] = view
                    changes.append(Change("incident", view.id))
                case PositionView():
                    self._positions[view.symbol] = view
                    changes.append(Change("position", view.symbol))
                case DeskView():
                    self._view = view
                    changes.append(Change("desk", ""))
        self.bus.publish((), changes)

    def differ(self, *differences: SceneDifference) -> None:
        """Only these are left to settle; the gate is locked while there is one. The desk tells nobody."""
        self._differences = {d.id: d for d in differences}
        texts = [d.text for d in differences]
        more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
        self._view = replace(
            self._view,
            health=replace(self._view.health, start_gate="locked" if texts else "open"),
            gate_locked_by=texts[0] + more if texts else None,
        )

    def say(self, line: ActivityLine) -> None:
        self._activity.append(line)
        self.bus.publish((), [Change("activity", "")])

    async def _take(self, name: str, *arguments: Any) -> None:
        self.commands.append((name, *arguments))
        gate = self._gates.get(name)
        if gate is not None:
            await gate.wait()
        await asyncio.sleep(0)
        refusal = self._refusals.pop(name, None)
        if refusal is not None:
            raise refusal

    # --- reading --------------------------------------------------------------------------------------------

    def view(self) -> DeskView:
        return self._view

    def signals(self, status: SignalStatus | None = None, limit: int = 500) -> list[SignalView]:
        found = [s for s in self._signals.values() if status in (None, s.status)]
        return found[::-1][:limit]

    def signal(self, signal_id: str) -> SignalView:
        return _known(self._signals, signal_id)

    def orders(self, status: str = "open", limit: int = 500) -> list[OrderView]:
        found = [o for o in self._orders.values() if status == "all" or o.status not in TERMINAL]
        return found[::-1][:limit]

    def order(self, order_id: str) -> OrderView:
        return _known(self._orders, order_id)

    def brackets(self, status: str = "open", limit: int = 500) -> list[BracketView]:
        found = [b for b in self._brackets.values() if status == "all" or b.status is not BracketStatus.CLOSED]
        return found[::-1][:limit]

    def bracket(self, bracket_id: str) -> BracketView:
        return _known(self._brackets, bracket_id)

    def positions(self) -> list[PositionView]:
        return list(self._positions.values())

    def position(self, symbol: str) -> PositionView | None:
        return self._positions.get(symbol)

    def incidents(self, status: str = "open", limit: int = 500) -> list[IncidentView]:
        found = [i for i in self._incidents.values() if status == "all" or i.cleared_at is None]
        return found[::-1][:limit]

    def incident(self, incident_id: str) -> IncidentView:
        return _known(self._incidents, incident_id)

    def latency(self) -> LatencyView:
        return self._latency

    def latency_samples(self, after: int = 0) -> list[SceneSample]:
        return [s for s in self._samples if s.index > after]

    def timeline(self, signal_id: str) -> list[SpanView]:
        return self._timelines.get(signal_id, [])

    def activity(self, limit: int = 500) -> list[ActivityLine]:
        return self._activity[::-1][:limit]

    def preview(self, signal_id: str, edits: Edits = NO_EDITS) -> PreviewView:
        preview = self.signal(signal_id).preview
        if preview is None:
            raise CommandRefused("ALREADY_DECIDED", "It is not pending any more.")
        if edits == NO_EDITS:
            return preview
        changes = {name: getattr(edits, name) for name in edits.changed()}
        words = " ".join(f"{name}={value}" for name, value in changes.items())
        return replace(preview, preview_id=f"{preview.preview_id} {words}", sentence=f"Edited: {words}", **changes)

    def quote(self, symbol: str) -> SceneQuote | None:
        return self._quotes.get(symbol)

    def differences(self) -> list[SceneDifference]:
        return list(self._differences.values())

    # --- commands -------------------------------------------------------------------------------------------

    async def approve(
        self,
        signal_id: str,
        *,
        actor: str,
        preview_id: str | None = None,
        edits: Edits = NO_EDITS,
        reason: str = "",
    ) -> SignalView:
        more = (*((edits,) if edits != NO_EDITS else ()), *((reason,) if reason else ()))
        await self._take("approve", signal_id, preview_id, *more)
        return self._decide(signal_id, SignalStatus.APPROVED, actor, "")

    async def reject(self, signal_id: str, *, actor: str, reason: str = "", code: int | None = None) -> SignalView:
        await self._take("reject", signal_id, code)
        return self._decide(signal_id, SignalStatus.REJECTED, actor, REJECTIONS[code] if code else reason)

    async def undo(self, signal_id: str, *, actor: str) -> SignalView:
        await self._take("undo", signal_id)
        signal = replace(self.signal(signal_id), status=SignalStatus.PENDING, undo_until=None, decided_at=None)
        self.put(signal)
        return signal

    async def approve_batch(
        self, ids: Sequence[str], *, actor: str, preview_id: str | None = None, reason: str = ""
    ) -> list[OutcomeView]:
        await self._take("approve_batch", tuple(ids), preview_id, *((reason,) if reason else ()))
        return [self._outcome(row.id, row.code, row.text, SignalStatus.APPROVED, actor) for row in self._rows(ids)]

    async def reject_batch(
        self, ids: Sequence[str], *, actor: str, reason: str = "", code: int | None = None
    ) -> list[OutcomeView]:
        await self._take("reject_batch", tuple(ids))
        return [self._outcome(key, None, "", SignalStatus.REJECTED, actor) for key in ids]

    def _outcome(self, key: str, code: str | None, text: str, status: SignalStatus, actor: str) -> OutcomeView:
        if code is None:
            self._decide(key, status, actor, "")
        return OutcomeView(id=key, done=code is None, code=code, text=text)

    def _rows(self, ids: Sequence[str]) -> list[BatchRowView]:
        rows = []
        for key in ids:
            shown = self.signal(key).preview
            code = None if shown is not None and shown.approvable else "DENIED"
            text = "" if code is None or shown is None else f"{self.signal(key).symbol}: {shown.blocked_by}"
            rows.append(BatchRowView(id=key, preview=shown, code=code, text=text))
        return rows

    def preview_batch(self, ids: Sequence[str]) -> BatchPreviewView:
        rows = self._rows(ids)
        going = [row.preview for row in rows if row.code is None and row.preview is not None]
        return BatchPreviewView(
            preview_id=f"batch {' '.join(ids)}",
            rows=tuple(rows),
            approvable=len(going),
            risk_usd=sum((shown.risk.usd for shown in going if shown.risk is not None), Decimal(0)),
            risk_pct_of_equity=Decimal("0.73"),
            notional=sum((shown.qty * (shown.price or Decimal(0)) for shown in going), Decimal(0)),
            buying_power_after=Decimal(121_400),
            gross_exposure_pct_after=Decimal("48.20"),
            open_positions_after=8,
            made_at=self.clock.now(),
        )

    @staticmethod
    def reject_reasons() -> list[RejectReasonView]:
        return [RejectReasonView(code=code, text=text) for code, text in REJECTIONS.items()]

    def _decide(self, signal_id: str, status: SignalStatus, actor: str, note: str) -> SignalView:
        signal = replace(
            self.signal(signal_id),
            status=status,
            preview=None,
            decided_at=self.clock.now(),
            decided_by=actor,
            decision_note=note,
        )
        self.put(signal)
        return signal

    async def cancel_order(self, order_id: str, *, actor: str) -> OrderView:
        await self._take("cancel_order", order_id)
        order = replace(self.order(order_id), status=OrderStatus.PENDING_CANCEL, can_cancel=False)
        self.put(order)
        return order

    async def lookup_order(self, order_id: str, *, actor: str) -> OrderView:
        await self._take("lookup_order", order_id)
        order = replace(self.order(order_id), status=OrderStatus.NEW, unresolved_since=None)
        self.put(order)
        return order

    async def attest_order(self, order_id: str, *, actor: str, settlement: str) -> OrderView:
        await self._take("attest_order", order_id, settlement)
        order = replace(self.order(order_id), status=OrderStatus.NEVER_REACHED, unresolved_since=None)
        self.put(order)
        return order

    async def retry_bracket(self, bracket_id: str, *, actor: str) -> BracketView:
        await self._take("retry_bracket", bracket_id)
        old = self.bracket(bracket_id)
        bracket = replace(old, status=BracketStatus.REPAIRING, can_retry=False, attempts=old.attempts + 1)
        self.put(bracket)
        return bracket

    async def reprice_bracket(self, bracket_id: str, *, actor: str) -> BracketView:
        await self._take("reprice_bracket", bracket_id)
        return self.bracket(bracket_id)

    @property
    def exits(self) -> SceneExits:
        return self.planner

    @property
    def mandates(self) -> SceneMandates:
        return self.given

    @property
    def halt(self) -> SceneHalt:
        return self.ladder

    async def flatten_bracket(self, bracket_id: str, *, actor: str) -> BracketView:
        await self._take("flatten_bracket", bracket_id)
        bracket = replace(self.bracket(bracket_id), status=BracketStatus.EXITING, can_flatten=False, can_retry=False)
        self.put(bracket)
        return bracket

    async def flatten(self, *, symbol: str | None, actor: str) -> list[BracketView]:
        await self._take("flatten", symbol)
        found = [b for b in self._brackets.values() if symbol in (None, b.symbol)]
        self.put(*(replace(b, status=BracketStatus.EXITING, can_flatten=False) for b in found))
        return found

    async def set_state(
        self,
        state: DeskState,
        *,
        scope: str = "desk",
        actor: str,
        confirm: str | None = None,
        second: Agreement | None = None,
    ) -> HealthView:
        await self._take("set_state", state, confirm, *([second] if second is not None else []))
        order = list(DeskState)
        against = [trip for trip in self._view.trips if order.index(trip.state) > order.index(state)]
        if any(trip.stands for trip in against) and confirm != "RELEASE ANYWAY":
            raise CommandRefused("TRIP_STANDS", f"{against[0].cause} It still stands.")
        left_halt = self._view.health.desk_state is DeskState.HALTED and state is not DeskState.HALTED
        if (against or left_halt) and confirm not in ("RELEASE", "RELEASE ANYWAY"):
            raise CommandRefused("CONFIRM_REQUIRED", "This needs the word RELEASE.")
        kept = tuple(trip for trip in self._view.trips if trip not in against)
        self.put(replace(self._view, trips=kept, health=replace(self._view.health, desk_state=state)))
        return self._view.health

    async def poll_orders(self, on: bool, *, actor: str) -> HealthView:
        await self._take("poll_orders", on)
        return self._view.health

    async def ack_incident(self, incident_id: str, *, actor: str) -> IncidentView:
        await self._take("ack_incident", incident_id)
        incident = replace(self.incident(incident_id), acked_at=self.clock.now(), acked_by=actor)
        self.put(incident)
        return incident

    async def confirm_account(self, number: str, *, actor: str) -> HealthView:
        await self._take("confirm_account", number)
        if number.strip() != self._view.health.account:
            raise CommandRefused("WRONG_ACCOUNT", "That is not this account's number.")
        health = replace(self._view.health, start_gate="open")
        self._view = replace(self._view, wants_confirmation=False, gate_locked_by=None, health=health)
        return health

    async def settle_difference(
        self,
        difference_id: str,
        *,
        settlement: str,
        actor: str,
        stop_price: Decimal | None = None,
        take_profit_price: Decimal | None = None,
    ) -> list[SceneDifference]:
        prices = [price for price in (stop_price, take_profit_price) if price is not None]
        await self._take("settle_difference", difference_id, settlement, *prices)
        _known(self._differences, difference_id)
        self.differ(*(d for d in self._differences.values() if d.id != difference_id))
        return self.differences()

    async def set_demo(self, on: bool, *, actor: str) -> None:
        await self._take("set_demo", on)
        self.put(replace(self._view, demo_on=on))

    async def cancel_working_entries(self, *, actor: str) -> list[OrderView]:
        await self._take("cancel_working_entries")
        found = [o for o in self._orders.values() if o.role is OrderRole.ENTRY and o.can_cancel]
        gone = [replace(o, status=OrderStatus.CANCELED, can_cancel=False) for o in found]
        self.put(*gone)
        return gone

    async def facts_about(self, subjects: Sequence[str]) -> list[FactView]:
        await self._take("facts_about", tuple(subjects))
        return self.facts

    async def bars(self, symbol: str, *, minutes: int = 240, step: int = 1) -> list[BarView]:
        self.asked_bars.append((symbol, minutes, step))
        await asyncio.sleep(0)
        return self._bars.get(symbol, [])[-minutes:]


def _known[V](views: dict[str, V], key: str) -> V:
    if key not in views:
        raise CommandRefused("NOT_FOUND", f"There is no {key}.", http_status=404)
    return views[key]
