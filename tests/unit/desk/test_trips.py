"""Trips of the desk's state: when they happen, that they latch, and what it takes to release them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.book import DESK_SCOPE, Book
from engine.config import PropFirmRules, TripRules
from engine.errors import CommandRefused
from engine.model import events as ev
from engine.model.words import DeskState
from engine.prop.ledger import Breach
from engine.trip_wire import TripWire
from engine.trips import TripFacts, conditions, stricter
from tests.unit.builders import T0, config_of, make_account
from tests.unit.desk.desk_parts import Parts, parts


def facts(**changes: Any) -> TripFacts:
    quiet: dict[str, Any] = {
        "now": T0,
        "day_loss": Decimal(0),
        "last_equity": Decimal(50_000),
        "rejects": 0,
        "stream_down_s": 0.0,
        "unsettled": 0,
        "breaches": (),
    }
    return TripFacts(**{**quiet, **changes})


def codes(rules: dict[str, Any] | None = None, prop: PropFirmRules | None = None, **changes: Any) -> list[str]:
    config = config_of({"trips": rules or {}})
    return list(conditions(facts(**changes), config.trips, prop or PropFirmRules()))


@pytest.mark.parametrize(
    ("rules", "changes", "tripped"),
    [
        ({}, {"day_loss": Decimal(49_000)}, []),  # off unless it is set
        ({"daily_loss_usd": 500}, {"day_loss": Decimal("499.99")}, []),
        ({"daily_loss_usd": 500}, {"day_loss": Decimal(500)}, ["DAILY_LOSS"]),
        # 1 % of 50,000 is 500; the tighter of both limits counts.
        ({"daily_loss_pct": 1}, {"day_loss": Decimal("499.99")}, []),
        ({"daily_loss_pct": 1, "daily_loss_usd": 900}, {"day_loss": Decimal(500)}, ["DAILY_LOSS"]),
        ({"daily_loss_pct": 3, "daily_loss_usd": 900}, {"day_loss": Decimal(900)}, ["DAILY_LOSS"]),
        ({"daily_loss_usd": 500}, {"day_loss": None}, []),
        ({}, {"rejects": 9}, []),
        ({}, {"rejects": 10}, ["REJECT_STORM"]),
        ({"max_rejects": 0}, {"rejects": 1000}, []),
        ({}, {"stream_down_s": 119.9}, []),
        ({}, {"stream_down_s": 120.0}, ["STREAM_DOWN"]),
        ({"stream_down_s": 0}, {"stream_down_s": 9e3}, []),
        ({}, {"unsettled": 2}, []),
        ({}, {"unsettled": 3}, ["UNSETTLED_ORDERS"]),
        ({}, {"rejects": 10, "unsettled": 3}, ["REJECT_STORM", "UNSETTLED_ORDERS"]),
    ],
)
def test_a_condition_trips_at_its_limit(rules: dict[str, Any], changes: dict[str, Any], tripped: list[str]) -> None:
    assert codes(rules, **changes) == tripped


def test_a_breach_sets_the_state_of_the_prop_firms_policy() -> None:
    broken = Breach(rule="PROP_DRAWDOWN", day="2026-08-21", text="broken", at=T0)
    found = conditions(facts(breaches=(broken,)), TripRules(), PropFirmRules(on_breach="reducing"))
    assert found["PROP_DRAWDOWN"].state is DeskState.REDUCING


def test_the_stricter_of_two_states() -> None:
    assert stricter(DeskState.PAUSED, DeskState.ACTIVE) is DeskState.PAUSED
    assert stricter(DeskState.PAUSED, DeskState.HALTED) is DeskState.HALTED


class Wire:
    """A trip wire on a real book and journal; the broker's refusals are the facts that count them."""

    def __init__(self, desk: Parts) -> None:
        self.desk = desk
        self.loss = Decimal(0)
        self.world: Any = SimpleNamespace(
            stream=SimpleNamespace(up=True, since=T0), account=make_account(last_equity=Decimal(50_000))
        )
        self.wire = self.made(desk.book)
        desk.bus.on_records(self.wire.note)

    def made(self, book: Book) -> TripWire:
        config = config_of({"trips": {"daily_loss_usd": 500, "max_rejects": 2, "daily_loss_state": "reducing"}})
        nobody: Any = None
        return TripWire(
            self.desk.recorder, book, self.world, self.desk.clock, config, nobody, day_loss=lambda: self.loss
        )

    @property
    def state(self) -> DeskState:
        return self.desk.book.state_of(DESK_SCOPE)

    def set(self, state: DeskState, confirm: str | None = None) -> None:
        released = self.wire.release(state, actor="ann", confirm=confirm)
        self.desk.recorder.record(*released, ev.DeskStateSet(scope=DESK_SCOPE, state=state, actor="ann", cause=""))

    def refused(self, state: DeskState, confirm: str | None = None) -> str:
        with pytest.raises(CommandRefused) as refusal:
            self.wire.release(state, actor="ann", confirm=confirm)
        return refusal.value.code


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    async with parts(tmp_path) as desk:
        yield Wire(desk)


async def test_a_trip_sets_the_state_once_and_tells_its_cause(wire: Wire) -> None:
    wire.loss = Decimal(600)
    for _ in range(3):
        wire.wire.look()
    assert wire.state is DeskState.REDUCING
    (tripped,) = wire.desk.told(ev.DeskTripped)
    assert (tripped.trip.cause, tripped.trip.measured) == ("The day's loss reached $500.00.", "$600.00")
    assert [s.actor for s in wire.desk.told(ev.DeskStateSet)] == ["trip:DAILY_LOSS"]


async def test_a_trip_never_loosens_a_stricter_state(wire: Wire) -> None:
    wire.set(DeskState.HALTED)
    wire.loss = Decimal(600)
    wire.wire.look()
    assert wire.state is DeskState.HALTED
    # It stands all the same: leaving halted for active means releasing it too.
    assert wire.refused(DeskState.ACTIVE, "RELEASE") == "TRIP_STANDS"
    wire.set(DeskState.REDUCING, "RELEASE")
    assert "DAILY_LOSS" in wire.desk.book.trips


async def test_a_cause_that_is_over_still_waits_for_a_person(wire: Wire) -> None:
    wire.loss = Decimal(600)
    wire.wire.look()
    assert [view.stands for view in wire.wire.views()] == [True]
    wire.loss = Decimal(100)
    wire.wire.look()
    assert wire.state is DeskState.REDUCING
    assert [view.release for view in wire.wire.views()] == ["Its cause is over: type RELEASE."]
    assert wire.refused(DeskState.ACTIVE) == "CONFIRM_REQUIRED"
    assert wire.refused(DeskState.PAUSED, "release") == "CONFIRM_REQUIRED"
    wire.set(DeskState.ACTIVE, "RELEASE")
    assert (wire.state, wire.desk.book.trips) == (DeskState.ACTIVE, {})


async def test_a_cause_that_stands_yields_only_to_the_words_that_force_it_and_then_keeps_quiet(wire: Wire) -> None:
    wire.loss = Decimal(600)
    wire.wire.look()
    assert wire.refused(DeskState.ACTIVE, "RELEASE") == "TRIP_STANDS"
    wire.set(DeskState.ACTIVE, "RELEASE ANYWAY")
    for _ in range(3):
        wire.wire.look()
    assert wire.state is DeskState.ACTIVE
    assert [view.overridden_by for view in wire.wire.views()] == ["ann"]
    # The loss is made good and comes again: that is a new trip.
    wire.loss = Decimal(100)
    wire.wire.look()
    assert wire.desk.book.trips == {}
    wire.loss = Decimal(500)
    wire.wire.look()
    assert wire.state is DeskState.REDUCING


async def test_a_trip_outlives_the_process(wire: Wire) -> None:
    wire.loss = Decimal(600)
    wire.wire.look()
    again = Book()
    for fact in wire.desk.facts:
        again.apply(fact)
    assert (again.trips, again.state_of(DESK_SCOPE)) == (wire.desk.book.trips, DeskState.REDUCING)


async def test_refusals_are_counted_within_their_time(wire: Wire) -> None:
    wire.desk.enter()
    refusal = ev.OrderRefused(order_id=next(iter(wire.desk.book.orders)), text="no")
    wire.desk.recorder.record(refusal)
    wire.desk.clock.at_s += 61
    wire.desk.recorder.record(refusal)
    wire.wire.look()
    assert wire.state is DeskState.ACTIVE
    wire.desk.recorder.record(refusal)
    wire.wire.look()
    assert (wire.state, list(wire.desk.book.trips)) == (DeskState.PAUSED, ["REJECT_STORM"])
    wire.desk.clock.at_s += 61
    wire.set(DeskState.ACTIVE, "RELEASE")
    assert wire.desk.book.trips == {}


async def test_a_stream_that_was_never_up_trips_nothing(wire: Wire) -> None:
    wire.world.stream = SimpleNamespace(up=False, since=None)
    wire.desk.clock.at_s += 1_000
    wire.wire.look()
    assert wire.desk.book.trips == {}
    wire.world.stream = SimpleNamespace(up=False, since=T0)
    wire.wire.look()
    assert list(wire.desk.book.trips) == ["STREAM_DOWN"]
