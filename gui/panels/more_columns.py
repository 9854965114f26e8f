"""How the columns are made that are in sight only by somebody's wish: numbers, words, moments, each in its group."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from gui import formatting as say
from gui.tables.cells import TextCell
from gui.tables.column import Column


def away_pct(at: Decimal | None, market: Decimal | None) -> Decimal | None:
    """How far the market is from a price, in percent of the market's; None without one of them."""
    return None if at is None or not market else 100 * abs(at - market) / market


def number[R](
    key: str,
    title: str,
    width: int,
    text: Callable[[R], str],
    sort: Callable[[R], Any] | None = None,
    *,
    group: str,
    follows: bool = False,
) -> Column[R]:
    return Column(key, title, width, text, sort, TextCell("mid"), right=True, least=width, follows=follows, group=group)


def words[R](
    key: str, title: str, width: int, text: Callable[[R], str], *, group: str, follows: bool = False
) -> Column[R]:
    return Column(key, title, width, text, text, TextCell("mid"), least=width, follows=follows, group=group)


def moment[R](key: str, title: str, at: Callable[[R], datetime | None], *, group: str) -> Column[R]:
    """The time of day; the whole stamp beneath the pointer."""

    def shown(row: R) -> str:
        return say.clock(at(row))

    def stamped(row: R) -> str:
        return say.stamp(at(row))

    return Column(key, title, 76, shown, at, TextCell("mid"), tip=stamped, least=76, group=group)
