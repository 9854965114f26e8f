"""How results are told: percentiles, plain tables, and what they were measured on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from engine.latency import quantile


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def head(title: str) -> None:
    """A title, and the machine in neutral words."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    say(f"{title}\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """First column to the left, the others to the right."""
    cells = [list(columns), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    for number, row in enumerate(cells):
        first, *others = zip(row, widths, strict=True)
        say("  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]))
        if number == 0:
            say("  ".join("-" * width for width in widths))
    say()


def _text(cell: object) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else str(cell)


def p(values: Iterable[float], share: float) -> float:
    """Nearest-rank percentile; NaN of nothing."""
    found = quantile(sorted(values), share)
    return float("nan") if found is None else found
