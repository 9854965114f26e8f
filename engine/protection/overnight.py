"""Entries that should live for the day only.

Their group is ``gtc``, because one time in force governs all legs and the exits must outlive the day; so the desk
cancels them itself ten minutes before the close, and first thing when it starts on a later day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from engine.book import NEW_YORK, Book
from engine.clock import Clock
from engine.gateway import Gateway
from engine.model.order import Order
from engine.model.symbols import is_coin
from engine.model.words import OrderRole, TimeInForce
from engine.surroundings import World

LOOK_EVERY_S: Final = 1.0
BEFORE_CLOSE: Final = timedelta(minutes=10)


class DayEntries:
    def __init__(self, gateway: Gateway, book: Book, world: World, clock: Clock) -> None:
        self._gateway = gateway
        self._book = book
        self._world = world
        self._clock = clock

    async def run(self) -> None:
        while True:
            for order in self.due(self._clock.now()):
                await self._gateway.cancel(order.id, actor="desk", reason="the entry was for the day only")
            await self._clock.sleep(LOOK_EVERY_S)

    def due(self, now: datetime) -> list[Order]:
        """Working entries whose day is over, or will be in ten minutes."""
        closes_at = self._world.session_changes_at if self._world.session_open else None
        ending = closes_at is not None and closes_at - now <= BEFORE_CLOSE
        return [
            order
            for order in self._day_entries()
            if (ending and not is_coin(order.symbol)) or _day(order.created_at) < _day(now)
        ]

    def _day_entries(self) -> list[Order]:
        found = []
        for order_id in self._book.open_orders:
            order = self._book.orders[order_id]
            if order.role is not OrderRole.ENTRY or order.broker_id is None or order.cancel_requested_at is not None:
                continue
            bracket = self._book.brackets.get(order.bracket_id or "")
            record = self._book.signals.get(bracket.signal_id) if bracket is not None else None
            if record is not None and record.signal.entry.time_in_force is TimeInForce.DAY:
                found.append(order)
        return found


def _day(at: datetime) -> str:
    return at.astimezone(NEW_YORK).date().isoformat()
