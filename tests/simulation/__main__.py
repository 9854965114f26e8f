"""``python -m tests.simulation --seeds N [--first SEED] [--jobs N] [--story LINES]``: runs seeds, prints what fails.

Exit status 1 when a seed failed.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.runner import is_reproducible, report, run_again_reproducibly, run_seeds


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=None, help="processes; all cores when absent")
    parser.add_argument("--story", type=int, default=0, help="lines of the story told of each failing seed")
    chosen = parser.parse_args(arguments)
    if not is_reproducible():
        return run_again_reproducibly(arguments)
    began_s, failed, virtual_s, work_s = time.perf_counter(), [], 0.0, 0.0
    for outcome in run_seeds(chosen.first, chosen.seeds, jobs=chosen.jobs):
        virtual_s += outcome.virtual_s
        work_s += outcome.real_s
        if not outcome.ok:
            failed.append(outcome.seed)
            print(report(outcome, lines=chosen.story), flush=True)
    took_s = time.perf_counter() - began_s
    print(
        f"{chosen.seeds} seeds in {took_s:.1f} s: {chosen.seeds / took_s:.1f} seeds/s, "
        f"{chosen.seeds / work_s:.1f} a core, {virtual_s / 3600:.1f} h of virtual time"
    )
    print(f"failed: {sorted(failed)}" if failed else "none failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
