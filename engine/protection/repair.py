"""Repair plans: for a broken trade, what may be done about it, with the exact requests, the best first.

A plan is a picture of what the supervisor would do; choosing one records a fact, and the supervisor carries it out step
by step. So a plan survives a crash between any two of its requests: what follows is decided from what is true then.

A plan's id names what it was made from: state, orders and shares. When any of that has changed since it was shown, the
id is not offered any more, and the choice is refused with the new plans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

from engine.protection.repair_asking import ASKING
from engine.protection.repair_covering import COVERING
from engine.protection.repair_leaving import LEAVING
from engine.protection.repair_parts import Draft
from engine.protection.repair_states import BrokenState, Look, diagnose
from engine.views import PlanView

CONFIRMS: Final[Mapping[str, str]] = {"run_unprotected": "RUN UNPROTECTED"}
"""What has to be typed for a kind of plan."""


def plans_of(look: Look, desk_id: str) -> tuple[BrokenState, tuple[PlanView, ...]]:
    """What is wrong, and what fits it, the best first. Plain and repeatable: the same picture gives the same plans."""
    state = diagnose(look)
    digest = _digest(look, state)
    plans = []
    for kind in state.plans:
        draft = _DRAFTS[kind](look, desk_id)
        if draft is not None:
            plans.append(
                PlanView(
                    id=f"{kind}-{digest}",
                    kind=kind,
                    sentence=draft.sentence,
                    requests=draft.requests,
                    naked_s=draft.naked_s if draft.naked_s is None else round(draft.naked_s, 2),
                    worst_loss_usd=draft.worst_loss_usd,
                    if_step_two_fails=draft.if_step_two_fails,
                    confirm=CONFIRMS.get(kind),
                )
            )
    return state, tuple(plans)


def _contradiction(look: Look) -> str:
    """What the broker holds, where a reading says something else than the trade: one that agrees is no news."""
    qty = look.broker_qty
    return "" if qty is None or qty == look.case.cover.held - look.case.cover.flipped else str(qty)


def _digest(look: Look, state: BrokenState) -> str:
    case = look.case
    picture = [
        state.name,
        case.session.value,
        str(case.halted),
        f"{case.cover.held}/{case.cover.covered}/{case.cover.flipped}",
        _contradiction(look),
        f"{case.bracket.stop_price}/{case.bracket.take_profit_price}",
        *(f"{o.id} {o.status} {o.filled_qty} {o.qty} {o.stop_price} {o.limit_price}" for o in case.orders),
    ]
    return sha256("\n".join(picture).encode()).hexdigest()[:10]


_DRAFTS: Final[Mapping[str, Callable[[Look, str], Draft | None]]] = {**COVERING, **LEAVING, **ASKING}
