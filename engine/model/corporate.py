"""A split or a large dividend: what it does to shares and prices of a holding."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from engine.model.money import ZERO, plain, round_to_tick, whole_shares


class CorporateChange(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    symbol: str
    kind: Literal["split", "dividend"]
    ex_date: date
    """From this day on the price is without it."""
    new_rate: Decimal = Decimal(1)
    old_rate: Decimal = Decimal(1)
    """``new_rate`` shares for ``old_rate``."""
    amount: Decimal = ZERO
    """Of a dividend, in cash per share."""

    @property
    def sentence(self) -> str:
        if self.kind == "dividend":
            return f"{self.symbol} pays {plain(self.amount.normalize())} a share, without it from {self.ex_date}"
        new, old = plain(self.new_rate.normalize()), plain(self.old_rate.normalize())
        return f"{self.symbol} splits {new} for {old} on {self.ex_date}"

    def price_after(self, price: Decimal) -> Decimal:
        return round_to_tick(price * self.old_rate / self.new_rate - self.amount)

    def shares_after(self, shares: Decimal) -> Decimal:
        """Whole ones; what a reverse split leaves of a share is paid in cash."""
        return whole_shares(shares * self.new_rate / self.old_rate)
