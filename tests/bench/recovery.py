"""How long a desk needs to come back after a crash, and whether an event costs more the longer the history is.

The history is made of real trades (``history.py``). Recovery is what ``start_desk`` does: open the journal (which walks
its tail's chain), fold every fact, and then connect and reconcile with the exchange until the start gate opens.

    python -m tests.bench.recovery [--events N] [--trades N] [--tries N]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

from engine.checkpoint import CHECKPOINT_FILE, Checkpoints, picture_of
from engine.clock import SystemClock
from engine.desk import Desk
from engine.journal.reader import verify
from engine.journal.sidecar import Sidecar
from engine.journal.writer import Journal
from engine.recall import fold, recall, standing
from tests.bench.history import Template, listening_recorder, record_template, write_history
from tests.bench.own_cost import own_cost_ms
from tests.bench.report import head, p, say, table
from tests.bench.rig import SYMBOLS, desk_at
from tests.bench.venue import Venue, venue_client, venue_process

TIMES_LONGER: Final = 10
ROUNDS: Final = 30
WARM_UP: Final = 5
TRIES: Final = 5


async def recovery_s(path: Path) -> dict[str, float]:
    """Seconds of each step: without a checkpoint, then of taking one, then with it."""
    found = {}
    Sidecar(path.with_name(CHECKPOINT_FILE)).discard()
    with ThreadPoolExecutor(1) as pool:
        for name in ("the whole journal", "from a checkpoint"):
            gc.collect()
            started_s = time.perf_counter()
            at = standing(path)
            journal = await Journal.open(path, pool, SystemClock(), behind=at)
            opened_s = time.perf_counter()
            memory = recall(path, at)
            ended_s = time.perf_counter()
            found[f"{name}: open"] = opened_s - started_s
            found[f"{name}: fold"] = ended_s - opened_s
            found[f"{name}: both"] = ended_s - started_s
            if at.seq == 0:
                checkpoints = Checkpoints(journal, memory.book, memory.activity, SystemClock(), pool)
                picture_s = time.perf_counter()
                picture_of(memory.book, memory.activity, journal.seq, SystemClock().now())
                found["a picture of the book (the loop waits)"] = time.perf_counter() - picture_s
                taking_s = time.perf_counter()
                await checkpoints.take()
                found["the first checkpoint (a worker thread)"] = time.perf_counter() - taking_s
                again_s = time.perf_counter()
                await checkpoints.take()
                found["the next one, nothing changed"] = time.perf_counter() - again_s
            await journal.close()
            del memory
    verifying_s = time.perf_counter()
    verify(path)
    found["beside it: verify the whole chain"] = time.perf_counter() - verifying_s
    return found


async def ready_s(url: str, folder: Path) -> float:
    """From the first line of ``start_desk`` to an open start gate with all links up."""
    started_s = time.perf_counter()
    async with desk_at(url, folder):
        return time.perf_counter() - started_s


async def event_costs_us(template: Template, paths: dict[str, Path], copies: dict[str, int]) -> dict[str, float]:
    """Microseconds for one more event (append, fold, listeners) behind each of the histories, measured in turns."""
    costs: dict[str, list[float]] = {name: [] for name in paths}
    async with AsyncExitStack() as stack:
        sides = {}
        for name, path in paths.items():
            pool = stack.enter_context(ThreadPoolExecutor(1))
            journal = await Journal.open(path, pool, SystemClock())
            stack.push_async_callback(journal.close)
            recorder, memory = listening_recorder(journal)
            fold(path, memory)
            sides[name] = (recorder, journal, template.copies(copies[name]))
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        for _ in range(ROUNDS):
            for name, (recorder, journal, facts) in sides.items():
                batch = list(islice(facts, len(template.payloads)))
                started_s = time.perf_counter()
                for fact in batch:
                    recorder.record(fact)
                costs[name].append((time.perf_counter() - started_s) / len(batch) * 1e6)
                await journal.durable()
    return {name: p(values, 0.5) for name, values in costs.items()}


async def approvals_ms(desks: dict[str, tuple[Desk, Venue]], trades: int) -> dict[str, list[float]]:
    """Approval to first byte on each desk, a trade of one after a trade of the other."""
    found: dict[str, list[float]] = {name: [] for name in desks}
    for number in range(WARM_UP + trades):
        for name, (desk, venue) in desks.items():
            cost = await own_cost_ms(desk, venue, SYMBOLS[number % len(SYMBOLS)])
            if number >= WARM_UP:
                found[name].append(cost.first_byte_ms)
    return found


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    sizes = {"short": arguments.events // TIMES_LONGER, "long": arguments.events}
    with venue_process(latency_ms=0) as url:
        async with venue_client(url) as venue:
            template = await record_template(url, venue, folder / "template")
    paths, copies = {}, {}
    for name, size in sizes.items():
        paths[name] = folder / name / "journal.db"
        copies[name] = await write_history(template, paths[name], size)
    per_trade = len(template.payloads) / template.trades
    say(f"Histories of {sizes['short']:,} and {sizes['long']:,} events ({per_trade:.0f} a trade). Seconds:")
    tries: dict[str, list[dict[str, float]]] = {name: [] for name in paths}
    for _ in range(arguments.tries):
        for name, path in paths.items():
            gc.collect()
            steps = await recovery_s(path)
            with venue_process(latency_ms=0) as url:
                steps["start_desk to an open gate"] = await ready_s(url, path.parent)
            tries[name].append(steps)
    rows = [
        (step, *(pick([one[step] for one in tries[name]]) for name in ("short", "long") for pick in (median, max)))
        for step in tries["long"][0]
    ]
    table((f"median and worst of {arguments.tries}", "short", "worst", "long", "worst"), rows)

    costs = await event_costs_us(template, paths, copies)
    say("One more event, microseconds (p50 of rounds in turns):")
    table(("short", "long", "ratio"), [(f"{costs['short']:.1f}", costs["long"], costs["long"] / costs["short"])])

    async with AsyncExitStack() as stack:
        desks = {}
        for name, path in paths.items():
            url = stack.enter_context(venue_process(latency_ms=0))
            venue = await stack.enter_async_context(venue_client(url))
            desks[name] = (await stack.enter_async_context(desk_at(url, path.parent)), venue)
        found = await approvals_ms(desks, arguments.trades)
    say(f"Approval to first byte, {arguments.trades} on each desk in turns, milliseconds:")
    short, long = ([p(found[name], share) for share in (0.5, 0.95)] for name in ("short", "long"))
    ratios = [after / before for before, after in zip(short, long, strict=True)]
    table(("history", "p50", "p95"), [("short", *short), ("long", *long), ("ratio", *ratios)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--trades", type=int, default=60)
    parser.add_argument("--tries", type=int, default=TRIES)
    arguments = parser.parse_args()
    head("Recovery, and the cost of history")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
