"""One soak: a headless desk in this process, the exchange in another one, a load between two quiet moments."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.clock import Clock, SystemClock
from engine.config import Config
from engine.desk import Desk
from engine.garbage import short_pauses
from engine.heap import small_heap
from engine.intake.api import ApiSettings, serve_api
from engine.model.words import Mode
from engine.past.recording import taping
from engine.past.tape_file import TAPE_FILE
from engine.start import DeskSettings, start_desk
from tests.nightly.processes import exchange_process, until
from tests.soak.counts import Counts, count, leaks, least
from tests.soak.load import Load

FACTS_PER_S: Final = 20.0
REST_S: Final = 65.0
"""After the load: connections that idle (``KEEP_ALIVE_S``), look-ups and timers of what is over come to their end."""
LOOK_S: Final = 70.0
"""Then it is counted every second, and of each the least is taken. A desk at rest asks its broker for several things at
once now and then, and a connection stays for a while; and it gives its C heap back once a minute (``engine/heap.py``):
one look alone has a socket or 3 MB more, as luck has it. What leaks is there in every look."""
LOOK_EVERY_S: Final = 1.0


class Soak(NamedTuple):
    before: Counts
    """In quiet, after the warm-up."""
    after: Counts
    """In quiet, after the load."""
    facts: int
    faults: int
    refusals: int
    orders: int
    """In the book at the end."""

    @property
    def growth_pct(self) -> float:
        """Of the memory."""
        return 100 * (self.after.memory_mb / self.before.memory_mb - 1)

    @property
    def leaks(self) -> list[str]:
        return leaks(self.before, self.after)


async def soak(
    folder: Path, *, warm_up_s: float, seconds: float, rest_s: float = REST_S, look_s: float = LOOK_S, seed: int = 1
) -> Soak:
    """Durations in seconds of real time; the calm after warm-up and load comes on top."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = SystemClock()
    async with (
        exchange_process(seed=seed, log=folder / "exchange.log") as exchange,
        _desk(folder, exchange.url) as desk,
    ):
        load = Load(desk, exchange, clock, seed=seed, facts_per_s=FACTS_PER_S)

        async def is_open() -> bool:
            return desk.health().status == "ok"

        await until("the desk is ready", is_open)
        await load.run(warm_up_s)
        await load.calm()
        await clock.sleep(rest_s)
        before = await _least_of(look_s, clock)
        facts, faults = load.facts, load.faults
        await load.run(seconds)
        await load.calm()
        await clock.sleep(rest_s)
        after = await _least_of(look_s, clock)
        return Soak(
            before, after, load.facts - facts, load.faults - faults, load.refusals, len(desk.orders("all", 1_000_000))
        )


async def _least_of(seconds: float, clock: Clock) -> Counts:
    found = count()
    for _ in range(int(seconds / LOOK_EVERY_S)):
        await clock.sleep(LOOK_EVERY_S)
        found = least(found, count())
    return found


@asynccontextmanager
async def _desk(folder: Path, url: str) -> AsyncIterator[Desk]:
    """As ``main.py --headless`` runs it."""
    clock = SystemClock()
    settings = DeskSettings(mode=Mode.SIM, folder=folder / "sim", config=Config())
    api = ApiSettings(port=0, data_dir=folder, token_override=os.urandom(8).hex())
    async with (
        start_desk(settings, SimAccess(sim_endpoint(url), sim_keys()), clock) as desk,
        serve_api(desk, api, clock),
        taping(desk, settings.folder / TAPE_FILE, clock, keep_days=settings.config.replay.keep_days),
        short_pauses(clock, desk.is_quiet),
        small_heap(clock, desk.is_quiet),
    ):
        yield desk
