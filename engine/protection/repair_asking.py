"""Drafts of plans that ask the broker, settle a difference, wait, or step aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from engine.model.money import ZERO, usd
from engine.protection.repair_parts import (
    Draft,
    naked_now,
    read_position,
    shares_of,
    to_stop,
    whole_value,
)
from engine.protection.repair_states import Look
from engine.views import RequestView

RUN_UNPROTECTED_MIN: Final = 5


def _look_up(look: Look, _: str) -> Draft | None:
    symbol = look.case.bracket.symbol
    return Draft(
        sentence=f"Read orders and position of {symbol} at the broker now.",
        requests=(
            RequestView(method="GET", path=f"/v2/orders?status=all&nested=true&symbols={symbol}", body={}),
            read_position(look),
        ),
        naked_s=naked_now(look, 2 * look.trip_s),
        worst_loss_usd=to_stop(look, look.case.cover.held),
        if_step_two_fails="Nothing is known that was not known before; it is read again on the timer.",
    )


def _wait(look: Look, _: str) -> Draft | None:
    return Draft(
        sentence="Wait: the desk goes on by itself.",
        naked_s=None if look.case.cover.exposed > 0 else 0.0,
        worst_loss_usd=to_stop(look, look.case.cover.held),
    )


def _adopt(look: Look, _: str) -> Draft | None:
    qty = look.broker_qty
    extra = ZERO if qty is None else qty - look.case.cover.held
    if extra <= 0:
        return None
    return Draft(
        sentence=f"Take {shares_of(look, extra)} that no trade explains into this trade, and cover them.",
        naked_s=look.trip_s,
        worst_loss_usd=to_stop(look, look.case.cover.held + extra),
        if_step_two_fails="The shares are in this trade and naked; exits are tried again, then you are called.",
    )


def _match_broker(look: Look, _: str) -> Draft | None:
    qty = look.broker_qty
    missing = ZERO if qty is None else look.case.cover.held - qty
    if missing <= 0:
        return None
    return Draft(
        sentence=f"Believe the broker: {shares_of(look, missing)} of this trade are gone.",
        worst_loss_usd=to_stop(look, look.case.cover.held - missing),
        if_step_two_fails="Exits for more than is held are trimmed by the desk.",
    )


def _run_unprotected(look: Look, _: str) -> Draft | None:
    if look.case.cover.held == 0:
        return None
    worst = whole_value(look)
    told = f" {usd(worst)} stand behind nothing." if worst is not None else ""
    return Draft(
        sentence=f"Run {shares_of(look, look.case.cover.held)} unprotected for {RUN_UNPROTECTED_MIN} minutes.{told}",
        naked_s=RUN_UNPROTECTED_MIN * 60.0,
        worst_loss_usd=worst,
        if_step_two_fails="It ends by itself, and the desk protects again.",
    )


def _protect_again(look: Look, _: str) -> Draft | None:
    if look.case.bracket.unprotected_until is None:
        return None
    return Draft(
        sentence="End the unprotected run now: the desk protects again.",
        naked_s=naked_now(look, look.trip_s),
        worst_loss_usd=to_stop(look, look.case.cover.held),
    )


ASKING: Final[Mapping[str, Callable[[Look, str], Draft | None]]] = {
    "look_up": _look_up,
    "wait": _wait,
    "adopt": _adopt,
    "match_broker": _match_broker,
    "run_unprotected": _run_unprotected,
    "protect_again": _protect_again,
}
