"""Many seeds on all cores, each process with the same hash seed, so that a seed is the same run everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import batched
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from tests.simulation.world import Outcome, simulate

HASH_SEED: Final = "0"
"""Sets of strings are walked in the same order in every process."""
ROOT: Final = Path(__file__).parents[2]
A_FEW: Final = 5


def is_reproducible() -> bool:
    return os.environ.get("PYTHONHASHSEED") == HASH_SEED


def run_again_reproducibly(arguments: list[str]) -> int:
    """The same command in a process whose hashes are fixed; returns its exit status."""
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": HASH_SEED}, cwd=ROOT, check=False).returncode


def run_seeds(first: int, count: int, *, jobs: int | None = None) -> Iterator[Outcome]:
    """Outcomes as they come in, not in the order of the seeds."""
    seeds = range(first, first + count)
    jobs = min(jobs or os.cpu_count() or 1, count)
    if jobs == 1:
        yield from map(simulate, seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_simulate_some, some) for some in batched(seeds, A_FEW, strict=False)]
        for done in as_completed(running):
            yield from done.result()


def _simulate_some(seeds: tuple[int, ...]) -> list[Outcome]:
    return [simulate(seed) for seed in seeds]


def report(outcome: Outcome, *, lines: int) -> str:
    """A failing seed as a short story: what is wrong, and what happened just before each first wrong thing."""
    words = [f"seed {outcome.seed}: {len(outcome.violations)} violations in {outcome.virtual_s:.0f} s"]
    words += [f"  {v.invariant} at {v.at_s:.3f} s: {v.text}" for v in outcome.violations[:10]]
    words += ["  the end of the story:"] + [f"    {line}" for line in outcome.story[-lines:]] if lines else []
    return "\n".join(words)
