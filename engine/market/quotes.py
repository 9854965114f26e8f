"""The newest quote of each symbol in play, with its age.

Fed by the data stream; pipeline, panels and supervisor read it. Age is counted from arrival, on this machine's clocks:
a broker's time stamp cannot make an old quote young. The older of the two counts: the monotonic clock stands still
while the machine sleeps, and the wall clock may be set back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from engine.clock import Clock


class QuoteView(msgspec.Struct, frozen=True, kw_only=True):
    """Prices in quote currency; None where the market shows none."""

    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    at: datetime
    """When it arrived here."""
    age_s: float
    quoted_at: datetime | None = None
    """When bid and ask arrived; a trade makes the picture younger, but is no new quote."""

    @property
    def mid(self) -> Decimal | None:
        if self.bid is not None and self.ask is not None:
            return (self.bid + self.ask) / 2
        return self.last

    def touch(self, sign: int) -> Decimal | None:
        """The price a marketable order would meet: the ask for a buy (+1), the bid for a sell (-1)."""
        return (self.ask if sign > 0 else self.bid) or self.last

    def mark(self, sign: int) -> Decimal | None:
        """What a position of this sign could be closed at."""
        return self.touch(-sign)


class QuoteBoard:
    def __init__(self, clock: Clock, changed: Callable[[str], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._bids: dict[str, Decimal | None] = {}
        self._asks: dict[str, Decimal | None] = {}
        self._lasts: dict[str, Decimal] = {}
        self.version = 0
        """Grows with everything that comes in."""
        self._arrived: dict[str, tuple[datetime, float]] = {}
        self._quoted: dict[str, datetime] = {}

    def take_quote(self, symbol: str, bid: Decimal | None, ask: Decimal | None) -> None:
        """A zero side is no side: thin feeds send it."""
        self._bids[symbol] = bid or None
        self._asks[symbol] = ask or None
        self._quoted[symbol] = self._clock.now()
        self._stamp(symbol)

    def take_trade(self, symbol: str, price: Decimal) -> None:
        self._lasts[symbol] = price
        self._stamp(symbol)

    def _stamp(self, symbol: str) -> None:
        self.version += 1
        self._arrived[symbol] = (self._clock.now(), self._clock.monotonic_s())
        self._changed(symbol)

    def get(self, symbol: str) -> QuoteView | None:
        arrived = self._arrived.get(symbol)
        if arrived is None:
            return None
        at, stamp_s = arrived
        return QuoteView(
            symbol=symbol,
            bid=self._bids.get(symbol),
            ask=self._asks.get(symbol),
            last=self._lasts.get(symbol),
            at=at,
            age_s=self._age_s(at, stamp_s),
            quoted_at=self._quoted.get(symbol),
        )

    def touch(self, symbol: str, sign: int) -> Decimal | None:
        """As ``QuoteView.touch``, however old it is."""
        side = self._asks if sign > 0 else self._bids
        return side.get(symbol) or self._lasts.get(symbol)

    def mark(self, symbol: str, sign: int) -> Decimal | None:
        """What a position of this sign could be closed at now."""
        return self.touch(symbol, -sign)

    def stale(self, symbols: Iterable[str], max_age_s: float) -> list[str]:
        """Those without a quote, or with one older than ``max_age_s``."""
        return [s for s in symbols if s not in self._arrived or self._age_s(*self._arrived[s]) > max_age_s]

    def age_of_newest_s(self) -> float | None:
        if not self._arrived:
            return None
        return min(self._age_s(at, stamp_s) for at, stamp_s in self._arrived.values())

    def _age_s(self, at: datetime, stamp_s: float) -> float:
        return max(0.0, self._clock.monotonic_s() - stamp_s, (self._clock.now() - at).total_seconds())
