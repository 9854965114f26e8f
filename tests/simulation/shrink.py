"""Makes a failing case small: leaves out happenings, ends earlier, calms the weather, as long as it still fails alike.

Alike means that the same invariant is broken. The halves of what happens are left out first, then quarters, down to
single happenings (delta debugging): a storm of two hundred happenings usually comes down to less than ten.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from tests.simulation.case import Case
from tests.simulation.storm import Outcome, simulate

CALM: Final[tuple[tuple[str, Any], ...]] = (
    ("latency_ms", 0.0),
    ("partial_fill_rate", 0.0),
    ("http_share", 0.0),
    ("requests_per_minute", None),
    ("checkpoint_after", 2_000),
    ("undo_s", 0.0),
    ("stream_legs", False),
    ("sibling_cancel_event", True),
    ("list_held_legs", False),
    ("replace_held_legs", True),
    ("resize_stop_by_replacing", False),
)
AFTER_S: Final = 1.0


class Shrinker:
    """``run`` is what a case is tried with; ``seconds`` bound the whole search, in real time."""

    def __init__(self, outcome: Outcome, *, seconds: float, run: Callable[[Case], Outcome] = simulate) -> None:
        self._run = run
        self._until_s = time.perf_counter() + seconds
        self._wanted = outcome.violations[0].invariant
        self.best = outcome
        self.tries = 0

    def shrink(self) -> Outcome:
        """The smallest case found that breaks the same invariant, with its story."""
        self._end_early()
        self._leave_out()
        self._calm()
        self._leave_out()
        self._end_early()
        return self.best

    def _still_fails(self, case: Case) -> bool:
        if case == self.best.case or time.perf_counter() > self._until_s:
            return False
        self.tries += 1
        outcome = self._run(case)
        if all(violation.invariant != self._wanted for violation in outcome.violations):
            return False
        self.best = outcome
        return True

    def _end_early(self) -> None:
        """The storm is over when it broke, or as soon as may be."""
        case = self.best.case
        broke_s = self.best.violations[0].at_s
        last_s = max((happening.at_s for happening in case.happenings()), default=0.0)
        for until_s in (broke_s / 4, broke_s / 2, broke_s + AFTER_S, last_s + AFTER_S):
            if until_s < case.lasts_s and self._still_fails(msgspec.structs.replace(case, until_s=round(until_s, 1))):
                return

    def _leave_out(self) -> None:
        numbers = [happening.number for happening in self.best.case.happenings()]
        parts = 2
        while len(numbers) > 0:
            for gone in _split(numbers, parts):
                kept = [number for number in numbers if number not in gone]
                if self._still_fails(msgspec.structs.replace(self.best.case, only=tuple(kept))):
                    numbers = kept
                    parts = max(2, parts - 1)
                    break
            else:
                if parts >= len(numbers) or time.perf_counter() > self._until_s:
                    return
                parts = min(len(numbers), parts * 2)

    def _calm(self) -> None:
        for field, value in CALM:
            case = self.best.case
            if getattr(case.weather(), field) != value:
                self._still_fails(msgspec.structs.replace(case, calmer=case.calmer | {field: value}))


def _split(numbers: list[int], parts: int) -> Iterator[frozenset[int]]:
    for part in range(parts):
        chosen = numbers[part * len(numbers) // parts : (part + 1) * len(numbers) // parts]
        if chosen:
            yield frozenset(chosen)
