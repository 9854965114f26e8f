"""``uv run python -m tests.nightly.kill --rounds 100``: kills a real desk again and again, and checks both books."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.nightly.rounds import run_rounds


def main(arguments: list[str]) -> int:
    """Exit status 1 when something was wrong in a round."""
    parser = argparse.ArgumentParser(prog="python -m tests.nightly.kill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, metavar="N", help="how many (100)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="data folder and logs stay here")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="greenlight-") as temporary:
        return asyncio.run(_tell(chosen.rounds, chosen.seed, chosen.keep or Path(temporary)))


async def _tell(count: int, seed: int, folder: Path) -> int:
    began_s, failed, entries = time.perf_counter(), 0, 0
    async for done in run_rounds(count, seed=seed, folder=folder):
        failed += bool(done.wrong)
        entries = done.entries
        print(f"round {done.number:3} {done.scene:12} {'; '.join(done.wrong) or 'right'}", flush=True)
    took_s = time.perf_counter() - began_s
    print(f"{count} rounds of kill -9 in {took_s:.0f} s, {entries} entries, {failed or 'none'} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
