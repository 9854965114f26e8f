"""A bounded yes, given in advance: which signals may be approved without a person, how much of them, until when."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from engine.model.words import Side

MANDATE_ACTOR = "mandate:"
"""Begins the actor of every approval that a mandate gave."""


class MandateTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Amounts in account currency; see ``Mandate`` for what each bounds."""

    strategy: str
    symbols: tuple[str, ...]
    sides: tuple[Side, ...]
    max_notional_each: Decimal
    max_notional_day: Decimal
    max_count: int
    max_loss_day: Decimal | None
    until: datetime
    days: int = 0
    """Further days that ``until`` may lie ahead."""
    note: str = ""


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in account currency, at the expected entry price."""

    id: str
    strategy: str
    symbols: tuple[str, ...]
    """Empty: every symbol."""
    sides: tuple[Side, ...]
    max_notional_each: Decimal
    max_notional_day: Decimal
    """Of all approvals since midnight in New York."""
    max_count: int
    """Approvals in all."""
    max_loss_day: Decimal | None
    """Lost today by its trades, and still at risk in them, with the risk of the next one."""
    until: datetime
    created_at: datetime
    created_by: str
    note: str = ""

    @property
    def actor(self) -> str:
        return MANDATE_ACTOR + self.id


class MandateUse(msgspec.Struct, frozen=True, kw_only=True):
    """One approval that a mandate gave."""

    signal_id: str
    bracket_id: str
    notional: Decimal
    """As approved, or as filled when that was more."""
    at: datetime
    is_returned: bool = False
    """Provably nothing was sent: it burns nothing."""
    is_attested: bool = False
    """A person said of an order of it that the broker never had it, which proves nothing."""


class MandateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate with what became of it."""

    mandate: Mandate
    run: int
    """Start of the desk in which it was given or last confirmed."""
    uses: tuple[MandateUse, ...] = ()
    revoked_at: datetime | None = None
    revoked_by: str | None = None
