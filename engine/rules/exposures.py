"""What is on: each trade that is held, working, or approved and on its way, and the sums that several rules ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

import msgspec

from engine.model.money import ZERO
from engine.model.words import Side


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """A trade that is held, working, or approved and on its way. ``notional`` is unsigned."""

    symbol: str
    side: Side
    notional: Decimal
    strategy: str = ""
    """Empty of what no trade of ours explains."""


class Bet(NamedTuple):
    """All that is on in one symbol and one direction."""

    symbol: str
    sign: int
    """+1 long, -1 short."""
    notional: Decimal


class Exposures(tuple[Exposure, ...]):
    """All of them. Each sum is made once, however many signals are judged on the same picture."""

    @cached_property
    def gross(self) -> Decimal:
        return sum((one.notional for one in self), ZERO)

    @cached_property
    def net(self) -> Decimal:
        """Longs less shorts."""
        return sum((one.notional * one.side.sign for one in self), ZERO)

    @cached_property
    def symbols(self) -> frozenset[str]:
        return frozenset(one.symbol for one in self)

    def of_symbol(self, symbol: str) -> Decimal:
        return self._by_symbol.get(symbol, ZERO)

    def of_strategy(self, strategy: str) -> Decimal:
        return self._by_strategy.get(strategy, ZERO)

    def without(self, symbol: str) -> Exposures:
        return Exposures(one for one in self if one.symbol != symbol) if symbol in self.symbols else self

    @cached_property
    def bets(self) -> tuple[Bet, ...]:
        """One for each symbol and side, which is all that a cluster asks for."""
        sums = _sums(((one.symbol, one.side.sign), one.notional) for one in self)
        return tuple(Bet(symbol, sign, total) for (symbol, sign), total in sums.items())

    @cached_property
    def _by_symbol(self) -> Mapping[str, Decimal]:
        return _sums((one.symbol, one.notional) for one in self)

    @cached_property
    def _by_strategy(self) -> Mapping[str, Decimal]:
        return _sums((one.strategy, one.notional) for one in self)


def _sums[K](rows: Iterable[tuple[K, Decimal]]) -> Mapping[K, Decimal]:
    sums: dict[K, Decimal] = {}
    for key, value in rows:
        sums[key] = sums.get(key, ZERO) + value
    return sums
