"""Facts about what bounds the desk: the prop firm's ledger, trips of its state, mandates."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.model.event import Event
from engine.model.mandate import Mandate
from engine.model.trip import Trip


class PropDayOpened(Event, frozen=True, kw_only=True):
    """A day of the prop firm's began, or the desk came too late to see it begin (``is_late``)."""

    SUBJECT = "day"
    day: str
    preset: str
    size: Decimal
    balance: Decimal
    equity: Decimal
    began_at: datetime
    is_late: bool = False


class PropMarked(Event, frozen=True, kw_only=True):
    """Balance and equity as of now: told at each new high, and every few minutes."""

    SUBJECT = "day"
    day: str
    balance: Decimal
    equity: Decimal


class PropDayClosed(Event, frozen=True, kw_only=True):
    SUBJECT = "day"
    day: str
    balance: Decimal
    equity: Decimal


class PropDayCorrected(Event, frozen=True, kw_only=True):
    """The firm's own numbers, typed by a person; None leaves one as it was."""

    SUBJECT = "day"
    day: str
    actor: str
    start_balance: Decimal | None = None
    start_equity: Decimal | None = None
    high_equity: Decimal | None = None
    high_close: Decimal | None = None


class PropBreached(Event, frozen=True, kw_only=True):
    SUBJECT = "rule"
    rule: str
    day: str
    text: str
    measured: str
    limit: str


class DeskTripped(Event, frozen=True, kw_only=True):
    """The desk's state was changed by itself; a ``DeskStateSet`` follows unless a stricter one was set already."""

    SUBJECT = "code"
    trip: Trip

    @property
    def code(self) -> str:
        return self.trip.code


class TripReleased(Event, frozen=True, kw_only=True):
    SUBJECT = "code"
    code: str
    actor: str
    is_forced: bool = False
    """The cause stood all the same."""


class TripRearmed(Event, frozen=True, kw_only=True):
    """The cause of a trip that was released by force has ended: it may trip again."""

    SUBJECT = "code"
    code: str


class MandateGranted(Event, frozen=True, kw_only=True):
    SUBJECT = "id"
    mandate: Mandate

    @property
    def id(self) -> str:
        return self.mandate.id


class MandateConfirmed(Event, frozen=True, kw_only=True):
    """A person let it go on after a restart."""

    SUBJECT = "mandate_id"
    mandate_id: str
    actor: str


class MandateRevoked(Event, frozen=True, kw_only=True):
    SUBJECT = "mandate_id"
    mandate_id: str
    actor: str
