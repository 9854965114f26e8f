"""Numbers as runs: a view is told of neighbours at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def contiguous_runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as (first, last) runs: 1 2 3 7 → (1, 3) (7, 7)."""
    first = last = None
    for number in numbers:
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last
