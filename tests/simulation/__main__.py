"""``python -m tests.simulation --seeds N [--first SEED]``: runs seeds on all cores and prints those that fail."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.runner import report, run_seeds


def main(arguments: list[str]) -> int:
    """Exit status 1 when a seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many (100)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first one (0)")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes; as many as there are cores when absent")
    parser.add_argument("--story", type=int, default=25, metavar="LINES", help="told of each failing seed (25)")
    chosen = parser.parse_args(arguments)
    began_s, failed, virtual_s, work_s = time.perf_counter(), [], 0.0, 0.0
    for outcome in run_seeds(range(chosen.first, chosen.first + chosen.seeds), jobs=chosen.jobs):
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
    print(f"failed: {' '.join(map(str, sorted(failed)))}" if failed else "none failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
