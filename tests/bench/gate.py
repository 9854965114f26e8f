"""What the gate costs: one signal through all rules, and a tick of the previews of a hundred that wait.

The book holds fifty protected trades in fifty correlated symbols, every limit of the file is set, prop-firm mode and a
rules file are on, and a hundred signals wait in a hundred other symbols. Nothing is replaced but the broker: the bars
come from a table, and quotes are put on the board by hand. No socket and no disk lies on the way.

    python -m tests.bench.gate [--rounds N] [--profile]
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from engine.alpaca.check import RequestModels
from engine.approval import ApprovalQueue
from engine.book import Book
from engine.bus import Bus, Change
from engine.clock import SystemClock
from engine.config import Config, PropFirmRules
from engine.config_file import config_from_table
from engine.garbage import short_pauses
from engine.market.daily import DailyBars
from engine.market.quotes import QuoteBoard
from engine.market.statistics import Statistics
from engine.model import events as ev
from engine.model.money import round_to_tick
from engine.model.signal import EntrySpec, Signal, SizeSpec
from engine.model.words import OrderRole, OrderStatus, OrderType, Purpose
from engine.pipeline.decide import decide
from engine.pipeline.picture import Pictures
from engine.preview_feed import TELL_EVERY_S, PreviewFeed
from engine.prop.board import PropBoard
from engine.prop.keeper import day_of, day_start
from engine.prop.loading import load_prop_firm
from engine.prop.preset import Preset
from engine.rules.facts import AssetFacts
from engine.rules.hours import NEW_YORK
from engine.user_rules.board import UserRulesBoard
from tests.bench.report import head, p, say, table
from tests.unit.builders import (
    legs_of,
    make_account,
    make_approval,
    make_bracket,
    make_order,
    make_report,
    make_signal,
    price_exit,
    proof,
)
from tests.unit.market.bars import Bars, days_of

HELD: Final = 50
WAITING: Final = 100
CENT: Final = Decimal("0.01")
EQUITY: Final = Decimal(1_000_000)
replace = msgspec.structs.replace


def everything_on() -> Config:
    """Each limit is set, wide enough that the signal passes: a deny is no cheaper, and this is the usual case."""
    limits: dict[str, Any] = {
        "max_open_positions": 500,
        "max_order_notional": 1e6,
        "max_order_qty": 100_000,
        "max_gross_exposure_pct": 900,
        "max_symbol_exposure_pct": 50,
        "max_orders_per_day": 10_000,
        "max_signals_per_minute": 10_000,
        "min_stop_distance_pct": 0.1,
        "min_reward_risk": 0.5,
        "price_collar_pct": 2,
        "max_spread_pct": 1,
        "max_net_exposure_pct": 900,
        "max_working_orders": 100,
        "max_adv_pct": 5,
        "max_rejects_in_a_row": 10,
        "cool_down_s": 60,
        "deny_symbols": ["GME"],
    }
    strategy: dict[str, Any] = {"windows": ["00:00-23:59"], "max_exposure_pct": 900, "cool_down_s": 60}
    return config_from_table(
        {
            "limits": limits,
            "sizing": {"method": "atr"},
            "session": {"skip_first_min": 1, "skip_last_min": 1},
            "strategies": {"breakout": strategy},
            "correlation": {"threshold": 0.5, "max_cluster_count": 500, "max_cluster_pct": 900},
            "quotes": {"max_age_s": 3600},
            "approval": {"max_drift_pct": 5},
        },
        "bench",
    )


class Fit:
    """Surroundings in which nothing is wrong."""

    def __init__(self, history: Statistics, clock: SystemClock) -> None:
        now = clock.now()
        self.history = history
        self.gate_locked_by: str | None = None
        self.not_ready: str | None = None
        self.corporate: dict[str, Any] = {}
        self.session_open = True
        self.calendar_read = True
        self.session_opened_at = now - timedelta(hours=2)
        self.session_changes_at = now + timedelta(hours=2)
        self.halted: set[str] = set()
        self.extended_open = False
        self.account = make_account(equity=EQUITY, buying_power=4 * EQUITY, as_of=now)
        self.account_at_s = clock.monotonic_s()
        self.stream_up = self.rest_up = True
        self._asset = AssetFacts(tradable=True, shortable=True, easy_to_borrow=True, fractionable=True)

    def asset(self, symbol: str) -> AssetFacts:
        return self._asset


class Noon(SystemClock):
    """The machine's clock, moved to noon in New York: no rule about the hour has a say in what is measured."""

    def __init__(self) -> None:
        self._skipped_s = 0.0
        now = super().now()
        self._shift = now.astimezone(NEW_YORK).replace(hour=12, minute=0) - now

    def now(self) -> datetime:
        return super().now() + self._shift

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self._skipped_s

    def skip(self, seconds: float) -> None:
        """For what happens at most so often."""
        self._skipped_s += seconds


class Screen:
    """Whoever is told of a signal asks for it, all in the same tick. It stands where the recorder passes changes on."""

    def __init__(self) -> None:
        self.feed: PreviewFeed | None = None

    def tell(self, *changes: Change) -> None:
        assert self.feed is not None
        for change in changes:
            self.feed.get(change.key)


class Scene:
    """A desk's memory and its gate."""

    def __init__(self, models: RequestModels, folder: Path) -> None:
        self.clock = Noon()
        self.now = self.clock.now()
        self.config = everything_on()
        self.book = Book()
        self.bus = Bus()
        self.quotes = QuoteBoard(self.clock, lambda symbol: None)
        self.prices = {f"S{n:03d}": round_to_tick(Decimal(40 + 3 * n)) for n in range(HELD + WAITING)}
        self._seq = 0
        today = self.now.astimezone(NEW_YORK).date()
        self.history = Statistics(DailyBars(Bars(**_bars(self.prices, today)), self.clock), self.clock)  # type: ignore[arg-type]
        around = Fit(self.history, self.clock)
        preset = load_prop_firm(PropFirmRules(enabled=True, preset="trailing_intraday_lock_in"), folder)
        assert isinstance(preset, Preset)
        preset = replace(preset, size=None)  # fifty positions are more than any firm lets one hold
        prop = PropBoard(
            preset, 20.0, self.book, self.quotes, self.clock, equity=lambda: EQUITY, balance=lambda: EQUITY
        )
        self.pictures = Pictures(
            self.book,
            self.quotes,
            around,
            self.clock,
            self.config,
            lambda: None,
            prop.facts,  # type: ignore[arg-type]
        )
        self.queue = ApprovalQueue(
            book=self.book,
            recorder=None,  # type: ignore[arg-type]
            journal=None,  # type: ignore[arg-type]
            pictures=self.pictures,
            executor=None,  # type: ignore[arg-type]
            stopwatch=None,  # type: ignore[arg-type]
            clock=self.clock,
            undo_s=0.0,
            reason_over_warnings=False,
            to_close=lambda _: (),
            user_rules=UserRulesBoard(None, self.clock, lambda _: None),
        )
        self.queue.use_models(models)
        screen = Screen()
        self.feed = screen.feed = PreviewFeed(self.queue.preview, self.book, screen, self.clock, self.bus)  # type: ignore[arg-type]
        self.pictures.size_pending_by(self.feed.notional)
        for symbol, price in self.prices.items():
            self.quotes.take_quote(symbol, price - CENT, price)
        began = day_start(preset.reset, self.now)
        self.tell(
            ev.PropDayOpened(
                day=day_of(preset.reset, began).isoformat(),
                preset=preset.name,
                size=EQUITY,
                balance=EQUITY,
                equity=EQUITY,
                began_at=began,
            )
        )
        symbols = list(self.prices)
        for number, symbol in enumerate(symbols[:HELD], start=1):
            self.hold(number, symbol)
        for number, symbol in enumerate(symbols[HELD:], start=HELD + 1):
            self.tell(ev.SignalReceived(signal=self.signal(number, symbol)))

    def tell(self, event: ev.AnyEvent) -> None:
        self._seq += 1
        self.book.apply(ev.Recorded(self._seq, self.now, event))

    def signal(self, number: int, symbol: str) -> Signal:
        price = self.prices[symbol]
        return make_signal(
            id=f"s{number:06d}",
            source_id=f"b{number}",
            symbol=symbol,
            size=None,
            entry=EntrySpec(type=OrderType.LIMIT, limit_price=price),
            stop_loss=price_exit(str(round_to_tick(price * Decimal("0.97")))),
            take_profit=price_exit(str(round_to_tick(price * Decimal("1.06")))),
            reference_price=price,
            made_at=self.now,
            received_at=self.now,
            expires_at=self.now + timedelta(hours=1),
        )

    def hold(self, number: int, symbol: str) -> None:
        """Approved, entered, filled and protected."""
        price, qty = self.prices[symbol], Decimal(50)
        name, entry_id = f"b{number:06d}", f"gl-7f3a2c-{number:06d}-entry-1"
        signal = replace(self.signal(number, symbol), size=SizeSpec(unit="qty", value=qty))
        order = make_order(
            id=entry_id, client_order_id=entry_id, symbol=symbol, qty=qty, bracket_id=name, limit_price=price
        )
        order = replace(order, created_at=self.now, status_since=self.now)
        unborn = {"status": OrderStatus.SENDING, "broker_id": None, "evidence": None, "qty": qty, "symbol": symbol}
        legs = tuple(replace(leg, bracket_id=name) for leg in legs_of(order, **unborn))
        stop = round_to_tick(price * Decimal("0.97"))
        bracket = make_bracket(
            id=name, signal_id=signal.id, symbol=symbol, qty=qty, stop_price=stop, take_profit_price=None
        )
        self.tell(ev.SignalReceived(signal=signal))
        self.tell(ev.SignalApproved(signal_id=signal.id, bracket_id=name, approval=make_approval(self.now, qty=qty)))
        self.tell(ev.BracketOpened(bracket=bracket))
        self.tell(ev.OrderIntended(order=order, body={}, purpose=Purpose.ENTRY, legs=legs))
        for leg in (order, *legs):
            is_entry = leg.role is OrderRole.ENTRY
            report = make_report(
                OrderStatus.FILLED if is_entry else OrderStatus.HELD,
                broker_id=f"broker-{leg.id}",
                filled_qty=qty if is_entry else Decimal(0),
                filled_avg_price=price if is_entry else None,
                evidence=proof(self.now),
                updated_at=self.now,
            )
            self.tell(ev.OrderReported(order_id=leg.id, report=report))

    # --- measured ----------------------------------------------------------------------------------------------------

    def gate_ms(self, signal: Signal) -> float:
        """Picture and all rules, as at the click."""
        self.stir()
        began = time.perf_counter()
        decision = decide(signal, self.pictures.take(signal))
        taken = (time.perf_counter() - began) * 1000
        assert decision.approvable, decision.denies
        return taken

    def tick_ms(self) -> float:
        """What one tick of the feed costs when all have moved: those that it tells are computed anew at once."""
        self.clock.skip(TELL_EVERY_S)
        self.stir()
        self.feed.note(frozenset({Change("account", "")}))
        began = time.perf_counter()
        self.feed.tell()
        return (time.perf_counter() - began) * 1000

    def all_ms(self) -> float:
        """A hundred previews in one go, with requests checked and figures: no tick does that."""
        self.stir()
        self.feed.note(frozenset({Change("account", "")}))
        began = time.perf_counter()
        for signal_id in self.book.pending:
            self.feed.get(signal_id)
        return (time.perf_counter() - began) * 1000

    def stir(self) -> None:
        """A quote moves: nothing that was computed before holds."""
        symbol = next(iter(self.prices))
        self.quotes.take_quote(symbol, self.prices[symbol] - CENT, self.prices[symbol])


def _bars(prices: dict[str, Decimal], today: date) -> dict[str, Any]:
    """All move with the market, each with noise of its own: correlations around the threshold."""
    rng = np.random.default_rng(5)
    market = rng.normal(0, 0.01, 65)
    return {
        name: days_of(market + rng.normal(0, 0.01, 65), start=float(price), last=today - timedelta(days=1))
        for name, price in {**prices, "SPY": Decimal(500)}.items()
    }


async def measure(rounds: int, folder: Path, *, profile: bool) -> None:
    with ThreadPoolExecutor(1) as pool:
        scene = Scene(await RequestModels.load(pool), folder)
    await scene.history.ensure(scene.prices)
    async with short_pauses(scene.clock, lambda: False):  # as a desk at work does
        run(scene, rounds, profile=profile)


def run(scene: Scene, rounds: int, *, profile: bool) -> None:
    signals = [scene.book.signals[key].signal for key in scene.book.pending]
    for _ in range(3):
        scene.all_ms()
    if profile:
        profiler = cProfile.Profile()
        profiler.enable()
        for _ in range(10):
            scene.all_ms()
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(35)
        return
    gate = [scene.gate_ms(signals[n % WAITING]) for n in range(rounds)]
    ticks = [scene.tick_ms() for _ in range(max(20, rounds // 40))]
    whole = [scene.all_ms() for _ in range(max(20, rounds // 40))]
    decision = decide(signals[0], scene.pictures.take(signals[0]))
    shown = scene.feed.get(signals[0].id)
    assert shown.cluster is not None
    say(f"{len(decision.reasons)} verdicts a signal; {shown.cluster.count_before} of {HELD} trades are the same bet")
    say(f"clock: {datetime.now(UTC):%H:%M}; the load of the machine is in the tails\n")
    table(
        ("milliseconds", "p50", "p95", "p99", "max"),
        [
            ("gate: picture and all rules, one signal", *(round(p(gate, q), 3) for q in (0.5, 0.95, 0.99, 1.0))),
            (f"tick: {WAITING} have moved", *(round(p(ticks, q), 2) for q in (0.5, 0.95, 0.99, 1.0))),
            (f"{WAITING} previews in one go", *(round(p(whole, q), 2) for q in (0.5, 0.95, 0.99, 1.0))),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4000)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    head(f"The gate: {HELD} trades on, {WAITING} signals waiting, every rule on")
    asyncio.run(measure(arguments.rounds, Path("none"), profile=arguments.profile))


if __name__ == "__main__":
    main()
