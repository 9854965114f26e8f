"""What the broker says is held in a symbol."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from engine.model.order import Evidence


class Position(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    qty: Decimal
    """Signed: shorts are negative."""
    avg_entry_price: Decimal | None
    evidence: Evidence
