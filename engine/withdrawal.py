"""What the desk takes back when a state or a rule says so: entries at work, and if need be all positions.

Safe to call again and again: a trade that is on its way out, and an order whose cancel was asked for a moment ago, are
left alone. A cancel whose answer never came, or that the broker refused, is asked again: entries that a state forbids
by whoever keeps that state, and every other cancel that is on record, a person's too, by ``keep_asking``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from engine.book import Book
from engine.clock import Clock
from engine.differences import AT_REST
from engine.gateway import Gateway
from engine.model import events as ev
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus
from engine.protection.case import CANCEL_STUCK_S, DESK
from engine.protection.supervisor import Supervisor
from engine.recorder import Recorder

log = logging.getLogger(__name__)

AT_WORK: Final = AT_REST | {OrderStatus.PARTIALLY_FILLED}
ASK_AGAIN_S: Final = CANCEL_STUCK_S
ASK_AGAIN_MOST_S: Final = 60.0
LOOK_EVERY_S: Final = 1.0
ANSWER_WITHIN_S: Final = 2.0


def wish_died(order_id: str) -> ev.CancelRefused:
    """With the process that had it: nobody may remember it. The supervisor asks anew for what it still wants gone."""
    why = "The desk stopped before the broker took the cancel; ask again if it is still wanted."
    return ev.CancelRefused(order_id=order_id, text=why)


class Withdrawal:
    def __init__(self, book: Book, recorder: Recorder, gateway: Gateway, supervisor: Supervisor, clock: Clock) -> None:
        self._book = book
        self._recorder = recorder
        self._gateway = gateway
        self._supervisor = supervisor
        self._clock = clock
        self._began_at = clock.now()
        self._asked_at_s: dict[str, float] = {}
        """Entry -> when its cancel was last asked for from here, in the loop's seconds."""

    async def cancel_entries(
        self,
        *,
        actor: str,
        reason: str,
        chosen: Callable[[Order], bool] = lambda _: True,
        within_s: float | None = ANSWER_WITHIN_S,
    ) -> list[str]:
        """Ask for the cancel of every working entry that is ``chosen``, all at once; the ids of those asked for.

        Returns after ``within_s`` whatever the broker does: a wish that it has not taken by then is asked anew by
        whoever keeps the state, and holds up no other one. None waits for the last answer.
        """
        due = [order.id for order in self._working() if chosen(order) and self._is_due(order)]
        now_s = self._clock.monotonic_s()
        self._asked_at_s = {key: at for key, at in self._asked_at_s.items() if key in self._book.open_orders}
        self._asked_at_s.update(dict.fromkeys(due, now_s))
        await self._ask(due, actor=actor, reason=reason, within_s=within_s)
        return due

    async def keep_asking(self) -> None:
        """For ever. Who wants out has asked once and goes by what the screen says: the desk sees the wish through.

        The broker has taken a cancel when it shows the order as ``pending_cancel`` or ended. One that it shows at work
        all the same was lost on the way, or the venue refused it (``order_cancel_rejected``).
        """
        while True:
            orders = [self._book.orders[key] for key in self._book.open_orders]
            for order in filter(self._outlived_its_desk, orders):
                self._recorder.record(wish_died(order.id))
            due = [order.id for order in orders if self._fell(order)]
            await self._ask(due, actor=DESK, reason="The cancel was asked for and the order is still at work")
            await self._clock.sleep(LOOK_EVERY_S)

    def _fell(self, order: Order) -> bool:
        """Whether a cancel on record came to nothing, and it is time again: after 3, 6, 12 seconds and so on."""
        asked, since = order.cancel_requested_at, order.cancel_since
        if asked is None or order.broker_id is None or order.status is OrderStatus.PENDING_CANCEL:
            return False
        if asked < self._began_at:
            return False  # the wish of a desk that stopped
        if self._gateway.is_canceling(order.id):
            return False
        lasted_s = (asked - (since or asked)).total_seconds()
        wait_s = min(ASK_AGAIN_MOST_S, max(ASK_AGAIN_S, lasted_s))
        return (self._clock.now() - asked).total_seconds() >= wait_s

    def _outlived_its_desk(self, order: Order) -> bool:
        """Whether the broker had the cancel when the last desk stopped, and shows the order at work to this one."""
        asked, proof = order.cancel_requested_at, order.evidence
        is_of_the_last = asked is not None and asked < self._began_at
        is_new = proof is not None and proof.at >= self._began_at
        return is_of_the_last and is_new and order.status in AT_WORK

    async def close_all(self, *, actor: str, reason: str) -> None:
        """Hand every trade that holds or may still hold something to the supervisor, and cancel entries."""
        for bracket_id in tuple(self._book.open_brackets):
            bracket = self._book.brackets[bracket_id]
            if bracket.closed_at is None and bracket.exit_requested_at is None:
                await self._recorder.commit_exit(ev.ExitRequested(bracket_id=bracket_id, actor=actor, reason=reason))
                self._supervisor.hurry(bracket.symbol)
        await self.cancel_entries(actor=actor, reason=reason)

    async def _ask(self, due: list[str], *, actor: str, reason: str, within_s: float | None = ANSWER_WITHIN_S) -> None:
        try:
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(self._gateway.cancel(order_id, actor=actor, reason=reason) for order_id in due))
        except TimeoutError:
            log.warning("the broker has not taken all cancels within %g s", within_s)

    def _working(self) -> list[Order]:
        """Entries that the broker has. One of unknown fate is looked up first, and asked for when it is found."""
        orders = map(self._book.orders.__getitem__, self._book.open_orders)
        return [order for order in orders if order.role is OrderRole.ENTRY and order.broker_id is not None]

    def _is_due(self, order: Order) -> bool:
        if self._clock.monotonic_s() - self._asked_at_s.get(order.id, float("-inf")) < ASK_AGAIN_S:
            return False
        asked = order.cancel_requested_at
        if asked is None and order.status is OrderStatus.PENDING_CANCEL:
            asked = order.status_since  # by another hand
        return asked is None or (self._clock.now() - asked).total_seconds() >= ASK_AGAIN_S
