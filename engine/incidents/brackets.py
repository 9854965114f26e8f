"""Trades whose cover does not fit what is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.incidents.orders import STUCK_CANCEL_S
from engine.incidents.scene import Scene, about_bracket
from engine.model.bracket import Bracket
from engine.model.incident import Incident, Priority
from engine.model.money import plain
from engine.model.order import Order
from engine.model.words import OrderRole
from engine.protection.ledger import Cover

NAKED_GRACE_S: Final = 1.0
"""A fill of several executions is naked for its own span; that is counted, not alarmed."""
OVER_GRACE_S: Final = 2.0
"""A target has filled and its stop is going: the broker cancels the sibling some milliseconds later."""


def naked(scene: Scene) -> Iterator[Incident]:
    """Shares without a live stop."""
    for bracket_id in scene.book.open_brackets:
        bracket, cover = scene.book.brackets[bracket_id], scene.book.cover(bracket_id)
        is_past_grace = scene.since_s(bracket.naked_since) > NAKED_GRACE_S
        if _is_told_otherwise(bracket):
            continue
        if cover.naked > 0 and (is_past_grace or bracket.attempts or bracket.gave_up_at):
            yield _naked(scene, bracket, cover)


def _is_told_otherwise(bracket: Bracket) -> bool:
    """Watched by the desk, or unprotected by a person's word: each has an incident of its own."""
    return bracket.gave_up_at is None and (
        bracket.watch_stop_since is not None or bracket.unprotected_until is not None
    )


def _naked(scene: Scene, bracket: Bracket, cover: Cover) -> Incident:
    qty = f"{plain(cover.naked)} {bracket.symbol}"
    consequence = bracket.last_error or "No live stop stands behind these shares."
    stuck = _stuck_exit(scene, bracket)
    if bracket.gave_up_at is not None:
        cause = f"{qty} naked: {bracket.attempts} placements of exits failed"
        action = "Press Retry, or Flatten."
    elif bracket.exit_requested_at is not None and stuck is not None:
        cause = f"{qty} naked on the way out: the cancel of {stuck.id} is not confirmed"
        consequence = "The order holds the shares, so that nothing can close them; it may still fill."
        action = "Wait: the desk asks again, and closes at once when it ends. If it lasts, call Alpaca's support."
    elif bracket.exit_requested_at is not None:
        cause = f"{qty} naked on the way out"
        action = "Nothing: the closing order is next."
    else:
        cause = f"{qty} naked"
        action = "Nothing yet: the desk places exits. Retry skips the pause."
    return about_bracket(
        scene,
        bracket,
        "naked",
        Priority.NOW,
        cause,
        consequence,
        action,
        buttons=("retry", "flatten") if bracket.exit_requested_at is None else ("flatten",),
    )


def _stuck_exit(scene: Scene, bracket: Bracket) -> Order | None:
    exits = (order for order in scene.book.orders_of(bracket.id) if order.role is not OrderRole.ENTRY)
    return next((order for order in exits if scene.cancelling_s(order) > STUCK_CANCEL_S), None)


def over_covered(scene: Scene) -> Iterator[Incident]:
    """Stops for more shares than are held."""
    for bracket_id in scene.book.open_brackets:
        cover = scene.book.cover(bracket_id)
        if cover.over <= 0:
            continue
        bracket = scene.book.brackets[bracket_id]
        changed_s = min(scene.since_s(order.status_since) for order in scene.book.orders_of(bracket_id))
        if changed_s > OVER_GRACE_S:
            yield about_bracket(
                scene,
                bracket,
                "over",
                Priority.NOW,
                f"{bracket.symbol}: stops for {plain(cover.over)} more than is held",
                "A trigger would open a position the other way.",
                "Flatten, or cancel the surplus exits.",
                buttons=("flatten", "show"),
            )
