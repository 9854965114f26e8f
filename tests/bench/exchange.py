"""What the exchange can take: order lives a second in memory, requests a second over the socket, memory over a million.

A life is a bracket bought at the market, filled, its exits armed, and closed by its target, with everything the
exchange does for it: three orders, two executions, one cancel, reservations, the account, the commits. Time is
virtual, the process one, the core one. Over the socket a client in a process of its own sends and reads orders.

    python -m tests.bench.exchange [--lives N] [--orders N] [--requests N]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp

from engine.clock import SystemClock
from engine.exchange.core import Exchange
from engine.exchange.requests import Ticket
from engine.exchange.server import serve_exchange
from engine.exchange.settings import ExchangeSettings
from tests.bench.report import head, say, table

STILL_S: Final = 1e9
"""Prices move by hand only."""
START: Final = datetime(2026, 8, 21, 14, tzinfo=UTC)
SYMBOLS: Final = ("AAPL", "MSFT", "SPY", "NVDA", "JPM")
AT_ONCE: Final = 20
"""Lives that overlap."""
RUNS: Final = 5
ROUND_S: Final = 0.05


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def monotonic_s(self) -> float:
        return self.passed_s

    async def sleep(self, seconds: float) -> None:
        self.passed_s += seconds


def bracket(symbol: str, price: Decimal) -> Ticket:
    return Ticket(
        symbol=symbol,
        side="buy",
        type="market",
        time_in_force="gtc",
        order_class="bracket",
        qty=Decimal(1),
        notional=None,
        limit_price=None,
        stop_price=None,
        trail_price=None,
        trail_percent=None,
        extended_hours=False,
        client_order_id=None,
        position_intent=None,
        take_profit_limit=(price * Decimal("1.02")).quantize(Decimal("0.01")),
        stop_loss_stop=(price * Decimal("0.9")).quantize(Decimal("0.01")),
    )


class Floorful:
    """An exchange without sockets in which lives are lived in rounds."""

    def __init__(self, db_path: Path | None = None) -> None:
        self.clock = Hand()
        settings = ExchangeSettings(symbols=SYMBOLS, quote_interval_s=STILL_S, cash=Decimal(10**9), db_path=db_path)
        self.exchange = Exchange(settings, self.clock)
        self.prices = {symbol: self.exchange.floor.mark(symbol) for symbol in SYMBOLS}

    def round(self, number: int) -> None:
        """``AT_ONCE`` lives in one symbol, from the submit to the target's execution."""
        symbol = SYMBOLS[number % len(SYMBOLS)]
        exchange, price = self.exchange, self.prices[symbol]
        for _ in range(AT_ONCE):
            exchange.submit(bracket(symbol, price))
            exchange.settle()
        self._pass()
        exchange.move_price(symbol, price * Decimal("1.03"))
        exchange.settle()
        self._pass()
        exchange.move_price(symbol, price)
        exchange.settle()
        assert not exchange.floor.account.positions, "a life has not ended"

    def _pass(self) -> None:
        end_s = self.clock.passed_s + ROUND_S
        while (wait_s := self.exchange.run_due()) and self.clock.passed_s + wait_s <= end_s:
            self.clock.passed_s += wait_s
        self.clock.passed_s = end_s
        self.exchange.run_due()


def lives_per_s(lives: int) -> list[float]:
    rates = []
    for _ in range(RUNS):
        floor = Floorful()
        rounds = lives // AT_ONCE
        for number in range(20):
            floor.round(number)
        started_s = time.process_time()
        for number in range(rounds):
            floor.round(number)
        rates.append(rounds * AT_ONCE / (time.process_time() - started_s))
        floor.exchange.close()
    return rates


# --- over the socket -------------------------------------------------------------------------------------------------


def _serve(ready: Any, stop: Any) -> None:
    async def serve() -> None:
        settings = ExchangeSettings(latency_ms=0.0, cash=Decimal(10**9))
        async with serve_exchange(settings, SystemClock()) as running:
            ready.put(running.url)
            while not stop.is_set():
                await asyncio.sleep(0.05)

    asyncio.run(serve())


async def _drive(url: str, requests: int, at_once: int = 8) -> tuple[float, float]:
    """Requests a second: limit orders submitted and canceled, and the clock read."""

    async def trade(session: aiohttp.ClientSession, count: int) -> None:
        body = {
            "symbol": "AAPL",
            "side": "buy",
            "type": "limit",
            "time_in_force": "day",
            "qty": "1",
            "limit_price": "9",
        }
        for _ in range(count // 2):
            async with session.post(f"{url}/v2/orders", json=body) as answer:
                placed = await answer.json()
            async with session.delete(f"{url}/v2/orders/{placed['id']}") as answer:
                assert answer.status == 204

    async def read(session: aiohttp.ClientSession, count: int) -> None:
        for _ in range(count):
            async with session.get(f"{url}/v2/clock") as answer:
                await answer.read()

    rates = []
    async with aiohttp.ClientSession() as session:
        await trade(session, 100)
        for work in (trade, read):
            started_s = time.perf_counter()
            await asyncio.gather(*(work(session, requests // at_once) for _ in range(at_once)))
            rates.append(requests / (time.perf_counter() - started_s))
    return rates[0], rates[1]


def requests_per_s(requests: int) -> tuple[float, float]:
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Queue(), context.Event()
    server = context.Process(target=_serve, args=(ready, stop))
    server.start()
    try:
        return asyncio.run(_drive(ready.get(timeout=30), requests))
    finally:
        stop.set()
        server.join(10)


# --- memory ----------------------------------------------------------------------------------------------------------


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def memory(orders: int) -> list[tuple[str, float, float]]:
    """Orders that the exchange has seen, its resident memory, and lives a second in the last tenth."""
    floor, rows, number = Floorful(), [], 0
    for share in range(1, 11):
        started_s, first = time.process_time(), number
        while number * AT_ONCE * 3 < orders * share / 10:
            floor.round(number)
            number += 1
        rate = (number - first) * AT_ONCE / (time.process_time() - started_s)
        rows.append((f"{number * AT_ONCE * 3:,}", rss_mb(), rate))
    floor.exchange.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lives", type=int, default=10_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=8_000)
    arguments = parser.parse_args()
    head("The exchange")
    rates = lives_per_s(arguments.lives)
    say(f"Order lives a second of one core, {arguments.lives:,} lives, {RUNS} runs:")
    table(
        ("median", "worst", "best"), [(f"{statistics.median(rates):,.0f}", f"{min(rates):,.0f}", f"{max(rates):,.0f}")]
    )
    traded, read = requests_per_s(arguments.requests)
    say("Requests a second over the socket, 8 connections, client in a process of its own:")
    table(("orders placed and canceled", "clock read"), [(f"{traded:,.0f}", f"{read:,.0f}")])
    if arguments.orders:
        say(f"Memory over {arguments.orders:,} orders:")
        table(("orders so far", "resident MB", "lives/s"), memory(arguments.orders))


if __name__ == "__main__":
    main()
