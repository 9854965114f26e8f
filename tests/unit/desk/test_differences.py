"""What a settlement covers: the shares that were settled, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.differences import CONFIRM_AFTER_S, Differences
from engine.model import events as ev
from engine.model.position import Position
from engine.model.words import OrderStatus, Side
from engine.surroundings import World
from tests.unit.builders import ENTRY_ID, filled, make_bracket, make_order, make_report, proof
from tests.unit.desk.desk_parts import Parts, parts


class Looks(Parts):
    """A book that is compared with what the broker holds of XOM, twice as a look does."""

    world: Any
    differences: Differences

    def holds(self, qty: str, symbol: str = "XOM") -> list[str]:
        """The broker holds so many shares; returns what is then open, by text."""
        position = Position(
            symbol=symbol, qty=Decimal(qty), avg_entry_price=Decimal(100), evidence=proof(self.clock.now())
        )
        self.recorder.record(ev.PositionReported(position=position))
        for _ in range(2):
            self.differences.compare([], {symbol} | self.differences.unexplained)
            self.clock.at_s += CONFIRM_AFTER_S
        self.differences.lock_or_open()
        return [found.text for found in self.differences.open.values()]

    def bought(self) -> None:
        """Ten AAPL, by a trade of ours."""
        self.enter()
        self.answer()
        self.report(ENTRY_ID, OrderStatus.FILLED, 10)

    def ignore(self) -> None:
        (difference_id,) = self.differences.open
        self.differences.settle(difference_id, "ignore", "test")


@pytest.fixture
async def looks(tmp_path: Path) -> AsyncIterator[Looks]:
    async with parts(tmp_path) as made:
        looks = cast("Looks", made)
        looks.__class__ = Looks
        looks.world = SimpleNamespace(gate_locked_by=None, has_differences=False, has_unexplained_shares=False)
        looks.differences = Differences(made.recorder, made.book, cast("World", looks.world), cast("Any", made.clock))
        yield looks


async def test_more_shares_than_were_settled_are_a_new_difference(looks: Looks) -> None:
    assert looks.holds("7") == ["7 XOM are held that no trade explains"]
    looks.ignore()
    assert looks.holds("7") == []
    assert looks.holds("9") == ["9 XOM are held that no trade explains"]
    assert looks.world.gate_locked_by is not None
    looks.ignore()
    assert looks.holds("9.0") == []


async def test_a_settlement_lapses_with_its_shares_and_the_same_number_asks_again(looks: Looks) -> None:
    looks.holds("7")
    looks.ignore()
    assert looks.holds("0") == []
    assert [lapsed.difference_id for lapsed in looks.told(ev.DifferenceLapsed)] == ["position:XOM:7"]
    assert looks.holds("7") == ["7 XOM are held that no trade explains"]


async def test_settled_shares_do_not_lock_the_gate_at_each_look(looks: Looks) -> None:
    looks.holds("7")
    looks.ignore()
    looks.differences.compare([], {"XOM"})
    looks.differences.lock_or_open()
    assert looks.world.gate_locked_by is None
    assert looks.differences.suspects == {}


async def test_a_gap_that_changes_before_it_is_settled_is_one_difference(looks: Looks) -> None:
    looks.holds("7")
    assert looks.holds("8") == ["8 XOM are held that no trade explains"]
    assert looks.holds("0") == []


async def test_an_order_that_the_broker_lost_is_told_after_a_second_look(looks: Looks) -> None:
    looks.enter()
    looks.answer()
    order = looks.book.orders[ENTRY_ID]
    looks.differences.note_missing(order, is_missing=True)
    assert looks.differences.open == {}
    looks.clock.at_s += CONFIRM_AFTER_S
    looks.differences.note_missing(order, is_missing=True)
    (found,) = looks.differences.open.values()
    assert (found.kind, found.subject, found.settlements) == ("missing", ENTRY_ID, ("adopt",))
    looks.differences.note_missing(order, is_missing=False)
    assert looks.differences.open == {}


async def test_a_bust_that_the_position_told_of_first_is_counted_once(looks: Looks) -> None:
    looks.bought()
    assert looks.holds("0", "AAPL") == [], "closed at the broker by another hand, as it seemed"
    gone = make_report(OrderStatus.FILLED, broker_id=f"broker-{ENTRY_ID}", qty=Decimal(10))
    looks.recorder.record(ev.ExecutionsTakenBack(order_id=ENTRY_ID, qty=Decimal(10), report=gone))
    assert looks.book.cover("b000001").flipped == 10
    assert looks.holds("0", "AAPL") == []
    cover = looks.book.cover("b000001")
    assert (cover.held, cover.flipped) == (0, 0)


async def test_what_was_netted_out_is_not_what_a_bust_takes_back(looks: Looks) -> None:
    """Storm 120: the bust's own shares were taken for those that had gone before."""
    looks.bought()
    looks.recorder.record(ev.BracketAdjusted(bracket_id="b000001", qty=Decimal(-10), why="closed by hand"))
    part = make_report(
        OrderStatus.FILLED,
        broker_id=f"broker-{ENTRY_ID}",
        qty=Decimal(10),
        filled_qty=Decimal(4),
        filled_avg_price=None,
    )
    looks.recorder.record(ev.ExecutionsTakenBack(order_id=ENTRY_ID, qty=Decimal(6), report=part))
    assert looks.holds("-6", "AAPL") == []
    assert looks.book.cover("b000001").flipped == 6


async def test_shares_of_one_trade_that_another_has_closed_beyond_its_own_are_gone(looks: Looks) -> None:
    """Storm 43: neither could be closed, since the broker lets no more be closed than it holds."""
    looks.enter()
    looks.answer()
    for order_id in (ENTRY_ID, f"{ENTRY_ID}.sl", f"{ENTRY_ID}.tp"):
        looks.report(order_id, OrderStatus.FILLED, 10)
    other = make_bracket(id="b000002", signal_id="s000002")
    entry = filled(make_order(id="other", client_order_id="other", bracket_id="b000002"), price="187.20")
    looks.recorder.record(ev.BracketOpened(bracket=other), ev.OrderAdopted(order=entry))
    assert looks.holds("0", "AAPL") == []
    covers = [looks.book.cover(key) for key in ("b000001", "b000002")]
    assert [(cover.held, cover.flipped) for cover in covers] == [(0, 0), (0, 0)]


async def test_two_trades_that_hold_the_same_shares_the_other_way_hold_none(looks: Looks) -> None:
    """Storms 20169 and 20224: busts had left one trade long and another one short."""
    looks.bought()
    short = make_bracket(id="b000002", signal_id="s000002", side=Side.SELL)
    entry = make_order(id="other", client_order_id="other", bracket_id="b000002", side=Side.SELL)
    looks.recorder.record(ev.BracketOpened(bracket=short), ev.OrderAdopted(order=filled(entry, 4)))
    assert looks.holds("6", "AAPL") == []
    assert [looks.book.cover(key).held for key in ("b000001", "b000002")] == [10, 4], "while its entry works on"
    looks.report("other", OrderStatus.CANCELED, 4)
    assert looks.holds("6", "AAPL") == []
    assert [looks.book.cover(key).held for key in ("b000001", "b000002")] == [6, 0]


async def test_a_gap_that_has_gone_is_suspected_no_longer_while_an_exit_is_on_its_way(looks: Looks) -> None:
    """Storm 583: an execution was seen in the position first, and then the fate of the stop could not be settled."""
    looks.enter()
    looks.answer()
    position = Position(symbol="AAPL", qty=Decimal(10), avg_entry_price=Decimal(100), evidence=proof(looks.clock.now()))
    looks.recorder.record(ev.PositionReported(position=position))
    looks.differences.compare([], {"AAPL"})
    looks.differences.lock_or_open()
    assert looks.world.gate_locked_by == "the position of AAPL is read once more"
    looks.report(ENTRY_ID, OrderStatus.FILLED, filled=10, execution_id="x1")
    looks.report(f"{ENTRY_ID}.sl", OrderStatus.PENDING_CANCEL)  # neither at rest nor over, for as long as it takes
    looks.differences.compare([], {"AAPL"})
    looks.differences.lock_or_open()
    assert looks.world.gate_locked_by is None


async def test_shares_that_were_settled_the_other_way_cancel_out_with_a_trade(looks: Looks) -> None:
    """Storm 700396: ten short ones were settled, then a bust brought back ten long ones, which no order can close."""
    assert looks.holds("-10", "AAPL") == ["-10 AAPL are held that no trade explains"]
    looks.ignore()
    looks.bought()
    assert looks.holds("0", "AAPL") == []
    assert looks.book.cover("b000001").held == 0
    assert [lapsed.difference_id for lapsed in looks.told(ev.DifferenceLapsed)] == ["position:AAPL:-10"]


async def test_what_is_left_of_settled_shares_asks_again(looks: Looks) -> None:
    """Storm 700383: of fifteen settled ones five were what a flip had sold."""
    assert looks.holds("15", "AAPL") == ["15 AAPL are held that no trade explains"]
    looks.ignore()
    looks.bought()
    for exit_id in (f"{ENTRY_ID}.sl", f"{ENTRY_ID}.tp"):
        looks.report(exit_id, OrderStatus.FILLED, 10)
    assert looks.book.cover("b000001").flipped == 10
    assert looks.holds("5", "AAPL") == ["5 AAPL are held that no trade explains"]
    assert looks.book.cover("b000001").flipped == 0


async def test_settled_shares_beside_a_trade_of_their_own_side_stay_settled(looks: Looks) -> None:
    looks.holds("7", "AAPL")
    looks.ignore()
    looks.bought()
    assert looks.holds("17", "AAPL") == []
    assert looks.book.cover("b000001").held == 10
    assert looks.told(ev.DifferenceLapsed) == []


async def test_an_order_of_unknown_fate_does_not_keep_the_executed_ones_from_being_read(looks: Looks) -> None:
    """Storm 700536: a bust that nobody had told of stayed unseen beside it, for as long as no person settled it."""
    looks.enter()
    looks.recorder.record(ev.OrderUnresolved(order_id=ENTRY_ID, text="the answer was lost"))
    assert looks.holds("-1", "AAPL") == []
    assert looks.differences.gaps() == {"AAPL": (Decimal(0), Decimal(-1))}
    assert looks.differences.doubtful == set(), "no look in a hurry: it may take as long as the person does"
    looks.recorder.record(ev.OrderNeverReached(order_id=ENTRY_ID, why="attested by a person", actor="ann"))
    assert looks.book.open_brackets == {}
    looks.differences.compare([], [])
    assert looks.differences.gaps() == {}
