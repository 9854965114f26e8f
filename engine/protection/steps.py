"""What a trade needs next: one pure decision from its record, its cover, the live price and the session.

The supervisor asks after every event and on a timer, performs the step, and asks again. A step never looks at what was
tried before, only at what is true, so it makes no difference whether a restart lies between two of them.

``TABLE`` is the whole of it: its rows are asked from the top, and the first that has an answer decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from engine.model.bracket import Bracket
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus, Session
from engine.protection.asleep import doubt_sleepers
from engine.protection.case import (
    AttachExits,
    BreakEven,
    Cancel,
    Case,
    Close,
    DoubtExits,
    EndRepair,
    EndUnprotected,
    ExitsMoved,
    GiveUp,
    MoveExit,
    MoveRefused,
    MoveTarget,
    ReadAgain,
    Rest,
    Step,
    StopCameBack,
    Truth,
    Watch,
    cancel_due,
)
from engine.protection.flatten import close_at_once, is_through, leave
from engine.protection.following import follow_fill
from engine.protection.ledger import Cover
from engine.protection.moving import break_even, move_exits
from engine.protection.placing import cover_what_is_held, rescue_partial
from engine.protection.surplus import clear_flat, close_flip, trim
from engine.protection.trailing import trail_stop
from engine.protection.watched import watch_target

__all__ = [
    "TABLE",
    "AttachExits",
    "BreakEven",
    "Cancel",
    "Case",
    "Close",
    "DoubtExits",
    "EndRepair",
    "EndUnprotected",
    "ExitsMoved",
    "GiveUp",
    "MoveExit",
    "MoveRefused",
    "MoveTarget",
    "ReadAgain",
    "Rest",
    "Step",
    "StopCameBack",
    "Truth",
    "Watch",
    "decide_step",
    "next_step",
]


def _closed(case: Case) -> Step | None:
    return Rest("closed") if case.bracket.closed_at is not None else None


def _unknown_exit(case: Case) -> Step | None:
    """A closing order of unknown fate may be live: anything more could sell the same shares twice."""
    unknown = next((o for o in case.open_exits if o.unresolved_since is not None), None)
    return Rest(f"{unknown.id} is being looked up", after_s=1.0) if unknown is not None else None


def _under_way(case: Case) -> Step | None:
    sending = (o for o in case.orders if o.status is OrderStatus.SENDING and (o.parent_id is None or o.replaces))
    return Rest("a request is under way") if any(sending) else None


def _unprotected(case: Case) -> Step | None:
    """A person keeps the supervisor's hands off, for a time; who wants out, and a flip, come first."""
    until = case.bracket.unprotected_until
    if until is None:
        return None
    if case.now >= until:
        return EndUnprotected("its time is over")
    if case.cover.held == 0 and not case.cover.entry_open:
        return EndUnprotected("nothing is held any more")
    if case.bracket.exit_requested_at is not None:
        return None
    return Rest("runs unprotected by a person's word", after_s=-case.age_s(until))


def _repaired(case: Case) -> Step | None:
    """A chosen repair is over when what it was to mend is true again, or when the trade is on its way out."""
    repair = case.bracket.repair
    if repair is None:
        return None
    if case.bracket.exit_requested_at is not None or case.cover.held == 0:
        return EndRepair(done=True, text="the trade is on its way out")
    if case.bracket.gave_up_at is not None:
        return EndRepair(done=False, text=case.bracket.last_error or "the broker does not take the exits")
    if repair.kind == "replace_both" and not case.cover.is_target_live:
        return None
    mended = case.cover.naked == 0 and case.cover.over == 0 and case.bracket.moves_asked_at is None
    return EndRepair(done=True, text="every share is covered") if mended else None


def _rebuild(case: Case) -> Step | None:
    """The operator wants stop and target as one OCO where a plain stop stands: the stop makes way for it."""
    repair = case.bracket.repair
    if repair is None or repair.kind != "replace_both" or case.cover.naked > 0:
        return None
    if case.cover.target is not None and case.cover.target.is_open:
        return None  # it has come back, or is about to be confirmed
    stops = [order for order in case.open_exits if order.role is OrderRole.STOP_LOSS]
    return cancel_due(stops, case.now, "stop and target come back as one OCO") or Rest("the stop's cancel is under way")


def _closing(case: Case) -> Step | None:
    return Rest("nothing uncovered") if case.cover.closing else None


def _covered(case: Case) -> Step | None:
    return Rest("covered") if case.cover.naked == 0 else None


def _came_back(case: Case) -> Step | None:
    """The broker called the stop passed and the operator was asked; then the price came back by itself."""
    is_back = case.bracket.stop_passed_at is not None and case.mark is not None and not case.is_beyond_stop
    return StopCameBack() if is_back else None


def _through(case: Case) -> Step | None:
    return close_at_once(case) if is_through(case) else None


TABLE: Final[tuple[Callable[[Case], Step | None], ...]] = (
    _closed,
    _unknown_exit,
    _under_way,
    close_flip,
    _unprotected,
    _repaired,
    leave,
    clear_flat,
    _closing,
    trim,
    move_exits,
    follow_fill,
    break_even,
    _rebuild,
    trail_stop,
    watch_target,
    doubt_sleepers,
    _covered,
    _came_back,
    _through,
    rescue_partial,
    cover_what_is_held,
)


def decide_step(case: Case) -> Step:
    for row in TABLE:
        step = row(case)
        if step is not None:
            return step
    raise AssertionError("the last row always answers")


def next_step(
    bracket: Bracket,
    orders: Sequence[Order],
    cover: Cover,
    *,
    mark: Decimal | None,
    now: datetime,
    partial_rescue_after_s: float,
    stop_through: Literal["exit", "ask"],
    breakeven_at_r: float | None = None,
    session: Session = Session.CORE,
    halted: bool = False,
    truth: Truth | None = None,
) -> Step:
    """``mark`` is what the position could be closed at now, None without a live quote."""
    return decide_step(
        Case(
            bracket=bracket,
            orders=tuple(orders),
            cover=cover,
            mark=mark,
            now=now,
            partial_rescue_after_s=partial_rescue_after_s,
            stop_through=stop_through,
            breakeven_at_r=breakeven_at_r,
            session=session,
            halted=halted,
            truth=truth,
        )
    )
