"""The usual reasons for a no, under the digits that give them."""

from __future__ import annotations

from typing import Final

REJECTIONS: Final[dict[int, str]] = {
    1: "price has moved away",
    2: "too much risk",
    3: "reward too small for the risk",
    4: "spread too wide",
    5: "news or earnings ahead",
    6: "enough of this bet already",
    7: "against the market",
    8: "wrong time of day",
    9: "strategy not trusted now",
}


def rejection(code: int) -> str:
    """The words of a usual reason. Raises ``KeyError`` for a digit that has none."""
    return REJECTIONS[code]
