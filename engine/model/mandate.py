"""A bounded yes, given in advance: which signals may be approved without a person, how much of them, until when."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.words import Side

MANDATE_ACTOR = "mandate:"
"""Begins the actor of every approval that a mandate gave."""


class MandateBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Which signals, and how much of them. Amounts in account currency, at the expected entry price."""

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
    note: str = ""


class MandateTerms(MandateBounds, frozen=True, kw_only=True):
    """What is asked for."""

    days: int = 0
    """Further days that ``until`` may lie ahead."""


class Mandate(MandateBounds, frozen=True, kw_only=True):
    """What was given."""

    id: str
    created_at: datetime
    created_by: str

    @property
    def actor(self) -> str:
        return MANDATE_ACTOR + self.id


def bounds_of(terms: MandateTerms) -> dict[str, Any]:
    """Everything that the mandate keeps of what was asked for."""
    return {name: getattr(terms, name) for name in MandateBounds.__struct_fields__}


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
