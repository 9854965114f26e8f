"""One sample of every kind of fact, for tests of the journal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from engine.model import events as ev
from engine.model.bracket import Bracket, Repair
from engine.model.halt import FlatProof
from engine.model.incident import Incident, Priority
from engine.model.mandate import Mandate
from engine.model.order import Evidence, Order, OrderReport
from engine.model.position import Position
from engine.model.signal import Approval, EntrySpec, ExitSpec, HeldEntry, Reason, Signal, SizeSpec
from engine.model.trip import Trip
from engine.model.words import (
    DeskState,
    Intent,
    OrderClass,
    OrderRole,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    Source,
    Stage,
    Verdict,
)

T0: Final = datetime(2026, 8, 21, 14, 3, 7, 250, UTC)

SIGNAL: Final = Signal(
    id="s000001",
    source="breakout",
    source_id="breakout-000123",
    strategy="breakout",
    symbol="AAPL",
    side=Side.BUY,
    intent=Intent.OPEN,
    size=SizeSpec(unit="qty", value=Decimal(10)),
    entry=EntrySpec(type=OrderType.LIMIT, limit_price=Decimal("187.20")),
    stop_loss=ExitSpec(unit="price", value=Decimal("184.90")),
    take_profit=ExitSpec(unit="r", value=Decimal(2)),
    reference_price=Decimal("187.10"),
    made_at=T0,
    received_at=T0,
    expires_at=T0.replace(minute=4),
    confidence=0.72,
    note="20-day high “é”",
)
REASON: Final = Reason(code="NO_STOP", text="there is no stop", verdict=Verdict.DENY, measured="0", limit="1")
EVIDENCE: Final = Evidence(source=Source.STREAM, id="exec-1", at=T0)
ENTRY: Final = Order(
    id="gl-7f3a2c-000001-entry-1",
    client_order_id="gl-7f3a2c-000001-entry-1",
    symbol="AAPL",
    side=Side.BUY,
    type=OrderType.LIMIT,
    order_class=OrderClass.BRACKET,
    role=OrderRole.ENTRY,
    qty=Decimal(10),
    bracket_id="b000001",
    limit_price=Decimal("187.20"),
    created_at=T0,
    status_since=T0,
)
STOP: Final = Order(
    id="gl-7f3a2c-000001-entry-1.sl",
    client_order_id=None,
    symbol="AAPL",
    side=Side.SELL,
    type=OrderType.STOP,
    order_class=OrderClass.BRACKET,
    role=OrderRole.STOP_LOSS,
    qty=Decimal(10),
    bracket_id="b000001",
    parent_id=ENTRY.id,
    stop_price=Decimal("184.90"),
    created_at=T0,
    status_since=T0,
)
FILL: Final = OrderReport(
    broker_id="61e69015-8549-4bfd-b9c3-01e75843f47d",
    status=OrderStatus.FILLED,
    evidence=EVIDENCE,
    event="fill",
    filled_qty=Decimal(10),
    filled_avg_price=Decimal("187.1950"),
    updated_at=T0,
    execution_id="exec-1",
    last_qty=Decimal(10),
    last_price=Decimal("187.1950"),
)
BRACKET: Final = Bracket(
    id="b000001",
    signal_id="s000001",
    strategy="breakout",
    symbol="AAPL",
    side=Side.BUY,
    qty=Decimal(10),
    stop_price=Decimal("184.90"),
    take_profit_price=Decimal("191.80"),
    opened_at=T0,
)
APPROVAL: Final = Approval(
    actor="window",
    at=T0,
    preview_id="p1",
    qty=Decimal(10),
    limit_price=Decimal("187.20"),
    stop_price=Decimal("184.90"),
    take_profit_price=Decimal("191.80"),
    edited=("qty",),
)
INCIDENT: Final = Incident(
    id="i000001",
    key="naked:b000001",
    priority=Priority.NOW,
    cause="the stop was refused",
    consequence="10 AAPL are naked",
    action="press Retry",
    subject_kind="bracket",
    subject_id="b000001",
    symbol="AAPL",
    raised_at=T0,
)

MONEY: Final = Decimal("100123.40")
MANDATE: Final = Mandate(
    id="m0001",
    strategy="breakout",
    symbols=("AAPL",),
    sides=(Side.BUY,),
    max_notional_each=Decimal(5_000),
    max_notional_day=Decimal(20_000),
    max_count=10,
    max_loss_day=None,
    until=T0,
    created_at=T0,
    created_by="operate",
)

EVERY_KIND: Final[tuple[ev.AnyEvent, ...]] = (
    ev.JournalOpened(desk_id="7f3a2c", mode="sim"),
    ev.AccountBound(account_number="PA1"),
    ev.DeskStarted(version="0.1.0"),
    ev.DeskStarted(version="0.1.0", rules_file="rules.py", rules_sha256="0f3a"),
    ev.DeskStopped(),
    ev.SignalReceived(signal=SIGNAL, received_ms=0.4),
    ev.SignalRefused(source="x", code="MISSING_FIELD", field="side", text="side is missing", body="{}"),
    ev.SignalApproved(signal_id="s000001", bracket_id="b000001", approval=APPROVAL, reasons=(REASON,)),
    ev.SignalRejected(signal_id="s000001", actor="window", reason="late"),
    ev.SignalExpired(signal_id="s000001"),
    ev.SignalDenied(signal_id="s000001", reasons=(REASON,)),
    ev.SignalReturned(signal_id="s000001", why="approved, never reached the broker"),
    ev.EntryHeld(
        signal_id="s000001",
        held=HeldEntry(kind="trigger", since=T0, until=T0, trigger_price=Decimal("190.00")),
    ),
    ev.EntryReleased(signal_id="s000001", why="190 was reached"),
    ev.BracketOpened(bracket=BRACKET),
    ev.OrderIntended(order=ENTRY, body={"symbol": "AAPL", "qty": "10"}, purpose=Purpose.ENTRY, legs=(STOP,)),
    ev.OrderReported(order_id=ENTRY.id, report=FILL),
    ev.ExecutionsTakenBack(order_id=ENTRY.id, qty=Decimal(4), report=FILL),
    ev.OrderRefused(order_id=ENTRY.id, text="no", status_code=422, code=42210000, request_id="r1"),
    ev.OrderUnresolved(order_id=ENTRY.id, text="timed out"),
    ev.OrderNeverReached(order_id=ENTRY.id, why="five look-ups say 404"),
    ev.OrderAdopted(order=STOP),
    ev.CancelIntended(order_id=ENTRY.id, actor="window"),
    ev.CancelRefused(order_id=ENTRY.id, text="already filled"),
    ev.ReplaceIntended(
        order_id=STOP.id, order=STOP, body={"stop_price": "185"}, purpose=Purpose.REPLACE, actor="window"
    ),
    ev.LookupAsked(order_id=ENTRY.id, actor="operate"),
    ev.ProtectionFailed(bracket_id="b000001", text="refused"),
    ev.ExitsAsleep(bracket_id="b000001", order_ids=(STOP.id,), text="held after the fill"),
    ev.ProtectionGaveUp(bracket_id="b000001", text="three times"),
    ev.ProtectionRearmed(bracket_id="b000001", actor="operate"),
    ev.ExitRequested(bracket_id="b000001", actor="operate", reason="flatten"),
    ev.ExitsChanged(bracket_id="b000001", stop_price=Decimal("185.00"), take_profit_price=None, actor="window"),
    ev.ExitsMoveAsked(
        bracket_id="b000001",
        stop_price=Decimal("185.00"),
        take_profit_price=None,
        actor="operate",
        reason="break-even",
        is_breakeven=True,
    ),
    ev.ExitsMoveRefused(bracket_id="b000001", text="the order is not open"),
    ev.WatchBegan(bracket_id="b000001", target=True, why="no target stands"),
    ev.WatchEnded(bracket_id="b000001", target=True, why="a target stands"),
    ev.StopPassed(bracket_id="b000001", passed=True, text="market 183.10"),
    ev.UnprotectedBegan(bracket_id="b000001", until=T0.replace(minute=18), actor="window"),
    ev.UnprotectedEnded(bracket_id="b000001", why="its time is over"),
    ev.RepairBegan(
        bracket_id="b000001",
        repair=Repair(plan_id="attach_oco-1f", kind="attach_oco", state="naked", actor="window", began_at=T0),
    ),
    ev.RepairEnded(bracket_id="b000001", plan_id="attach_oco-1f", done=True, text="every share is covered"),
    ev.BracketAdjusted(bracket_id="b000001", qty=Decimal("-2.50"), why="sold elsewhere"),
    ev.PositionReported(
        position=Position(symbol="AAPL", qty=Decimal(-10), avg_entry_price=Decimal("1E-9"), evidence=EVIDENCE)
    ),
    ev.IncidentRaised(incident=INCIDENT),
    ev.IncidentAcked(incident_id="i000001", actor="window"),
    ev.IncidentCleared(incident_id="i000001", why="covered"),
    ev.IncidentShelved(incident_id="i000001", until=T0, reason="known", actor="window"),
    ev.IncidentUnshelved(incident_id="i000001", why="its time is over"),
    ev.DeskStateSet(scope="desk", state=DeskState.PAUSED, actor="window", cause="lunch"),
    ev.LoopStalled(began_at=T0, lasted_s=3.4, file="stall.txt"),
    ev.DeskWoke(lost_s=340.5, why="The machine slept for 340 s"),
    ev.FlatProved(proof=FlatProof(orders=EVIDENCE, positions=EVIDENCE, actor="desk")),
    ev.SuspensionAsked(suspended=True, actor="window"),
    ev.SuspensionRefused(suspended=True, text="no answer"),
    ev.SuspensionSeen(suspended=False, evidence=EVIDENCE),
    ev.DifferenceSettled(difference_id="d1", settlement="adopt", actor="window", text="10 AAPL"),
    ev.DifferenceLapsed(difference_id="d1", why="10 AAPL were settled, and no AAPL is held beyond the trades now."),
    ev.LinkChanged(link="rest", up=False, why="connection refused"),
    ev.StageMeasured(signal_id="s000001", stage=Stage.SUBMIT, ms=51.25, started_at=T0),
    ev.DemoSwitched(on=False, actor="window"),
    ev.PropDayOpened(
        day="2026-08-21", preset="Static", size=Decimal(100_000), balance=MONEY, equity=MONEY, began_at=T0, is_late=True
    ),
    ev.PropMarked(day="2026-08-21", balance=MONEY, equity=MONEY),
    ev.PropDayClosed(day="2026-08-21", balance=MONEY, equity=MONEY),
    ev.PropDayCorrected(day="2026-08-21", actor="operate", start_balance=MONEY, high_close=MONEY),
    ev.PropBreached(rule="PROP_DRAWDOWN", day="2026-08-21", text="broken", measured="$1.00", limit="$2.00"),
    ev.DeskTripped(
        trip=Trip(code="REJECT_STORM", state=DeskState.PAUSED, cause="refused", measured="5", limit="5", at=T0)
    ),
    ev.TripReleased(code="REJECT_STORM", actor="operate", is_forced=True),
    ev.TripRearmed(code="REJECT_STORM"),
    ev.MandateGranted(mandate=MANDATE),
    ev.MandateConfirmed(mandate_id="m0001", actor="operate"),
    ev.MandateRevoked(mandate_id="m0001", actor="operate"),
)


def notes(count: int) -> list[ev.AnyEvent]:
    """Small distinguishable facts."""
    return [ev.SignalExpired(signal_id=f"s{number:06d}") for number in range(1, count + 1)]
