"""What the scenes are made of: views with sensible values, prices that walk, trades with their legs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.model.money import ZERO
from engine.model.order import Evidence
from engine.model.signal import Reason
from engine.model.words import (
    BracketStatus,
    CoverKind,
    DeskState,
    Mode,
    OrderClass,
    OrderRole,
    OrderStatus,
    OrderType,
    Side,
    SignalStatus,
    Source,
    TimeInForce,
    Verdict,
)
from engine.views import (
    AccountView,
    ActivityLine,
    BracketView,
    DeskView,
    EntryView,
    HeadroomView,
    HealthView,
    IncidentView,
    LagView,
    LegsView,
    LinkView,
    OrderView,
    PositionView,
    PreviewView,
    RiskView,
    SignalView,
    StopView,
    TargetView,
)

NOW = datetime(2026, 8, 21, 18, 3, 7, 120_000, tzinfo=UTC)
"""14:03:07 in New York."""


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def dec(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def proof(seconds: float = 8.0, ident: str = "b2a91c7e-6f0d") -> Evidence:
    return Evidence(source=Source.STREAM, id=ident, at=ago(seconds))


def link(up: bool = True, *, seen_s: float | None = 0.2, why: str = "", since_s: float = 3600) -> LinkView:
    return LinkView(up=up, since=ago(since_s), last_seen_at=None if seen_s is None else ago(seen_s), why=why)


def account(**changes: Any) -> AccountView:
    values: dict[str, Any] = {
        "account_number": "SIM-0007",
        "status": "ACTIVE",
        "equity": Decimal("98690.40"),
        "last_equity": Decimal("99000.40"),
        "cash": Decimal("41200.00"),
        "buying_power": Decimal("184320.00"),
        "day_pl": Decimal("-310.00"),
        "reserved": Decimal("17000"),
        "gross_exposure": Decimal("57490"),
        "blocked": None,
        "as_of": ago(4),
        "request_id": "0c1f22ab",
    }
    return AccountView(**(values | changes))


def desk_view(**changes: Any) -> DeskView:
    health = {
        "status": "ok",
        "mode": Mode.SIM,
        "account": "SIM-0007",
        "desk_state": DeskState.ACTIVE,
        "start_gate": "open",
        "rest": "up",
        "stream": "up",
        "quotes": "up",
        "journal_seq": 4211,
        "loop_lag_ms": LagView(p50=0.4, p99=1.1, max=8.2),
        "version": "0.1.0",
        "started_at": ago(5400),
    } | changes.pop("health", {})
    values: dict[str, Any] = {
        "health": HealthView(**health),
        "account": account(),
        "desk_state_cause": "",
        "rest": link(),
        "stream": link(),
        "quotes": link(),
        "rest_ms": 82.0,
        "clock_offset_ms": 12.0,
        "naked_qty": ZERO,
        "naked_symbols": (),
        "naked_s": 0.0,
        "incidents": (0, 0, 0),
        "pending": 0,
        "budget_used": 34,
        "budget_limit": 200,
        "session_open": True,
        "session_changes_at": NOW + timedelta(hours=1, minutes=56, seconds=53),
        "demo_on": True,
    }
    return DeskView(**(values | changes))


PASSES = tuple(
    Reason(code=code, text=text, verdict=Verdict.PASS)
    for code, text in (
        ("SESSION", "Core session is open"),
        ("QUOTE_FRESH", "Quote is 0.3 s old, limit 5 s"),
        ("STOP_PRESENT", "Has a stop"),
        ("STOP_SIDE", "Stop is on the losing side"),
        ("STOP_DISTANCE", "Stop 1.8 % away, limit 20 %"),
        ("TARGET_SIDE", "Target is on the winning side"),
        ("TICK_GRID", "Prices are on the tick grid"),
        ("LOT_GRID", "Whole shares"),
        ("MAX_OPEN_POSITIONS", "6 of 10 positions"),
        ("MAX_ORDER_NOTIONAL", "$15,744 of $25,000"),
        ("MAX_ORDER_QTY", "120 of 1,000"),
        ("GROSS_EXPOSURE", "74 % of equity, limit 150 %"),
        ("MAX_ORDERS_PER_DAY", "31 of 200 today"),
        ("SIGNAL_RATE", "3 of 30 this minute"),
        ("TRADABLE", "Tradable, not halted"),
        ("NO_ORDER_IN_FLIGHT", "No entry in flight"),
        ("NO_POSITION", "No position in NVDA"),
        ("BUYING_POWER", "$15,744 of $184,320"),
        ("STREAM_UP", "Order stream is up"),
    )
)


def preview(
    symbol: str,
    side: Side,
    qty: str,
    *,
    entry: str | None,
    stop: str,
    target: str | None,
    price: str,
    risk: str,
    pct: str,
    rr: str | None,
    rr_sent: str | None = None,
    warns: tuple[tuple[str, str], ...] = (),
    deny: tuple[str, str] | None = None,
    drift_r: str = "0.1",
    ticks: int = 2,
    size_reason: str = "",
    number: int = 1,
    verb: str | None = None,
) -> PreviewView:
    said = f"{verb or ('Buy' if side is Side.BUY else 'Sell')} {qty} {symbol} "
    said += (f"limit {entry} day" if entry else "market day") + f" · stop {stop}"
    said += f" · target {target}" if target else ""
    verdicts = tuple(Reason(code=c, text=t, verdict=Verdict.WARN) for c, t in warns)
    if deny is not None:
        verdicts = (Reason(code=deny[0], text=deny[1], verdict=Verdict.DENY), *verdicts)
    return PreviewView(
        preview_id=f"p-{symbol}-{number}",
        sentence=said,
        requests=(),
        verdicts=verdicts + PASSES,
        risk=RiskView(
            usd=Decimal(risk), pct_of_equity=Decimal(pct), per_share=Decimal("2.30"), reward_risk=dec(rr),
            reward_risk_sent=dec(rr_sent),
        ),
        headroom=HeadroomView(
            buying_power_before=Decimal("184320"),
            buying_power_after=Decimal("168576"),
            open_positions_before=6,
            open_positions_after=7,
            gross_exposure_pct_after=Decimal("74.2"),
        ),
        qty=Decimal(qty),
        entry_type=OrderType.LIMIT if entry else OrderType.MARKET,
        limit_price=dec(entry),
        stop_price=Decimal(stop),
        take_profit_price=dec(target),
        price=Decimal(price),
        price_age_s=0.3,
        drift_ticks=ticks,
        drift_r=Decimal(drift_r),
        size_reason=size_reason,
        approvable=deny is None,
        blocked_by=deny[1] if deny is not None else None,
        made_at=NOW,
    )  # fmt: skip


def signal(
    ident: str,
    symbol: str,
    side: Side,
    *,
    shown: PreviewView | None = None,
    strategy: str = "breakout-20",
    left_s: float = 41,
    ttl_s: float = 60,
    status: SignalStatus = SignalStatus.PENDING,
    **changes: Any,
) -> SignalView:
    values: dict[str, Any] = {
        "id": ident,
        "source": "demo",
        "strategy": strategy,
        "symbol": symbol,
        "side": side,
        "status": status,
        "qty": shown.qty if shown else None,
        "entry": EntryView(
            type=shown.entry_type if shown else OrderType.LIMIT,
            limit_price=shown.limit_price if shown else Decimal("164.40"),
            stop_price=None,
            time_in_force=TimeInForce.DAY,
        ),
        "stop_loss": StopView(stop_price=shown.stop_price if shown else Decimal("161.90")),
        "take_profit": TargetView(limit_price=shown.take_profit_price) if shown else None,
        "reasons": shown.verdicts if shown else (),
        "preview": shown if status is SignalStatus.PENDING else None,
        "created_at": ago(ttl_s - left_s),
        "received_at": ago(ttl_s - left_s),
        "expires_at": NOW + timedelta(seconds=left_s),
        "order_ids": (),
        "bracket_id": None,
        "source_id": f"demo-{ident}",
        "intent": "open",
        "reference_price": shown.price if shown else None,
        "confidence": 0.72,
        "note": "20-day high",
        "decided_at": None if status is SignalStatus.PENDING else ago(30),
        "decided_by": None if status is SignalStatus.PENDING else "window",
        "decision_note": "",
    }
    return SignalView(**(values | changes))


def order(
    ident: str,
    symbol: str,
    side: Side,
    role: OrderRole,
    status: OrderStatus,
    qty: str,
    *,
    filled: str = "0",
    limit: str | None = None,
    stop: str | None = None,
    age_s: float = 14,
    note: str = "",
    **changes: Any,
) -> OrderView:
    kind = {
        OrderRole.ENTRY: OrderType.LIMIT if limit else OrderType.MARKET,
        OrderRole.TAKE_PROFIT: OrderType.LIMIT,
        OrderRole.STOP_LOSS: OrderType.STOP,
        OrderRole.EXIT: OrderType.LIMIT if limit else OrderType.MARKET,
    }[role]
    open_now = status in (
        OrderStatus.NEW, OrderStatus.HELD, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.SENDING
    )  # fmt: skip
    values: dict[str, Any] = {
        "id": ident,
        "client_order_id": ident,
        "broker_id": f"61e69015-8549-4bfd-{ident}",
        "symbol": symbol,
        "side": side,
        "type": kind,
        "status": status,
        "qty": Decimal(qty),
        "filled_qty": Decimal(filled),
        "filled_avg_price": None,
        "limit_price": dec(limit),
        "stop_price": dec(stop),
        "order_class": OrderClass.BRACKET,
        "role": role,
        "bracket_id": ident.split(".")[0],
        "unresolved_since": None,
        "parent_id": None,
        "time_in_force": TimeInForce.GTC,
        "raw_status": None,
        "created_at": ago(age_s + 2),
        "status_since": ago(age_s),
        "updated_at": ago(age_s),
        "cancel_requested_at": None,
        "is_armed": False,
        "note": note,
        "last_error": None,
        "evidence": proof(),
        "can_cancel": open_now,
        "cancel_consequence": None,
    }
    return OrderView(**(values | changes))


def trade(
    ident: str,
    symbol: str,
    side: Side,
    status: BracketStatus,
    qty: str,
    *,
    orders: tuple[OrderView, ...],
    entry: str,
    stop: str,
    target: str | None,
    last: str,
    pl: str | None,
    r: str | None,
    held: str | None = None,
    covered: str | None = None,
    **changes: Any,
) -> BracketView:
    held_qty = Decimal(held if held is not None else qty)
    covered_qty = Decimal(covered) if covered is not None else held_qty
    by_role = {o.role: o for o in orders}
    values: dict[str, Any] = {
        "id": ident,
        "signal_id": f"s-{symbol}",
        "symbol": symbol,
        "side": side,
        "status": status,
        "qty": Decimal(qty),
        "held_qty": held_qty,
        "covered_qty": covered_qty,
        "cover_kind": CoverKind.HARD if covered_qty else CoverKind.NONE,
        "naked_qty": held_qty - covered_qty,
        "naked_s": 0.0,
        "plan": "bracket",
        "legs": LegsView(
            entry=by_role.get(OrderRole.ENTRY),
            take_profit=by_role.get(OrderRole.TAKE_PROFIT),
            stop_loss=by_role.get(OrderRole.STOP_LOSS),
        ),
        "attempts": 0,
        "last_error": None,
        "evidence": proof(),
        "strategy": "breakout-20",
        "entry_price": Decimal(entry),
        "stop_price": Decimal(stop),
        "take_profit_price": dec(target),
        "exits_confirmed": True,
        "market_price": Decimal(last),
        "quote_age_s": 0.4,
        "unrealized_pl": dec(pl),
        "realized_pl": None,
        "r_multiple": dec(r),
        "naked_since": None,
        "gave_up": False,
        "can_retry": False,
        "can_flatten": True,
        "plan_id": None,
        "opened_at": ago(900),
        "closed_at": None,
        "orders": orders,
    }
    return BracketView(**(values | changes))


def position_of(bracket: BracketView, **changes: Any) -> PositionView:
    values: dict[str, Any] = {
        "symbol": bracket.symbol,
        "qty": bracket.held_qty * bracket.side.sign,
        "avg_entry_price": bracket.entry_price,
        "market_price": bracket.market_price,
        "unrealized_pl": bracket.unrealized_pl,
        "covered_qty": bracket.covered_qty,
        "naked_qty": bracket.naked_qty,
        "strategy": bracket.strategy,
        "market_value": bracket.held_qty * bracket.side.sign * (bracket.market_price or ZERO),
        "quote_age_s": bracket.quote_age_s,
        "evidence": proof(),
    }
    return PositionView(**(values | changes))


def incident(ident: str, priority: int, cause: str, consequence: str, action: str, **changes: Any) -> IncidentView:
    values: dict[str, Any] = {
        "id": ident,
        "key": ident,
        "priority": priority,
        "cause": cause,
        "consequence": consequence,
        "action": action,
        "subject_kind": "desk",
        "subject_id": "",
        "symbol": None,
        "raised_at": ago(40),
        "deadline_at": None,
        "buttons": (),
        "count": 1,
        "acked_at": None,
        "acked_by": None,
        "cleared_at": None,
    }
    return IncidentView(**(values | changes))


def line(seq: int, seconds: float, symbol: str | None, text: str, level: str = "info") -> ActivityLine:
    return ActivityLine(seq=seq, at=ago(seconds), level=level, symbol=symbol, text=text, subject="")
