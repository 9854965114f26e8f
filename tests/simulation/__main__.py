"""``python -m tests.simulation``: runs many seeds on all cores, and shrinks each failure to a short story.

uv run python -m tests.simulation --seeds 100000 --from 0 --jobs 2 --minutes 60
uv run python -m tests.simulation --table      # breaks each safety mechanism and counts the seeds until it shows
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.simulation.case import Case
from tests.simulation.runner import HASHES, report, run_cases
from tests.simulation.sabotage import print_table
from tests.simulation.shrink import Shrinker
from tests.simulation.storm import Outcome


def main(arguments: list[str]) -> int:
    """Exit status 1 when a seed failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many (100)")
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="SEED", help="the first one (0)")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes; as many as there are cores when absent")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no further seed after this time")
    parser.add_argument("--story", type=int, default=40, metavar="LINES", help="told of each failing seed (40)")
    parser.add_argument("--shrink", type=float, default=120, metavar="S", help="seconds spent on each failure (120)")
    parser.add_argument("--table", action="store_true", help="the table of broken safeties in place of seeds")
    chosen = parser.parse_args(arguments)
    if chosen.table:
        return print_table(jobs=chosen.jobs)
    began_s, outcomes = time.perf_counter(), 0
    virtual_s = work_s = 0.0
    failed: list[Outcome] = []
    cases = (Case(seed) for seed in range(chosen.first, chosen.first + chosen.seeds))
    for outcome in run_cases(cases, jobs=chosen.jobs, minutes=chosen.minutes):
        outcomes += 1
        virtual_s += outcome.virtual_s
        work_s += outcome.real_s
        if not outcome.ok:
            failed.append(outcome)
            print(report(outcome, lines=0), flush=True)
    took_s = time.perf_counter() - began_s
    print(
        f"{outcomes} seeds in {took_s:.1f} s: {outcomes / took_s:.1f} seeds/s, {outcomes / work_s:.1f} a core; "
        f"{virtual_s / 3600:.1f} h of virtual time, {virtual_s / work_s:.0f} virtual seconds a second and core"
    )
    print(f"{len(failed)} failed: {' '.join(str(one.seed) for one in failed)}" if failed else "none failed", flush=True)
    for one in failed:
        _tell_short(one, seconds=chosen.shrink, lines=chosen.story)
    return 1 if failed else 0


def _tell_short(outcome: Outcome, *, seconds: float, lines: int) -> None:
    """The shortest story of a failure, and the line that makes a test of it."""
    shrinker = Shrinker(outcome, seconds=seconds)
    small = shrinker.shrink() if seconds > 0 else outcome
    before, after = len(outcome.case.happenings()), len(small.case.happenings())
    print(f"\n--- seed {outcome.seed}: {before} happenings shrunk to {after} in {shrinker.tries} tries")
    print(report(small, lines=lines))
    print(f'  for tests/simulation/test_seeds.py:\n    "{small.violations[0].invariant}": {small.case!r},', flush=True)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != HASHES["PYTHONHASHSEED"]:  # a case replays only where sets are walked alike
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]], os.environ | HASHES)
    sys.exit(main(sys.argv[1:]))
