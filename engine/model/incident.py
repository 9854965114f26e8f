"""Something that needs the operator's hand."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

import msgspec


class Priority(IntEnum):
    """Consequence times time to act."""

    NOW = 1
    SOON = 2
    LATER = 3


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    key: str
    """What it is about (``naked:b000017``): one open incident per key."""
    priority: Priority
    cause: str
    consequence: str
    action: str
    """What the operator can do, one sentence."""
    subject_kind: str
    """``bracket``, ``order``, ``symbol``, ``signal`` or ``desk``."""
    subject_id: str
    symbol: str | None
    raised_at: datetime
    deadline_at: datetime | None = None
    buttons: tuple[str, ...] = ()
    """Commands offered beside it: ``retry``, ``flatten``, ``lookup``, ``poll``, ``show``."""
    count: int = 1
    """How many of its kind it stands for."""
    covers: tuple[str, ...] = ()
    """Causes of the incidents that it stands for, the newest first; only so many as a person reads."""
    acked_at: datetime | None = None
    acked_by: str | None = None
    cleared_at: datetime | None = None
    shelved_until: datetime | None = None
    """Somebody has put it out of sight until then, and said why; it comes back by itself."""
    shelved_by: str | None = None
    shelved_why: str = ""

    @property
    def is_shelved(self) -> bool:
        return self.shelved_until is not None


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """As much of an incident as the figures about a day's alarms need."""

    key: str
    priority: Priority
    raised_at: datetime
    acked_at: datetime | None = None


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's no to an order, remembered for some minutes: many of them are one alarm."""

    at: datetime
    symbol: str
    text: str
