"""The embedded exchange in a process of its own, with its delays made even and its requests counted.

``main.py exchange`` serves the same thing; this entry only sets ``latency_jitter`` to 0, so that a ratio of round trips
means something, and keeps a log of the requests that reach the broker. The log is asked for under ``/_exchange``, where
calls carry no delay.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from engine.clock import SystemClock
from engine.exchange import server
from engine.exchange.rest import CONTROL_PREFIX, Request, Response, Rest
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange

ROOT: Final = Path(__file__).parents[2]
LOG_PATH: Final = f"{CONTROL_PREFIX}/requests"
FILLS_PATH: Final = f"{CONTROL_PREFIX}/trickle"
READY: Final = "venue ready "
STOP_S: Final = 5.0


class Seen(msgspec.Struct, frozen=True):
    """A request that reached the broker. ``at_s`` is the machine's monotonic clock, which all processes share."""

    at_s: float
    method: str
    path: str


# --- the process -----------------------------------------------------------------------------------------------------


class CountingRest(Rest):
    """The exchange's own handler, with a log."""

    log: Final[list[Seen]] = []
    trickle: Final[asyncio.Queue[Trickle]] = asyncio.Queue()

    def handle(self, request: Request) -> Response:
        if request.path == LOG_PATH:
            body = msgspec.json.encode(self.log)
            self.log.clear()
            return Response(body=body)
        if request.path == FILLS_PATH:
            self.trickle.put_nowait(msgspec.json.decode(request.body, type=Trickle))
            return Response(status=202)
        if not request.path.startswith(CONTROL_PREFIX):
            self.log.append(Seen(time.monotonic(), request.method, request.path))
        return super().handle(request)


class Trickle(msgspec.Struct, frozen=True):
    """Executions of one share each, on orders that rest away from the market."""

    orders: tuple[str, ...]
    per_s: float
    for_s: float


async def _execute(running: RunningExchange, wanted: Trickle) -> None:
    """Keeps the pace over the whole time: what a late wake-up missed follows at once, as a busy market would."""
    dice = random.Random(1)
    started_s, done = time.monotonic(), 0
    while (passed_s := time.monotonic() - started_s) < wanted.for_s:
        for _ in range(int(passed_s * wanted.per_s) - done):
            running.exchange.fill_by_hand(dice.choice(wanted.orders), Decimal(1), None)
            running.exchange.settle()
            done += 1
        await asyncio.sleep(0.001)


async def _serve(arguments: argparse.Namespace) -> None:
    settings = ExchangeSettings(
        seed=arguments.seed,
        latency_ms=arguments.latency_ms,
        latency_jitter=0.0,
        cash=Decimal(arguments.cash),
        requests_per_minute=None,
    )
    server.Rest = CountingRest  # type: ignore[misc]
    async with serve_exchange(settings, SystemClock()) as running:
        sys.stdout.write(f"{READY}{running.url}\n")
        sys.stdout.flush()
        while True:
            await _execute(running, await CountingRest.trickle.get())


# --- its client ------------------------------------------------------------------------------------------------------


@contextmanager
def venue_process(*, latency_ms: float, seed: int = 7, cash: int = 1_000_000) -> Iterator[str]:
    """The address of an exchange that runs until the block ends."""
    command = [sys.executable, "-m", "tests.bench.venue", f"--latency-ms={latency_ms}", f"--seed={seed}"]
    process = subprocess.Popen([*command, f"--cash={cash}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith(READY):
            raise RuntimeError(f"the exchange did not start: {line!r}")
        yield line.removeprefix(READY).strip()
    finally:
        process.terminate()
        process.wait(STOP_S)


class Venue:
    """What a measurement asks the exchange, over a warm connection."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def _get(self, path: str, **params: str) -> Any:
        async with self._session.get(self.url + path, params=params) as answer:
            return msgspec.json.decode(await answer.read())

    async def round_trip_s(self) -> float:
        """One ``GET /v2/clock``, from the call to the last byte of its answer."""
        started_s = time.perf_counter()
        await self._get("/v2/clock")
        return time.perf_counter() - started_s

    async def requests(self) -> list[Seen]:
        """Those since the last time this was asked."""
        async with self._session.get(self.url + LOG_PATH) as answer:
            return msgspec.json.decode(await answer.read(), type=list[Seen])

    async def price(self, symbol: str) -> Decimal:
        found = await self._get("/v2/stocks/quotes/latest", symbols=symbol)
        return Decimal(str(found["quotes"][symbol]["ap"]))

    async def order(self, order_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._get(f"/v2/orders/{order_id}", nested="true")
        return found

    async def trickle(self, wanted: Trickle) -> None:
        async with self._session.post(self.url + FILLS_PATH, data=msgspec.json.encode(wanted)) as answer:
            await answer.read()


@asynccontextmanager
async def venue_client(url: str) -> AsyncIterator[Venue]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield Venue(session, url)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency-ms", type=float, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--cash", type=int, default=1_000_000)
    asyncio.run(_serve(parser.parse_args()))
