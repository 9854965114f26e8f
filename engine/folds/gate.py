"""Folds of what the gate remembers: when a trade last lost, and how many entries in a row the broker refused."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from engine.model.bracket import Bracket
from engine.model.order import Order
from engine.model.words import OrderRole, OrderStatus

STANDS: Final = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.HELD})
"""An order that came so far was not refused. ``accepted`` is not far enough: the venue may still refuse it."""


class GateFolds:
    def __init__(self) -> None:
        self.lost_at: dict[str, datetime] = {}
        """``symbol:AAPL`` or ``strategy:breakout`` -> when a trade of it last closed with a loss."""
        self.rejects_in_a_row: int = 0
        """Entries that the broker refused since it last took one, or since the desk was last set active."""

    def _note_loss(self, bracket: Bracket, at: datetime) -> None:
        self.lost_at[f"symbol:{bracket.symbol}"] = at
        self.lost_at[f"strategy:{bracket.strategy}"] = at

    def _note_entry_status(self, before: Order, after: Order) -> None:
        if after.role is not OrderRole.ENTRY or after.status is before.status:
            return
        if after.status is OrderStatus.REJECTED:
            self.rejects_in_a_row += 1
        elif after.status in STANDS:
            self.rejects_in_a_row = 0
