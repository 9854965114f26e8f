"""What the protection asks about the world outside its trades: session, halts, and the broker's own count of shares."""

from __future__ import annotations

from engine.alpaca.budget import Lane, reading_for
from engine.model.symbols import is_coin
from engine.model.words import Session
from engine.protection.case import Truth
from engine.reconcile import Reconciler
from engine.surroundings import World


class Around:
    def __init__(self, world: World, reconciler: Reconciler) -> None:
        self._world = world
        self._reconciler = reconciler

    def session(self, symbol: str) -> Session:
        """By the broker's own clock. Before it was read the core session is assumed: the broker refuses the rest.

        Coins trade round the clock.
        """
        if is_coin(symbol) or self._world.session_open is not False:
            return Session.CORE
        return Session.EXTENDED if self._world.extended_open else Session.CLOSED

    def is_halted(self, symbol: str) -> bool:
        return symbol in self._world.halted

    def truth(self, symbol: str) -> Truth | None:
        return self._reconciler.truths.get(symbol)

    async def read(self, symbol: str) -> None:
        with reading_for(Lane.PROTECT):
            await self._reconciler.symbols([symbol])
