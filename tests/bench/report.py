"""How results are told: percentiles, plain tables, and what they were measured on."""

from __future__ import annotations

import atexit
import os
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Final

from engine.latency import quantile

CALIBRATION_STEPS: Final = 500_000


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def head(title: str) -> None:
    """A title, the machine in neutral words, and how fast it is just now; said again at the end of the process."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    say(f"{title}\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}")
    say(f"Calibration before: {calibration_ms():.1f} ms\n")
    atexit.register(lambda: say(f"Calibration after: {calibration_ms():.1f} ms"))


def calibration_ms() -> float:
    """The same work every time, median of 7: figures are comparable where this is. On a shared machine it moves."""

    def once_ms() -> float:
        started_s, total = time.perf_counter(), 0
        for step in range(CALIBRATION_STEPS):
            total += step * step & 7
        return (time.perf_counter() - started_s) * 1000

    return median(once_ms() for _ in range(7))


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
