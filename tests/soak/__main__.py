"""``uv run python -m tests.soak --minutes 30``: a desk under load and faults, and what it holds before and after."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.soak.soak import Soak, soak

WARM_UP_MINUTES: Final = 8.0
"""Until the logs that keep a fixed number of lines are full."""
MOST_GROWTH_PCT: Final = 5.0


def main(arguments: list[str]) -> int:
    """Exit status 1 for a leak, or memory that grew by more than five percent."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, metavar="M", help="of load (30)")
    parser.add_argument("--warm-up", type=float, default=WARM_UP_MINUTES, metavar="M", help="before it (8)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="data folder and logs stay here")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="greenlight-") as temporary:
        folder = chosen.keep or Path(temporary)
        done = asyncio.run(soak(folder, warm_up_s=chosen.warm_up * 60, seconds=chosen.minutes * 60, seed=chosen.seed))
    _tell(done, chosen.minutes)
    return 1 if done.leaks or done.growth_pct > MOST_GROWTH_PCT else 0


def _tell(done: Soak, minutes: float) -> None:
    before, after = done.before, done.after
    rate = done.facts / (minutes * 60)
    print(f"{minutes:g} minutes, {done.facts} facts ({rate:.1f}/s), {done.faults} faults, {done.orders} orders")
    print(f"memory {before.memory_mb:.1f} -> {after.memory_mb:.1f} MB ({done.growth_pct:+.1f} %)")
    for what in ("timers", "sockets", "files"):
        print(f"{what} {getattr(before, what)} -> {getattr(after, what)}")
    for what in ("tasks", "threads"):
        print(f"{what} {getattr(before, what).total()} -> {getattr(after, what).total()}")
    print(f"leaks: {'; '.join(done.leaks) or 'none'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
