"""The fold of what is not a trade: desk states, counters, positions, incidents, and what listeners are told."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from engine.bus import Change
from engine.model import events as ev
from engine.model.incident import Incident, Priority
from engine.model.position import Position
from engine.model.words import DeskState, OrderClass, OrderRole, OrderStatus, Purpose
from engine.pipeline.protect import plan_exits
from tests.unit.builders import (
    DESK_ID,
    ENTRY_ID,
    T0,
    Story,
    after,
    make_exit,
    make_signal,
    proof,
    replace,
)
from tests.unit.journal.events import EVERY_KIND

S = OrderStatus


@pytest.fixture
def story() -> Story:
    return Story()


# --- the desk and its counters ---------------------------------------------------------------------------------------


def test_a_scope_that_nobody_set_is_active(story: Story) -> None:
    assert story.book.state_of("symbol:AAPL") is DeskState.ACTIVE
    story.tell(ev.DeskStateSet(scope="symbol:AAPL", state=DeskState.PAUSED, actor="window", cause="news"))
    assert story.book.state_of("symbol:AAPL") is DeskState.PAUSED
    assert story.book.state_of("desk") is DeskState.ACTIVE


def test_a_start_without_a_stop_before_it_follows_a_crash(story: Story) -> None:
    story.tell(ev.JournalOpened(desk_id=DESK_ID, mode="sim"))
    assert story.book.stopped_in_order
    story.tell(ev.DeskStarted(version="0.1.0"))
    assert not story.book.stopped_in_order
    story.tell(ev.DeskStopped())
    assert story.book.stopped_in_order
    assert (story.book.desk_id, story.book.mode) == (DESK_ID, "sim")


@pytest.mark.parametrize(("crashes", "attempt"), [(0, 1), (1, 1001), (2, 2001)])
def test_no_id_that_a_killed_process_may_have_used_is_used_again(story: Story, crashes: int, attempt: int) -> None:
    story.approve()
    story.enter()
    story.tell(ev.DeskStopped())
    story.tell(ev.DeskStarted(version="0.1.0"))  # in order: every line is there
    for _ in range(crashes):
        story.tell(ev.DeskStarted(version="0.1.0"))
    bracket = story.book.brackets["b000001"]
    intent = plan_exits(bracket, story.book.orders_of(bracket.id), Decimal(10), desk_id=DESK_ID, now=T0)
    assert intent.order.id == f"gl-{DESK_ID}-000001-oco-{attempt}"


def test_entries_are_counted_from_midnight_in_new_york(story: Story) -> None:
    story.approve()
    story.enter(0)  # 10:00 in New York
    assert story.book.entries_on(after(3600)) == 1
    late_evening = datetime.fromisoformat("2026-08-22T03:59:59+00:00")
    past_midnight = datetime.fromisoformat("2026-08-22T04:00:00+00:00")
    assert story.book.entries_on(late_evening) == 1
    assert story.book.entries_on(past_midnight) == 0


def test_exits_are_not_counted_as_entries(story: Story) -> None:
    story.is_protected()
    stop = make_exit(OrderRole.STOP_LOSS, "stop-1", status=S.SENDING, broker_id=None)
    story.tell(ev.OrderIntended(order=stop, body={}, purpose=Purpose.PROTECT), 1)
    assert story.book.entries_on(after(2)) == 1


def test_signals_are_counted_by_source_and_time(story: Story) -> None:
    for number in range(3):
        signal = make_signal(id=f"s00000{number + 1}", source_id=str(number), received_at=after(number * 40))
        story.tell(ev.SignalReceived(signal=signal), number * 40)
    assert story.book.signals_since("breakout", after(20)) == 2
    assert story.book.signals_since("another", T0) == 0


def test_a_flood_of_signals_is_forgotten_after_minutes(story: Story) -> None:
    """Counted are a minute's; what would be kept for a day of many thousands is nobody's use."""
    for number in range(100):
        signal = make_signal(id=f"s{number:06d}", source_id=str(number), received_at=after(number * 60))
        story.tell(ev.SignalReceived(signal=signal), number * 60)
    assert story.book.signals_since("breakout", T0) < 20


# --- positions and incidents -----------------------------------------------------------------------------------------


def test_a_position_of_nothing_is_no_position(story: Story) -> None:
    held = Position(symbol="AAPL", qty=Decimal(-5), avg_entry_price=Decimal("187.20"), evidence=proof())
    story.tell(ev.PositionReported(position=held))
    assert story.book.positions == {"AAPL": held}
    story.tell(ev.PositionReported(position=replace(held, qty=Decimal(0))))
    assert story.book.positions == {}


def test_an_incident_is_open_until_it_is_cleared_and_its_number_is_not_used_again(story: Story) -> None:
    incident = Incident(
        id="i000001",
        key="stream",
        priority=Priority.SOON,
        cause="down",
        consequence="",
        action="",
        subject_kind="desk",
        subject_id="desk",
        symbol=None,
        raised_at=T0,
    )
    story.tell(ev.IncidentRaised(incident=incident))
    story.tell(ev.IncidentAcked(incident_id="i000001", actor="window"), 1)
    assert story.book.open_incidents == {"stream": "i000001"}
    story.tell(ev.IncidentCleared(incident_id="i000001", why="over"), 2)
    kept = story.book.incidents["i000001"]
    assert (kept.acked_by, kept.acked_at, kept.cleared_at) == ("window", after(1), after(2))
    assert not story.book.open_incidents
    assert story.book.next_incident_number() == 2


# --- what listeners are told -----------------------------------------------------------------------------------------


def test_each_fact_names_the_views_that_are_out_of_date(story: Story) -> None:
    story.approve()
    story.enter()
    told = story.report(ENTRY_ID, S.PARTIALLY_FILLED, 1, filled=4, execution_id="x1")
    assert told >= {
        Change("order", ENTRY_ID),
        Change("bracket", "b000001"),
        Change("signal", "s000001"),
        Change("position", "AAPL"),
        Change("activity", ""),
        Change("desk", ""),
    }


def test_every_kind_of_fact_can_be_folded() -> None:
    kinds = {type(event) for event in EVERY_KIND}
    assert all(hasattr(Story().book, "_on_" + kind.__struct_config__.tag) for kind in kinds)


def test_an_order_group_without_a_target_folds_alike(story: Story) -> None:
    story.approve()
    story.enter(order_class=OrderClass.OTO)
    story.answer()
    story.report(ENTRY_ID, S.FILLED, 1, filled=10)
    assert story.book.cover("b000001").naked == 0
