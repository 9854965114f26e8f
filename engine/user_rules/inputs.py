"""What the operator's file is shown: plain texts, numbers as decimal text, exactly as ``docs/gate.md`` lists them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from engine.model.money import plain
from engine.pipeline.decide import Decision
from engine.rules.facts import Facts, OrderShown
from engine.rules.user import order_shown


class Asked(NamedTuple):
    """What an answer holds for: this order, in this picture. Prices move all the time and are no part of it."""

    order: OrderShown
    standing: tuple[object, ...]


def asked_of(decision: Decision) -> Asked:
    facts = decision.case.facts
    on = sorted((one.symbol, one.side.value, one.strategy) for one in facts.exposures)
    standing = (tuple(on), facts.position_qty, facts.orders_today, facts.working_orders, facts.session_open)
    return Asked(order_shown(decision.case), standing)


def signal_of(decision: Decision) -> dict[str, Any]:
    """The signal, and the order that would be sent for it."""
    signal, plan = decision.case.signal, decision.case.plan
    per_share = plan.risk_per_share
    return {
        "id": signal.id,
        "source": signal.source,
        "strategy": signal.strategy,
        "symbol": signal.symbol,
        "side": signal.side.value,
        "qty": plain(plan.qty),
        "price": _text(plan.basis),
        "limit_price": _text(plan.limit_price),
        "stop_price": _text(plan.levels.stop_price),
        "take_profit_price": _text(plan.levels.take_profit_price),
        "trigger_price": _text(plan.trigger_price),
        "notional": _text(plan.notional),
        "risk": None if per_share is None else _text(per_share * plan.qty),
        "extended_hours": plan.extended,
        "reference_price": _text(signal.reference_price),
        "confidence": signal.confidence,
        "note": signal.note,
        "made_at": _time(signal.made_at),
        "expires_at": _time(signal.expires_at),
    }


def picture_of(decision: Decision) -> dict[str, Any]:
    """The desk around it, as the gate saw it in the same moment."""
    facts = decision.case.facts
    account, quote = facts.account, facts.quote
    return {
        "now": _time(facts.now),
        "session_open": facts.session_open,
        "equity": None if account is None else _text(account.equity),
        "buying_power": None if account is None else _text(account.buying_power - facts.reserved),
        "bid": None if quote is None else _text(quote.bid),
        "ask": None if quote is None else _text(quote.ask),
        "last": None if quote is None else _text(quote.last),
        "quote_age_s": None if quote is None else round(quote.age_s, 3),
        "position_qty": plain(facts.position_qty),
        "positions": _positions(facts),
        "orders_today": facts.orders_today,
        "working_orders": facts.working_orders,
        "average_true_range": _text(facts.average_true_range),
        "average_volume": _text(facts.average_volume),
        "correlations": {symbol: _ratio(value) for symbol, value in facts.correlations.items()},
    }


def _positions(facts: Facts) -> list[dict[str, Any]]:
    return [
        {"symbol": one.symbol, "side": one.side.value, "notional": _text(one.notional), "strategy": one.strategy}
        for one in facts.exposures
    ]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _ratio(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
