"""Decimal money: parsing, the tick grid, the lot grid.

Prices of equities lie on a grid of 0.01 from 1.00 upward and 0.0001 below (Alpaca refuses the rest
as ``sub-penny increment``); whole shares are the lot. Rounding always names its direction.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")
SUB_DOLLAR_TICK: Final = Decimal("0.0001")
MAX_AMOUNT: Final = Decimal("1e12")
"""No price, quantity or notional of this world is larger; what is, is a broken message."""
MAX_DECIMAL_PLACES: Final = 9
"""Alpaca's finest grid (crypto quantities)."""


def tick_of(price: Decimal) -> Decimal:
    """The price increment that Alpaca accepts at this price level."""
    return CENT if price >= 1 else SUB_DOLLAR_TICK


def is_on_tick(price: Decimal) -> bool:
    return price % tick_of(price) == 0


def floor_to_tick(price: Decimal) -> Decimal:
    return price.quantize(tick_of(price), rounding=ROUND_FLOOR)


def ceil_to_tick(price: Decimal) -> Decimal:
    return price.quantize(tick_of(price), rounding=ROUND_CEILING)


def round_to_tick(price: Decimal) -> Decimal:
    return price.quantize(tick_of(price), rounding=ROUND_HALF_EVEN)


def whole_shares(qty: Decimal) -> Decimal:
    """Rounded down, never up; negative amounts are refused by the callers."""
    return qty.quantize(Decimal(1), rounding=ROUND_DOWN)


def plain(value: Decimal) -> str:
    """Digits without an exponent, as the wire wants them."""
    return format(value, "f")


def usd(value: Decimal) -> str:
    """``1234.5`` -> ``$1,234.50``, with a true minus sign."""
    sign = "−" if value < 0 else ""
    return f"{sign}${abs(value):,.2f}"


def signed_usd(value: Decimal) -> str:
    """A gain or a loss: ``46`` -> ``+$46.00``."""
    return f"+{usd(value)}" if value > 0 else usd(value)


def decimal_from_text(text: str) -> Decimal:
    """A finite amount of this world's size.

    Raises:
        ValueError: not a number, not finite, too large, or finer than nine decimal places.
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"{text[:40]!r} is not a number") from None
    if not value.is_finite():
        raise ValueError(f"{text[:40]!r} is not a finite number")
    if abs(value) > MAX_AMOUNT:
        raise ValueError(f"{text[:40]!r} is larger than anything traded")
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent < -MAX_DECIMAL_PLACES:
        raise ValueError(f"{text[:40]!r} has more than {MAX_DECIMAL_PLACES} decimal places")
    # "1E+3" would be written back with its exponent; the grid of this desk has none.
    return value if exponent <= 0 else value.quantize(Decimal(1))
