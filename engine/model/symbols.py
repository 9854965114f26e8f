"""What a symbol's spelling tells: a pair with a slash (``BTC/USD``) is a coin, everything else a share.

Coins trade round the clock in parts of a unit, and the broker takes no order groups of them.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Final

from engine.model.money import whole_shares

COIN_LOT: Final = Decimal("0.000000001")
"""Nine places, the finest that the broker reads."""
COIN_LEAST_USD: Final = Decimal(10)
"""Cost basis of the smallest order of a coin. Source: the broker's refusal 40310000."""


def is_coin(symbol: str) -> bool:
    return "/" in symbol


def in_lots(symbol: str, qty: Decimal) -> Decimal:
    """Rounded down to what can be ordered with exits: whole shares, or a coin's nine places."""
    if not is_coin(symbol):
        return whole_shares(qty)
    shortest = qty.quantize(COIN_LOT, rounding=ROUND_DOWN).normalize()
    # 1E+1 would be written so on the wire.
    return shortest.quantize(Decimal(1)) if shortest == shortest.to_integral_value() else shortest


def in_one_exit(symbol: str, qty: Decimal) -> Decimal:
    """How many of ``qty`` one exit closes: whole shares first, then the part of a share that is left; coins as held."""
    whole = whole_shares(qty)
    return qty if is_coin(symbol) or whole == 0 else whole


def takes_groups(symbol: str, qty: Decimal) -> bool:
    """Whether the broker takes stop and target for it as one group."""
    return not is_coin(symbol) and qty >= 1
