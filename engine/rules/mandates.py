"""May this mandate say yes to this signal, now? Pure: the mandate, what it burned, and the gate's decision.

Asked in the moment of the claim, with nothing in between: what passes here is on record before anybody else is asked.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from engine.model.mandate import Mandate, MandateRecord
from engine.model.money import ZERO, usd
from engine.model.signal import Reason, Signal
from engine.model.words import DeskState
from engine.rules.facts import denied

NEW_YORK = ZoneInfo("America/New_York")


class Burn(msgspec.Struct, frozen=True, kw_only=True):
    """What a mandate has used of its bounds. What was provably never sent is not in it."""

    notional_today: Decimal
    """Since midnight in New York."""
    count: int
    """In all."""
    loss_today: Decimal
    """Lost today by its trades, and still at risk in them."""


class MandateAsk(msgspec.Struct, frozen=True, kw_only=True):
    """A signal as the gate decided it."""

    signal: Signal
    closes: bool
    """It leaves a position, or turns one round: that is for a person."""
    notional: Decimal | None
    risk: Decimal | None
    warning: str | None
    """First warning of a rule."""
    state: DeskState
    """The strictest that holds for it."""
    now: datetime


class MandatePolicy(msgspec.Struct, frozen=True, kw_only=True):
    run: int
    """This start of the desk."""
    confirm_after_restart: bool
    wait_on_warn: bool


def burn_of(record: MandateRecord, now: datetime, loss_today: Decimal) -> Burn:
    today = now.astimezone(NEW_YORK).date()
    counted = [use for use in record.uses if not use.is_returned]
    spent = sum((use.notional for use in counted if use.at.astimezone(NEW_YORK).date() == today), ZERO)
    return Burn(notional_today=spent, count=len(counted), loss_today=loss_today)


def covers(mandate: Mandate, signal: Signal) -> bool:
    """Whether the mandate speaks of such signals at all."""
    return (
        signal.strategy == mandate.strategy
        and (not mandate.symbols or signal.symbol in mandate.symbols)
        and signal.side in mandate.sides
    )


def why_not(record: MandateRecord, ask: MandateAsk, burn: Burn, policy: MandatePolicy) -> Reason | None:
    """The first bound that forbids it; None when it may be approved."""
    return _not_in_force(record, ask, policy) or _beyond(record.mandate, ask, burn)


def _not_in_force(record: MandateRecord, ask: MandateAsk, policy: MandatePolicy) -> Reason | None:
    mandate = record.mandate
    if record.revoked_at is not None:
        return denied("MANDATE_REVOKED", f"{mandate.id} was revoked by {record.revoked_by}.")
    if ask.now >= mandate.until:
        return denied("MANDATE_OVER", f"{mandate.id} is over.", ask.now.isoformat(), mandate.until.isoformat())
    if policy.confirm_after_restart and record.run != policy.run:
        return denied("MANDATE_UNCONFIRMED", f"{mandate.id} waits to be confirmed after a restart.")
    if ask.state is not DeskState.ACTIVE:
        return denied("MANDATE_STATE", f"No mandate approves while the desk is {ask.state.value}.", ask.state)
    if ask.closes or not covers(mandate, ask.signal):
        return denied("MANDATE_SCOPE", f"{mandate.id} does not speak of this signal.")
    if ask.warning is not None and policy.wait_on_warn:
        return denied("MANDATE_WARN", f"A rule warns, which is for a person to judge: {ask.warning}")
    return None


def _beyond(mandate: Mandate, ask: MandateAsk, burn: Burn) -> Reason | None:
    if ask.notional is None or ask.notional <= 0:
        return denied("MANDATE_EACH", "The value of the entry is not known.")
    if ask.notional > mandate.max_notional_each:
        text = f"{usd(ask.notional)} exceed the {usd(mandate.max_notional_each)} that one entry may have."
        return denied("MANDATE_EACH", text, usd(ask.notional), usd(mandate.max_notional_each))
    spent = burn.notional_today + ask.notional
    if spent > mandate.max_notional_day:
        text = f"{usd(spent)} in a day exceed {usd(mandate.max_notional_day)}."
        return denied("MANDATE_DAY", text, usd(spent), usd(mandate.max_notional_day))
    if burn.count >= mandate.max_count:
        return denied("MANDATE_COUNT", f"All {mandate.max_count} approvals are used.", burn.count, mandate.max_count)
    if mandate.max_loss_day is not None:
        if ask.risk is None:
            return denied("MANDATE_LOSS", "The risk of the entry is not known.")
        at_stake = burn.loss_today + ask.risk
        if at_stake > mandate.max_loss_day:
            text = f"{usd(at_stake)} lost and at risk in a day exceed {usd(mandate.max_loss_day)}."
            return denied("MANDATE_LOSS", text, usd(at_stake), usd(mandate.max_loss_day))
    return None
