"""What a person did, read from the facts of the journal: the drills' only way of watching."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from engine.model import events as ev
from engine.model.mandate import MANDATE_ACTOR

ACTOR: Final = "drill"
"""Who approves, cancels and cleans up for a drill."""
NOBODY: Final = frozenset({ACTOR, "desk", "demo", ""})

WORDS: Final[Mapping[type[Any], str]] = {
    ev.SignalApproved: "approve",
    ev.SignalRejected: "reject",
    ev.CancelIntended: "cancel",
    ev.ReplaceIntended: "change order",
    ev.LookupAsked: "look up",
    ev.OrderNeverReached: "attest",
    ev.ProtectionRearmed: "retry",
    ev.RepairBegan: "repair",
    ev.ExitRequested: "flatten",
    ev.ExitsMoveAsked: "move exits",
    ev.UnprotectedBegan: "run unprotected",
    ev.IncidentAcked: "acknowledge",
    ev.IncidentShelved: "shelve",
    ev.DifferenceSettled: "settle",
    ev.DeskStateSet: "desk state",
}
"""Facts that a person's command leaves behind -> the word for the command."""


class Act(msgspec.Struct, frozen=True):
    """One command of a person."""

    word: str
    subject: str
    """Id of what it was about; of an approval the signal's, of a state its scope."""
    actor: str
    at: datetime


def act_of(recorded: ev.Recorded) -> Act | None:
    """The person's command behind a fact; None of what the desk, a mandate or a drill did by itself."""
    event = recorded.event
    word = WORDS.get(type(event))
    actor = _actor_of(event)
    if word is None or actor in NOBODY or actor.startswith(MANDATE_ACTOR):
        return None
    if isinstance(event, ev.DeskStateSet):
        return Act(event.state.value, event.scope, actor, recorded.at)
    return Act(word, str(getattr(event, type(event).SUBJECT)), actor, recorded.at)


def _actor_of(event: ev.AnyEvent) -> str:
    if isinstance(event, ev.SignalApproved):
        return event.approval.actor
    if isinstance(event, ev.RepairBegan):
        return event.repair.actor
    return str(getattr(event, "actor", ""))
