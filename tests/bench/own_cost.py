"""What the desk itself adds: from the click to the first byte of the order, and how late its loop runs under load.

The exchange runs in a process of its own and answers at once. The click is the first line of ``Desk.approve``; the
first byte is noted by the adapter. Between them lie the gate (twice), the approval and the intent on disk. A bare write
with fsync on the same disk is measured between the trades. With ``--window`` the whole window is open, offscreen, on
the same loop, as ``main.py`` runs it.

    python -m tests.bench.own_cost [--trades N] [--events-per-s N] [--for-s S] [--window]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from engine.clock import SystemClock
from engine.desk import Desk
from engine.garbage import short_pauses
from engine.model.events import OrderReported, Recorded
from tests.bench.report import head, p, say, table
from tests.bench.rig import (
    CENT,
    PATIENCE_S,
    SYMBOLS,
    Moments,
    bench_config,
    close_trade,
    desk_at,
    pending,
    signal_body,
    until,
)
from tests.bench.venue import Trickle, Venue, venue_client, venue_process

WARM_UP: Final = 5
PROBE_S: Final = 0.005
RESTING_SHARES: Final = 5_000
BLOCK: Final = b"x" * 4096


# --- click to first byte ---------------------------------------------------------------------------------------------


class OwnCost(msgspec.Struct, frozen=True):
    """Of one approval, milliseconds."""

    first_byte_ms: float
    """From the click to the first byte of the order."""
    rules_ms: float
    """The gate's part of it, once; it runs a second time before the intent."""


async def own_cost_ms(desk: Desk, venue: Venue, symbol: str) -> OwnCost:
    """One trade from its signal to flat again; read from the desk's own timeline of it."""
    signal_id = await pending(desk, signal_body(symbol, await venue.price(symbol)))
    moments = Moments(desk, signal_id)
    shown = desk.preview(signal_id)
    await desk.approve(signal_id, actor="bench", preview_id=shown.preview_id)
    await asyncio.wait_for(moments.protected.wait(), PATIENCE_S)
    await until(lambda: any(span.label == "Submit" for span in desk.timeline(signal_id)))
    spans = {span.label: span for span in desk.timeline(signal_id)}
    await close_trade(desk, moments)
    clicked_ms, ruled_ms = spans["You decided"].end_ms, spans["Rules"].end_ms
    assert clicked_ms is not None
    assert ruled_ms is not None
    return OwnCost(spans["Submit"].start_ms - clicked_ms, ruled_ms - spans["Rules"].start_ms)


async def own_costs(desk: Desk, venue: Venue, folder: Path, trades: int) -> None:
    costs: list[OwnCost] = []
    fsyncs_ms: list[float] = []
    with (folder / "fsync").open("wb", buffering=0) as beside:
        for number in range(WARM_UP + trades):
            cost = await own_cost_ms(desk, venue, SYMBOLS[number % len(SYMBOLS)])
            fsync_ms = _fsync_ms(beside.fileno())
            if number >= WARM_UP:
                costs.append(cost)
                fsyncs_ms.append(fsync_ms)
    whole = [cost.first_byte_ms for cost in costs]
    shares = (0.5, 0.95, 0.99, 1.0)
    say(f"{trades} approvals, milliseconds:")
    table(
        ("", "p50", "p95", "p99", "max"),
        [
            ("approval to first byte", *(p(whole, share) for share in shares)),
            ("of that, the rules", *(p([cost.rules_ms for cost in costs], share) for share in shares)),
            ("a bare fsync beside", *(p(fsyncs_ms, share) for share in shares)),
            ("approval less one fsync", *(p(whole, share) - p(fsyncs_ms, share) for share in shares)),
        ],
    )


def _fsync_ms(file: int) -> float:
    started_s = time.perf_counter()
    os.write(file, BLOCK)
    os.fsync(file)
    return (time.perf_counter() - started_s) * 1000


# --- loop lag --------------------------------------------------------------------------------------------------------


async def lags_ms(for_s: float) -> list[float]:
    """How late a timer of 5 ms fires, again and again."""
    loop = asyncio.get_running_loop()
    lags = []
    end_s = loop.time() + for_s
    while (now_s := loop.time()) < end_s:
        await asyncio.sleep(PROBE_S)
        lags.append(max(0.0, (loop.time() - now_s - PROBE_S) * 1000))
    return lags


async def rest_entries(desk: Desk, venue: Venue) -> list[str]:
    """One large entry a symbol, far enough from the market to be filled by hand alone. Their ids at the broker."""
    resting = []
    for symbol in SYMBOLS:
        price = await venue.price(symbol)
        limit = (price * Decimal("0.93")).quantize(CENT)
        signal_id = await pending(desk, signal_body(symbol, price, qty=RESTING_SHARES, limit_price=limit))
        moments = Moments(desk, signal_id)
        await desk.approve(signal_id, actor="bench")
        async with asyncio.timeout(PATIENCE_S):
            while moments.acknowledged_s is None:
                await asyncio.sleep(0.005)
        resting.append(moments.entry_broker_id())
        moments.leave()
    return resting


async def lag_under_load(desk: Desk, venue: Venue, per_s: float, for_s: float) -> None:
    resting = await rest_entries(desk, venue)
    idle = await lags_ms(3.0)
    arrived = 0

    def count(records: Sequence[Recorded]) -> None:
        nonlocal arrived
        arrived += sum(isinstance(recorded.event, OrderReported) for recorded in records)

    leave = desk.bus.on_records(count)
    await venue.trickle(Trickle(orders=tuple(resting), per_s=per_s, for_s=for_s + 1.0))
    await asyncio.sleep(0.5)
    arrived, started_s, worked_s = 0, time.monotonic(), time.process_time()
    busy = await lags_ms(for_s)
    seconds = time.monotonic() - started_s
    load = (time.process_time() - worked_s) / seconds
    leave()
    came = f"{arrived / seconds:,.0f} of {per_s:,.0f} executions a second came in, {load:.0%} of a core used"
    say(f"Loop lag (how late a 5 ms timer fires), ms; {came}:")
    table(
        ("", "p50", "p99", "max"),
        [(name, *(p(lags, share) for share in (0.5, 0.99, 1.0))) for name, lags in (("idle", idle), ("load", busy))],
    )


# --- running it ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def watched(desk: Desk, folder: Path, *, window: bool) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(short_pauses(SystemClock(), desk.is_quiet))
        if window:
            from gui.app import show_window

            layout = folder / "layout.ini"
            await stack.enter_async_context(show_window(desk, layout_file=layout, on_close=lambda: None))
            await asyncio.sleep(3.0)  # the charts are imported behind the first paint
        yield


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    config = bench_config(
        limits={"max_symbol_exposure_pct": 1000.0},
        protection={"partial_rescue_after_s": 86_400.0},
    )
    with venue_process(latency_ms=0, cash=1_000_000_000) as url:
        async with (
            venue_client(url) as venue,
            desk_at(url, folder, config) as desk,
            watched(desk, folder, window=arguments.window),
        ):
            await own_costs(desk, venue, folder, arguments.trades)
            if arguments.events_per_s > 0:
                await lag_under_load(desk, venue, arguments.events_per_s, arguments.for_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, default=100)
    parser.add_argument("--events-per-s", type=float, default=1000.0)
    parser.add_argument("--for-s", type=float, default=10.0)
    parser.add_argument("--window", action="store_true")
    arguments = parser.parse_args()
    head(f"Own cost, {'window open (offscreen)' if arguments.window else 'headless'}")
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.window:
            asyncio.run(measure(arguments, Path(folder)))
            return
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        from main import import_before_qt

        import_before_qt()
        from qasync import QEventLoop

        from gui.app import make_application

        application = make_application(sys.argv[:1])
        with asyncio.Runner(loop_factory=lambda: QEventLoop(application)) as runner:
            runner.run(measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
