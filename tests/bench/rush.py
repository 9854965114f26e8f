"""Many approvals at once under the broker's request limit, alone or beside another program on the same account.

What is measured is what the request budget promises: entries wait their turn, the broker refuses none of ours while we
are alone, and exits go out at once whatever happens. Over a simulated network in virtual time: minutes pass at once.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import aiohttp
import simloop

from engine.alpaca.bodies import simple_body
from engine.alpaca.budget import Lane
from engine.alpaca.client import AlpacaClient, open_client
from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.alpaca.errors import NotFound, Purpose
from engine.alpaca.retry import is_limit
from engine.clock import Clock, LoopClock
from engine.errors import RetryableError
from engine.exchange.server import ExchangeSettings, serve_exchange
from tests.unit.alpaca.virtual_time import EPOCH

EXIT_EVERY_S: Final = 4.0
NOBODYS_ORDER: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(slots=True)
class Rush:
    """How it went. Times in seconds."""

    entered: int = 0
    entries_refused: int = 0
    """429s that approved entries met; each goes out later."""
    exits: int = 0
    exits_refused: int = 0
    exit_took_s: list[float] = field(default_factory=list)
    """From the wish to the broker's answer."""
    foreign: int = 0
    """Requests of the other program."""
    lasted_s: float = 0.0


def run_rush(
    *, approvals: int, limit: int, used_before: int = 0, foreign_at_once: int = 0, foreign_per_s: float = 0.0
) -> Rush:
    """``approvals`` entries wanted at the same moment, an exit every 4 s, until the last entry is in."""
    loop = simloop.SimLoop(seed=3)
    try:
        return loop.run_until_complete(
            _rush(LoopClock(EPOCH), approvals, limit, used_before, foreign_at_once, foreign_per_s)
        )
    finally:
        loop.close()


async def _rush(
    clock: Clock, approvals: int, limit: int, used_before: int, foreign_at_once: int, foreign_per_s: float
) -> Rush:
    settings = ExchangeSettings(requests_per_minute=limit, latency_ms=80.0, symbols=("AAPL", "SPY"))
    told = Rush()
    async with (
        serve_exchange(settings, clock, host="localhost", port=8080) as running,
        open_client(SimAccess(sim_endpoint(running.url), sim_keys()), clock, requests_per_minute=limit) as client,
        aiohttp.ClientSession() as session,
    ):
        for _ in range(used_before):
            async with session.get(running.url + "/v2/clock") as answer:
                await answer.read()
            told.foreign += 1
        await client.clock()

        async def another_program() -> None:
            url = running.url + "/v2/clock"
            for number in itertools.count():
                if number >= foreign_at_once:
                    if foreign_per_s <= 0:
                        return
                    await clock.sleep(1 / foreign_per_s)
                async with session.get(url) as answer:
                    await answer.read()
                told.foreign += 1

        async def exits() -> None:
            while True:
                await _exit(client, clock, told)
                await clock.sleep(EXIT_EVERY_S)

        began_s = clock.monotonic_s()
        beside = [asyncio.create_task(another_program(), name="other"), asyncio.create_task(exits(), name="exits")]
        async with asyncio.TaskGroup() as group:
            for number in range(approvals):
                group.create_task(_enter(client, f"rush-{number}", told), name=f"entry {number}")
        told.lasted_s = clock.monotonic_s() - began_s
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    return told


async def _enter(client: AlpacaClient, client_order_id: str, told: Rush) -> None:
    """As the executor does: a request of the budget first, and back into the queue when the limit says no."""
    body = simple_body(
        client_order_id=client_order_id,
        symbol="AAPL",
        side="buy",
        type="limit",
        time_in_force="day",
        qty=Decimal(1),
        limit_price=Decimal(100),
    )
    while True:
        slot = await client.budget.acquire(Lane.ENTRY)
        try:
            await client.submit(body, purpose=Purpose.ENTRY, slot=slot)
        except RetryableError as refused:
            if not is_limit(refused):
                raise
            told.entries_refused += 1
        else:
            told.entered += 1
            return


async def _exit(client: AlpacaClient, clock: Clock, told: Rush) -> None:
    """A cancel; that the broker does not know the order proves that it looked."""
    wanted_s = clock.monotonic_s()
    told.exits += 1
    try:
        await client.cancel(NOBODYS_ORDER)
    except NotFound:
        told.exit_took_s.append(clock.monotonic_s() - wanted_s)
    except RetryableError:
        told.exits_refused += 1
