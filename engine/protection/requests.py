"""What a step becomes: one journaled request to the broker, or one word for the journal."""

from __future__ import annotations

from collections.abc import Callable

from engine.alpaca.refusals import WaitsFor
from engine.book import Book
from engine.clock import Clock
from engine.errors import NotYetError
from engine.gateway import Gateway
from engine.model import events as ev
from engine.model.bracket import Bracket
from engine.model.order import Order
from engine.model.words import OrderRole
from engine.pipeline.protect import plan_close, plan_exits, plan_marketable_target, plan_moved_exit
from engine.protection.case import (
    DESK,
    AskMove,
    AttachExits,
    BreakEven,
    Close,
    DoubtExits,
    EndRepair,
    EndUnprotected,
    ExitsMoved,
    GiveUp,
    MoveExit,
    MoveRefused,
    MoveTarget,
    Step,
    StopCameBack,
    Watch,
    cancel_due,
    closing_qty,
)
from engine.protection.ledger import sleeps


class ExitRequests:
    def __init__(self, gateway: Gateway, book: Book, clock: Clock, doubted: Callable[[str], None]) -> None:
        """``doubted`` gets the symbol whose position and orders should be read at the broker again."""
        self._gateway = gateway
        self._book = book
        self._clock = clock
        self._doubted = doubted

    async def submit_exits(self, bracket_id: str, step: AttachExits) -> None:
        """Raises ``BrokerError`` when the broker refused; of an order of unknown fate nothing is raised."""
        bracket = self._book.brackets[bracket_id]
        intent = plan_exits(
            bracket,
            self._book.orders_of(bracket_id),
            step.qty,
            desk_id=self._book.desk_id,
            now=self._clock.now(),
            stop_only=step.stop_only,
        )
        submitted = await self._gateway.submit(intent, why_not=lambda: self._surplus(bracket_id, intent.order.id))
        if submitted.is_unknown or submitted.error is None:
            return
        if isinstance(submitted.error, NotYetError):
            self._doubted(bracket.symbol)
            await self._make_way(intent.order, submitted.error)
        raise submitted.error

    def _surplus(self, bracket_id: str, order_id: str) -> str | None:
        """Why an exit is one too many after all.

        While its intent went to the disk the broker may have shown another that it had refused a moment before.
        """
        orders, cover = self._book.orders_of(bracket_id), self._book.cover(bracket_id)
        by_id = {order.id: order for order in orders}
        standing = [
            order
            for order in orders
            if order.role is not OrderRole.ENTRY
            and order.is_open
            and (order.broker_id is not None or order_id in (order.id, order.parent_id))
            and not sleeps(order, by_id)
        ]
        own = closing_qty(order for order in standing if order_id in (order.id, order.parent_id))
        all_of_them = closing_qty(standing)
        if all_of_them == own or all_of_them <= cover.held + cover.flipped:
            return None
        return "Another exit stands at the broker after all: both would close more than is held."

    async def move_target(self, bracket_id: str, step: MoveTarget) -> None:
        bracket, orders = self._book.brackets[bracket_id], self._book.orders_of(bracket_id)
        intent = plan_marketable_target(
            bracket,
            orders,
            self._book.orders[step.target_id],
            step.limit_price,
            desk_id=self._book.desk_id,
            now=self._clock.now(),
            actor=DESK,
        )
        # A refusal is on record; the next step cancels and closes instead.
        await self._gateway.replace(intent)

    async def move_exit(self, bracket_id: str, step: MoveExit) -> bool:
        """Returns whether the broker refused it."""
        intent = plan_moved_exit(
            self._book.brackets[bracket_id],
            self._book.orders_of(bracket_id),
            self._book.orders[step.order_id],
            stop_price=step.stop_price,
            limit_price=step.limit_price,
            qty=step.qty,
            desk_id=self._book.desk_id,
            now=self._clock.now(),
            actor=DESK,
        )
        moved = await self._gateway.replace(intent)
        if moved.error is not None and not moved.is_unknown:
            # The refusal is on record, and the next step says so; what stood before still stands.
            self._doubted(self._book.brackets[bracket_id].symbol)
            return True
        return False

    async def close(self, bracket_id: str, step: Close) -> None:
        bracket, orders = self._book.brackets[bracket_id], self._book.orders_of(bracket_id)
        intent = plan_close(
            bracket,
            orders,
            step.qty,
            desk_id=self._book.desk_id,
            now=self._clock.now(),
            limit_price=step.limit_price,
            is_flip=step.is_flip,
        )
        submitted = await self._gateway.submit(intent, why_not=lambda: self._surplus(bracket_id, intent.order.id))
        if submitted.error is not None and not submitted.is_unknown:
            # Shares still reserved, or more sold than held: read the truth; the next step asks again with it.
            self._doubted(bracket.symbol)
            await self._make_way(intent.order, submitted.error)

    async def _make_way(self, refused: Order, error: Exception) -> None:
        """An exit has the right of way: an entry of ours for whose sake the broker refuses it is canceled.

        Another hand's order is left alone; the refusal names it. A broker that names none means whatever rests on the
        other side.
        """
        if not isinstance(error, NotYetError) or error.waits_for != WaitsFor.OTHER_ORDER:
            return
        named = self._book.order_of_broker_id.get(str(error.body.get("existing_order_id", "")))
        in_the_way = [
            order
            for bracket in self._book.open_brackets_of(refused.symbol)
            for order in self._book.orders_of(bracket.id)
            if order.role is OrderRole.ENTRY
            and order.is_open
            and order.side is not refused.side
            and (order.id == named or "existing_order_id" not in error.body)
        ]
        way = cancel_due(in_the_way, self._clock.now(), f"{refused.id} closes a position and has the right of way")
        if way is not None:
            for order_id in way.order_ids:
                await self._gateway.cancel(order_id, actor=DESK, reason=way.why)


def fact_of(step: Step, bracket: Bracket) -> ev.AnyEvent:
    """Steps that are no request but a word for the journal."""
    bracket_id = bracket.id
    match step:
        case Watch(target=target, why=why):
            return ev.WatchBegan(bracket_id=bracket_id, target=target, why=why)
        case GiveUp(text=text):
            return ev.ProtectionGaveUp(bracket_id=bracket_id, text=text)
        case ExitsMoved(stop_price=stop_price, take_profit_price=take_profit_price):
            return ev.ExitsChanged(
                bracket_id=bracket_id, stop_price=stop_price, take_profit_price=take_profit_price, actor=DESK
            )
        case MoveRefused(text=text):
            return ev.ExitsMoveRefused(bracket_id=bracket_id, text=text)
        case BreakEven(stop_price=stop_price):
            return ev.ExitsMoveAsked(
                bracket_id=bracket_id,
                stop_price=stop_price,
                take_profit_price=None,
                actor=DESK,
                reason="the rule breakeven_at_r",
                is_breakeven=True,
            )
        case AskMove():
            return ev.ExitsMoveAsked(
                bracket_id=bracket_id,
                stop_price=step.stop_price,
                take_profit_price=step.take_profit_price,
                targets=step.targets,
                actor=DESK,
                reason=step.reason,
                follows_fill=step.high_water is None,
                high_water=step.high_water,
            )
        case StopCameBack():
            return ev.StopPassed(bracket_id=bracket_id, passed=False, text="the price came back")
        case DoubtExits(order_ids=order_ids, why=why):
            return ev.ExitsAsleep(bracket_id=bracket_id, order_ids=order_ids, text=why)
        case EndUnprotected(why=why):
            return ev.UnprotectedEnded(bracket_id=bracket_id, why=why)
        case EndRepair(done=done, text=text):
            plan_id = bracket.repair.plan_id if bracket.repair is not None else ""
            return ev.RepairEnded(bracket_id=bracket_id, plan_id=plan_id, done=done, text=text)
    raise AssertionError(f"{step} is a request")
