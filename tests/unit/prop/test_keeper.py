"""The keeper, second by second: days, highs, breaches, what a restart finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.book import Book
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.prop.board import PropBoard
from engine.prop.keeper import PropKeeper
from engine.prop.preset import DailyLoss, Drawdown, Preset
from tests.unit.builders import T0
from tests.unit.desk.desk_parts import Parts, parts

PRESET = Preset(
    name="x",
    drawdown=Drawdown(kind="trailing_intraday", usd=2_000.0),
    daily_loss=DailyLoss(basis="balance", usd=1_000.0),
)
HOUR = 3600.0


class Keeping:
    """A keeper whose account the test moves by hand. T0 is 10:00 in New York, the firm's day ends at 17:00."""

    def __init__(self, desk: Parts) -> None:
        self.desk = desk
        self.money: tuple[Decimal | None, Decimal | None] = (Decimal(50_000), Decimal(50_000))
        self.keeper = self._made(desk.book)

    def _made(self, book: Book) -> PropKeeper:
        quotes = QuoteBoard(self.desk.clock, lambda _: None)
        board = PropBoard(
            PRESET,
            20.0,
            book,
            quotes,
            self.desk.clock,
            balance=lambda: self.money[0],
            equity=lambda: self.money[1],
        )
        nobody: Any = None
        return PropKeeper(board, self.desk.recorder, book, nobody, self.desk.clock, nobody)

    def look(self, equity: object, *, balance: object | None = None, at_s: float | None = None) -> None:
        if at_s is not None:
            self.desk.clock.at_s = at_s
        self.money = (Decimal(str(balance if balance is not None else equity)), Decimal(str(equity)))
        self.keeper.look(PRESET)

    def restart(self) -> None:
        self.keeper = self._made(self.desk.book)

    @property
    def ledger(self) -> Any:
        return self.desk.book.prop


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[Keeping]:
    async with parts(tmp_path) as desk:
        yield Keeping(desk)


async def test_the_first_look_opens_the_ledger_with_what_it_finds(keeping: Keeping) -> None:
    keeping.look(50_000)
    (opened,) = keeping.desk.told(ev.PropDayOpened)
    assert (opened.day, opened.size, opened.is_late) == ("2026-08-21", 50_000, False)
    assert opened.began_at == datetime(2026, 8, 20, 21, 0, tzinfo=UTC)


async def test_nothing_is_known_before_the_account_is(keeping: Keeping) -> None:
    keeping.money = (None, Decimal(50_000))
    keeping.keeper.look(PRESET)
    assert keeping.desk.facts == []


async def test_each_new_high_is_on_record_and_nothing_else_is(keeping: Keeping) -> None:
    for second, equity in enumerate((50_000, 50_100, 50_050, 50_090, 50_100, 50_101)):
        keeping.look(equity, at_s=float(second))
    assert [mark.equity for mark in keeping.desk.told(ev.PropMarked)] == [50_100, 50_101]
    assert keeping.ledger.high_equity == 50_101


async def test_what_moved_is_marked_every_five_minutes(keeping: Keeping) -> None:
    keeping.look(50_000, at_s=0)
    keeping.look(49_900, at_s=1)
    keeping.look(49_800, at_s=200)
    keeping.look(49_700, at_s=301)
    assert [mark.equity for mark in keeping.desk.told(ev.PropMarked)] == [49_900, 49_700]


async def test_the_day_turns_at_the_reset_with_the_money_of_that_second(keeping: Keeping) -> None:
    keeping.look(50_000)
    keeping.look(50_400, balance=50_100, at_s=7 * HOUR - 1)
    keeping.look(50_450, balance=50_100, at_s=7 * HOUR)
    (closed,) = keeping.desk.told(ev.PropDayClosed)
    opened = keeping.desk.told(ev.PropDayOpened)[-1]
    assert (closed.day, closed.balance, closed.equity) == ("2026-08-21", 50_100, 50_450)
    assert (opened.day, opened.balance, opened.equity, opened.is_late) == ("2026-08-22", 50_100, 50_450, False)
    assert (keeping.ledger.high_close, keeping.ledger.size) == (50_100, 50_000)


async def test_a_desk_that_missed_the_reset_opens_late_with_the_higher_start(keeping: Keeping) -> None:
    keeping.look(50_000)
    keeping.look(50_300, at_s=HOUR)
    keeping.restart()
    # Ten hours after the reset the account has 49,900: the firm may have taken 50,300 or less. The higher binds.
    keeping.look(49_900, at_s=17 * HOUR)
    (closed,) = keeping.desk.told(ev.PropDayClosed)
    opened = keeping.desk.told(ev.PropDayOpened)[-1]
    assert closed.equity == 50_300
    assert (opened.balance, opened.equity, opened.is_late) == (50_300, 50_300, True)
    # The day's floor is 50,300 - 1,000 = 49,300: 600 are left. The loss of 1,000 itself would be a breach.
    keeping.look(49_301)
    assert keeping.desk.told(ev.PropBreached) == []
    keeping.look(49_300)
    assert [breach.rule for breach in keeping.desk.told(ev.PropBreached)] == ["PROP_DAILY_LOSS"]


async def test_a_breach_is_noted_once_and_a_restart_adds_none(keeping: Keeping) -> None:
    keeping.look(50_000)
    for equity in (49_000, 48_900, 49_500):
        keeping.look(equity)
    keeping.restart()
    keeping.look(48_950)
    (breach,) = keeping.desk.told(ev.PropBreached)
    assert (breach.rule, breach.measured, breach.limit) == ("PROP_DAILY_LOSS", "$49,000.00", "$49,000.00")
    keeping.look(48_000)  # the trailing floor: 50,000 - 2,000
    assert [b.rule for b in keeping.desk.told(ev.PropBreached)] == ["PROP_DAILY_LOSS", "PROP_DRAWDOWN"]


async def test_the_same_facts_make_the_same_ledger(keeping: Keeping) -> None:
    for hour in range(60):
        keeping.look(50_000 + (hour * 137) % 900 - 300, at_s=hour * HOUR)
    again = Book()
    for fact in keeping.desk.facts:
        again.apply(fact)
    assert again.prop == keeping.ledger
    assert len(again.prop.days) == len({day.day for day in again.prop.days}) == 4
    assert again.prop.day is not None
    assert again.prop.day.began_at > T0
