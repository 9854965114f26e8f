"""Drafts of plans that leave the trade, or close what is held the wrong way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from engine.model.money import plain
from engine.model.words import OrderRole, Session
from engine.pipeline.protect import plan_close, plan_marketable_target
from engine.protection.flatten import PATCHABLE, marketable
from engine.protection.repair_parts import (
    Draft,
    carriers,
    delete,
    naked_now,
    post,
    read_position,
    shares_of,
    slippage,
    whole_value,
)
from engine.protection.repair_states import Look
from engine.views import RequestView


def _target_to_market(look: Look, desk_id: str) -> Draft | None:
    case = look.case
    target = case.cover.target
    if target is None or not case.cover.is_target_live or target.status not in PATCHABLE or case.mark is None:
        return None
    if case.closed_market is not None:
        return None
    intent = plan_marketable_target(
        case.bracket,
        case.orders,
        target,
        marketable(case, case.mark),
        desk_id=desk_id,
        now=case.now,
        actor="desk",
    )
    request = RequestView(method="PATCH", path=f"/v2/orders/{target.broker_id}", body=intent.body)
    return Draft(
        sentence=f"Move the target of {shares_of(look, case.cover.held)} through the market; the stop stays meanwhile.",
        requests=(request,),
        naked_s=naked_now(look, look.trip_s),
        worst_loss_usd=slippage(look, case.cover.held),
        if_step_two_fails="Unfilled after 2 s it is canceled with the stop, and the shares are closed at the market.",
    )


def _flatten(look: Look, desk_id: str) -> Draft | None:
    case = look.case
    if case.closed_market is not None or case.cover.held == 0:
        return None
    by_target = _target_to_market(look, desk_id) if case.cover.naked == 0 else None
    if by_target is not None:
        return by_target
    live = [*case.open_entries, *carriers(case.open_exits)]
    cancels = [delete(order) for order in live if order.broker_id is not None and order.role is not OrderRole.EXIT]
    close = plan_close(case.bracket, case.orders, case.cover.held, desk_id=desk_id, now=case.now)
    return Draft(
        sentence=f"Close {shares_of(look, case.cover.held)} at the market"
        + (", once its exits are gone and the shares are free." if cancels else "."),
        requests=(*cancels, *([read_position(look)] if cancels else []), post(close)),
        naked_s=look.trip_s * (3 * bool(cancels) + 1),
        worst_loss_usd=slippage(look, case.cover.held),
        if_step_two_fails="The shares are naked until the close is taken: it is repeated at growing distances.",
    )


def _flatten_open(look: Look, _: str) -> Draft | None:
    if look.case.cover.held == 0:
        return None
    return Draft(
        sentence=f"Keep the exits, and close {shares_of(look, look.case.cover.held)} when the core session opens.",
        naked_s=naked_now(look, look.trip_s),
        worst_loss_usd=whole_value(look),
        if_step_two_fails="It is done by this desk: it must run at the open. The stop stands meanwhile, if one does.",
    )


def _flatten_extended(look: Look, desk_id: str) -> Draft | None:
    case = look.case
    if case.session is not Session.EXTENDED or case.halted or case.mark is None or case.cover.held == 0:
        return None
    cancels = [delete(order) for order in carriers(case.open_exits)]
    limit = marketable(case, case.mark)
    close = plan_close(case.bracket, case.orders, case.cover.held, desk_id=desk_id, now=case.now, limit_price=limit)
    return Draft(
        sentence=f"Close {shares_of(look, case.cover.held)} by an extended-hours limit at {plain(limit)}.",
        requests=(*cancels, *([read_position(look)] if cancels else []), post(close)),
        naked_s=None,
        worst_loss_usd=slippage(look, case.cover.held),
        if_step_two_fails="Outside the core session a cancel may wait for the open, and the close waits for it.",
    )


def _close_flip(look: Look, desk_id: str) -> Draft | None:
    case = look.case
    if case.cover.flipped == 0:
        return None
    cancels = [delete(order) for order in carriers(list(case.open_exits))]
    close = plan_close(case.bracket, case.orders, case.cover.flipped, desk_id=desk_id, now=case.now, is_flip=True)
    return Draft(
        sentence=f"Cancel what works, then close exactly the {shares_of(look, case.cover.flipped)} held the wrong way.",
        requests=(read_position(look), *cancels, post(close)),
        naked_s=look.trip_s * (2 * len(cancels) + 2),
        worst_loss_usd=slippage(look, case.cover.flipped),
        if_step_two_fails="The shares stay held the wrong way: the close is repeated at growing distances.",
    )


LEAVING: Final[Mapping[str, Callable[[Look, str], Draft | None]]] = {
    "target_to_market": _target_to_market,
    "flatten": _flatten,
    "flatten_open": _flatten_open,
    "flatten_extended": _flatten_extended,
    "close_flip": _close_flip,
}
