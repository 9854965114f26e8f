"""Seeded prices that move like prices.

Once a step every latent price moves by its share of three kinds of shocks (market, sector, own), each with a GARCH
variance, all following the U-shaped activity of a trading day. Quotes are laid on the price grid around the latent
price, trades print on one side of the quote, minute bars are built from the trades.

The path is a function of the seed and the number of the step: every step draws the same count of random numbers,
whether anybody listens or trades. ``shock`` moves a price by hand and leaves the increments as they are. With a tape
(``replay.py``) the latent prices are the tape's, and quotes and trades are laid around them in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import exp, floor, log
from typing import Final, NamedTuple

import msgspec
import numpy as np

from engine.exchange import history
from engine.exchange.assets import Asset
from engine.exchange.bars import Bar, MinuteBuilder, merge
from engine.exchange.replay import Tape
from engine.exchange.session import midnight_ns, trading_days

_ALPHA, _BETA = 0.012, 0.9865
"""GARCH(1,1) at the scale of a step: the variance forgets half of a shock in about two minutes."""
_BLOCK: Final = 256
_STEPS_BEHIND_MAX: Final = 2400
"""Steps made up for at once; after a longer sleep of the machine the market goes on from where it was."""
_DAY_S: Final = 23400.0
_VENUES: Final = "QPKZVN"
_MINUTES_KEPT: Final = 5 * 390
EARLIER_DAYS: Final = 5
"""Trading days before today whose minutes can be asked for."""


class Quote(NamedTuple):
    """Best bid and offer. Prices are floats that are exactly the nearest to their decimal; sizes in round lots."""

    bid: float
    ask: float
    bid_size: float
    ask_size: float
    at_ns: int
    bid_venue: str = "Q"
    ask_venue: str = "Q"


class Print(NamedTuple):
    """One trade."""

    price: float
    size: float
    at_ns: int
    id: int
    venue: str = "Q"


class Tick(NamedTuple):
    """What one step changed for one symbol; None where nothing did."""

    symbol: str
    quote: Quote | None
    trade: Print | None
    bar: Bar | None
    halted: bool | None = None
    """Trading was just halted, or resumed."""
    at_ns: int = 0
    """Of the halt or the resumption."""


class MarketState(msgspec.Struct):
    """What a restarted exchange continues from."""

    prices: dict[str, float]
    prev_closes: dict[str, float]
    day: date
    """The trading day of the prices."""


def activity(fraction: float) -> float:
    """The day's U-shape: how much more than on average prices move at this fraction (0 to 1) of the session."""
    away = 2.0 * fraction - 1.0
    return 0.72 + 0.75 * away**4 + 0.55 * exp(-fraction / 0.06)


class Market:
    """Prices of all listed symbols, in steps of ``step_s`` seconds of the exchange's own elapsed time."""

    def __init__(
        self,
        assets: Sequence[Asset],
        *,
        seed: int,
        day: date,
        now_ns: int,
        step_s: float,
        minutes_before: int,
        resume: MarketState | None = None,
        tape: Tape | None = None,
        tape_speed: float = 1.0,
    ) -> None:
        self._tape = tape
        self._tape_speed = tape_speed
        self._assets = tuple(assets)
        self._index = {asset.symbol: i for i, asset in enumerate(self._assets)}
        self._seed = seed
        self._step_s = step_s
        self._steps = 0
        self._trade_id = 0
        self._factors = history.Factors(self._assets)
        self._rng = np.random.Generator(np.random.Philox(key=(seed << 32) ^ (now_ns // 1_000_000_000 if resume else 0)))
        self._variance = np.ones(self._factors.sources)
        self._row = _BLOCK
        self._earlier: dict[str, tuple[date, list[Bar]]] = {}
        """Symbol -> the day as of which they are, and the minutes of the days before it."""
        self._begin(day, now_ns, minutes_before, resume)

    def _begin(self, day: date, now_ns: int, minutes_before: int, resume: MarketState | None) -> None:
        prices = [asset.price for asset in self._assets]
        if self._tape is not None:
            prices = [self._tape.price(asset.symbol, 0.0) for asset in self._assets]
            resume = None
        if resume is not None:
            prices = [resume.prices.get(asset.symbol, asset.price) for asset in self._assets]
        minutes = history.minute_bars(self._assets, self._seed, prices, now_ns, minutes_before)
        opens = [bars[0].open if bars else price for bars, price in zip(minutes, prices, strict=True)]
        if resume is None:
            gaps = np.random.Generator(np.random.Philox(key=self._seed ^ 0x6A9)).standard_normal(len(opens)) * 0.002
            closes = [round(opened * exp(-gap), 2) for opened, gap in zip(opens, gaps, strict=True)]
        elif resume.day == day:
            closes = [resume.prev_closes.get(a.symbol, opened) for a, opened in zip(self._assets, opens, strict=True)]
        else:
            closes = prices
        self._day = day
        self._prev_close = closes
        self._daily = history.DailyBars(self._assets, self._seed, day - timedelta(days=1), closes)
        self._minutes = {asset.symbol: bars for asset, bars in zip(self._assets, minutes, strict=True)}
        self._today: dict[str, Bar] = {}
        for asset in self._assets:
            for bar in self._minutes[asset.symbol]:
                self._add_to_today(asset.symbol, bar)
        self._building = {asset.symbol: MinuteBuilder() for asset in self._assets}
        self._log_price = [log(price) for price in prices]
        self._halted: set[str] = set()
        self._quotes: dict[str, Quote] = {}
        self._trades: dict[str, Print] = {}
        for i, asset in enumerate(self._assets):
            quote = self._make_quote(i, now_ns, 1.0, 0.5, 0.5)
            self._quotes[asset.symbol] = quote
            self._trades[asset.symbol] = Print(quote.bid, 100, now_ns, self._next_trade_id())

    # -- reading ----------------------------------------------------------------------------------------------------

    @property
    def assets(self) -> tuple[Asset, ...]:
        return self._assets

    def lists(self, symbol: str) -> bool:
        return symbol in self._index

    def quote(self, symbol: str) -> Quote:
        return self._quotes[symbol]

    def trade(self, symbol: str) -> Print:
        return self._trades[symbol]

    def last_price(self, symbol: str) -> float:
        return self._trades[symbol].price

    def prev_close(self, symbol: str) -> float:
        return self._prev_close[self._index[symbol]]

    def is_halted(self, symbol: str) -> bool:
        return symbol in self._halted

    def minute_bars(self, symbol: str) -> list[Bar]:
        """Oldest first, without the minute that is being traded: those of the days before, then of this session."""
        return [*self._earlier_minutes(symbol), *self._minutes[symbol]]

    def _earlier_minutes(self, symbol: str) -> list[Bar]:
        """Of the last trading days that are over. Made when they are first asked for; coins and tapes have none."""
        asset = self._assets[self._index[symbol]]
        if asset.is_crypto or self._tape is not None:
            return []
        kept = self._earlier.get(symbol)
        if kept is None or kept[0] != self._day:
            sessions = list(trading_days(self._day - timedelta(days=2 * EARLIER_DAYS), self._day - timedelta(days=1)))
            daily = {bar.start_ns: bar for bar in self._daily[symbol][-2 * EARLIER_DAYS :]}
            known = [(daily[midnight_ns(s.day)], s) for s in sessions[-EARLIER_DAYS:] if midnight_ns(s.day) in daily]
            bars = [bar for day, session in known for bar in history.minutes_of(asset, self._seed, day, session)]
            first_ns = self._minutes[symbol][0].start_ns if self._minutes[symbol] else None
            kept = self._day, [bar for bar in bars if first_ns is None or bar.start_ns < first_ns]
            self._earlier[symbol] = kept
        return kept[1]

    def latest_minute(self, symbol: str) -> Bar | None:
        bars = self._minutes[symbol]
        return bars[-1] if bars else None

    def daily_bars(self, symbol: str) -> list[Bar]:
        """Oldest first; the last one is today's, as far as it has gone."""
        today = self.today(symbol)
        return [*self._daily[symbol], today] if today else list(self._daily[symbol])

    def today(self, symbol: str) -> Bar | None:
        """Today's bar as far as it has gone, the minute that is being traded included."""
        done, current = self._today.get(symbol), self._building[symbol].current()
        if done is None or current is None:
            bar = done or current
            return None if bar is None else bar._replace(start_ns=midnight_ns(self._day))
        return merge(done, current)

    def prev_day(self, symbol: str) -> Bar | None:
        bars = self._daily[symbol]
        return bars[-1] if bars else None

    def state(self) -> MarketState:
        return MarketState(
            prices={asset.symbol: round(exp(x), 6) for asset, x in zip(self._assets, self._log_price, strict=True)},
            prev_closes={asset.symbol: close for asset, close in zip(self._assets, self._prev_close, strict=True)},
            day=self._day,
        )

    # -- moving -----------------------------------------------------------------------------------------------------

    @property
    def next_step_s(self) -> float:
        """Elapsed seconds at which the next step is due."""
        return (self._steps + 1) * self._step_s

    def advance(self, elapsed_s: float, now_ns: int, *, fraction: float, trading: Mapping[str, float]) -> list[Tick]:
        """Makes every step due by ``elapsed_s``.

        ``fraction`` of the session decides the activity; ``trading`` has a factor of activity for each asset class
        (1 in core hours, 0 closed).
        """
        due = int(elapsed_s / self._step_s + 1e-9)
        if due - self._steps > _STEPS_BEHIND_MAX:
            self._steps = due - _STEPS_BEHIND_MAX
        ticks: list[Tick] = []
        while self._steps < due:
            self._steps += 1
            behind_ns = int((due - self._steps) * self._step_s * 1e9)
            self._step(now_ns - behind_ns, activity(min(max(fraction, 0.0), 1.0)), trading, ticks)
        return ticks

    def _step(self, at_ns: int, level: float, trading: Mapping[str, float], ticks: list[Tick]) -> None:
        count = len(self._assets)
        if self._row == _BLOCK:
            self._row = 0
            self._shocks = history.unit_shocks(self._rng, _BLOCK, self._factors.sources)
            self._dice = self._rng.random((_BLOCK, 4, count))
            self._sizes = self._rng.standard_normal((_BLOCK, count))
        shocks = self._shocks[self._row] * np.sqrt(self._variance)
        self._variance = (1 - _ALPHA - _BETA) + _ALPHA * shocks**2 + _BETA * self._variance
        moves = (shocks @ self._factors.loadings * (level * (self._step_s / _DAY_S) ** 0.5)).tolist()
        speed = np.sqrt(self._variance[-count:]).tolist()
        quoted, traded, aside, bside = self._dice[self._row].tolist()
        sizes = self._sizes[self._row].tolist()
        self._row += 1
        shares = self._step_s / _DAY_S * level
        for i, asset in enumerate(self._assets):
            pace = trading[asset.asset_class]
            symbol = asset.symbol
            if pace == 0.0 or symbol in self._halted:
                continue
            mean_shares = asset.adv * shares * pace
            if self._tape is None:
                self._log_price[i] += moves[i] * pace
            else:
                at_s = self._steps * self._step_s * self._tape_speed
                self._log_price[i] = log(self._tape.price(symbol, at_s))
                mean_shares = self._tape.volume_per_s(symbol, at_s) * self._step_s * self._tape_speed
            quote = trade = None
            if quoted[i] < 0.75:
                quote = self._make_quote(i, at_ns, level * speed[i] / pace, aside[i], bside[i])
                self._quotes[symbol] = quote
            chance = 0.35 * pace
            if traded[i] < chance:
                size = mean_shares / chance * exp(0.8 * sizes[i] - 0.32)
                trade = self._make_trade(i, at_ns, traded[i] / chance, size)
            bar = self._record(symbol, at_ns, trade)
            if quote or trade or bar:
                ticks.append(Tick(symbol, quote, trade, bar))

    def _record(self, symbol: str, at_ns: int, trade: Print | None) -> Bar | None:
        building = self._building[symbol]
        if trade is None:
            bar = building.finish(at_ns)
        else:
            self._trades[symbol] = trade
            bar = building.add(at_ns, trade.price, trade.size)
        if bar is not None:
            self._add_to_today(symbol, bar)
            minutes = self._minutes[symbol]
            minutes.append(bar)
            if len(minutes) > 2 * _MINUTES_KEPT:
                del minutes[:_MINUTES_KEPT]
        return bar

    def _add_to_today(self, symbol: str, minute: Bar) -> None:
        start_ns = midnight_ns(self._day)
        if minute.start_ns < start_ns:
            return
        done = self._today.get(symbol)
        self._today[symbol] = minute._replace(start_ns=start_ns) if done is None else merge(done, minute)

    def _make_quote(self, i: int, at_ns: int, heat: float, a: float, b: float) -> Quote:
        """The grid prices around the latent price; ``a`` and ``b`` are dice: sizes, now and then a wider spread."""
        asset = self._assets[i]
        price = exp(self._log_price[i])
        scale = 100 if price >= 1 else 10000
        spread = max(1, round(price * asset.spread_bps * 1e-4 * heat * scale + (0.6 if a > 0.9 else 0.0)))
        # The nudge undoes the rounding of exp(log(price)), which would move a price on the grid down by a tick.
        bid = floor(price * scale - spread / 2 + 0.5 + 1e-6)
        lots = 1 if asset.is_crypto else 100
        return Quote(
            bid / scale,
            (bid + spread) / scale,
            float(int(1 + 12 * a * a) * lots) / lots,
            float(int(1 + 12 * b * b) * lots) / lots,
            at_ns,
            _VENUES[int(a * 5.99)],
            _VENUES[int(b * 5.99)],
        )

    def _make_trade(self, i: int, at_ns: int, die: float, size: float) -> Print:
        asset = self._assets[i]
        quote = self._quotes[asset.symbol]
        price = quote.ask if die > 0.5 else quote.bid
        whole = round(size, 6) if asset.is_crypto else float(max(1, int(size)))
        return Print(price, max(whole, 1e-6), at_ns, self._next_trade_id(), _VENUES[int(die * 5.99)])

    def _next_trade_id(self) -> int:
        self._trade_id += 1
        return self._trade_id

    # -- by hand ----------------------------------------------------------------------------------------------------

    def shock(self, symbol: str, price: float, at_ns: int) -> Tick:
        """Moves a symbol to a price at once: new quote and a trade there. Later increments are unchanged."""
        i = self._index[symbol]
        self._log_price[i] = log(price)
        quote = self._make_quote(i, at_ns, 1.0, 0.5, 0.5)
        self._quotes[symbol] = quote
        scale = 100 if price >= 1 else 10000
        trade = Print(round(price * scale) / scale, 100.0, at_ns, self._next_trade_id())
        return Tick(symbol, quote, trade, self._record(symbol, at_ns, trade))

    def halt(self, symbol: str, *, halted: bool) -> None:
        """A halted symbol neither quotes nor trades; its latent price stands still."""
        if halted:
            self._halted.add(symbol)
        else:
            self._halted.discard(symbol)

    def close_day(self, next_day: date) -> None:
        """Ends the trading day: its bar joins the daily ones, and the last prices become the previous close.

        When the always-open session begins another day on the same date, the date keeps its one bar.
        """
        for i, asset in enumerate(self._assets):
            self._prev_close[i] = self.last_price(asset.symbol)
            bar = self.today(asset.symbol)
            if bar is not None and next_day != self._day:
                self._daily.add(asset.symbol, bar)
                self._today.pop(asset.symbol, None)
        self._day = next_day
