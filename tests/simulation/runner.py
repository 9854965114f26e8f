"""Many seeds on all cores, in processes whose hashes are fixed: sets of strings are walked alike, a seed is one run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import batched
from multiprocessing import get_context
from typing import Final
from unittest import mock

from tests.simulation.storm import Outcome, simulate

HASHES: Final = {"PYTHONHASHSEED": "0"}
MOST_AT_ONCE: Final = 5
"""Seeds that a process is handed at a time: few enough that all processes end together."""


def run_seeds(seeds: Sequence[int], *, jobs: int | None = None) -> Iterator[Outcome]:
    """Outcomes as they come in, not in the order of the seeds."""
    jobs = min(jobs or os.cpu_count() or 1, len(seeds))
    at_once = max(1, min(MOST_AT_ONCE, len(seeds) // jobs))
    with (
        mock.patch.dict(os.environ, HASHES),
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
    ):
        running = [pool.submit(_simulate, some) for some in batched(seeds, at_once, strict=False)]
        for done in as_completed(running):
            yield from done.result()


def _simulate(seeds: tuple[int, ...]) -> list[Outcome]:
    return [simulate(seed) for seed in seeds]


def report(outcome: Outcome, *, lines: int) -> str:
    """A failing seed as a short story: what is wrong, and what happened just before the first wrong thing."""
    words = [f"seed {outcome.seed}: {len(outcome.violations)} violations in {outcome.virtual_s:.0f} s"]
    words += [f"  {v.invariant} at {v.at_s:.3f} s: {v.text}" for v in outcome.violations[:10]]
    if lines:
        words += ["  until then:", *(f"    {line}" for line in outcome.story[-lines:])]
    return "\n".join(words)
