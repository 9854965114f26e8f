"""Many alarms of one cause become one, so that the one that matters is not lost among them.

Two rules. What follows from a broken link is folded into the link's own incident while that stands. And a kind of which
more than a handful stand becomes one incident with their number and their newest causes; it falls apart again only when
few are left. What needs a hand now (priority 1) is never folded: each stands by itself, above everything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from engine.incidents.scene import COVERS_SHOWN
from engine.model.incident import Incident, Priority

FOLLOWS: Final[Mapping[str, frozenset[str]]] = {
    "rest": frozenset({"stuck", "quotes"}),
    "stream": frozenset({"stuck", "quotes"}),
}
"""Key of a cause -> words of what is only its consequence. Read in this order."""
MANY: Final = 5
FEW: Final = 2
"""A group that stands falls apart at this number: between the two it stays what it is."""

GROUP: Final = "group:"


def word_of(incident: Incident) -> str:
    """``naked`` of ``naked:b000017``."""
    return incident.key.partition(":")[0]


def grouped(present: Iterable[Incident], standing: Iterable[str]) -> list[Incident]:
    """``present`` with causes and crowds folded; ``standing`` are the keys of the open incidents."""
    incidents = {incident.key: incident for incident in present}
    _fold_consequences(incidents)
    return _fold_crowds(incidents, frozenset(standing))


def _fold_consequences(incidents: dict[str, Incident]) -> None:
    for cause_key, words in FOLLOWS.items():
        cause = incidents.get(cause_key)
        if cause is None:
            continue
        explained = [i for i in incidents.values() if word_of(i) in words and i.priority is not Priority.NOW]
        for incident in explained:
            del incidents[incident.key]
        if explained:
            incidents[cause_key] = replace(cause, count=1 + len(explained), covers=_causes(explained))


def _fold_crowds(incidents: dict[str, Incident], standing: frozenset[str]) -> list[Incident]:
    kinds: defaultdict[str, list[Incident]] = defaultdict(list)
    for incident in incidents.values():
        if incident.priority is not Priority.NOW and incident.subject_kind != "desk":
            kinds[word_of(incident)].append(incident)
    for word, crowd in kinds.items():
        key = GROUP + word
        if len(crowd) >= MANY or (key in standing and len(crowd) > FEW):
            for incident in crowd:
                del incidents[incident.key]
            incidents[key] = _group(key, crowd)
    return list(incidents.values())


def _group(key: str, crowd: list[Incident]) -> Incident:
    newest = crowd[-1]
    symbols = {incident.symbol for incident in crowd}
    return replace(
        newest,
        key=key,
        priority=min(incident.priority for incident in crowd),
        cause=f"{newest.cause} (the newest of many)",
        subject_kind="desk",
        subject_id="desk",
        symbol=newest.symbol if len(symbols) == 1 else None,
        deadline_at=min((i.deadline_at for i in crowd if i.deadline_at is not None), default=None),
        buttons=("show",),
        count=len(crowd),
        covers=_causes(crowd),
    )


def _causes(incidents: list[Incident]) -> tuple[str, ...]:
    return tuple(incident.cause for incident in reversed(incidents))[:COVERS_SHOWN]
