"""What the adapter adds to a request: its own calls and bare aiohttp in turns, to the same exchange, in one run.

The bare request is what one would write without it: a warm session, the JSON decoded by msgspec, nothing checked. The
adapter's has a deadline, a place in the budget, evidence, typed fields and a classified outcome.

    python -m tests.bench.adapter [--requests N]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
import msgspec

from engine.alpaca.bodies import Body
from engine.alpaca.client import AlpacaClient, open_client
from engine.alpaca.credentials import sim_keys
from engine.alpaca.endpoints import SimAccess, sim_endpoint
from engine.alpaca.outcomes import Purpose
from engine.clock import SystemClock
from tests.bench.report import head, p, say, table
from tests.bench.venue import venue_process

WARM_UP: Final = 50
PER_MINUTE: Final = 1_000_000
"""So many that no request waits for the budget."""


def limit_order(number: str) -> Body:
    return {
        "client_order_id": number,
        "symbol": "AAPL",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "qty": "1",
        "limit_price": "9",
    }


async def took_ms(work: Awaitable[object]) -> float:
    began_s = time.perf_counter()
    await work
    return (time.perf_counter() - began_s) * 1_000


async def in_turns(
    ours: Callable[[int], Awaitable[object]], bare: Callable[[int], Awaitable[object]], count: int
) -> tuple[list[float], list[float]]:
    """Each once, again and again, so that both meet the same weather."""
    spent: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + count):
        for list_, work in zip(spent, (ours, bare), strict=True):
            ms = await took_ms(work(number))
            if number >= WARM_UP:
                list_.append(ms)
    return spent


async def measure(url: str, requests: int) -> None:
    rows = []
    async with (
        open_client(SimAccess(sim_endpoint(url), sim_keys()), SystemClock(), requests_per_minute=PER_MINUTE) as client,
        aiohttp.ClientSession(headers={"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}) as session,
    ):
        for name, ours, bare in _pairs(client, session, url):
            of_ours, of_bare = await in_turns(ours, bare, requests)
            added = p(of_ours, 0.5) - p(of_bare, 0.5)
            rows.append((name, p(of_ours, 0.5), p(of_bare, 0.5), added, p(of_ours, 0.95), p(of_bare, 0.95)))
    say(f"{requests} requests of each kind, in turns, ms:")
    table(("", "adapter p50", "bare p50", "added", "adapter p95", "bare p95"), rows)


def _pairs(
    client: AlpacaClient, session: aiohttp.ClientSession, url: str
) -> list[tuple[str, Callable[[int], Awaitable[object]], Callable[[int], Awaitable[object]]]]:
    async def get(path: str) -> object:
        async with session.get(url + path) as answer:
            return msgspec.json.decode(await answer.read())

    async def post(body: Body) -> object:
        async with session.post(f"{url}/v2/orders", data=msgspec.json.encode(body)) as answer:
            return msgspec.json.decode(await answer.read())

    return [
        ("GET clock", lambda _: client.clock(), lambda _: get("/v2/clock")),
        ("GET account", lambda _: client.account(), lambda _: get("/v2/account")),
        (
            "POST order",
            lambda number: client.submit(limit_order(f"ours-{number}"), purpose=Purpose.ENTRY),
            lambda number: post(limit_order(f"bare-{number}")),
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000)
    arguments = parser.parse_args()
    head("The adapter beside bare aiohttp")
    with venue_process(latency_ms=0, cash=1_000_000_000) as url:
        asyncio.run(measure(url, arguments.requests))


if __name__ == "__main__":
    main()
