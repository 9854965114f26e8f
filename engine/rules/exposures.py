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


class Moving(NamedTuple):
    amount: Decimal
    """In account currency, signed."""
    unknown: tuple[str, ...]
    """Symbols without a beta: they are not in it."""


class Exposures(tuple[Exposure, ...]):
    """All of them. Each sum is made once, however many signals are judged on the same picture."""

    _moving: tuple[Mapping[str, Decimal | None], Moving] | None = None

    @cached_property
    def gross(self) -> Decimal:
        return sum([bet.notional for bet in self.bets], ZERO)

    @cached_property
    def net(self) -> Decimal:
        """Longs less shorts."""
        return sum([bet.notional if bet.sign > 0 else -bet.notional for bet in self.bets], ZERO)

    @cached_property
    def symbols(self) -> frozenset[str]:
        return frozenset(self._by_symbol)

    def of_symbol(self, symbol: str) -> Decimal:
        return self._by_symbol.get(symbol, ZERO)

    def of_strategy(self, strategy: str) -> Decimal:
        return self._by_strategy.get(strategy, ZERO)

    def without(self, symbol: str) -> Exposures:
        return Exposures(one for one in self if one.symbol != symbol) if symbol in self.symbols else self

    @cached_property
    def bets(self) -> tuple[Bet, ...]:
        """One for each symbol and side, which is all that a cluster asks for."""
        sums = _sums(((one.symbol, one.side is Side.BUY), one.notional) for one in self)
        return tuple(Bet(symbol, 1 if is_long else -1, total) for (symbol, is_long), total in sums.items())

    def moving_with(self, betas: Mapping[str, Decimal | None]) -> Moving:
        """What a move of the market by one would do, made once for the betas of the day."""
        if self._moving is None or self._moving[0] is not betas:
            known = [(bet, beta) for bet in self.bets if (beta := betas.get(bet.symbol)) is not None]
            amount = sum((bet.sign * bet.notional * beta for bet, beta in known), ZERO)
            unknown = tuple(sorted(self.symbols - {bet.symbol for bet, _ in known}))
            self._moving = betas, Moving(amount, unknown)
        return self._moving[1]

    @cached_property
    def _by_symbol(self) -> Mapping[str, Decimal]:
        return _sums((bet.symbol, bet.notional) for bet in self.bets)

    @cached_property
    def _by_strategy(self) -> Mapping[str, Decimal]:
        return _sums((one.strategy, one.notional) for one in self)


def _sums[K](rows: Iterable[tuple[K, Decimal]]) -> Mapping[K, Decimal]:
    sums: dict[K, Decimal] = {}
    for key, value in rows:
        sums[key] = sums.get(key, ZERO) + value
    return sums
