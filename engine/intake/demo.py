"""The demo strategy: a small, honest mean reversion on the embedded market.

It samples mid prices, waits until one stretches more than 1.4 standard deviations from its rolling mean, and proposes
the way back with a stop at 1.2 recent ranges and a target at twice that. It makes no money on purpose or by accident:
the seeded market has no memory to exploit. When nothing is stretched for a while it takes the most stretched symbol,
so that there is always something to decide. Its signals come in by the same door as everybody's.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict, deque
from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean, pstdev
from typing import Final, Protocol

import msgspec

from engine.book import Book
from engine.clock import Clock
from engine.errors import CommandRefused
from engine.market.quotes import QuoteBoard
from engine.model.money import ceil_to_tick, floor_to_tick, plain, round_to_tick
from engine.views import SignalView

log = logging.getLogger(__name__)

SOURCE: Final = "demo"
SAMPLE_S: Final = 0.5
WINDOW: Final = 60
FIRST_SAMPLES: Final = 8
STRETCH: Final = 1.4
PAUSE_S: Final = (10.0, 24.0)
PATIENCE_S: Final = 5.0
"""How long past the pause it waits for a real stretch before it takes the best there is."""
LIVES_S: Final = 90
MIN_STOP_SHARE: Final = 0.004
"""Stops at least 0.4 % away, so that spread and noise do not fill them at once."""
MAX_PENDING: Final = 6


class Door(Protocol):
    async def receive(self, raw: bytes, *, source: str | None = None) -> tuple[SignalView, bool]: ...


class DemoStrategy:
    def __init__(
        self, desk: Door, book: Book, quotes: QuoteBoard, clock: Clock, symbols: Sequence[str], seed: int
    ) -> None:
        self._desk = desk
        self._book = book
        self._quotes = quotes
        self._clock = clock
        self._symbols = tuple(symbols)
        self._random = random.Random(seed)
        self._mids: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WINDOW))
        self._number = 0

    async def run(self) -> None:
        """For ever: sample, and propose when it is time. Switched off, it only samples."""
        due_s = self._clock.monotonic_s() + 3.0
        while True:
            await self._clock.sleep(SAMPLE_S)
            self._sample()
            now_s = self._clock.monotonic_s()
            if not self._book.demo_on or now_s < due_s or len(self._book.pending) >= MAX_PENDING:
                continue
            symbol = self._choose(hurry=now_s > due_s + PATIENCE_S)
            if symbol is not None:
                await self._propose(symbol)
                due_s = now_s + self._random.uniform(*PAUSE_S)

    def _sample(self) -> None:
        for symbol in self._symbols:
            quote = self._quotes.get(symbol)
            if quote is not None and quote.mid is not None and quote.age_s < 5:
                self._mids[symbol].append(float(quote.mid))

    def _choose(self, *, hurry: bool) -> str | None:
        """The most stretched symbol that is not in play yet, if it is stretched enough."""
        busy = {self._book.brackets[key].symbol for key in self._book.open_brackets}
        busy |= {self._book.signals[key].signal.symbol for key in (*self._book.pending, *self._book.approved)}
        scores = {
            symbol: abs(_stretch(mids))
            for symbol, mids in self._mids.items()
            if symbol not in busy and len(mids) >= FIRST_SAMPLES
        }
        if not scores:
            return None
        best = max(scores, key=lambda symbol: scores[symbol])
        return best if hurry or scores[best] >= STRETCH else None

    async def _propose(self, symbol: str) -> None:
        quote = self._quotes.get(symbol)
        if quote is None or quote.bid is None or quote.ask is None:
            return
        mids = self._mids[symbol]
        long = _stretch(mids) <= 0
        entry = quote.ask if long else quote.bid
        distance = Decimal(str(max(1.2 * (max(mids) - min(mids)), MIN_STOP_SHARE * float(entry))))
        # Marketable: a limit a little through the far touch, so that it fills now or says why not.
        through = max(Decimal("0.02"), entry * Decimal("0.0008"))
        self._number += 1
        signal = {
            "source": SOURCE,
            "id": f"demo-{self._clock.now():%Y%m%dT%H%M%S%f}-{self._number}",
            "strategy": "reversion-30s",
            "symbol": symbol,
            "side": "buy" if long else "sell",
            "intent": "open",
            "entry": {
                "type": "limit",
                "limit_price": plain(ceil_to_tick(entry + through) if long else floor_to_tick(entry - through)),
                "time_in_force": "day",
            },
            "stop_loss": {
                "stop_price": plain(floor_to_tick(entry - distance) if long else ceil_to_tick(entry + distance))
            },
            "take_profit": {
                "limit_price": plain(round_to_tick(entry + 2 * distance if long else entry - 2 * distance))
            },
            "reference_price": plain(entry),
            "expires_in_s": LIVES_S,
            "confidence": round(min(0.95, 0.5 + abs(_stretch(mids)) / 8), 2),
            "note": f"{_stretch(mids):+.1f} σ from its 30 s mean",
        }
        try:
            await self._desk.receive(msgspec.json.encode(signal), source=SOURCE)
        except CommandRefused as refused:
            log.warning("the demo strategy's signal was refused: %s %s", refused.code, refused.operator_text)


def _stretch(mids: Sequence[float]) -> float:
    """Standard deviations of the newest price from the mean; 0 of a price that never moved."""
    spread = pstdev(mids)
    return 0.0 if spread == 0 else (mids[-1] - fmean(mids)) / spread
