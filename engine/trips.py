"""Conditions that change the desk's state by themselves. Pure: what is true now, and which trips follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.config import PropFirmRules, TripRules
from engine.model.money import usd
from engine.model.trip import Trip
from engine.model.words import DeskState
from engine.prop.ledger import Breach

CAUTION: Final = {state: rank for rank, state in enumerate(DeskState)}
"""Each state forbids all that its predecessor forbids."""
HUNDREDTH: Final = Decimal("0.01")

RELEASE_RULES: Final = {
    "DAILY_LOSS": "The day's loss is below the limit again, at the latest after the next close.",
    "REJECT_STORM": "Enough time has passed since the refusals.",
    "STREAM_DOWN": "The order stream is up.",
    "UNSETTLED_ORDERS": "The unknown orders are settled: looked up, or attested.",
    "PROP_DAILY_LOSS": "The firm's next day has begun.",
    "PROP_DRAWDOWN": "Never by itself: the account has lost what the firm lets it lose.",
}


class TripFacts(msgspec.Struct, frozen=True, kw_only=True):
    now: datetime
    day_loss: Decimal | None
    """Since the last close; a gain is negative. None: the account has not been read."""
    last_equity: Decimal | None
    rejects: int
    """Refusals by the broker within the counted time."""
    stream_down_s: float
    """0 while it is up, and before it was up for the first time."""
    unsettled: int
    """Orders of unknown fate for longer than the limit."""
    breaches: tuple[Breach, ...]
    """Of the prop firm's rules, those that bind now."""


def conditions(facts: TripFacts, rules: TripRules, prop: PropFirmRules) -> dict[str, Trip]:
    """By code, everything that trips the desk now."""
    return {trip.code: trip for trip in _all(facts, rules, prop)}


def stricter(first: DeskState, second: DeskState) -> DeskState:
    return max(first, second, key=CAUTION.__getitem__)


def _all(facts: TripFacts, rules: TripRules, prop: PropFirmRules) -> Iterator[Trip]:
    def trip(code: str, cause: str, measured: object, limit: object, state: str = rules.state) -> Trip:
        return Trip(
            code=code,
            state=DeskState(state),
            cause=cause,
            measured=str(measured),
            limit=str(limit),
            at=facts.now,
        )

    lost = _daily_loss(facts, rules)
    if lost is not None:
        text, measured, limit = lost
        yield trip("DAILY_LOSS", text, measured, limit, rules.daily_loss_state)
    if rules.max_rejects and facts.rejects >= rules.max_rejects:
        cause = f"The broker refused {facts.rejects} orders within {rules.rejects_within_s:g} s."
        yield trip("REJECT_STORM", cause, facts.rejects, rules.max_rejects)
    if rules.stream_down_s and facts.stream_down_s >= rules.stream_down_s:
        cause = f"The order stream has been down for {rules.stream_down_s:g} s."
        yield trip("STREAM_DOWN", cause, f"{facts.stream_down_s:.0f} s", f"{rules.stream_down_s:g} s")
    if rules.unsettled_orders and facts.unsettled >= rules.unsettled_orders:
        cause = f"The fate of {facts.unsettled} orders has been unknown for more than {rules.unsettled_s:g} s."
        yield trip("UNSETTLED_ORDERS", cause, facts.unsettled, rules.unsettled_orders)
    for breach in facts.breaches:
        yield trip(breach.rule, f"{breach.text}.", breach.day, "", prop.on_breach)


def _daily_loss(facts: TripFacts, rules: TripRules) -> tuple[str, str, str] | None:
    """The tighter of the limits in currency and in percent."""
    loss, start = facts.day_loss, facts.last_equity
    if loss is None or start is None:
        return None
    limits = []
    if rules.daily_loss_usd is not None:
        limits.append(Decimal(str(rules.daily_loss_usd)))
    if rules.daily_loss_pct is not None and start > 0:
        limits.append(start * Decimal(str(rules.daily_loss_pct)) / 100)
    if not limits or loss < min(limits):
        return None
    limit = min(limits)
    return f"The day's loss reached {usd(limit)}.", usd(loss.quantize(HUNDREDTH)), usd(limit.quantize(HUNDREDTH))
