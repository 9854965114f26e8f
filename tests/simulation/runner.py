"""Many cases on all cores, in processes whose hashes are fixed: sets of strings are walked alike, a seed is one run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import batched
from multiprocessing import get_context
from typing import Final
from unittest import mock

from tests.simulation.case import Case
from tests.simulation.storm import Outcome, simulate

HASHES: Final = {"PYTHONHASHSEED": "0"}
AT_ONCE: Final = 4
"""Cases that a process is handed at a time: few enough that all processes end together."""
STORY_LINES: Final = 40


def run_cases(cases: Iterable[Case], *, jobs: int | None = None, minutes: float | None = None) -> Iterator[Outcome]:
    """Outcomes as they come in, not in the order of the cases. After ``minutes`` no further case is begun."""
    jobs = jobs or os.cpu_count() or 1
    until_s = None if minutes is None else time.perf_counter() + minutes * 60
    waiting = iter(batched(cases, AT_ONCE, strict=False))
    with mock.patch.dict(os.environ, HASHES), ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running: set[Future[list[Outcome]]] = set()
        while True:
            while len(running) < 2 * jobs and (until_s is None or time.perf_counter() < until_s):
                some = next(waiting, None)
                if some is None:
                    break
                running.add(pool.submit(_simulate, some))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield from future.result()


def run_seeds(seeds: Iterable[int], *, jobs: int | None = None) -> Iterator[Outcome]:
    return run_cases((Case(seed) for seed in seeds), jobs=jobs)


def _simulate(cases: tuple[Case, ...]) -> list[Outcome]:
    return [simulate(case) for case in cases]


def report(outcome: Outcome, *, lines: int = STORY_LINES) -> str:
    """A failing case as a short story: what is wrong, and what happened just before the first wrong thing."""
    words = [f"{outcome.case!r}: {len(outcome.violations)} violations in {outcome.virtual_s:.0f} s"]
    words += [f"  {v.invariant} at {v.at_s:.3f} s: {v.text}" for v in outcome.violations[:10]]
    if lines:
        words += ["  until then:", *(f"    {line}" for line in outcome.story[-lines:])]
    return "\n".join(words)
