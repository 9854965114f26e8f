"""A signal that closes is an exit: no budget, no lock and no doubt of the desk's holds it up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from engine.alpaca.budget import Lane, RateBudget
from engine.alpaca.client import AlpacaClient
from engine.alpaca.transport import Transport
from engine.busts import Busts
from engine.config import Config
from engine.gateway import Gateway
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.position import Position
from engine.model.words import Intent, OrderStatus, Side, SignalStatus
from engine.pipeline.executor import Executor
from engine.pipeline.picture import Pictures
from engine.stopwatch import Stopwatch
from engine.surroundings import World
from engine.tasks import SymbolLocks
from tests.unit.builders import ENTRY_ID, make_approval, make_signal, proof
from tests.unit.desk.desk_parts import Parts, parts
from tests.wire.adapter.samples import access_to


async def nothing_to_ask(signal_id: str, look: object) -> None:
    """There are no rules of the operator's."""


class Desk:
    """An executor on real parts, whose broker is never asked anything."""

    def __init__(self, known: Parts, session: aiohttp.ClientSession) -> None:
        clock, book, recorder = known.clock, known.book, known.recorder
        self.parts = known
        self.budget = RateBudget(clock, 10)
        self.locks = SymbolLocks()
        transport = Transport(session, access_to("http://127.0.0.1:9"), clock)
        client = AlpacaClient(transport, self.budget, RateBudget(clock))
        world = World(client, recorder, clock, equity_moved=lambda: None)
        pictures = Pictures(book, QuoteBoard(clock, lambda symbol: None), world, clock, Config(), lambda: None)
        nobody = lambda *told: None  # noqa: E731
        busts = Busts(recorder, book, clock)
        gateway = Gateway(client, recorder, book, clock, busts, unsettled=nobody, surprised=nobody, answered=nobody)
        watch = Stopwatch(recorder, book, clock, known.bus)
        self.executor = Executor(
            pictures,
            gateway,
            recorder,
            book,
            clock,
            self.locks,
            watch,
            Config(),
            session_ends_at=lambda: None,
            ask_user_rules=nothing_to_ask,
        )

    def approve_a_close(self) -> None:
        signal = make_signal(id="s000002", source_id="2", side=Side.SELL, intent=Intent.CLOSE)
        self.parts.recorder.record(
            ev.SignalReceived(signal=signal),
            ev.SignalApproved(signal_id="s000002", bracket_id=None, approval=make_approval()),
        )

    @property
    def status(self) -> SignalStatus:
        return self.parts.book.signals["s000002"].status


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with parts(tmp_path) as known, aiohttp.ClientSession() as session:
        yield Desk(known, session)


def hold(desk: Desk) -> None:
    desk.parts.enter()
    desk.parts.answer()
    desk.parts.report(ENTRY_ID, OrderStatus.FILLED, filled=10, execution_id="x1")


async def test_it_hands_the_trade_to_the_supervisor(desk: Desk) -> None:
    hold(desk)
    desk.approve_a_close()
    await desk.executor.execute_signal("s000002")
    asked = desk.parts.told(ev.ExitRequested)
    assert [(event.bracket_id, event.actor, event.signal_id) for event in asked] == [("b000001", "window", "s000002")]
    assert desk.status is SignalStatus.WORKING
    assert desk.parts.book.brackets["b000001"].exit_requested_at is not None


async def test_an_empty_budget_a_busy_symbol_and_a_locked_gate_do_not_hold_it_up(desk: Desk) -> None:
    hold(desk)
    for _ in range(10):
        async with desk.budget.slot(Lane.EXIT) as slot:
            slot.spend()
    assert desk.budget.remaining() == 0
    desk.approve_a_close()
    async with desk.locks.hold("AAPL", 1.0):
        await desk.executor.execute_signal("s000002")
    assert desk.status is SignalStatus.WORKING


async def test_a_position_that_no_trade_explains_is_denied_and_keeps_nothing_in_flight(desk: Desk) -> None:
    position = Position(symbol="AAPL", qty=Decimal(10), avg_entry_price=Decimal(180), evidence=proof())
    desk.parts.recorder.record(ev.PositionReported(position=position))
    desk.approve_a_close()
    await desk.executor.execute_signal("s000002")
    assert desk.status is SignalStatus.DENIED
    assert [reason.code for reason in desk.parts.told(ev.SignalDenied)[0].reasons] == ["NOTHING_TO_CLOSE"]
    assert not desk.parts.book.approved
