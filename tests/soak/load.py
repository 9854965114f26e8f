"""Keeps a desk busy: signals and acts of the simulation's person, faults and fills at the exchange, at a steady rate.

The rate is that of the journal: so many facts a second. What is missed in a minute is caught up, not more.
"""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any, Final

import aiohttp
import msgspec

from engine.clock import Clock
from engine.desk import Desk
from engine.errors import CommandRefused
from engine.model.words import DeskState, OrderStatus, SignalStatus
from engine.trip_wire import FORCE, RELEASE
from tests.nightly.processes import Client, until
from tests.simulation.acts import ACTOR, draw_act
from tests.simulation.breakage import draw_fault
from tests.simulation.strategies import Strategies
from tests.simulation.weather import SYMBOLS

LOOK_S: Final = 0.1
FACTS_AN_ACT: Final = 5.0
"""About; with the desk behind its rate, more than one begins at a time."""
CAUGHT_UP_S: Final = 60.0
MOST_AT_ONCE: Final = 4
"""Acts that begin in one look."""
FAULT_EVERY_S: Final = 4.0
SHOCK_EVERY_S: Final = 6.0
TENDED_EVERY_S: Final = 5.0
"""How long a desk stays halted, paused or locked before its operator sees to it."""
CALM_S: Final = 60.0
CLOSING_S: Final = 0.5
SCOPES: Final = ("strategy:storm", *(f"symbol:{symbol}" for symbol in SYMBOLS))
"""Those that the acts of the simulation stop, beside the desk."""
QUEUE: Final = 25
"""With more waiting signals the operator decides in place of the strategies proposing."""


class Load:
    def __init__(self, desk: Desk, exchange: Client, clock: Clock, *, seed: int, facts_per_s: float) -> None:
        self._desk = desk
        self._exchange = exchange
        self._clock = clock
        self._dice = random.Random(f"{seed}/soak")
        self._facts_per_s = facts_per_s
        self._strategies = Strategies()
        self._number = 0
        self._at_work: set[asyncio.Task[None]] = set()
        self.facts = 0
        self.refusals = 0
        self.faults = 0

    async def run(self, seconds: float) -> None:
        """Returns after that time, with everything it began at an end."""
        clock, began_s = self._clock, self._clock.monotonic_s()
        owed, looked_s, seen = 0.0, began_s, self._desk.health().journal_seq
        fault_s, shock_s, tended_s = began_s, began_s, began_s
        while (now_s := clock.monotonic_s()) < began_s + seconds:
            seq = self._desk.health().journal_seq
            owed = min(CAUGHT_UP_S * self._facts_per_s, owed + self._facts_per_s * (now_s - looked_s) - (seq - seen))
            self.facts += seq - seen
            looked_s, seen = now_s, seq
            if owed > 0:
                for _ in range(min(MOST_AT_ONCE, 1 + int(owed / FACTS_AN_ACT))):
                    self._begin()
            if now_s >= fault_s:
                fault_s = now_s + FAULT_EVERY_S
                await self._break_something()
            if now_s >= shock_s:
                shock_s = now_s + SHOCK_EVERY_S
                await self._exchange.ask("POST", f"/_exchange/prices/{self._dice.choice(SYMBOLS)}", self._jump())
            if now_s >= tended_s:
                tended_s = now_s + TENDED_EVERY_S
                await self._tend()
            await clock.sleep(LOOK_S)
        await self._exchange.ask("DELETE", "/_exchange/faults")
        if self._at_work:
            await asyncio.wait(self._at_work)

    def _begin(self) -> None:
        waiting = self._desk.signals(SignalStatus.PENDING, QUEUE)
        proposes = self._dice.random() < 0.5 and len(waiting) < QUEUE
        task = asyncio.create_task(self._propose() if proposes else self._act(), name="load")
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _propose(self) -> None:
        self._number += 1
        try:
            await self._desk.receive(self._strategies.next(self._dice, self._number, self._desk))
        except CommandRefused:
            self.refusals += 1

    async def _act(self) -> None:
        try:
            await draw_act(self._dice)(self._desk, self._dice, self._clock)
        except CommandRefused:
            self.refusals += 1

    async def _break_something(self) -> None:
        """One fault, and none that stays: what nobody met is taken back with the next one."""
        self.faults += 1
        await self._exchange.ask("DELETE", "/_exchange/faults")
        await self._exchange.ask("POST", "/_exchange/faults", draw_fault(self._dice))

    def _jump(self) -> dict[str, Any]:
        return {"percent": msgspec.json.decode(str(self._dice.choice((-1, 1)) * Decimal("0.6")))}

    async def _tend(self) -> None:
        """Every scope is active again and every difference settled: a desk that stands still is no load."""
        desk = self._desk
        await self._answer_cancels()
        await self._try(desk.halt.resume(actor=ACTOR, confirm=RELEASE))
        await self._try(desk.set_state(DeskState.ACTIVE, actor=ACTOR, confirm=FORCE))
        for scope in SCOPES:
            await self._try(desk.set_state(DeskState.ACTIVE, scope=scope, actor=ACTOR, confirm=RELEASE))
        for order in desk.orders():
            if order.unresolved_since is not None:
                await self._settle(order.id)
        for difference in desk.differences():
            await self._try(desk.settle_difference(difference.id, settlement=difference.settlements[-1], actor=ACTOR))

    async def calm(self) -> None:
        """The exchange is well, every trade is closed and every signal decided."""
        desk = self._desk
        await self._exchange.ask("DELETE", "/_exchange/faults")
        await self._tend()

        async def is_quiet() -> bool:
            for signal in desk.signals(SignalStatus.PENDING):
                await self._try(desk.reject(signal.id, actor=ACTOR, reason="the soak is over"))
            for order in desk.orders():
                if order.unresolved_since is not None:
                    await self._settle(order.id)
            await self._answer_cancels()
            await self._try(desk.cancel_working_entries(actor=ACTOR))
            await self._try(desk.flatten(symbol=None, actor=ACTOR))
            await self._clock.sleep(CLOSING_S)
            waiting = [*desk.signals(SignalStatus.PENDING), *desk.signals(SignalStatus.APPROVED)]
            return not desk.brackets() and not waiting

        await until("every trade is closed", is_quiet, CALM_S)

    async def _answer_cancels(self) -> None:
        """Those that a fault has stuck: the venue answers at last."""
        for order in self._desk.orders():
            if order.status is OrderStatus.PENDING_CANCEL:
                await self._exchange.ask("POST", f"/_exchange/orders/{order.broker_id}/cancel")

    async def _settle(self, order_id: str) -> None:
        """With the broker's own page open: look an order of unknown fate up, or attest that it never came."""
        try:
            found = await self._exchange.ask("GET", f"/v2/orders:by_client_order_id?client_order_id={order_id}")
        except (msgspec.DecodeError, aiohttp.ClientError, TimeoutError):
            return  # a fault met the operator's own page: they look again
        if "code" in found:
            await self._try(self._desk.attest_order(order_id, actor=ACTOR, settlement="never_reached"))
        else:
            await self._try(self._desk.lookup_order(order_id, actor=ACTOR))

    async def _try(self, command: Any) -> None:
        try:
            await command
        except CommandRefused:
            self.refusals += 1
