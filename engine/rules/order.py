"""Is the order itself within reason: its price against the market, its stop, what it may win?"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from engine.model.money import plain
from engine.model.signal import Reason
from engine.model.words import Side
from engine.rules.facts import Case, denied, passed, shown_pct

HUNDREDTH: Final = Decimal("0.01")


def price_collar(case: Case) -> Reason | None:
    """A limit far through the market pays whatever the book holds up to it: a slipped digit, more often than a wish."""
    limit, seen = case.plan.limit_price, case.facts.quote
    side = case.signal.side
    touch = seen.touch(side.sign) if seen is not None else None
    allowed = case.facts.config.limits.price_collar_pct
    if limit is None or touch is None or allowed is None or case.plan.trigger_price is not None:
        return None
    allowed_pct = Decimal(str(allowed))
    exact = max((limit - touch) * side.sign / touch * 100, Decimal(0))
    through = shown_pct(exact, allowed_pct, HUNDREDTH)
    if exact > allowed_pct:
        name = "offer" if side is Side.BUY else "bid"
        text = f"The limit {plain(limit)} is {through} % through the {name} {plain(touch)}."
        return denied("PRICE_COLLAR", text, f"{through} %", f"{allowed_pct} %")
    return passed("PRICE_COLLAR", "The limit is near the market.", f"{through} %", f"{allowed_pct} %")


def spread(case: Case) -> Reason | None:
    allowed, seen = case.facts.config.limits.max_spread_pct, case.facts.quote
    if allowed is None or seen is None or not seen.bid or not seen.ask:
        return None
    allowed_pct = Decimal(str(allowed))
    exact = (seen.ask - seen.bid) / ((seen.ask + seen.bid) / 2) * 100
    shown = shown_pct(exact, allowed_pct, HUNDREDTH)
    if exact > allowed_pct:
        text = f"Bid {plain(seen.bid)} and offer {plain(seen.ask)} are {shown} % apart."
        return denied("SPREAD", text, f"{shown} %", f"{allowed_pct} %")
    return passed("SPREAD", f"Bid and offer are {shown} % apart.", f"{shown} %", f"{allowed_pct} %")


def stop_not_too_near(case: Case) -> Reason | None:
    """A stop within the market's own noise is a fee, not a protection."""
    allowed, plan = case.facts.config.limits.min_stop_distance_pct, case.plan
    if allowed is None or plan.basis is None or plan.risk_per_share is None:
        return None
    allowed_pct = Decimal(str(allowed))
    exact = plan.risk_per_share / plan.basis * 100
    shown = exact.quantize(HUNDREDTH)
    if exact < allowed_pct:
        text = f"The stop is only {shown} % away."
        return denied("STOP_TOO_NEAR", text, f"{shown} %", f"{allowed_pct} %")
    return passed("STOP_TOO_NEAR", "The stop leaves the price room.", f"{shown} %", f"{allowed_pct} %")


RULES: Final = (price_collar, spread, stop_not_too_near)
