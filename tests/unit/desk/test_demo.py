"""The demo strategy in virtual time: always something to decide, never something that could not be sent."""

from __future__ import annotations

import asyncio
import json
import random
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from engine.book import Book
from engine.intake.demo import MAX_PENDING, DemoStrategy
from engine.intake.formats.detect import parse
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.ids import signal_id
from engine.model.money import is_on_tick
from engine.model.signal import Signal
from engine.model.words import Intent, OrderType, Side
from engine.pipeline.decide import decide
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock
from tests.unit.builders import config_of, make_facts, replace

SYMBOLS = {"AAPL": 187.0, "MSFT": 410.0, "NVDA": 131.0, "F": 11.2}


class Market:
    """Prices that wander, quoted on the board a few times a second."""

    def __init__(self, quotes: QuoteBoard, seed: int) -> None:
        self._quotes = quotes
        self._random = random.Random(seed)
        self._mids = dict(SYMBOLS)

    def tick(self) -> None:
        for symbol, mid in self._mids.items():
            self._mids[symbol] = mid = mid * (1 + self._random.gauss(0, 0.0002))
            self._quotes.take_quote(symbol, Decimal(f"{mid - 0.01:.2f}"), Decimal(f"{mid + 0.01:.2f}"))


class Intake:
    """Takes every proposal in by the form that all strategies use, and has it decided at once or never."""

    def __init__(self, book: Book, clock: Any, quotes: QuoteBoard, *, decides: bool) -> None:
        self.book, self.clock, self.quotes, self.decides = book, clock, quotes, decides
        self.taken: list[tuple[float, Signal, Any]] = []
        self.raw: list[dict[str, Any]] = []

    async def receive(self, raw: bytes, *, source: str | None = None) -> tuple[Any, bool]:
        draft = parse(raw, source=source, received_at=self.clock.now(), format=None, default_ttl_s=60.0)
        signal = draft.to_signal(signal_id(len(self.taken) + 1))
        self.taken.append((self.clock.monotonic_s(), signal, self.quotes.get(signal.symbol)))
        self.raw.append(json.loads(raw))
        self.tell(ev.SignalReceived(signal=signal))
        if self.decides:
            self.tell(ev.SignalRejected(signal_id=signal.id, actor="window", reason=""))
        return None, False

    def tell(self, event: ev.AnyEvent) -> None:
        self.book.apply(ev.Recorded(len(self.taken), self.clock.now(), event))


def run(seconds: float, *, seed: int = 7, decides: bool = True, switch_on: bool = True) -> Intake:
    async def main() -> Intake:
        clock = virtual_clock()
        book = Book()
        quotes = QuoteBoard(clock, lambda symbol: None)
        intake = Intake(book, clock, quotes, decides=decides)
        if not switch_on:
            intake.tell(ev.DemoSwitched(on=False, actor="window"))
        market = Market(quotes, seed)
        demo = DemoStrategy(intake, book, quotes, clock, tuple(SYMBOLS), seed)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(demo.run(), name="demo")
            while clock.monotonic_s() < seconds:
                market.tick()
                await clock.sleep(0.25)
            running.cancel()
        return intake

    return run_virtually(main())


@pytest.fixture(scope="module")
def ten_minutes() -> Intake:
    return run(600)


def test_there_is_something_to_decide_every_ten_to_thirty_seconds(ten_minutes: Intake) -> None:
    times = [at_s for at_s, _, _ in ten_minutes.taken]
    assert times[0] <= 15.0
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(pauses) >= 15
    assert all(10.0 <= pause <= 30.0 for pause in pauses), pauses


def test_each_signal_is_well_formed_and_would_pass_the_gate(ten_minutes: Intake) -> None:
    sides = set()
    config = config_of({"limits": {"max_symbol_exposure_pct": 100}})
    for _, signal, quote in ten_minutes.taken:
        decision = decide(signal, make_facts(quote=quote, now=signal.received_at, config=config))
        assert decision.approvable, [reason.text for reason in decision.denies]
        assert (signal.source, signal.strategy, signal.intent) == ("demo", "reversion-30s", Intent.OPEN)
        assert (signal.expires_at - signal.received_at).total_seconds() == 90
        sides.add(signal.side)
    assert sides == set(Side), "it trades both ways"


def test_each_entry_is_a_limit_a_little_through_the_market(ten_minutes: Intake) -> None:
    for _, signal, quote in ten_minutes.taken:
        limit = signal.entry.limit_price
        assert signal.entry.type is OrderType.LIMIT
        assert limit is not None
        touch = quote.touch(signal.side.sign)
        through = (limit - touch) * signal.side.sign
        assert 0 < through <= max(Decimal("0.04"), touch * Decimal("0.001"))
        assert is_on_tick(limit)


def test_stops_are_far_enough_not_to_be_filled_by_noise_and_targets_lie_ahead(ten_minutes: Intake) -> None:
    for _, signal, quote in ten_minutes.taken:
        assert signal.stop_loss is not None
        assert signal.take_profit is not None
        touch = quote.touch(signal.side.sign)
        away = (touch - signal.stop_loss.value) * signal.side.sign
        assert away >= touch * Decimal("0.004") - Decimal("0.005"), "but for half a tick"
        assert (signal.take_profit.value - touch) * signal.side.sign > away
        assert is_on_tick(signal.stop_loss.value)
        assert is_on_tick(signal.take_profit.value)


def test_no_two_signals_have_the_same_id(ten_minutes: Intake) -> None:
    ids = [body["id"] for body in ten_minutes.raw]
    assert len(set(ids)) == len(ids)


def test_the_same_seed_proposes_the_same_signals() -> None:
    first, second = run(90, seed=3), run(90, seed=3)
    assert first.raw == second.raw != []


def test_switched_off_it_proposes_nothing() -> None:
    assert run(120, switch_on=False).taken == []


def test_undecided_signals_are_not_piled_up() -> None:
    intake = run(400, decides=False)
    symbols = [signal.symbol for _, signal, _ in intake.taken]
    assert len(symbols) == len(set(symbols)) <= MAX_PENDING, "one at a time for each symbol"


def test_a_feed_that_stands_still_is_not_traded() -> None:
    async def main() -> Intake:
        clock = virtual_clock()
        quotes = QuoteBoard(clock, lambda symbol: None)
        intake = Intake(Book(), clock, quotes, decides=True)
        demo = DemoStrategy(intake, intake.book, quotes, clock, ("AAPL",), 1)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(demo.run(), name="demo")
            quotes.take_quote("AAPL", Decimal("187.08"), None)
            await clock.sleep(60)
            running.cancel()
        return intake

    assert run_virtually(main()).taken == []


def test_the_entry_of_a_demo_signal_stands_at_its_reference(ten_minutes: Intake) -> None:
    for _, signal, quote in ten_minutes.taken:
        assert signal.reference_price == quote.touch(signal.side.sign)
        assert replace(signal, note="").confidence is not None
