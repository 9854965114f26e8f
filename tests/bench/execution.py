"""From the click to the broker's word, in round trips: our desk and the pipeline that a user has today, side by side.

Both trade on the embedded exchange, each on an account and in a process of its own, a trade of one after a trade of the
other, with the plain round trip of the same exchange measured in between. "Market wait aside" takes off what the
exchange itself needed between acceptance and fill, by its own timestamps; the naive pipeline is given the same credit,
although its wait is hidden behind its polling.

    python -m tests.bench.execution [--trades N] [--latency-ms MS]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.desk import Desk
from tests.bench.naive import Trade, Trip
from tests.bench.report import head, p, say, table
from tests.bench.rig import CENT, PATIENCE_S, SYMBOLS, Moments, close_trade, desk_at, pending, signal_body
from tests.bench.venue import ROOT, Seen, Venue, venue_client, venue_process

WARM_UP = 3
"""Trades of each that are not counted: connections, caches and code are warm in a desk that has run for a minute."""


class Leg(msgspec.Struct, frozen=True):
    """One trade of one contestant. Seconds."""

    acknowledged_s: float
    protected_s: float
    market_wait_s: float
    naked_s: float
    requests: tuple[str, ...]
    """Those that reached the broker between the click and the confirmed stop, as ``METHOD path``."""
    has_target: bool
    """The broker holds a target besides the stop."""


# --- ours ------------------------------------------------------------------------------------------------------------


async def our_trade(desk: Desk, venue: Venue, symbol: str) -> Leg:
    signal_id = await pending(desk, signal_body(symbol, await venue.price(symbol)))
    moments = Moments(desk, signal_id)
    shown = desk.preview(signal_id)
    await venue.requests()
    clicked_s = time.monotonic()
    await desk.approve(signal_id, actor="bench", preview_id=shown.preview_id)
    await asyncio.wait_for(moments.protected.wait(), PATIENCE_S)
    seen = await venue.requests()
    at_broker = await venue.order(moments.entry_broker_id())
    naked_s = moments.bracket().naked_s
    await close_trade(desk, moments)
    assert moments.acknowledged_s is not None
    assert moments.protected_s is not None
    return Leg(
        acknowledged_s=moments.acknowledged_s - clicked_s,
        protected_s=moments.protected_s - clicked_s,
        market_wait_s=_seconds_between(at_broker["submitted_at"], at_broker["filled_at"]),
        naked_s=max(
            naked_s, *(_seconds_between(at_broker["filled_at"], leg["submitted_at"]) for leg in _stops(at_broker))
        ),
        requests=_within(seen, clicked_s, moments.protected_s),
        has_target=any(leg["stop_price"] is None for leg in at_broker["legs"]),
    )


def _stops(order: dict[str, Any]) -> list[dict[str, Any]]:
    found = [leg for leg in order["legs"] or () if leg["stop_price"] is not None]
    assert found, "the bracket has a stop at the broker"
    return found


def _seconds_between(earlier: str, later: str) -> float:
    return max(0.0, (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())


def _within(seen: list[Seen], from_s: float, to_s: float) -> tuple[str, ...]:
    return tuple(f"{request.method} {_general(request.path)}" for request in seen if from_s <= request.at_s <= to_s)


def _general(path: str) -> str:
    """``/v2/orders/4711...`` names one order; the kind of request is what counts."""
    return "/v2/orders/{id}" if path.startswith("/v2/orders/") else path


# --- theirs ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def naive_bot(url: str) -> AsyncIterator[Process]:
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.naive", url, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    try:
        await _expect(bot, b"ready")
        yield bot
    finally:
        bot.terminate()
        await bot.wait()


async def naive_trade(bot: Process, venue: Venue, symbol: str) -> Leg:
    price = await venue.price(symbol)
    wanted = Trade(
        symbol=symbol,
        stop_price=float((price * Decimal("0.97")).quantize(CENT)),
        take_profit_price=float((price * Decimal("1.03")).quantize(CENT)),
    )
    await venue.requests()
    assert bot.stdin is not None
    bot.stdin.write(msgspec.json.encode(wanted) + b"\n")
    trip = msgspec.json.decode(await _line(bot), type=Trip)
    seen = await venue.requests()
    await _expect(bot, b"flat")
    return Leg(
        acknowledged_s=trip.acknowledged_s - trip.approved_s,
        protected_s=trip.protected_s - trip.approved_s,
        market_wait_s=trip.market_wait_s,
        naked_s=trip.naked_s,
        requests=_within(seen, trip.approved_s, trip.protected_s),
        has_target=not trip.target_refused,
    )


async def _line(bot: Process) -> bytes:
    assert bot.stdout is not None
    line = await asyncio.wait_for(bot.stdout.readline(), PATIENCE_S)
    if not line:
        raise RuntimeError("the naive bot has ended")
    return line


async def _expect(bot: Process, word: bytes) -> None:
    line = await _line(bot)
    if line.strip() != word:
        raise RuntimeError(f"the naive bot said {line!r} instead of {word!r}")


# --- both ------------------------------------------------------------------------------------------------------------


async def measure(trades: int, latency_ms: float, folder: Path) -> None:
    ours: list[Leg] = []
    theirs: list[Leg] = []
    plain: dict[str, list[float]] = {"ours": [], "naive": []}
    with (
        venue_process(latency_ms=latency_ms, seed=7) as our_url,
        venue_process(latency_ms=latency_ms, seed=8) as naive_url,
    ):
        async with (
            venue_client(our_url) as our_venue,
            venue_client(naive_url) as naive_venue,
            desk_at(our_url, folder) as desk,
            naive_bot(naive_url) as bot,
        ):
            for number in range(WARM_UP + trades):
                symbol = SYMBOLS[number % len(SYMBOLS)]
                our_plain_s = await our_venue.round_trip_s()
                our_leg = await our_trade(desk, our_venue, symbol)
                naive_plain_s = await naive_venue.round_trip_s()
                naive_leg = await naive_trade(bot, naive_venue, symbol)
                if number >= WARM_UP:
                    ours.append(our_leg)
                    theirs.append(naive_leg)
                    plain["ours"].append(our_plain_s)
                    plain["naive"].append(naive_plain_s)
    _report(ours, theirs, plain)


def _report(ours: list[Leg], theirs: list[Leg], plain: dict[str, list[float]]) -> None:
    say(f"{len(ours)} trades of each, interleaved. Plain round trip (GET /v2/clock, warm), ms:")
    table(
        ("exchange of", "p50", "p95"),
        [(name, p(trips, 0.5) * 1000, p(trips, 0.95) * 1000) for name, trips in plain.items()],
    )
    rows = []
    for name, legs, unit_s in (
        ("ours", ours, p(plain["ours"], 0.5)),
        ("naive", theirs, p(plain["naive"], 0.5)),
    ):
        for what, values in (
            ("acknowledged", [leg.acknowledged_s for leg in legs]),
            ("protected, market wait aside", [leg.protected_s - leg.market_wait_s for leg in legs]),
            ("protected, all in", [leg.protected_s for leg in legs]),
        ):
            rows.append((f"{name}: approval to {what}", *(p(values, share) / unit_s for share in (0.5, 0.95, 1.0))))
    say("Round trips:")
    table(("", "p50", "p95", "max"), rows)
    say("Milliseconds without cover after the fill, by the broker's timestamps (ours: the worse of those and our own):")
    table(
        ("", "p50", "p95", "max"),
        [
            (name, *(p([leg.naked_s * 1000 for leg in legs], share) for share in (0.5, 0.95, 1.0)))
            for name, legs in (("ours", ours), ("naive", theirs))
        ],
    )
    targets = {name: sum(leg.has_target for leg in legs) for name, legs in (("ours", ours), ("naive", theirs))}
    say(f"With a target besides the stop: ours {targets['ours']}, naive {targets['naive']} of {len(ours)}.\n")
    say("Requests that reached the broker between click and confirmed stop, per approval:")
    kinds = sorted({request for leg in (*ours, *theirs) for request in leg.requests})
    counted = {
        name: Counter(r for leg in legs for r in leg.requests) for name, legs in (("ours", ours), ("naive", theirs))
    }
    table(
        ("", "ours", "naive"),
        [
            *((kind, *(counted[name][kind] / len(ours) for name in ("ours", "naive"))) for kind in kinds),
            ("all, mean", *(sum(counted[name].values()) / len(ours) for name in ("ours", "naive"))),
            ("all, p50", *(p([float(len(leg.requests)) for leg in legs], 0.5) for legs in (ours, theirs))),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, default=100)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    arguments = parser.parse_args()
    head(f"Execution, broker {arguments.latency_ms:g} ms away")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(arguments.trades, arguments.latency_ms, Path(folder)))


if __name__ == "__main__":
    main()
