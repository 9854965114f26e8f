"""What stands behind a halt: the proof that nothing is left, and the account's own switch at the broker."""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.model.order import Evidence


class FlatProof(msgspec.Struct, frozen=True, kw_only=True):
    """Two readings of the broker: no open order, and after that no position."""

    orders: Evidence
    positions: Evidence
    actor: str


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    """``suspend_trade`` of the account: with it the broker takes no new order of anybody, exits included."""

    is_on: bool | None = None
    """As the broker last said; None until it has said anything."""
    evidence: Evidence | None = None
    asked: bool | None = None
    """What somebody wants of it and the broker has not confirmed; None when nothing is under way."""
    asked_by: str = ""
    asked_at: datetime | None = None
    refused: str = ""
    """Why the newest wish came to nothing."""
    set_by: str = ""
    """Who of this desk set it as it is; empty when another hand did."""
