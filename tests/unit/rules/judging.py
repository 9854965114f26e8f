"""A case before the gate, and the one verdict a test is about."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.model.signal import Levels, Reason, Signal
from engine.model.words import Side
from engine.rules.exposures import Exposure
from engine.rules.facts import Case, Facts, Plan
from tests.unit.builders import config_of, make_facts, make_signal, replace


def make_plan(**changes: Any) -> Plan:
    """10 shares at 187.20, stop 184.90, target 191.80."""
    plan = Plan(
        qty=Decimal(10),
        size_reason="the signal's quantity",
        basis=Decimal("187.20"),
        levels=Levels(stop_price=Decimal("184.90"), stop_limit_price=None, take_profit_price=Decimal("191.80")),
        limit_price=Decimal("187.20"),
    )
    return replace(plan, **changes)


def levels(stop: str | None, target: str | None = None) -> Levels:
    return Levels(
        stop_price=None if stop is None else Decimal(stop),
        stop_limit_price=None,
        take_profit_price=None if target is None else Decimal(target),
    )


def make_case(
    *, config: Mapping[str, Any] | None = None, signal: Signal | None = None, plan: Plan | None = None, **facts: Any
) -> Case:
    known: Facts = make_facts(**facts)
    if config is not None:
        known = replace(known, config=config_of(config))
    return Case(signal=signal or make_signal(), facts=known, plan=plan or make_plan())


def exposure(symbol: str, notional: int, side: Side = Side.BUY) -> Exposure:
    return Exposure(symbol=symbol, side=side, notional=Decimal(notional))


def told(reason: Reason | None) -> tuple[str, str, str | None, str | None]:
    """Code, verdict, measured, limit."""
    assert reason is not None
    assert reason.text.endswith("."), "a verdict is a sentence"
    return reason.code, reason.verdict.value, reason.measured, reason.limit
