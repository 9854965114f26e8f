"""Exits that are not fixed when the entry is sent: measured from its fill, or from the best price seen since."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from engine.model.money import plain
from engine.model.signal import ExitSpec


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """Which exits are distances from the entry's price. None of them: that exit is a price and stays."""

    stop: ExitSpec | None
    target: ExitSpec | None
    targets: tuple[ExitSpec, ...] = ()
    """Of a trade with several targets, all of them; ``target`` is None then."""


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """How far behind the best price a stop stays."""

    unit: Literal["percent", "amount"]
    value: Decimal

    def distance(self, price: Decimal) -> Decimal:
        return price * self.value / 100 if self.unit == "percent" else self.value

    @property
    def sentence(self) -> str:
        return f"{plain(self.value)} %" if self.unit == "percent" else plain(self.value)
