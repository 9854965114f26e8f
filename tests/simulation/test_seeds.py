"""Storms, and those in which something was wrong once. More: ``python -m tests.simulation --seeds 10000``."""

from __future__ import annotations

from typing import Final

import pytest

from tests.simulation.case import Case
from tests.simulation.runner import report, run_cases
from tests.simulation.sabotage import STORM
from tests.simulation.shared import once
from tests.simulation.storm import Outcome

SEEDS: Final = range(120)


def _old(seed: int) -> Case:
    """The seed without what the storms learned later: tickets, busts, rules of one's own."""
    return Case(seed, before=True)


ONCE_WRONG: Final[dict[str, Case]] = {
    "an exit was placed beside the native ones, whose ids a late answer had not told yet": _old(222),
    "the leg of a group that another hand had canceled counted as open, and a second group was placed": _old(3085),
    "the target that a lost replacement was for was taken for the replacement": Case(
        3, only=(23, 33, 38, 40, 69), until_s=30.0, given=STORM
    ),
    "the answer to an entry did not name its exits, and nobody asked for them": Case(
        60, only=(1, 6, 10, 11), until_s=9.7, calmer={"latency_ms": 0.0}, before=True
    ),
    "a clock that was set forward and back kept alarms and cancels waiting for the hour it had lost": _old(69),
    "cancels of a stop that had ended untold were asked for until the limit of requests held back exits": _old(1000),
    "what the last process had intended in its last moment counted as intended by this one": _old(1114),
    "an entry of the last process's last moment stayed half sent": _old(1159),
    "another hand moved a stop, and a second one was placed before its successor was told": _old(5063),
    "an exit that was refused in vain was told of while a close for its shares was written down": _old(167),
    "a resumption that a broken data stream never told held exits back for ever": _old(491),
    "shares of one trade that another had closed beyond its own kept both from being closed": Case(203),
    "busts had left one trade long and another one short, and neither could be closed": Case(20224),
    "shares that had left a trade before were taken for those of a bust": Case(120),
    "a ticket that the full disk refused could be approved later": Case(136),
    "an exit sent again and refused in vain met another one before the stream could tell of it": Case(700025),
    "a bust took away shares of an entry whose stop stood for them for two more seconds": Case(700560),
    "a resting entry of ours kept a close from the market, as a possible wash trade": Case(700158),
    "settled shares and those of a flip kept each other from being closed": Case(700383),
    "settled shares and those that a bust brought back kept each other from being closed": Case(700396),
    "a cancel whose refusal came as a strange page with status 200 was taken for one that the broker has": Case(721197),
    "a change of an entry waited for the limit of requests, and went out half a minute later": Case(730284),
    "the cancel of a desk that had stopped was refused by the venue later, and hung on nobody's word": Case(760224),
    "an empty field of a list was read as a bust of every order in it": Case(720321),
}
"""A change of weather, person or chaos makes other storms of all seeds: then these are seeds like all others."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """All of them at once, on all cores."""

    def run() -> dict[str, Outcome]:
        cases = [Case(seed) for seed in SEEDS]
        return {repr(outcome.case): outcome for outcome in run_cases([*cases, *ONCE_WRONG.values()])}

    return once(tmp_path_factory, "storms", run)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_leaves_every_share_covered_and_every_order_single(outcomes: dict[str, Outcome], seed: int) -> None:
    outcome = outcomes[repr(Case(seed))]
    assert outcome.ok, report(outcome)


@pytest.mark.parametrize("what", ONCE_WRONG)
def test_what_was_wrong_once_is_right(outcomes: dict[str, Outcome], what: str) -> None:
    outcome = outcomes[repr(ONCE_WRONG[what])]
    assert outcome.ok, f"{what}\n{report(outcome)}"


def test_the_storms_are_storms(outcomes: dict[str, Outcome]) -> None:
    """A simulation in which nothing happens finds nothing."""
    facts = [kind for outcome in outcomes.values() for kind, _ in outcome.facts]
    for kind in ("OrderUnresolved", "OrderNeverReached", "ProtectionFailed", "ExitRequested", "SignalReturned"):
        assert kind in facts
    assert sum(outcome.counts["entries"] for outcome in outcomes.values()) > len(outcomes)
    assert sum(outcome.counts["lives"] for outcome in outcomes.values()) > len(outcomes) * 3 / 2
