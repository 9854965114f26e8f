"""Incidents: raised once when they begin, told anew when their words change, cleared when they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from engine.alpaca.budget import RateBudget
from engine.alpaca.client import AlpacaClient
from engine.alpaca.transport import Transport
from engine.incidents.watch import Watch
from engine.model import events as ev
from engine.model.incident import Incident, Priority
from engine.model.words import OrderStatus
from engine.surroundings import World
from tests.unit.builders import ENTRY_ID, T0, after, make_signal
from tests.unit.desk.desk_parts import Parts, parts
from tests.wire.adapter.samples import access_to

S = OrderStatus
STOP_ID, TARGET_ID = f"{ENTRY_ID}.sl", f"{ENTRY_ID}.tp"


class Watched:
    """A desk whose links are up and whose gate is open, looked at when the test says so."""

    def __init__(self, desk: Parts, world: World) -> None:
        self.desk = desk
        self.world = world
        self.watch = Watch(desk.recorder, desk.book, world, desk.clock, T0, None)
        world.stream.set(True)
        world.gate_locked_by = None

    def look(self, at_s: float) -> list[Incident]:
        """The open incidents, the most pressing first."""
        self.desk.clock.at_s = at_s
        self.watch.look()
        book = self.desk.book
        return sorted((book.incidents[key] for key in book.open_incidents.values()), key=lambda one: one.priority)

    def protected(self) -> None:
        self.desk.enter()
        self.desk.answer()
        self.desk.report(ENTRY_ID, S.FILLED, filled=10, execution_id="x1")

    def naked(self, at_s: float) -> None:
        self.desk.clock.at_s = at_s
        self.desk.report(STOP_ID, S.REJECTED)


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    async with parts(tmp_path) as desk, aiohttp.ClientSession() as session:
        transport = Transport(session, access_to("http://127.0.0.1:9"), desk.clock)  # nobody is asked anything
        client = AlpacaClient(transport, RateBudget(desk.clock), RateBudget(desk.clock))
        yield Watched(desk, World(client, desk.recorder, desk.clock, equity_moved=lambda: None))


async def test_a_quiet_desk_has_no_incidents(watched: Watched) -> None:
    watched.protected()
    assert watched.look(60) == []
    assert watched.desk.told(ev.IncidentRaised) == []


# --- naked -----------------------------------------------------------------------------------------------------------


async def test_naked_shares_are_alarmed_after_a_second_and_only_once(watched: Watched) -> None:
    watched.protected()
    watched.naked(10)
    assert watched.look(10.9) == []
    incident = watched.look(11.1)[0]
    assert (incident.id, incident.key, incident.priority) == ("i000001", "naked:b000001", Priority.NOW)
    assert incident.cause == "10 AAPL naked"
    assert incident.buttons == ("retry", "flatten")
    watched.look(12)
    watched.look(13)
    assert len(watched.desk.told(ev.IncidentRaised)) == 1


async def test_a_fill_of_several_executions_is_counted_and_not_alarmed(watched: Watched) -> None:
    watched.desk.enter()
    watched.desk.answer()
    watched.desk.report(ENTRY_ID, S.PARTIALLY_FILLED, filled=4, execution_id="x1")
    assert watched.look(0.5) == []
    watched.desk.report(ENTRY_ID, S.FILLED, filled=10, execution_id="x2")
    assert watched.look(5) == []


async def test_a_failed_placement_is_alarmed_at_once_with_what_the_broker_said(watched: Watched) -> None:
    watched.protected()
    watched.naked(10)
    watched.desk.recorder.record(ev.ProtectionFailed(bracket_id="b000001", text="Shares are reserved."))
    assert watched.look(10.1)[0].consequence == "Shares are reserved."


async def test_giving_up_raises_the_same_incident_with_new_words(watched: Watched) -> None:
    watched.protected()
    watched.naked(10)
    first = watched.look(12)[0]
    watched.desk.recorder.record(ev.IncidentAcked(incident_id=first.id, actor="window"))
    for _ in range(5):
        watched.desk.recorder.record(ev.ProtectionFailed(bracket_id="b000001", text="refused"))
    watched.desk.recorder.record(ev.ProtectionGaveUp(bracket_id="b000001", text="refused"))
    second = watched.look(20)[0]
    assert (second.id, second.raised_at) == (first.id, first.raised_at)
    assert second.cause == "10 AAPL naked: 5 placements of exits failed"
    assert second.action == "Press Retry, or Flatten."
    assert second.acked_by == "window", "no worse than what was acknowledged"
    assert len(watched.desk.told(ev.IncidentRaised)) == 2


async def test_it_is_cleared_when_the_shares_are_covered_or_gone(watched: Watched) -> None:
    watched.protected()
    watched.naked(10)
    watched.look(12)
    watched.desk.report(TARGET_ID, S.FILLED, filled=10)
    assert watched.look(13) == []
    assert [event.incident_id for event in watched.desk.told(ev.IncidentCleared)] == ["i000001"]
    assert watched.desk.book.incidents["i000001"].cleared_at == after(13)


async def test_a_trade_on_its_way_out_offers_no_retry(watched: Watched) -> None:
    watched.protected()
    asked = ev.ExitRequested(bracket_id="b000001", actor="window", reason="flatten")
    watched.desk.recorder.record(asked)
    watched.naked(10)
    incident = watched.look(12)[0]
    assert (incident.cause, incident.buttons) == ("10 AAPL naked on the way out", ("flatten",))


async def test_a_way_out_that_waits_for_a_stuck_cancel_says_so(watched: Watched) -> None:
    watched.protected()
    watched.desk.recorder.record(ev.ExitRequested(bracket_id="b000001", actor="window", reason="flatten"))
    watched.desk.report(TARGET_ID, S.CANCELED)
    for at_s in (0, 4, 8, 12):  # as the desk does it
        watched.desk.clock.at_s = at_s
        watched.desk.recorder.record(ev.CancelIntended(order_id=STOP_ID, actor="desk"))
        watched.desk.report(STOP_ID, S.PENDING_CANCEL)
    naked, stuck = watched.look(13)
    assert naked.cause == f"10 AAPL naked on the way out: the cancel of {STOP_ID} is not confirmed"
    assert "nothing can close them" in naked.consequence
    assert stuck.key == f"stuck:{STOP_ID}"
    watched.desk.report(STOP_ID, S.CANCELED)
    assert [one.cause for one in watched.look(14)] == ["10 AAPL naked on the way out"]


# --- too much cover --------------------------------------------------------------------------------------------------


async def test_stops_for_more_than_is_held_are_alarmed(watched: Watched) -> None:
    watched.protected()
    watched.desk.recorder.record(ev.BracketAdjusted(bracket_id="b000001", qty=Decimal(-4), why="sold by hand"))
    incident = watched.look(30)[0]
    assert (incident.key, incident.priority) == ("over:b000001", Priority.NOW)
    assert "4 more than is held" in incident.cause


async def test_a_target_that_just_filled_raises_nothing_while_its_stop_goes(watched: Watched) -> None:
    watched.protected()
    watched.desk.clock.at_s = 60.0
    watched.desk.report(TARGET_ID, S.FILLED, filled=10)
    assert watched.look(60.4) == []
    assert [incident.key for incident in watched.look(63)] == ["over:b000001"]
    watched.desk.report(STOP_ID, S.CANCELED)
    assert watched.look(63.5) == []


# --- orders ----------------------------------------------------------------------------------------------------------


async def test_an_order_of_unknown_fate_is_alarmed_after_ten_seconds_and_settled(watched: Watched) -> None:
    watched.desk.enter()
    watched.desk.recorder.record(ev.OrderUnresolved(order_id=ENTRY_ID, text="no answer"))
    assert watched.look(10) == []
    incident = watched.look(10.5)[0]
    assert (incident.key, incident.priority) == (f"unknown:{ENTRY_ID}", Priority.NOW)
    assert "lookup" in incident.buttons
    watched.desk.answer()
    assert watched.look(11) == []


async def test_a_cancel_that_nobody_confirms_is_told(watched: Watched) -> None:
    watched.protected()
    watched.desk.recorder.record(ev.CancelIntended(order_id=TARGET_ID, actor="window"))
    assert watched.look(10) == []
    assert [(one.key, one.priority) for one in watched.look(10.5)] == [(f"stuck:{TARGET_ID}", Priority.SOON)]
    watched.desk.recorder.record(ev.CancelIntended(order_id=TARGET_ID, actor="window"))
    assert [one.key for one in watched.look(10.6)] == [f"stuck:{TARGET_ID}"], "asked again, it is no less stuck"
    watched.desk.recorder.record(ev.CancelRefused(order_id=TARGET_ID, text="no"))
    assert watched.look(11) == []


async def test_a_cancel_by_another_hand_that_nobody_confirms_is_told(watched: Watched) -> None:
    watched.protected()
    watched.desk.report(TARGET_ID, S.PENDING_CANCEL)
    assert watched.look(9) == []
    assert [one.key for one in watched.look(11)] == [f"stuck:{TARGET_ID}"]


async def test_a_word_that_nobody_knows_is_shown_as_it_was_said(watched: Watched) -> None:
    watched.protected()
    watched.desk.clock.at_s = 1.0
    watched.desk.report(TARGET_ID, S.UNRECOGNISED, raw_status="pending_review")
    found = {one.key: one for one in watched.look(1)}
    assert "“pending_review”" in found[f"unrecognised:{TARGET_ID}"].cause


# --- links, journal, gate --------------------------------------------------------------------------------------------


async def test_a_stream_that_stays_down_is_told_with_its_cause(watched: Watched) -> None:
    watched.desk.clock.at_s = 30.0
    watched.world.stream.set(False, "stream slot taken")
    assert watched.look(34) == []
    incident = watched.look(35.5)[0]
    assert (incident.key, incident.priority) == ("stream", Priority.SOON)
    assert "stream slot taken" in incident.cause
    watched.world.stream.set(True)
    assert watched.look(36) == []


async def test_polling_is_offered_after_three_minutes_and_says_what_it_does(watched: Watched) -> None:
    stream = watched.world.stream
    stream.set(False, "stream slot taken")
    assert watched.look(179)[0].buttons == ()
    assert watched.look(181)[0].buttons == ("poll",)
    stream.poll("window")
    (incident,) = watched.look(182)
    assert incident.buttons == ()
    assert incident.cause == "Orders are polled, the order stream is down: stream slot taken"
    assert incident.consequence == "Fills are seen some 2 s late; entries are denied."
    assert (stream.word, stream.view().word) == ("polling", "polling")
    stream.set(True)
    assert watched.look(183) == []
    assert (stream.word, stream.polled_by) == ("up", None)
    told = [fact.why for fact in watched.desk.told(ev.LinkChanged) if fact.link == "stream"]
    assert "orders are polled instead, chosen by window" in told


async def test_refused_keys_are_told_as_final(watched: Watched) -> None:
    watched.world.stream.set(False, "the broker does not accept the keys", is_final=True)
    (incident,) = watched.look(6)
    assert incident.priority is Priority.NOW
    assert "does not reconnect by itself" in incident.action


async def test_requests_that_fail_beside_a_standing_stream_are_told(watched: Watched) -> None:
    watched.world.rest.set(True)
    watched.world.rest.set(False, "Alpaca is in trouble (HTTP 503)")
    assert watched.look(5) == []
    (incident,) = watched.look(6)
    assert (incident.key, incident.priority) == ("rest", Priority.SOON)
    watched.world.stream.set(False, "gone")
    assert [one.key for one in watched.look(7)] == []
    assert [one.key for one in watched.look(12)] == ["stream"], "one trouble, one incident"


async def test_a_data_stream_that_stays_down_is_told_last(watched: Watched) -> None:
    watched.world.quotes.set(True)
    watched.world.quotes.set(False, "connected, but mute about AAPL")
    assert watched.look(15) == []
    (incident,) = watched.look(16)
    assert (incident.key, incident.priority) == ("quotes", Priority.LATER)


async def test_a_journal_that_cannot_be_written_is_alarmed_at_once(watched: Watched) -> None:
    watched.watch.journal_failure = "disk full"
    incident = watched.look(1)[0]
    assert (incident.key, incident.priority, incident.action) == ("journal", Priority.NOW, "Free the disk.")


async def test_a_start_gate_that_stays_locked_is_told(watched: Watched) -> None:
    watched.world.gate_locked_by = "1 difference"
    assert watched.look(5) == []
    assert [one.key for one in watched.look(5.5)] == ["gate"]
    watched.world.gate_locked_by = None
    assert watched.look(6) == []


# --- signals ---------------------------------------------------------------------------------------------------------


async def test_a_signal_about_to_expire_asks_for_a_decision(watched: Watched) -> None:
    watched.desk.recorder.record(ev.SignalReceived(signal=make_signal(expires_at=T0 + timedelta(seconds=60))))
    assert watched.look(44) == []
    incident = watched.look(46)[0]
    assert (incident.key, incident.priority, incident.deadline_at) == ("expiry:s000001", Priority.LATER, after(60))
    assert watched.look(60) == []


# --- again and together ----------------------------------------------------------------------------------------------


async def test_the_same_trouble_a_second_time_is_a_new_incident(watched: Watched) -> None:
    watched.watch.journal_failure = "disk full"
    watched.look(1)
    watched.watch.journal_failure = None
    watched.look(2)
    watched.watch.journal_failure = "disk full"
    assert watched.look(3)[0].id == "i000002"


async def test_a_higher_priority_asks_to_be_acknowledged_again(watched: Watched) -> None:
    known = Incident(
        id="i000001",
        key="journal",
        priority=Priority.LATER,
        cause="slow",
        consequence="",
        action="",
        subject_kind="desk",
        subject_id="desk",
        symbol=None,
        raised_at=T0,
    )
    watched.desk.recorder.record(ev.IncidentRaised(incident=known))
    watched.desk.recorder.record(ev.IncidentAcked(incident_id="i000001", actor="window"))
    watched.watch.journal_failure = "disk full"
    incident = watched.look(2)[0]
    assert (incident.id, incident.acked_at, incident.acked_by) == ("i000001", None, None)


async def test_a_restart_neither_repeats_an_open_incident_nor_keeps_a_false_one(watched: Watched) -> None:
    watched.protected()
    watched.naked(10)
    watched.look(12)
    again = Watch(watched.desk.recorder, watched.desk.book, watched.world, watched.desk.clock, after(12), None)
    again.look()
    assert len(watched.desk.told(ev.IncidentRaised)) == 1
    watched.desk.report(TARGET_ID, S.CANCELED)
    watched.desk.recorder.record(ev.BracketAdjusted(bracket_id="b000001", qty=Decimal(-10), why="sold by hand"))
    again.look()
    assert watched.desk.book.open_incidents == {}


async def test_every_incident_says_cause_consequence_and_action(watched: Watched) -> None:
    watched.protected()
    watched.naked(10)
    watched.world.stream.set(False, "gone")
    watched.world.gate_locked_by = "1 difference"
    watched.watch.journal_failure = "disk full"
    found = watched.look(30)
    assert len(found) == 4
    assert [int(one.priority) for one in found] == [1, 1, 2, 2]
    assert all(one.cause and one.consequence.endswith(".") and one.action.endswith(".") for one in found)
