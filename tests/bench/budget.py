"""200 approvals at once, 200 requests a minute: who is refused, and does an exit ever wait?

Once alone, and then beside another program that spends from the same limit: half of it before, some of it steadily, or
half of it in the very moment of the approvals, which no header has told yet. In virtual time, with 80 ms to the broker
and back.

    python -m tests.bench.budget [--approvals N] [--limit N]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from tests.bench.report import head, p, table
from tests.bench.rush import Rush, run_rush

SCENES: Final[dict[str, tuple[int, int, float]]] = {
    "alone": (0, 0, 0.0),
    "100 used by another before": (100, 0, 0.0),
    "another sends 30 a minute": (0, 0, 0.5),
    "another sends 100 at the same moment": (0, 100, 0.0),
}
"""What the other program sends: before, at once, and then a second."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.budget")
    parser.add_argument("--approvals", type=int, default=200)
    parser.add_argument("--limit", type=int, default=200, help="requests a minute")
    chosen = parser.parse_args(arguments)
    head(f"{chosen.approvals} approvals at once, {chosen.limit} requests a minute")
    table(
        ("", "entered", "429 entries", "429 exits", "exits", "exit p50 ms", "exit max ms", "all in after s"),
        [
            _row(
                name,
                run_rush(
                    approvals=chosen.approvals,
                    limit=chosen.limit,
                    used_before=before,
                    foreign_at_once=burst,
                    foreign_per_s=per_s,
                ),
            )
            for name, (before, burst, per_s) in SCENES.items()
        ],
    )
    return 0


def _row(name: str, told: Rush) -> list[object]:
    took_ms = [seconds * 1_000 for seconds in told.exit_took_s]
    return [
        name,
        told.entered,
        told.entries_refused,
        told.exits_refused,
        told.exits,
        p(took_ms, 0.5),
        max(took_ms),
        told.lasted_s,
    ]


if __name__ == "__main__":
    sys.exit(main())
