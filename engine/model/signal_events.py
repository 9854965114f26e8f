"""Facts about signals: how they came in, what was decided about them, and what an approved one waits for."""

from __future__ import annotations

from datetime import datetime

from engine.model.event import Event
from engine.model.signal import Approval, HeldEntry, Reason, Signal


class SignalReceived(Event, frozen=True, kw_only=True):
    SUBJECT = "id"
    signal: Signal
    received_ms: float = 0.0
    """From the first byte of the request to this fact."""

    @property
    def id(self) -> str:
        return self.signal.id


class SignalRefused(Event, frozen=True, kw_only=True):
    """Something came in that is no signal; ``body`` is an excerpt without secrets."""

    SUBJECT = "source"
    source: str
    code: str
    field: str | None
    text: str
    body: str = ""


class SignalApproved(Event, frozen=True, kw_only=True):
    SUBJECT = "signal_id"
    signal_id: str
    bracket_id: str | None
    """The trade it will make; None of a closing signal."""
    approval: Approval
    reasons: tuple[Reason, ...] = ()


class SignalRejected(Event, frozen=True, kw_only=True):
    """By a person."""

    SUBJECT = "signal_id"
    signal_id: str
    actor: str
    reason: str
    code: int | None = None
    """Digit of a usual reason (``model/rejections.py``)."""


class SignalExpired(Event, frozen=True, kw_only=True):
    SUBJECT = "signal_id"
    signal_id: str


class SignalDenied(Event, frozen=True, kw_only=True):
    """By the gate, for good."""

    SUBJECT = "signal_id"
    signal_id: str
    reasons: tuple[Reason, ...]


class SignalReturned(Event, frozen=True, kw_only=True):
    """Approved, but nothing reached the broker: pending again, for the person to decide anew."""

    SUBJECT = "signal_id"
    signal_id: str
    why: str
    actor: str = "desk"
    """Who took the approval back; the desk itself after a crash."""
    expires_at: datetime | None = None
    """A new time to live, where the old one is over."""


class EntryHeld(Event, frozen=True, kw_only=True):
    """An approved entry is not sent yet: the desk waits for a price, or for the position that it reverses to close."""

    SUBJECT = "signal_id"
    signal_id: str
    held: HeldEntry


class EntryReleased(Event, frozen=True, kw_only=True):
    """What a held entry waited for has happened."""

    SUBJECT = "signal_id"
    signal_id: str
    why: str
