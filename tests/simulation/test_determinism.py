"""The same seed is the same run, also in another process: what failed once can be looked at as often as it takes."""

from __future__ import annotations

from tests.simulation.runner import run_seeds


def test_the_same_seed_gives_the_same_journal_in_two_processes() -> None:
    first, second = run_seeds([12, 12], jobs=2)
    assert len(first.facts) > 100
    assert first.facts == second.facts
    assert (first.virtual_s, first.counts) == (second.virtual_s, second.counts)


def test_different_seeds_give_different_journals() -> None:
    first, second = run_seeds([12, 13], jobs=2)
    assert first.facts != second.facts
