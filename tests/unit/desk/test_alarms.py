"""Alarms that stay readable: crowds and consequences become one, the shelf gives back, the numbers tell the truth."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.commands.alarms import AlarmCommands
from engine.errors import CommandRefused
from engine.incidents.grouping import FEW, MANY, grouped
from engine.market.quotes import QuoteBoard
from engine.model import events as ev
from engine.model.incident import Incident, Priority
from engine.model.words import OrderStatus
from engine.present import Presenter
from tests.unit.builders import ENTRY_ID, T0, legs_of, make_bracket, make_order
from tests.unit.desk.test_incidents import Watched, watched

__all__ = ["watched"]

S = OrderStatus


def incident(word: str, number: int, priority: Priority = Priority.LATER) -> Incident:
    return Incident(
        id="", key=f"{word}:{number}", priority=priority, cause=f"{word} {number}", consequence="c", action="a",
        subject_kind="order", subject_id=str(number), symbol=f"S{number}", raised_at=T0,
    )  # fmt: skip


def desk_incident(key: str, priority: Priority = Priority.SOON) -> Incident:
    return Incident(
        id="", key=key, priority=priority, cause=key, consequence="c", action="a",
        subject_kind="desk", subject_id="desk", symbol=None, raised_at=T0,
    )  # fmt: skip


# --- grouping --------------------------------------------------------------------------------------------------------


def test_a_crowd_of_one_kind_is_one_incident_with_a_number_and_the_newest_example() -> None:
    (group,) = grouped([incident("stuck", n) for n in range(400)], [])
    assert (group.key, group.count, group.subject_kind) == ("group:stuck", 400, "desk")
    assert group.cause == "stuck 399 (the newest of many)"
    assert group.covers[:2] == ("stuck 399", "stuck 398")
    assert len(group.covers) == 20


def test_what_needs_a_hand_now_always_stands_by_itself() -> None:
    naked = [incident("naked", n, Priority.NOW) for n in range(MANY * 2)]
    found = grouped([*naked, *(incident("expiry", n) for n in range(MANY))], [])
    assert [i.key for i in found if i.priority is Priority.NOW] == [i.key for i in naked]
    assert sum(1 for i in found if i.key == "group:expiry") == 1


@pytest.mark.parametrize("number", range(MANY + 1))
def test_a_group_that_stands_falls_apart_only_when_few_are_left(number: int) -> None:
    crowd = [incident("stuck", n) for n in range(number)]
    assert (grouped(crowd, []) == crowd) is (number < MANY)
    assert (grouped(crowd, ["group:stuck"]) == crowd) is (number <= FEW)


def test_consequences_of_a_broken_link_are_told_with_it() -> None:
    found = grouped([desk_incident("stream"), desk_incident("quotes", Priority.LATER), incident("stuck", 1)], [])
    (stream,) = found
    assert (stream.key, stream.count, stream.covers) == ("stream", 3, ("stuck 1", "quotes"))
    assert grouped([desk_incident("quotes")], []) == [desk_incident("quotes")]


# --- refusals --------------------------------------------------------------------------------------------------------


def refuse(watched: Watched, number: int, bracket_id: str | None = None) -> None:
    entry_id = ENTRY_ID.replace("000001", f"{number:06d}")
    opens = bracket_id is None
    bracket_id = bracket_id or f"b{number:06d}"
    entry = make_order(id=entry_id, client_order_id=entry_id, bracket_id=bracket_id, status=S.SENDING, broker_id=None)
    legs = legs_of(entry, bracket_id=bracket_id, status=S.SENDING, broker_id=None, evidence=None)
    if opens:
        watched.desk.recorder.record(ev.BracketOpened(bracket=make_bracket(id=bracket_id)))
    watched.desk.recorder.record(
        ev.OrderIntended(order=entry, body={}, purpose=ev.Purpose.ENTRY, legs=legs),
        ev.OrderRefused(order_id=entry_id, text=f"no {number}"),
    )


async def test_a_storm_of_refusals_is_one_incident_and_the_naked_position_stays_on_top(watched: Watched) -> None:
    watched.protected()
    watched.naked(10)
    for number in range(2, 402):
        refuse(watched, number)
        if number % 100 == 0:
            watched.look(11 + number / 100)
    naked, rejects = watched.look(20)
    assert (naked.key, naked.priority) == ("naked:b000001", Priority.NOW)
    assert (rejects.key, rejects.count) == ("rejects", 401), "the stop's own refusal is one of them"
    assert rejects.covers[0] == "AAPL: no 401"
    assert len({raised.incident.id for raised in watched.desk.told(ev.IncidentRaised)}) == 2
    assert [i.key for i in watched.look(20 + 301)] == ["naked:b000001"], "over when nothing is refused any more"


async def test_refusals_of_one_trade_are_told_by_that_trade_alone(watched: Watched) -> None:
    watched.protected()
    watched.naked(10)
    for number in range(2, 6):
        refuse(watched, number, bracket_id="b000001")
    assert [i.key for i in watched.look(12)] == ["naked:b000001"]


async def test_one_refusal_is_no_alarm(watched: Watched) -> None:
    refuse(watched, 2)
    assert watched.look(5) == []


# --- the shelf -------------------------------------------------------------------------------------------------------


@pytest.fixture
def alarms(watched: Watched) -> AlarmCommands:
    desk = watched.desk
    presenter = Presenter(desk.book, QuoteBoard(desk.clock, lambda _: None), {}, desk.clock.now)
    return AlarmCommands(desk.recorder, desk.book, desk.clock, presenter)


async def stream_down(watched: Watched) -> str:
    watched.desk.clock.at_s = 0
    watched.world.stream.set(False, "gone")
    return watched.look(10)[0].id


async def test_a_shelved_incident_is_out_of_sight_and_comes_back_unacknowledged(
    watched: Watched, alarms: AlarmCommands
) -> None:
    known = await stream_down(watched)
    watched.desk.recorder.record(ev.IncidentAcked(incident_id=known, actor="window"))
    view = await alarms.shelve(known, minutes=30, reason="maintenance", actor="window")
    assert view.shelved_until == watched.desk.clock.now() + timedelta(minutes=30)
    assert (view.shelved_by, view.shelved_why, view.can_shelve) == ("window", "maintenance", False)
    assert (alarms.stats().shelved, alarms.stats().standing) == (1, 0)
    assert watched.look(10 + 1799)[0].is_shelved
    (back,) = watched.look(10 + 1800)
    assert (back.id, back.is_shelved, back.acked_at) == (known, False, None)
    assert (alarms.stats().shelved, alarms.stats().standing) == (0, 1)


async def test_what_gets_worse_leaves_the_shelf_at_once(watched: Watched, alarms: AlarmCommands) -> None:
    known = await stream_down(watched)
    await alarms.shelve(known, minutes=30, reason="maintenance", actor="window")
    watched.world.stream.is_final = True
    (back,) = watched.look(11)
    assert (back.priority, back.is_shelved) == (Priority.NOW, False)
    assert watched.desk.told(ev.IncidentUnshelved)[0].why == "it got worse"


async def test_somebody_may_take_it_back(watched: Watched, alarms: AlarmCommands) -> None:
    known = await stream_down(watched)
    await alarms.shelve(known, minutes=30, reason="maintenance", actor="window")
    assert (await alarms.unshelve(known, actor="window")).shelved_until is None


async def test_what_cannot_be_shelved_says_why(watched: Watched, alarms: AlarmCommands) -> None:
    watched.protected()
    watched.naked(10)
    (naked,) = watched.look(12)
    for incident_id, minutes, reason, code in (
        (naked.id, 30, "later", "NOT_SHELVABLE"),
        ("i000099", 30, "later", "NOT_FOUND"),
    ):
        with pytest.raises(CommandRefused) as refused:
            await alarms.shelve(incident_id, minutes=minutes, reason=reason, actor="window")
        assert refused.value.code == code
    await stream_down(watched)
    soon = next(i.id for i in watched.look(12) if i.key == "stream")
    for minutes, reason, code in (
        (0, "later", "OUT_OF_RANGE"),
        (481, "later", "OUT_OF_RANGE"),
        (5, " ", "MISSING_FIELD"),
    ):
        with pytest.raises(CommandRefused) as refused:
            await alarms.shelve(soon, minutes=minutes, reason=reason, actor="window")
        assert refused.value.code == code
    watched.world.stream.set(True)
    watched.look(13)
    with pytest.raises(CommandRefused) as refused:
        await alarms.shelve(soon, minutes=5, reason="later", actor="window")
    assert refused.value.code == "INCIDENT_OVER"


# --- numbers ---------------------------------------------------------------------------------------------------------


async def test_the_numbers_of_the_alarms(watched: Watched, alarms: AlarmCommands) -> None:
    assert alarms.stats().raised == 0
    assert alarms.stats().acked_share is None
    for at_s in (100, 200, 300, 400):
        watched.desk.clock.at_s = at_s
        watched.world.stream.set(False, "gone")
        (raised,) = watched.look(at_s + 10)
        if at_s < 300:
            watched.desk.clock.at_s = at_s + 10 + at_s / 100
            watched.desk.recorder.record(ev.IncidentAcked(incident_id=raised.id, actor="window"))
        if at_s < 400:
            watched.world.stream.set(True)
            watched.look(at_s + 20)
    stats = alarms.stats()
    assert (stats.raised, stats.last_10_min, stats.per_hour, stats.is_flood) == (4, 4, 4.0, False)
    assert stats.by_priority == (0, 4, 0)
    assert (stats.acked_share, stats.ack_s_p50, stats.ack_s_p90) == (0.5, 1.0, 2.0)
    assert (stats.standing, stats.unacked, stats.overdue) == (1, 1, 0)
    assert [(one.key, one.count) for one in stats.chattering] == [("stream", 4)]
    watched.desk.clock.at_s = 400 + 10 + 121
    assert alarms.stats().overdue == 1
    watched.desk.clock.at_s = 90_000
    later = alarms.stats()
    assert (later.raised, later.top, later.standing) == (0, (), 1)
    assert Decimal(later.per_hour) == 0
