"""What the desk takes back by itself when its state or a rule says so: entries at work, and if need be all positions.

Safe to call again and again: an order whose cancel is asked for, and a trade that is on its way out, are left alone.
"""

from __future__ import annotations

from engine.book import Book
from engine.gateway import Gateway
from engine.model import events as ev
from engine.model.words import OrderRole
from engine.protection.supervisor import Supervisor
from engine.recorder import Recorder


class Withdrawal:
    def __init__(self, book: Book, recorder: Recorder, gateway: Gateway, supervisor: Supervisor) -> None:
        self._book = book
        self._recorder = recorder
        self._gateway = gateway
        self._supervisor = supervisor

    async def cancel_entries(self, *, actor: str, reason: str) -> None:
        """Ask for the cancel of every working entry."""
        for order_id in tuple(self._book.open_orders):
            order = self._book.orders[order_id]
            is_asked = order.cancel_requested_at is not None
            if order.role is OrderRole.ENTRY and order.is_open and order.broker_id is not None and not is_asked:
                await self._gateway.cancel(order_id, actor=actor, reason=reason)

    async def close_all(self, *, actor: str, reason: str) -> None:
        """Cancel entries, and hand every trade that holds or may still hold something to the supervisor."""
        await self.cancel_entries(actor=actor, reason=reason)
        for bracket_id in tuple(self._book.open_brackets):
            bracket = self._book.brackets[bracket_id]
            if bracket.closed_at is None and bracket.exit_requested_at is None:
                await self._recorder.commit_exit(ev.ExitRequested(bracket_id=bracket_id, actor=actor, reason=reason))
                self._supervisor.hurry(bracket.symbol)
