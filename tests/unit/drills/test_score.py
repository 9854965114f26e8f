"""What a drill is worth, worked by hand."""

from __future__ import annotations

import pytest

from engine.drills.acts import Act, act_of
from engine.drills.score import score
from engine.model import events as ev
from engine.model.ids import incident_id
from engine.model.words import DeskState
from tests.unit.builders import T0, after, make_approval

RIGHT = frozenset({"retry"})
WRONG = frozenset({"shelve"})


def acted(*acts: tuple[str, float]) -> list[Act]:
    return [Act(word, "b000001", "window", after(at_s)) for word, at_s in acts]


@pytest.mark.parametrize(
    ("acts", "naked_s", "points"),
    [
        ([("retry", 4.0)], 0.0, (40, 40, 20)),
        # 35 s lie half way between 10 and 60: half of the points; 30 naked seconds half way to 60.
        ([("retry", 35.0)], 30.0, (20, 20, 10)),
        ([("acknowledge", 2.0), ("retry", 35.0)], 60.0, (40, 20, 0)),
        ([("shelve", 2.0), ("retry", 5.0)], 0.0, (40, 20, 20)),
        ([("retry", 5.0), ("shelve", 8.0)], 0.0, (40, 40, 20)),
        ([("acknowledge", 2.0)], 90.0, (40, 0, 0)),
        ([], 0.0, (0, 0, 20)),
        ([("retry", 80.0)], 0.0, (0, 0, 20)),
    ],
)
def test_points(acts: list[tuple[str, float]], naked_s: float, points: tuple[int, int, int]) -> None:
    found = score(T0, acted(*acts), right=RIGHT, wrong=WRONG, naked_s=naked_s)
    assert (found.notice_points, found.action_points, found.cover_points) == points
    assert found.points == sum(points)


def test_a_mistake_is_named_whenever_it_was_made() -> None:
    assert score(T0, acted(("retry", 1), ("shelve", 2)), right=RIGHT, wrong=WRONG, naked_s=0).mistakes == ("shelve",)


def test_only_a_persons_commands_are_acts() -> None:
    def of(event: ev.AnyEvent) -> Act | None:
        return act_of(ev.Recorded(1, T0, event))

    acked = ev.IncidentAcked(incident_id=incident_id(1), actor="window")
    assert of(acked) == Act("acknowledge", incident_id(1), "window", T0)
    assert of(ev.DeskStateSet(scope="desk", state=DeskState.PAUSED, actor="operate", cause="")) == Act(
        "paused", "desk", "operate", T0
    )
    assert of(ev.CancelIntended(order_id="x", actor="desk", reason="rescue")) is None
    assert of(ev.ExitRequested(bracket_id="b", actor="drill", reason="over")) is None
    by_mandate = make_approval(actor="mandate:m000001")
    assert of(ev.SignalApproved(signal_id="s", bracket_id="b", approval=by_mandate)) is None
    assert of(ev.LookupAsked(order_id="x", actor="window")) == Act("look up", "x", "window", T0)
