"""The catalogue of broken states: each recognised for what it is, with plans whose requests are exact."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from engine.model.bracket import Repair
from engine.model.order import Order
from engine.model.words import ExitWhen, OrderRole, OrderStatus, Session
from engine.protection.case import Case, Truth
from engine.protection.ledger import cover_of
from engine.protection.repair import CONFIRMS, plans_of
from engine.protection.repair_states import STATES, Look, diagnose
from tests.unit.builders import (
    DESK_ID,
    T0,
    after,
    filled,
    legs_of,
    make_bracket,
    make_exit,
    make_order,
    oco_of,
    replace,
    working,
)

ROOT: Final = Path(__file__).parents[3]
S = OrderStatus
ENTRY = make_order()
TARGET, STOP = legs_of(ENTRY)
DONE = filled(ENTRY)
PART = filled(ENTRY, 4)
LEAVING: Final[dict[str, Any]] = {"exit_requested_at": T0, "exit_reason": "flatten asked by the operator"}
CLOSE = make_exit(OrderRole.EXIT, "gl-7f3a2c-000001-close-1", created_at=after(5))


def look(
    *orders: Order,
    mark: str | None = "187.00",
    now_s: float = 10.0,
    session: Session = Session.CORE,
    halted: bool = False,
    held_at_broker: int | None = None,
    verified_s: float | None = None,
    **changes: Any,
) -> Look:
    bracket = make_bracket(**changes)
    truth = None
    if held_at_broker is not None:
        truth = Truth(qty=Decimal(held_at_broker), available=None, read_at=after(9))
    return Look(
        case=Case(
            bracket=bracket,
            orders=orders,
            cover=cover_of(bracket, orders),
            mark=None if mark is None else Decimal(mark),
            now=after(now_s),
            session=session,
            halted=halted,
            truth=truth,
        ),
        verified_at=None if verified_s is None else after(verified_s),
    )


def gone(order: Order, status: OrderStatus = S.CANCELED, **changes: Any) -> Order:
    return replace(order, status=status, **changes)


def vanished_ocos() -> list[Order]:
    return [order for number in (1, 2, 3) for order in map(gone, oco_of(number))]


def stuck(order: Order) -> Order:
    return replace(order, status=S.PENDING_CANCEL, cancel_requested_at=after(1), cancel_since=after(1))


BOTH = (filled(TARGET), replace(filled(STOP), status=S.FILLED))
UNNAMED = [replace(order, broker_id=None, status=S.SENDING) for order in legs_of(ENTRY)]
PLAIN = make_exit(OrderRole.STOP_LOSS, "gl-7f3a2c-000001-stop-1")

BROKEN: Final[dict[str, Callable[[], Look]]] = {
    "closed": lambda: look(DONE, filled(TARGET), closed_at=T0),
    "flipped_both_exits": lambda: look(DONE, *BOTH),
    "flipped_by_hand": lambda: look(DONE, TARGET, STOP, adjusted_qty=Decimal(-15)),
    "exit_unknown": lambda: look(DONE, TARGET, replace(STOP, unresolved_since=T0)),
    "entry_unknown": lambda: look(replace(working(ENTRY, S.SENDING), unresolved_since=T0)),
    "exit_halted": lambda: look(DONE, TARGET, STOP, halted=True, **LEAVING),
    "exit_after_hours": lambda: look(DONE, TARGET, STOP, session=Session.EXTENDED, **LEAVING),
    "exit_cancel_stuck": lambda: look(DONE, stuck(TARGET), STOP, **LEAVING),
    "exit_stalled": lambda: look(DONE, CLOSE, **LEAVING),
    "exit_refused": lambda: look(DONE, gone(CLOSE, S.REJECTED), **LEAVING),
    "exiting": lambda: look(DONE, TARGET, STOP, **LEAVING),
    "exits_left_over": lambda: look(DONE, filled(TARGET), STOP),
    "flat": lambda: look(working(ENTRY), TARGET, STOP),
    "position_smaller": lambda: look(DONE, TARGET, STOP, held_at_broker=6),
    "position_larger": lambda: look(DONE, TARGET, STOP, held_at_broker=13),
    "surplus_group": lambda: look(DONE, *oco_of(1), *oco_of(2, qty=4)),
    "surplus_in_one_stop": lambda: look(DONE, TARGET, STOP, adjusted_qty=Decimal(-4)),
    "unprotected_by_choice": lambda: look(DONE, unprotected_until=after(60)),
    "stop_passed": lambda: look(DONE, mark="184.00"),
    "partial_cancel_stuck": lambda: look(stuck(PART), TARGET, STOP),
    "partial_cancel_under_way": lambda: look(replace(PART, cancel_requested_at=after(9)), TARGET, STOP),
    "partial_entry": lambda: look(PART, TARGET, STOP),
    "cover_vanished": lambda: look(DONE, *vanished_ocos(), gave_up_at=T0),
    "exits_refused": lambda: look(DONE, gave_up_at=T0),
    "naked_in_halt": lambda: look(DONE, halted=True),
    "watched_in_extended_hours": lambda: look(DONE, session=Session.EXTENDED, watch_stop_since=T0),
    "watched_fraction": lambda: look(filled(replace(ENTRY, qty=Decimal("0.4")))),
    "naked_overnight": lambda: look(DONE, session=Session.CLOSED),
    "exits_unnamed": lambda: look(DONE, *UNNAMED),
    "stop_promised": lambda: look(DONE, gone(TARGET), replace(STOP, status=S.PENDING_NEW)),
    "part_covered": lambda: look(DONE, *oco_of(qty=4)),
    "stop_gone_target_alive": lambda: look(DONE, TARGET, gone(STOP, S.REJECTED)),
    "exits_expired": lambda: look(DONE, gone(TARGET, S.EXPIRED), gone(STOP, S.EXPIRED)),
    "legs_rejected": lambda: look(DONE, gone(TARGET, S.REJECTED), gone(STOP, S.REJECTED)),
    "exits_canceled": lambda: look(DONE, gone(TARGET), gone(STOP)),
    "exits_failed": lambda: look(DONE, replace(PLAIN, status=S.SUSPENDED)),
    "never_protected": lambda: look(DONE),
    "move_stuck": lambda: look(DONE, TARGET, STOP, moves_asked_at=T0, wanted_stop_price=Decimal("186.00")),
    "move_refused": lambda: look(DONE, TARGET, STOP, move_refused="no"),
    "target_watched": lambda: look(DONE, PLAIN, watch_target_since=T0),
    "target_gone": lambda: look(DONE, PLAIN),
    "unverified": lambda: look(DONE, TARGET, STOP, now_s=100, verified_s=30),
    "sound": lambda: look(DONE, TARGET, STOP),
}


def test_every_state_of_the_catalogue_has_its_example_and_at_least_twenty_five_are_broken() -> None:
    assert set(BROKEN) == {state.name for state in STATES}
    assert len(BROKEN) - len({"closed", "flat", "sound", "exiting"}) >= 25


def test_the_manual_lists_every_state_and_every_plan() -> None:
    manual = (ROOT / "docs" / "protection.md").read_text(encoding="utf-8")
    kinds = {kind for state in STATES for kind in state.plans}
    assert [word for word in sorted({*BROKEN, *kinds}) if f"`{word}`" not in manual] == []


@pytest.mark.parametrize("name", BROKEN)
def test_each_state_is_recognised_and_none_is_taken_for_another(name: str) -> None:
    assert diagnose(BROKEN[name]()).name == name


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_state_offers_a_plan_whose_requests_name_what_the_broker_knows(name: str) -> None:
    state, plans = plans_of(BROKEN[name](), DESK_ID)
    assert state.name == name
    if name == "closed":
        assert plans == ()
        return
    assert plans
    assert len({plan.id for plan in plans}) == len(plans)
    known = {order.broker_id for order in BROKEN[name]().case.orders}
    for plan in plans:
        assert plan.sentence.endswith(".")
        assert plan.if_step_two_fails
        assert plan.naked_s is None or plan.naked_s >= 0
        assert plan.confirm == CONFIRMS.get(plan.kind)
        for request in plan.requests:
            assert request.method in ("GET", "POST", "PATCH", "DELETE")
            if request.method in ("PATCH", "DELETE"):
                assert request.path.removeprefix("/v2/orders/") in known
            if request.method in ("POST", "PATCH"):
                assert request.body["client_order_id"].startswith(f"gl-{DESK_ID}-000001-")


# --- the best plan, word for word ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "methods"),
    [
        ("legs_rejected", "attach_oco", ["POST"]),
        ("stop_gone_target_alive", "attach_oco", ["DELETE", "POST"]),
        ("partial_entry", "cut_short", ["DELETE", "DELETE", "POST"]),
        ("surplus_group", "trim", ["GET", "DELETE"]),
        ("surplus_in_one_stop", "trim", ["GET", "DELETE", "POST"]),
        ("flipped_by_hand", "close_flip", ["GET", "DELETE", "POST"]),
        ("target_gone", "watch_target", []),
        ("stop_passed", "flatten", ["POST"]),
        ("sound", "target_to_market", ["PATCH"]),
        ("position_larger", "adopt", []),
        ("position_smaller", "match_broker", []),
        ("exit_unknown", "look_up", ["GET", "GET"]),
        ("unprotected_by_choice", "protect_again", []),
        ("exit_after_hours", "flatten_open", []),
    ],
)
def test_the_first_plan_and_its_requests(name: str, kind: str, methods: list[str]) -> None:
    top = plans_of(BROKEN[name](), DESK_ID)[1][0]
    assert (top.kind, [request.method for request in top.requests]) == (kind, methods)


def test_an_oco_for_naked_shares_is_shown_with_its_whole_body_its_naked_time_and_its_worst_loss() -> None:
    top = plans_of(BROKEN["stop_gone_target_alive"](), DESK_ID)[1][0]
    assert top.requests[1].body == {
        "client_order_id": f"gl-{DESK_ID}-000001-oco-1",
        "symbol": "AAPL",
        "side": "sell",
        "type": "limit",
        "qty": "10",
        "time_in_force": "gtc",
        "order_class": "oco",
        "take_profit": {"limit_price": "191.80"},
        "stop_loss": {"stop_price": "184.90"},
    }
    assert top.naked_s == pytest.approx(0.3)
    assert top.worst_loss_usd == Decimal("21.00")  # 187.00 less 184.90, ten times
    assert "naked" in top.if_step_two_fails


def test_running_unprotected_names_all_that_can_be_lost_and_has_to_be_typed() -> None:
    plans = {plan.kind: plan for plan in plans_of(BROKEN["never_protected"](), DESK_ID)[1]}
    assert plans["run_unprotected"].worst_loss_usd == Decimal("1870.00")
    assert plans["run_unprotected"].confirm == "RUN UNPROTECTED"
    assert plans["run_unprotected"].naked_s == 300


def test_flatten_in_session_with_a_live_target_is_one_patch_that_leaves_the_stop() -> None:
    plans = {plan.kind: plan for plan in plans_of(BROKEN["sound"](), DESK_ID)[1]}
    (request,) = plans["flatten"].requests
    assert (request.method, request.body["limit_price"]) == ("PATCH", "186.06")
    assert plans["flatten"].naked_s == 0


# --- a plan is of its picture ----------------------------------------------------------------------------------------


def test_a_plan_keeps_its_id_while_only_time_and_price_go_on() -> None:
    first = plans_of(look(DONE, TARGET, gone(STOP)), DESK_ID)[1]
    later = plans_of(look(DONE, TARGET, gone(STOP), now_s=60, mark="188.00"), DESK_ID)[1]
    assert [plan.id for plan in first] == [plan.id for plan in later]


def test_a_reading_that_agrees_is_no_news() -> None:
    shown = plans_of(look(DONE, TARGET, gone(STOP)), DESK_ID)[1]
    assert shown == plans_of(look(DONE, TARGET, gone(STOP), held_at_broker=10), DESK_ID)[1]


@pytest.mark.parametrize(
    "changed",
    [
        lambda: look(DONE, filled(TARGET, 3), gone(STOP)),
        lambda: look(DONE, gone(TARGET), gone(STOP)),
        lambda: look(DONE, TARGET, gone(STOP), stop_price=Decimal("185.00")),
        lambda: look(DONE, TARGET, gone(STOP), session=Session.CLOSED),
        lambda: look(DONE, TARGET, gone(STOP), held_at_broker=9),
    ],
)
def test_and_loses_it_when_an_order_the_shares_a_price_or_the_session_changed(changed: Callable[[], Look]) -> None:
    shown = {plan.id for plan in plans_of(look(DONE, TARGET, gone(STOP)), DESK_ID)[1]}
    assert not shown & {plan.id for plan in plans_of(changed(), DESK_ID)[1]}


def test_a_repair_under_way_does_not_change_what_is_wrong() -> None:
    repair = Repair(plan_id="p", kind="attach_oco", state="legs_rejected", actor="window", began_at=T0)
    trade = (DONE, gone(TARGET, S.REJECTED), gone(STOP, S.REJECTED))
    assert diagnose(look(*trade, repair=repair)).name == "legs_rejected"


def test_an_exit_that_was_asked_for_extended_hours_is_on_its_way_there() -> None:
    found = look(DONE, TARGET, STOP, session=Session.EXTENDED, exit_when=ExitWhen.EXTENDED, **LEAVING)
    assert diagnose(found).name == "exiting"
