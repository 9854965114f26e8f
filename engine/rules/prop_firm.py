"""Would this trade break another party's rules? Asked before it can: a stop-out that would breach is denied."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.model.money import CENT, ZERO, usd
from engine.model.signal import Reason
from engine.prop.meters import Meter, PropFacts, PropTrade, meters, rooms
from engine.rules.facts import Case, Facts, denied, warned


def check_prop_firm(case: Case, measured: tuple[Meter, ...]) -> list[Reason]:
    """One verdict a rule; nothing without prop-firm mode. ``facts.prop`` is text when the mode cannot be kept.

    ``measured`` are the case's ``prop_meters``.
    """
    facts = case.facts.prop
    if facts is None:
        return []
    if isinstance(facts, str):
        return [denied("PROP_FIRM", f"Prop-firm mode: {facts}.")]
    if facts.ledger.day is None or facts.equity is None:
        return [denied("PROP_FIRM", "Prop-firm mode: the day's ledger has not been opened yet.")]
    reasons = [_reason(meter) for meter in measured]
    if facts.unstopped:
        names = ", ".join(facts.unstopped)
        reasons.append(warned("PROP_UNSTOPPED", f"{names} is held without a stop: no headroom here counts its risk."))
    if facts.ledger.day.is_late:
        reasons.append(
            warned("PROP_LATE", "The desk did not run at the firm's reset: compare the day's start with the firm's.")
        )
    return reasons


def prop_caps(facts: Facts, basis: Decimal, stop_price: Decimal | None) -> Iterator[tuple[Decimal, str]]:
    """Largest share counts that the firm's rules leave room for, each with the rule's name."""
    prop = facts.prop
    if not isinstance(prop, PropFacts) or prop.ledger.day is None or basis <= 0:
        return
    per_share = None if stop_price is None else abs(basis - stop_price)
    left = rooms(prop)
    if per_share:
        for name, loss in left.floors:
            # Reaching the floor is a breach: what fits leaves at least a cent.
            yield max(ZERO, loss - CENT) / per_share, f"the prop firm's {name.lower()}"
    if left.exposure is not None:
        yield max(ZERO, left.exposure) / basis, "the prop firm's exposure"
    if prop.preset.size is not None and prop.preset.size.max_order_qty is not None:
        yield Decimal(prop.preset.size.max_order_qty), "the prop firm's order size"


def trade_of(case: Case) -> PropTrade:
    plan = case.plan
    per_share = plan.risk_per_share
    return PropTrade(
        symbol=case.signal.symbol,
        qty=plan.qty,
        notional=plan.notional,
        risk=None if per_share is None else per_share * plan.qty,
    )


def prop_meters(case: Case) -> tuple[Meter, ...]:
    """Each rule before and after, for the verdicts and the preview; empty when the mode is off or cannot be kept."""
    facts = case.facts.prop
    return meters(facts, trade_of(case)) if isinstance(facts, PropFacts) else ()


def _reason(meter: Meter) -> Reason:
    money = meter.unit == "usd"
    left = meter.after_all_stops if meter.after_all_stops is not None else meter.now
    return Reason(
        code=meter.code,
        text=meter.text,
        verdict=meter.verdict,
        measured=None if left is None else usd(left) if money else f"{left:f}",
        limit=None if meter.limit is None else usd(meter.limit) if money else f"{meter.limit:f}",
    )
