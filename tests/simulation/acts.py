"""What an operator can do, each act with its weight: every command of the desk's door, and clicks that collide.

A command without an act fails ``test_coverage.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from engine.clock import Clock
from engine.commands.exits import RUN_UNPROTECTED
from engine.desk import Desk
from engine.errors import CommandRefused
from engine.model.commands import NO_EDITS, Edits
from engine.model.mandate import MandateTerms
from engine.model.words import DeskState, Side, SignalStatus
from engine.trip_wire import RELEASE
from tests.simulation.breakage import Dice
from tests.simulation.weather import SYMBOLS

ACTOR: Final = "window"
ANOTHER: Final = "second screen"
CENT: Final = Decimal("0.01")
FLAT: Final = 3
"""Its place among the rungs."""
Act = Callable[[Desk, Dice, Clock], Awaitable[Any]]


async def together(*commands: Awaitable[Any]) -> None:
    """Commands at the same time. One refusal of theirs is told, and anything that is none."""
    results = await asyncio.gather(*commands, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    errors.sort(key=lambda each: isinstance(each, CommandRefused))
    if errors:
        try:
            raise errors[0]
        finally:
            # An error holds this frame with all beneath it: held by the frame too, neither would go by itself.
            del results, errors


def _one_pending(desk: Desk, dice: Dice) -> str | None:
    waiting = desk.signals(SignalStatus.PENDING, 3)
    return dice.choice(waiting).id if waiting else None


# --- signals ---------------------------------------------------------------------------------------------------------


async def approve(desk: Desk, dice: Dice, _: Clock) -> None:
    wanted = _one_pending(desk, dice)
    if wanted is not None:
        edits = Edits(qty=Decimal(dice.choice((1, 3, 7)))) if dice.random() < 0.1 else NO_EDITS
        await desk.approve(wanted, actor=ACTOR, edits=edits)


async def approve_all(desk: Desk, _: Dice, __: Clock) -> None:
    """Everything that waits, at once: what each may do alone they may not do together."""
    waiting = [signal.id for signal in desk.signals(SignalStatus.PENDING, 6)]
    await together(*(desk.approve(each, actor=ACTOR) for each in waiting))


async def approve_batch(desk: Desk, dice: Dice, clock: Clock) -> None:
    waiting = [signal.id for signal in desk.signals(SignalStatus.PENDING, 5)]
    if waiting:
        shown = desk.preview_batch(waiting)
        await clock.sleep(dice.choice((0.0, 0.5)))
        await desk.approve_batch(waiting, actor=ACTOR, preview_id=shown.preview_id if dice.random() < 0.7 else None)


async def reject_batch(desk: Desk, _: Dice, __: Clock) -> None:
    waiting = [signal.id for signal in desk.signals(SignalStatus.PENDING, 2)]
    if waiting:
        await desk.reject_batch(waiting, actor=ACTOR, reason="none of these")


async def approve_twice(desk: Desk, dice: Dice, _: Clock) -> None:
    """Two impatient clicks, or two people."""
    wanted = _one_pending(desk, dice)
    if wanted is not None:
        await together(desk.approve(wanted, actor=ACTOR), desk.approve(wanted, actor=ANOTHER))


async def approve_what_was_shown(desk: Desk, dice: Dice, clock: Clock) -> None:
    wanted = _one_pending(desk, dice)
    if wanted is not None:
        shown = desk.preview(wanted)
        await clock.sleep(dice.choice((0.0, 0.3, 2.0)))
        await desk.approve(wanted, actor=ACTOR, preview_id=shown.preview_id)


async def approve_and_undo(desk: Desk, dice: Dice, clock: Clock) -> None:
    wanted = _one_pending(desk, dice)
    if wanted is not None:
        await desk.approve(wanted, actor=ACTOR)
        await clock.sleep(dice.choice((0.0, 0.4, 1.2)))
        await desk.undo(wanted, actor=ACTOR)


async def reject(desk: Desk, dice: Dice, _: Clock) -> None:
    wanted = _one_pending(desk, dice)
    if wanted is not None:
        await desk.reject(wanted, actor=ACTOR, reason="not today")


async def approve_and_reject(desk: Desk, dice: Dice, _: Clock) -> None:
    wanted = _one_pending(desk, dice)
    if wanted is not None:
        await together(desk.approve(wanted, actor=ACTOR), desk.reject(wanted, actor=ANOTHER))


# --- mandates --------------------------------------------------------------------------------------------------------


async def grant_a_mandate(desk: Desk, dice: Dice, clock: Clock) -> None:
    """What is pending and what comes is approved by it, within its bounds."""
    each = Decimal(dice.choice((1000, 6000)))
    terms = MandateTerms(
        strategy=dice.choice(("storm", "surge")),
        symbols=tuple(dice.sample(SYMBOLS, 3)),
        sides=(Side.BUY, Side.SELL),
        max_notional_each=each,
        max_notional_day=each * dice.choice((1, 3)),
        max_count=dice.choice((1, 4)),
        max_loss_day=dice.choice((None, Decimal(200))),
        until=clock.now() + timedelta(seconds=dice.choice((15, 120))),
    )
    await desk.mandates.grant(terms, actor=ACTOR)


async def confirm_a_mandate(desk: Desk, dice: Dice, _: Clock) -> None:
    """It does not go on by itself after a restart."""
    views = desk.mandates.views()
    if views:
        await desk.mandates.confirm(dice.choice(views).id, actor=ACTOR)


async def revoke_mandates(desk: Desk, dice: Dice, _: Clock) -> None:
    views = desk.mandates.views()
    if views and dice.random() < 0.7:
        await desk.mandates.revoke(dice.choice(views).id, actor=ACTOR)
    else:
        await desk.mandates.revoke_all(actor=ACTOR)


# --- orders and trades -----------------------------------------------------------------------------------------------


async def cancel_an_order(desk: Desk, dice: Dice, _: Clock) -> None:
    orders = desk.orders()
    if orders:
        await desk.cancel_order(dice.choice(orders).id, actor=ACTOR)


async def cancel_entries(desk: Desk, _: Dice, __: Clock) -> None:
    await desk.cancel_working_entries(actor=ACTOR)


async def look_up(desk: Desk, dice: Dice, _: Clock) -> None:
    orders = desk.orders()
    unknown = [order for order in orders if order.unresolved_since is not None]
    if unknown or orders:
        await desk.lookup_order(dice.choice(unknown or orders).id, actor=ACTOR)


async def retry(desk: Desk, dice: Dice, _: Clock) -> None:
    brackets = desk.brackets()
    if brackets:
        await desk.retry_bracket(dice.choice(brackets).id, actor=ACTOR)


async def reprice(desk: Desk, dice: Dice, _: Clock) -> None:
    """As after a split; without one the desk refuses."""
    brackets = desk.brackets()
    if brackets:
        await desk.reprice_bracket(dice.choice(brackets).id, actor=ACTOR)


async def flatten(desk: Desk, dice: Dice, _: Clock) -> None:
    brackets = desk.brackets()
    if brackets:
        await desk.flatten_bracket(dice.choice(brackets).id, actor=ACTOR)


async def flatten_twice(desk: Desk, dice: Dice, _: Clock) -> None:
    brackets = desk.brackets()
    if brackets:
        wanted = dice.choice(brackets)
        await together(desk.flatten_bracket(wanted.id, actor=ACTOR), desk.flatten(symbol=wanted.symbol, actor=ANOTHER))


async def flatten_all(desk: Desk, _: Dice, __: Clock) -> None:
    await desk.flatten(symbol=None, actor=ACTOR)


# --- exits -----------------------------------------------------------------------------------------------------------


async def repair(desk: Desk, dice: Dice, clock: Clock) -> None:
    """Any plan that the planner shows for a trade, chosen after a look that may be too long."""
    troubled = [bracket for bracket in desk.brackets() if bracket.can_retry] or desk.brackets()
    if troubled:
        bracket = dice.choice(troubled)
        plans = desk.exits.plans(bracket.id).plans
        if plans:
            plan = dice.choice(plans)
            await clock.sleep(dice.choice((0.0, 0.5, 4.0)))
            await desk.exits.repair(bracket.id, plan_id=plan.id, actor=ACTOR, confirm=plan.confirm)


async def move_exits(desk: Desk, dice: Dice, _: Clock) -> None:
    brackets = desk.brackets()
    if brackets:
        bracket = dice.choice(brackets)
        factor = Decimal(dice.choice(("0.997", "0.999", "1.001", "1.003")))
        stop, target = (
            (price * factor).quantize(CENT) if price is not None and dice.random() < 0.7 else None
            for price in (bracket.stop_price, bracket.take_profit_price)
        )
        await desk.exits.move(bracket.id, actor=ACTOR, stop_price=stop, take_profit_price=target)


async def break_even(desk: Desk, dice: Dice, _: Clock) -> None:
    brackets = desk.brackets()
    if brackets:
        await desk.exits.break_even(dice.choice(brackets).id, actor=ACTOR)


async def run_unprotected(desk: Desk, dice: Dice, clock: Clock) -> None:
    """For some seconds of its minutes."""
    brackets = desk.brackets()
    if brackets:
        wanted = dice.choice(brackets).id
        await desk.exits.run_unprotected(wanted, minutes=1, confirm=RUN_UNPROTECTED, actor=ACTOR)
        await clock.sleep(dice.choice((0.5, 6.0)))
        await desk.exits.protect_again(wanted, actor=ACTOR)


# --- the desk --------------------------------------------------------------------------------------------------------


async def change_state(desk: Desk, dice: Dice, clock: Clock) -> None:
    state = dice.choices(tuple(DeskState), (6, 2, 2, 1))[0]
    scope = dice.choice(("desk", f"symbol:{dice.choice(SYMBOLS)}", "strategy:storm"))
    await desk.set_state(state, scope=scope, actor=ACTOR, confirm=RELEASE)
    if state is not DeskState.ACTIVE and dice.random() < 0.8:  # else it stands until somebody thinks of it
        await clock.sleep(dice.choice((1.0, 10.0)))
        await desk.set_state(DeskState.ACTIVE, scope=scope, actor=ACTOR, confirm=RELEASE)


async def approve_and_stop(desk: Desk, dice: Dice, clock: Clock) -> None:
    """The entry is under way when its symbol is stopped, for a while or until somebody thinks of it."""
    wanted = _one_pending(desk, dice)
    if wanted is None:
        return
    scope = f"symbol:{desk.signal(wanted).symbol}"
    await desk.approve(wanted, actor=ACTOR)
    await desk.set_state(dice.choice((DeskState.REDUCING, DeskState.HALTED)), scope=scope, actor=ACTOR)
    if dice.random() < 0.5:
        await clock.sleep(dice.choice((5.0, 20.0)))
        await desk.set_state(DeskState.ACTIVE, scope=scope, actor=ACTOR, confirm=RELEASE)


async def climb_the_ladder(desk: Desk, dice: Dice, clock: Clock) -> None:
    """Halt, flatten, suspend once the desk is flat, and all the way back."""
    await desk.set_state(DeskState.HALTED, actor=ACTOR)
    await desk.flatten(symbol=None, actor=ACTOR)
    for _ in range(10):
        await clock.sleep(1.0)
        if desk.halt.ladder().rungs[FLAT].is_proved:
            await desk.halt.suspend(actor=ACTOR)
            await clock.sleep(dice.choice((0.5, 5.0)))
            await desk.halt.resume(actor=ACTOR, confirm=RELEASE)
            break
    await desk.halt.prove(actor=ACTOR)
    await desk.set_state(DeskState.ACTIVE, actor=ACTOR, confirm=RELEASE)


async def poll_orders(desk: Desk, dice: Dice, clock: Clock) -> None:
    """For a while the orders are read in place of the stream."""
    await desk.poll_orders(True, actor=ACTOR)
    await clock.sleep(dice.choice((2.0, 10.0)))
    await desk.poll_orders(False, actor=ACTOR)


async def acknowledge(desk: Desk, dice: Dice, _: Clock) -> None:
    incidents = desk.incidents()
    if incidents:
        await desk.ack_incident(dice.choice(incidents).id, actor=ACTOR)


async def shelve(desk: Desk, dice: Dice, clock: Clock) -> None:
    incidents = desk.incidents()
    if incidents:
        wanted = dice.choice(incidents).id
        await desk.alarms.shelve(wanted, minutes=1, reason="later", actor=ACTOR)
        await clock.sleep(dice.choice((1.0, 10.0)))
        await desk.alarms.unshelve(wanted, actor=ACTOR)


async def settle(desk: Desk, dice: Dice, _: Clock) -> None:
    differences = desk.differences()
    if differences:
        difference = dice.choice(differences)
        settlement = dice.choice(difference.settlements)
        await desk.settle_difference(difference.id, settlement=settlement, actor=ACTOR)


ACTS: Final[dict[Act, float]] = {
    approve: 12,
    approve_all: 3,
    approve_batch: 2,
    approve_twice: 4,
    approve_what_was_shown: 4,
    approve_and_undo: 1,
    approve_and_reject: 1.5,
    reject: 1.2,
    reject_batch: 0.3,
    cancel_an_order: 2,
    cancel_entries: 0.3,
    look_up: 1,
    retry: 1,
    reprice: 0.2,
    grant_a_mandate: 0.4,
    revoke_mandates: 0.2,
    confirm_a_mandate: 0.3,
    flatten: 3.5,
    flatten_twice: 0.5,
    flatten_all: 0.5,
    change_state: 0.7,
    approve_and_stop: 0.4,
    climb_the_ladder: 0.2,
    poll_orders: 0.3,
    acknowledge: 0.5,
    shelve: 0.3,
    repair: 1.2,
    move_exits: 1.5,
    break_even: 0.5,
    run_unprotected: 0.3,
    settle: 1,
}


WINDOW_ONLY: Final = frozenset(
    {
        cancel_entries,
        grant_a_mandate,
        confirm_a_mandate,
        revoke_mandates,
        shelve,
        repair,
        move_exits,
        break_even,
        run_unprotected,
    }
)
"""Given at the desk's door only."""


def draw_act(dice: Dice) -> Act:
    return dice.choices(tuple(ACTS), tuple(ACTS.values()))[0]


# --- after the storm -------------------------------------------------------------------------------------------------


def tidying(desk: Desk, dice: Dice, is_at_broker: Callable[[str], bool]) -> list[Act]:
    """What an operator does when it is over: Retry where the desk gave up, and an answer to all it asks.

    ``is_at_broker`` is the broker's own page, open beside the desk: whether it shows a client order id.
    """
    acts = [_bound(desk.retry_bracket, bracket.id) for bracket in desk.brackets() if bracket.can_retry]
    acts += [
        _bound(desk.exits.protect_again, bracket.id)
        for bracket in desk.brackets()
        if bracket.unprotected_until is not None
    ]
    for order in desk.orders():
        if order.unresolved_since is not None and dice.random() < 0.5:
            if is_at_broker(order.client_order_id or ""):
                acts.append(_bound(desk.lookup_order, order.id))
            else:
                acts.append(_bound(desk.attest_order, order.id, settlement="never_reached"))
    acts += [
        _bound(desk.settle_difference, difference.id, settlement=dice.choice(difference.settlements))
        for difference in desk.differences()
    ]
    if desk.halt.ladder().rungs[-1].is_reached:
        acts.append(_bound(desk.halt.resume, confirm=RELEASE))
    if desk.health().desk_state is DeskState.HALTED and dice.random() < 0.5:
        acts.append(_bound(desk.set_state, DeskState.ACTIVE, confirm=RELEASE))
    acts.append(_bound(desk.poll_orders, False))
    return acts


def _bound(command: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Act:
    return lambda _, __, ___: command(*args, actor=ACTOR, **options)
