"""Who is told when something changes.

Two kinds of listener, both called on the loop, in order, right after the book moved:

* ``on_records`` gets the recorded facts themselves (event stream, activity log);
* ``on_changes`` gets only *which* views are out of date, so that a screen can ask for each once a frame.

A listener must not wait or raise; it stages and returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from engine.model.events import Recorded

ChangeKind = Literal[
    "signal",
    "order",
    "bracket",
    "position",
    "incident",
    "account",
    "desk",
    "activity",
    "latency",
    "quote",
    "mandate",
]


class Change(NamedTuple):
    """A view that is out of date. ``key`` is its id or symbol; empty for account, desk, activity and latency."""

    kind: ChangeKind
    key: str


OnRecords = Callable[[Sequence[Recorded]], None]
OnChanges = Callable[[frozenset[Change]], None]
Unsubscribe = Callable[[], None]


class Bus:
    def __init__(self) -> None:
        self._on_records: list[OnRecords] = []
        self._on_changes: list[OnChanges] = []

    def on_records(self, listener: OnRecords) -> Unsubscribe:
        self._on_records.append(listener)
        return lambda: self._on_records.remove(listener)

    def on_changes(self, listener: OnChanges) -> Unsubscribe:
        self._on_changes.append(listener)
        return lambda: self._on_changes.remove(listener)

    def publish(self, records: Sequence[Recorded], changes: Iterable[Change]) -> None:
        if records:
            for tell in tuple(self._on_records):
                tell(records)
        told = frozenset(changes)
        if told:
            for stale in tuple(self._on_changes):
                stale(told)
