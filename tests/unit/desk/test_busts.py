"""Executions that the venue takes back: whose they were, once, whoever tells of them and in whatever order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from engine.adoption import Adopter
from engine.alpaca import wire
from engine.busts import CONFIRM_AFTER_S, Busts
from engine.errors import IllegalTransition
from engine.model import events as ev
from engine.model.words import OrderStatus, SignalStatus
from engine.pipeline.track import Tracker
from engine.protection.result import realized_pl
from tests.unit.builders import ENTRY_ID, after, make_report, proof, state_of
from tests.unit.desk.desk_parts import Parts, parts

S = OrderStatus
STOP_ID = f"{ENTRY_ID}.sl"
TARGET_ID = f"{ENTRY_ID}.tp"


class Told(Parts):
    """A trade whose reports come by the way that all reports come."""

    busts: Busts
    tracker: Tracker
    doubted: list[str]

    def says(self, order_id: str, status: S, filled: int, at_s: float, price: str = "187.20", **more: Any) -> bool:
        report = make_report(
            status,
            broker_id=f"broker-{order_id}",
            filled_qty=Decimal(filled),
            filled_avg_price=Decimal(price) if filled else None,
            qty=Decimal(10),
            evidence=proof(self.clock.now()),
            updated_at=after(at_s),
        )
        return self.busts.report(order_id, msgspec.structs.replace(report, **more))

    def streams(self, event: str, order_id: str, status: S, filled: int, at_s: float | None, **more: Any) -> None:
        order = wire.Order(
            id=f"broker-{order_id}",
            symbol="AAPL",
            side=self.book.orders[order_id].side.value,
            status=status.value,
            qty=Decimal(10),
            filled_qty=Decimal(filled),
            filled_avg_price=Decimal("187.20") if filled else None,
            updated_at=self._stamp(at_s),
        )
        self.tracker.take(wire.TradeUpdate(event=event, order=order, **more))

    def _stamp(self, at_s: float | None) -> datetime | None:
        return None if at_s is None else after(at_s)

    def is_entered(self) -> None:
        self.enter()
        self.answer()
        self.says(ENTRY_ID, S.FILLED, 10, 1.0, execution_id="x1")

    def is_closed(self) -> None:
        self.is_entered()
        self.says(TARGET_ID, S.FILLED, 10, 2.0, "191.80", execution_id="x2")
        self.says(STOP_ID, S.CANCELED, 0, 2.0)

    @property
    def held(self) -> Decimal:
        return self.book.cover("b000001").held

    @property
    def is_open(self) -> bool:
        return "b000001" in self.book.open_brackets

    @property
    def taken(self) -> list[tuple[str, Decimal]]:
        return [(fact.order_id, fact.qty) for fact in self.told(ev.ExecutionsTakenBack)]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Told]:
    async with parts(tmp_path) as made:
        desk = cast("Told", made)
        desk.__class__ = Told
        desk.doubted = []
        desk.busts = Busts(made.recorder, made.book, cast("Any", made.clock))
        adopter = Adopter(made.recorder, made.book, cast("Any", made.clock))
        desk.tracker = Tracker(
            made.recorder,
            made.book,
            cast("Any", made.clock),
            adopter,
            surprised=desk.doubted.append,
            busts=desk.busts,
        )
        yield desk


async def test_an_exit_that_is_taken_back_reopens_its_trade(desk: Told) -> None:
    desk.is_closed()
    assert not desk.is_open
    desk.streams("trade_bust", TARGET_ID, S.FILLED, 0, 3.0, execution_id="x2", position_qty=Decimal(10))
    target = desk.book.orders[TARGET_ID]
    assert (target.status, target.filled_qty, target.busted_qty, target.filled_avg_price) == (S.FILLED, 0, 10, None)
    assert (desk.is_open, desk.held, desk.doubted) == (True, 10, ["AAPL"])
    assert desk.book.positions["AAPL"].qty == 10
    assert realized_pl(desk.book.orders_of("b000001"), Decimal("187.20"), 1) == 0


async def test_an_entry_that_is_wholly_taken_back_leaves_nothing_held(desk: Told) -> None:
    desk.is_entered()
    desk.says(TARGET_ID, S.CANCELED, 0, 2.0)
    desk.says(STOP_ID, S.CANCELED, 0, 2.0)
    desk.streams("trade_bust", ENTRY_ID, S.FILLED, 0, 3.0, execution_id="x1", position_qty=Decimal(0))
    assert (desk.is_open, desk.held) == (False, 0)
    record = desk.book.signals["s000001"]
    assert (record.status, record.decision_note) == (
        SignalStatus.CLOSED,
        "the venue took the executions of its entry back",
    )


async def test_a_part_of_an_entry_that_is_taken_back_lowers_what_is_held_and_its_price(desk: Told) -> None:
    desk.is_entered()
    desk.says(ENTRY_ID, S.FILLED, 4, 3.0, "187.10")
    cover = desk.book.cover("b000001")
    assert (cover.held, cover.entry_filled, cover.avg_entry_price, cover.over) == (4, 4, Decimal("187.10"), 6)


async def test_what_was_closed_of_an_entry_that_never_was_is_the_other_way(desk: Told) -> None:
    """The broker holds ten short: they are closed, and the difference of the two prices is the result."""
    desk.is_closed()
    desk.says(ENTRY_ID, S.FILLED, 0, 3.0)
    cover = desk.book.cover("b000001")
    assert (desk.is_open, cover.held, cover.flipped) == (True, 0, 10)


@pytest.mark.parametrize("first", ["stream", "reading"])
async def test_told_by_stream_and_reading_it_counts_once(desk: Told, first: str) -> None:
    desk.is_closed()
    if first == "stream":
        desk.streams("trade_bust", TARGET_ID, S.FILLED, 6, 3.0, execution_id="x2")
    for _ in range(2):
        desk.says(TARGET_ID, S.FILLED, 6, 3.0)
        desk.streams("trade_bust", TARGET_ID, S.FILLED, 6, 3.0, execution_id="x2")
    assert desk.taken == [(TARGET_ID, 4)]
    assert desk.held == 4


async def test_each_of_two_busts_counts(desk: Told) -> None:
    desk.is_closed()
    desk.streams("trade_bust", TARGET_ID, S.FILLED, 6, 3.0, execution_id="x2")
    desk.streams("trade_bust", TARGET_ID, S.FILLED, 0, 4.0, execution_id="x3")
    desk.streams("trade_bust", TARGET_ID, S.FILLED, 6, 3.0, execution_id="x2")
    assert desk.taken == [(TARGET_ID, 4), (TARGET_ID, 6)]


async def test_the_fill_told_again_after_its_bust_does_not_bring_it_back(desk: Told) -> None:
    desk.is_closed()
    desk.streams("trade_bust", TARGET_ID, S.FILLED, 0, 3.0, execution_id="x2")
    desk.streams("fill", TARGET_ID, S.FILLED, 10, 2.0, execution_id="x2")
    desk.says(TARGET_ID, S.FILLED, 10, 2.0)  # a reading that was long on its way
    assert (desk.book.orders[TARGET_ID].filled_qty, desk.held) == (0, 10)


async def test_a_bust_that_comes_before_its_fill_is_not_lost(desk: Told) -> None:
    """The fill was never told: a filled order has executed all of its shares once."""
    desk.is_entered()
    assert desk.says(STOP_ID, S.FILLED, 3, 3.0)
    stop = desk.book.orders[STOP_ID]
    assert (stop.status, stop.filled_qty, stop.busted_qty, desk.held) == (S.FILLED, 3, 7, 7)
    desk.streams("fill", STOP_ID, S.FILLED, 10, 2.0, execution_id="x9")
    assert desk.held == 7


async def test_an_order_that_works_on_executes_again_what_was_taken_back(desk: Told) -> None:
    desk.enter()
    desk.answer()
    desk.says(ENTRY_ID, S.PARTIALLY_FILLED, 4, 1.0, execution_id="x1")
    desk.streams("trade_bust", ENTRY_ID, S.PARTIALLY_FILLED, 0, 2.0, execution_id="x1")
    assert desk.book.orders[ENTRY_ID].leaves_qty == 10
    desk.says(ENTRY_ID, S.FILLED, 10, 3.0, execution_id="x2")
    assert (desk.held, desk.taken) == (10, [(ENTRY_ID, 4)])


async def test_a_reading_from_before_the_execution_takes_nothing_back(desk: Told) -> None:
    desk.is_closed()
    for _ in range(3):
        desk.clock.at_s += CONFIRM_AFTER_S
        assert not desk.says(TARGET_ID, S.NEW, 0, 1.5)
    assert (desk.taken, desk.busts.doubtful) == ([], set())


async def test_fewer_shares_under_the_same_stamp_have_to_be_seen_twice(desk: Told) -> None:
    desk.is_entered()
    desk.says(TARGET_ID, S.PARTIALLY_FILLED, 4, 2.0, execution_id="x2")
    desk.says(TARGET_ID, S.PARTIALLY_FILLED, 1, 2.0)
    assert (desk.taken, desk.busts.doubtful) == ([], {"AAPL"})
    desk.clock.at_s += CONFIRM_AFTER_S
    desk.says(TARGET_ID, S.PARTIALLY_FILLED, 1, 2.0)
    assert (desk.taken, desk.busts.doubtful) == ([(TARGET_ID, 3)], set())


async def test_a_correction_of_the_price_alone_takes_nothing_back(desk: Told) -> None:
    desk.is_entered()
    desk.streams("trade_correct", ENTRY_ID, S.FILLED, 10, 3.0, execution_id="x1")
    desk.says(ENTRY_ID, S.FILLED, 10, 3.0, "186.00")
    assert desk.taken == []
    assert desk.book.cover("b000001").avg_entry_price == Decimal("186.00")


async def test_what_no_table_knows_is_still_refused(desk: Told) -> None:
    desk.is_entered()
    with pytest.raises(IllegalTransition):
        desk.says(ENTRY_ID, S.REJECTED, 10, 3.0)


async def test_the_journal_folds_to_the_same_book(desk: Told) -> None:
    desk.is_closed()
    desk.streams("trade_bust", TARGET_ID, S.FILLED, 4, 3.0, execution_id="x2")
    desk.streams("trade_bust", ENTRY_ID, S.FILLED, 6, 4.0, execution_id="x1")
    book = type(desk.book)()
    for fact in desk.facts:
        book.apply(fact)
    assert state_of(book) == state_of(desk.book)
    assert list(book.taken_back) == [TARGET_ID, ENTRY_ID]
