"""The one picture that the gate judges, taken from the book and its surroundings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import pytest

from engine.config import Config
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.account import Account
from engine.model.corporate import CorporateChange
from engine.model.position import Position
from engine.model.words import DeskState, Intent, OrderStatus, Side
from engine.pipeline.picture import Pictures
from engine.rules.exposures import Exposure
from engine.rules.facts import AssetFacts
from tests.unit.builders import (
    ENTRY_ID,
    TRADABLE,
    Story,
    after,
    config_of,
    make_account,
    make_approval,
    make_signal,
    proof,
)
from tests.unit.desk.desk_parts import HandClock

S = OrderStatus


class Around:
    """Surroundings of a desk that is fit; each test changes what it is about."""

    def __init__(self) -> None:
        self.gate_locked_by: str | None = None
        self.not_ready: str | None = None
        self.corporate: dict[str, CorporateChange] = {}
        self.session_open: bool | None = True
        self.calendar_read = True
        self.session_opened_at: datetime | None = None
        self.session_changes_at: datetime | None = None
        self.halted: set[str] = set()
        self.extended_open = False
        self.account: Account | None = make_account()
        self.account_at_s = 1000.0
        self.stream_up = True
        self.rest_up = True
        self.asked: frozenset[str] = frozenset()

    def asset(self, symbol: str) -> AssetFacts | None:
        return TRADABLE if symbol == "AAPL" else None

    @property
    def history(self) -> Around:
        return self

    def correlations(self, symbol: str, others: Iterable[str]) -> dict[str, float | None]:
        self.asked = frozenset(others)
        return dict.fromkeys(self.asked, 0.5)

    def betas(self, symbols: Iterable[str]) -> dict[str, Decimal | None]:
        return dict.fromkeys(symbols, Decimal(1))

    def average_true_range(self, symbol: str) -> Decimal | None:
        return Decimal("3.5")

    def average_volume(self, symbol: str) -> Decimal | None:
        return Decimal(50_000_000)


class Scene(Story):
    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.around = Around()
        self.quotes = QuoteBoard(self.clock, lambda symbol: None)
        self.quotes.take_quote("AAPL", Decimal("187.08"), Decimal("187.10"))
        self.pictures = Pictures(self.book, self.quotes, self.around, self.clock, Config(), lambda: None)
        self.next = make_signal(id="s000009", source_id="9")

    def hold(self, symbol: str, qty: int, average: str = "100.00") -> None:
        position = Position(symbol=symbol, qty=Decimal(qty), avg_entry_price=Decimal(average), evidence=proof())
        self.tell(ev.PositionReported(position=position))

    def exposures(self) -> dict[str, tuple[Side, Decimal]]:
        return {e.symbol: (e.side, e.notional) for e in self.pictures.exposures()}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_empty_desk_has_no_exposure_and_nothing_in_flight(scene: Scene) -> None:
    facts = scene.pictures.take(scene.next)
    assert (facts.exposures, facts.position_qty, facts.reserved) == ((), 0, 0)
    assert (facts.entry_in_flight, facts.unknown_order, facts.unsettled_orders) == (None, None, 0)
    assert facts.asset == TRADABLE
    assert facts.quote is not None


def test_ages_are_counted_by_the_running_clock(scene: Scene) -> None:
    scene.clock.at_s = 7.0
    facts = scene.pictures.take(scene.next)
    assert facts.account_age_s == 7.0
    assert facts.quote is not None
    assert facts.quote.age_s == 7.0


def test_the_strictest_of_desk_strategy_and_symbol_counts(scene: Scene) -> None:
    assert scene.pictures.strictest_state("breakout", "AAPL") == (DeskState.ACTIVE, "desk")
    scene.tell(ev.DeskStateSet(scope="desk", state=DeskState.PAUSED, actor="window", cause=""))
    scene.tell(ev.DeskStateSet(scope="symbol:AAPL", state=DeskState.HALTED, actor="window", cause=""))
    scene.tell(ev.DeskStateSet(scope="strategy:other", state=DeskState.HALTED, actor="window", cause=""))
    assert scene.pictures.strictest_state("breakout", "AAPL") == (DeskState.HALTED, "symbol:AAPL")
    assert scene.pictures.strictest_state("breakout", "MSFT") == (DeskState.PAUSED, "desk")


def test_a_held_trade_is_exposed_with_its_shares_at_the_touch(scene: Scene) -> None:
    scene.is_protected()
    assert scene.exposures() == {"AAPL": (Side.BUY, Decimal("1871.00"))}


def test_a_half_filled_entry_is_exposed_with_what_is_held_and_what_still_works(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    scene.report(ENTRY_ID, S.PARTIALLY_FILLED, 1, filled=4, execution_id="x1")
    assert scene.exposures() == {"AAPL": (Side.BUY, Decimal("1871.00"))}


def test_an_approved_signal_on_its_way_is_exposed_for_others_and_not_for_itself(scene: Scene) -> None:
    scene.approve()
    assert scene.exposures() == {"AAPL": (Side.BUY, Decimal("1872.00"))}  # at its limit
    assert scene.pictures.take(make_signal()).exposures == ()


def test_an_approved_signal_is_not_counted_twice_once_its_trade_is_open(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    assert len(list(scene.pictures.exposures())) == 1


def test_a_position_of_another_hand_is_exposed_too(scene: Scene) -> None:
    scene.hold("MSFT", -50, "400.00")
    assert scene.exposures() == {"MSFT": (Side.SELL, Decimal("20000.00"))}


def test_of_a_position_only_what_no_trade_explains_is_foreign(scene: Scene) -> None:
    scene.is_protected()
    scene.hold("AAPL", 25)
    found = list(scene.pictures.exposures())
    assert found == [
        Exposure(symbol="AAPL", side=Side.BUY, notional=Decimal("1871.00"), strategy="breakout"),
        Exposure(symbol="AAPL", side=Side.BUY, notional=Decimal("2806.50")),  # 15 x 187.10
    ]


def test_correlations_are_asked_for_the_other_symbols_only(scene: Scene) -> None:
    scene.is_protected()
    scene.hold("MSFT", 5)
    scene.pictures.take(scene.next)
    assert scene.around.asked == {"MSFT"}


# --- reservations ----------------------------------------------------------------------------------------------------


def test_buying_power_is_reserved_from_the_approval_on(scene: Scene) -> None:
    scene.approve(at_s=1)
    assert scene.pictures.reserved() == Decimal("1872.00")
    assert scene.pictures.take(make_signal()).reserved == 0


def test_the_reservation_stands_until_an_account_picture_newer_than_the_answer_holds_it(scene: Scene) -> None:
    scene.approve(at_s=1)
    scene.enter(1)
    assert scene.pictures.reserved() == Decimal("1872.00")
    scene.around.account = make_account(as_of=after(1.5))
    scene.answer(2)
    assert scene.pictures.reserved() == Decimal("1872.00"), "the account was read before the answer"
    scene.around.account = make_account(as_of=after(3))
    assert scene.pictures.reserved() == 0


def test_an_order_of_unknown_fate_keeps_its_reservation(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    scene.tell(ev.OrderUnresolved(order_id=ENTRY_ID, text="no answer"), 1)
    scene.around.account = make_account(as_of=after(60))
    assert scene.pictures.reserved() == Decimal("1872.00")


def test_a_fill_ends_no_reservation_until_a_newer_account_picture_holds_what_it_cost(scene: Scene) -> None:
    """Else the next entry would be measured against money that has been spent since the account was read."""
    scene.around.account = make_account(as_of=after(0.5))
    scene.approve(at_s=1)
    scene.enter(1)
    scene.report(ENTRY_ID, S.PARTIALLY_FILLED, 2, filled=4, price="187.00", execution_id="x1")
    assert scene.pictures.reserved() == Decimal("1871.20")  # 4 x 187.00 spent, 6 x 187.20 still to spend
    scene.report(ENTRY_ID, S.FILLED, 3, filled=10, price="187.10", execution_id="x2")
    assert scene.pictures.reserved() == Decimal("1871.00")
    scene.around.account = make_account(as_of=after(2.5))  # asked for before the last fill: it held the order then
    assert scene.pictures.reserved() == 0


def test_a_later_word_about_an_order_that_the_account_holds_reserves_nothing_again(scene: Scene) -> None:
    scene.approve(at_s=1)
    scene.enter(1)
    scene.answer(2)
    scene.around.account = make_account(as_of=after(3))
    scene.report(ENTRY_ID, S.NEW, 4)
    assert scene.pictures.reserved() == 0


def test_a_dead_entry_reserves_nothing(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    scene.tell(ev.OrderRefused(order_id=ENTRY_ID, text="refused"), 1)
    assert scene.pictures.reserved() == 0


# --- what is in flight -----------------------------------------------------------------------------------------------


def test_an_approved_signal_of_the_symbol_is_in_flight(scene: Scene) -> None:
    scene.approve()
    assert scene.pictures.take(scene.next).entry_in_flight == "s000001"
    assert scene.pictures.take(make_signal(id="s000009", symbol="MSFT")).entry_in_flight is None


def test_approved_entries_count_for_the_day_before_they_are_sent(scene: Scene) -> None:
    limited = config_of({"limits": {"max_orders_per_day": 5}})
    pictures = Pictures(scene.book, scene.quotes, scene.around, scene.clock, limited, lambda: None)
    assert pictures.take(scene.next).orders_today == 0
    scene.approve()
    assert pictures.take(scene.next).orders_today == 1
    assert pictures.take(make_signal()).orders_today == 0, "it does not stand in its own way"
    scene.enter()
    assert pictures.take(scene.next).orders_today == 1, "now its intent is what counts"


def test_a_working_entry_is_in_flight_until_it_is_filled(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    scene.answer()
    assert scene.pictures.take(scene.next).entry_in_flight == "b000001"
    scene.report(ENTRY_ID, S.FILLED, 1, filled=10, execution_id="x1")
    facts = scene.pictures.take(scene.next)
    assert (facts.entry_in_flight, facts.position_qty) == (None, 10)


def test_a_signal_is_not_in_flight_against_itself(scene: Scene) -> None:
    scene.approve()
    assert scene.pictures.take(make_signal()).entry_in_flight is None


def test_an_unsettled_order_stops_its_symbol_at_once_and_counts_everywhere_after_ten_seconds(scene: Scene) -> None:
    scene.approve()
    scene.enter()
    scene.tell(ev.OrderUnresolved(order_id=ENTRY_ID, text="no answer"), 1)
    scene.clock.at_s = 2.0
    facts = scene.pictures.take(scene.next)
    assert (facts.unknown_order, facts.unsettled_orders) == (ENTRY_ID, 0)
    scene.clock.at_s = 11.0
    assert scene.pictures.take(make_signal(symbol="MSFT")).unsettled_orders == 1


def test_a_fill_of_the_stream_is_known_before_the_position_is(scene: Scene) -> None:
    scene.is_protected()
    assert scene.pictures.take(scene.next).position_qty == 10


def test_a_position_of_another_hand_is_known(scene: Scene) -> None:
    scene.hold("AAPL", -7)
    assert scene.pictures.take(scene.next).position_qty == -7


def test_an_approved_closing_signal_reserves_no_buying_power_and_is_no_exposure(scene: Scene) -> None:
    """It sells what is held: it takes nothing from the next entry."""
    scene.hold("AAPL", 10)
    closing = make_signal(id="s000002", source_id="2", side=Side.SELL, intent=Intent.CLOSE)
    scene.tell(ev.SignalReceived(signal=closing))
    scene.tell(ev.SignalApproved(signal_id="s000002", bracket_id=None, approval=make_approval()))
    assert scene.pictures.reserved() == 0
    assert len(list(scene.pictures.exposures())) == 1
