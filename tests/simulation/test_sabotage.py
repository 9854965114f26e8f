"""Can the simulation see at all? Safeties of the desk are broken on purpose, and some storm must notice each."""

from __future__ import annotations

import pytest

from tests.simulation.case import Case
from tests.simulation.runner import run_cases
from tests.simulation.sabotage import MOST_SEEDS, SABOTAGES, STORM, Finding, hunt_all
from tests.simulation.shared import once


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    return once(tmp_path_factory, "sabotage", hunt_all)


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_broken_safety_is_seen(findings: dict[str, Finding], name: str) -> None:
    found = findings[name]
    assert found.invariant is not None, f"{MOST_SEEDS} storms did not notice the loss: {found.mechanism}"


def test_a_desk_whose_safeties_are_whole_weathers_the_same_storms() -> None:
    """Else what the others see would say nothing."""
    outcomes = list(run_cases(Case(seed, given=STORM) for seed in range(5)))
    assert not [violation for outcome in outcomes for violation in outcome.violations]
