"""A halt cools off by the loop's clock; only one from before this process is dated by the wall clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.book import Book
from engine.clock import Clock
from engine.halt.cooling import CoolingOff
from engine.model import events as ev
from engine.model.words import DeskState
from tests.unit.builders import T0


class Clocks(Clock):
    """A wall clock that can be set, beside the loop's own."""

    def __init__(self) -> None:
        self.wall, self.loop_s = T0, 100.0

    def now(self) -> datetime:
        return self.wall

    def monotonic_s(self) -> float:
        return self.loop_s

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.loop_s += seconds


def set_to(book: Book, state: DeskState, clock: Clocks, seq: int) -> None:
    book.apply(ev.Recorded(seq, clock.now(), ev.DeskStateSet(scope="desk", state=state, actor="ann", cause="")))


def test_a_clock_that_is_set_neither_shortens_nor_lengthens_it() -> None:
    book, clock = Book(), Clocks()
    cooling = CoolingOff(book, clock, 60.0)
    assert cooling.left_s("desk") == 0, "there is none"
    set_to(book, DeskState.HALTED, clock, 1)
    assert cooling.left_s("desk") == 60
    clock.wall += timedelta(hours=1)
    clock.pass_by(20)
    assert cooling.left_s("desk") == 40
    clock.wall -= timedelta(hours=3)
    clock.pass_by(39)
    assert cooling.left_s("desk") == 1
    clock.pass_by(1)
    assert cooling.left_s("desk") == 0


def test_of_a_halt_from_before_the_wall_clock_says_how_much_has_passed_and_never_more_than_all_is_left() -> None:
    book, clock = Book(), Clocks()
    set_to(book, DeskState.HALTED, clock, 1)
    clock.pass_by(25)
    assert CoolingOff(book, clock, 60.0).left_s("desk") == 35
    clock.wall -= timedelta(hours=1)
    assert CoolingOff(book, clock, 60.0).left_s("desk") == 60


def test_each_halt_begins_anew_and_a_scope_has_its_own() -> None:
    book, clock = Book(), Clocks()
    cooling = CoolingOff(book, clock, 60.0)
    set_to(book, DeskState.HALTED, clock, 1)
    assert cooling.left_s("desk") == 60
    clock.pass_by(61)
    set_to(book, DeskState.ACTIVE, clock, 2)
    assert cooling.left_s("desk") == 0
    clock.pass_by(1)
    set_to(book, DeskState.HALTED, clock, 3)
    assert cooling.left_s("desk") == 60
    assert cooling.left_s("symbol:AAPL") == 0


def test_without_the_rule_a_halt_is_left_at_once() -> None:
    book, clock = Book(), Clocks()
    set_to(book, DeskState.HALTED, clock, 1)
    assert CoolingOff(book, clock, 0.0).left_s("desk") == 0
