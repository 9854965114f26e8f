"""Facts about the last rungs of a halt: flat, and suspended at the broker."""

from __future__ import annotations

from engine.model.event import Event
from engine.model.halt import FlatProof
from engine.model.order import Evidence


class FlatProved(Event, frozen=True, kw_only=True):
    """The broker itself showed no open order and no position, while the book knew of none either."""

    proof: FlatProof


class SuspensionAsked(Event, frozen=True, kw_only=True):
    """Trading is to be suspended at the broker, or to go on: before the first byte of it is sent."""

    suspended: bool
    actor: str


class SuspensionRefused(Event, frozen=True, kw_only=True):
    """The broker did not take it, or does not show it."""

    suspended: bool
    text: str


class SuspensionSeen(Event, frozen=True, kw_only=True):
    """What the broker says of the switch, told when it is news."""

    suspended: bool
    evidence: Evidence
