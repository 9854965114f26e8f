"""Drafts of plans that put a stop or a target back, or take away what is too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from engine.model.money import ZERO, plain
from engine.model.symbols import in_one_exit, takes_groups
from engine.model.words import OrderRole
from engine.pipeline.protect import plan_exits, plan_moved_exit
from engine.protection.moving import breakeven_price, improves, leaves_room
from engine.protection.repair_parts import (
    Draft,
    carriers,
    delete,
    post,
    read_position,
    shares_of,
    to_stop,
    whole_value,
)
from engine.protection.repair_states import Look
from engine.views import RequestView


def _attach(look: Look, desk_id: str, *, stop_only: bool) -> Draft | None:
    case = look.case
    if case.cover.naked == 0:
        return None
    entries = [order for order in case.open_entries if order.broker_id is not None]
    clear = case.open_exits if case.cover.covered == 0 else []
    cancels = [delete(order) for order in [*entries, *carriers([o for o in clear if o.role is not OrderRole.EXIT])]]
    intent = plan_exits(
        case.bracket,
        case.orders,
        in_one_exit(case.bracket.symbol, case.cover.naked),
        desk_id=desk_id,
        now=case.now,
        stop_only=stop_only,
    )
    alone = stop_only or not takes_groups(case.bracket.symbol, case.cover.naked)
    what = "a plain stop" if alone or case.bracket.take_profit_price is None else "stop and target as one OCO"
    wait = "Cancel what still works, wait until it is gone, then place" if cancels else "Place"
    return Draft(
        sentence=f"{wait} {what} for {shares_of(look, case.cover.naked)}.",
        requests=(*cancels, post(intent)),
        naked_s=look.trip_s * (2 * len(cancels) + 1),
        worst_loss_usd=to_stop(look, case.cover.held),
        if_step_two_fails="The shares stay naked; it is tried again with growing pauses, then the desk watches the "
        "stop itself and calls you."
        if cancels
        else "The desk tries again with growing pauses, then watches the stop itself and calls you.",
    )


def _replace_both(look: Look, desk_id: str) -> Draft | None:
    case = look.case
    stops = [o for o in case.open_exits if o.role is OrderRole.STOP_LOSS and case.is_armed(o)]
    if case.bracket.take_profit_price is None or not stops or not takes_groups(case.bracket.symbol, case.cover.held):
        return None
    intent = plan_exits(
        case.bracket, case.orders, in_one_exit(case.bracket.symbol, case.cover.held), desk_id=desk_id, now=case.now
    )
    cancels = [delete(order) for order in carriers(stops)]
    return Draft(
        sentence=f"Cancel the stop, then place stop and target as one OCO for {shares_of(look, case.cover.held)}.",
        requests=(*cancels, post(intent)),
        naked_s=look.trip_s * (2 * len(cancels) + 1),
        worst_loss_usd=to_stop(look, case.cover.held),
        if_step_two_fails="The shares are naked; the OCO is tried again with growing pauses, then you are called.",
    )


def _cut_short(look: Look, desk_id: str) -> Draft | None:
    entries = [order for order in look.case.open_entries if order.broker_id is not None]
    if not entries:
        return None
    draft = _attach(look, desk_id, stop_only=False)
    if draft is None:
        return None
    return msgspec.structs.replace(
        draft,
        sentence=f"Cut the entry short now, then cover {shares_of(look, look.case.cover.naked)}.",
        if_step_two_fails="A cancel that sticks for 3 s is not waited for: exits are tried beside it, else the desk "
        "watches the stop and calls you.",
    )


def _trim(look: Look, desk_id: str) -> Draft | None:
    case = look.case
    if case.cover.held == 0:
        left = carriers(case.open_exits)
        return Draft(
            sentence="Cancel the exits that are left: nothing is held.",
            requests=tuple(delete(order) for order in left),
            worst_loss_usd=ZERO,
            if_step_two_fails="What is left could open a position; it is asked for again every 3 s.",
        )
    stops = sorted(
        (o for o in case.open_exits if o.role is OrderRole.STOP_LOSS and case.is_armed(o)),
        key=lambda order: order.leaves_qty,
    )
    if not stops:
        return None
    unneeded = next((order for order in stops if order.leaves_qty <= case.cover.over), None)
    if unneeded is not None:
        return Draft(
            sentence=f"Cancel the exits for {shares_of(look, unneeded.leaves_qty)} that another stop covers.",
            requests=(read_position(look), delete(unneeded)),
            worst_loss_usd=to_stop(look, case.cover.held),
            if_step_two_fails="The surplus stands; it is asked for again every 3 s.",
        )
    intent = plan_exits(
        case.bracket, case.orders, in_one_exit(case.bracket.symbol, case.cover.held), desk_id=desk_id, now=case.now
    )
    return Draft(
        sentence=f"Replace the exits by some for {shares_of(look, case.cover.held)}, which is what is held.",
        requests=(read_position(look), delete(stops[-1]), post(intent)),
        naked_s=3 * look.trip_s,
        worst_loss_usd=to_stop(look, case.cover.held),
        if_step_two_fails="The shares are naked; the OCO is tried again with growing pauses, then you are called.",
    )


def _watch(look: Look, _: str, *, target: bool) -> Draft | None:
    bracket = look.case.bracket
    if target:
        if bracket.watch_target_since is not None or bracket.take_profit_price is None:
            return None
        return Draft(
            sentence=f"Leave the stop, and watch the target at {plain(bracket.take_profit_price)} from here.",
            worst_loss_usd=to_stop(look, look.case.cover.held),
            if_step_two_fails="When the target is reached: cancel the stop, close at the market; if that close is "
            "refused, it is repeated.",
        )
    if bracket.watch_stop_since is not None:
        return None
    return Draft(
        sentence=f"Watch the stop at {plain(bracket.stop_price)} from here: two quotes beyond it close the trade.",
        naked_s=None,
        worst_loss_usd=whole_value(look),
        if_step_two_fails="It protects only while this desk runs and quotes come.",
    )


def _break_even(look: Look, desk_id: str) -> Draft | None:
    case = look.case
    price = breakeven_price(case.bracket, case.cover)
    stops = [o for o in case.open_exits if o.role is OrderRole.STOP_LOSS and case.is_armed(o)]
    if price is None or case.mark is None or not stops or case.cover.naked > 0:
        return None
    if not improves(case.bracket, price) or not leaves_room(case.bracket.side, price, case.mark):
        return None
    requests = []
    for stop in stops:
        intent = plan_moved_exit(
            case.bracket, case.orders, stop, stop_price=price, desk_id=desk_id, now=case.now, actor="desk"
        )
        requests.append(RequestView(method="PATCH", path=f"/v2/orders/{stop.broker_id}", body=intent.body))
    return Draft(
        sentence=f"Move the stop to break-even at {plain(price)}.",
        requests=tuple(requests),
        worst_loss_usd=ZERO,
        if_step_two_fails="The stop that stands stays where it is.",
    )


COVERING: Final[Mapping[str, Callable[[Look, str], Draft | None]]] = {
    "attach_oco": lambda look, desk_id: _attach(look, desk_id, stop_only=False),
    "replace_stop": lambda look, desk_id: _attach(look, desk_id, stop_only=True),
    "replace_both": _replace_both,
    "cut_short": _cut_short,
    "trim": _trim,
    "watch_stop": lambda look, desk_id: _watch(look, desk_id, target=False),
    "watch_target": lambda look, desk_id: _watch(look, desk_id, target=True),
    "break_even": _break_even,
}
