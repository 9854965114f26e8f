"""A day looked at again shows what was on the screen then, whichever way one comes to it, and lets nothing be done."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.bus import Change
from engine.clock import SystemClock
from engine.errors import CommandRefused
from engine.exchange.server import ExchangeSettings, serve_exchange
from engine.journal.reader import verify
from engine.model.words import DeskState, Mode
from engine.past.days import days_of
from engine.past.desk import PastDesk, open_past
from engine.past.tape_file import TAPE_FILE
from tests.wire.desk.conftest import Rig, protected, until
from tests.wire.desk.past_day import JOURNAL, live_a_day, shot_of, taped


async def test_every_moment_is_as_it_was_from_whichever_side_one_comes(tmp_path: Path) -> None:
    journal, shots = await live_a_day(tmp_path)
    assert len(shots) >= 5, "the day held still too seldom to be compared"
    [day, *_] = days_of(journal)
    dice = random.Random(7)
    order = [*shots, *reversed(shots), *dice.choices(shots, k=12)]
    async with open_past(journal, Mode.SIM, day) as past:
        for shot in order:
            await past.go(shot.at)
            assert shot_of(past, shot.at) == shot


async def test_what_is_out_of_date_is_told_so_that_a_screen_that_follows_is_never_wrong(tmp_path: Path) -> None:
    journal, _ = await live_a_day(tmp_path)
    [day, *_] = days_of(journal)
    dice = random.Random(3)
    async with open_past(journal, Mode.SIM, day) as past:
        screen = Follower(past)
        for _ in range(40):
            await past.go(day.began_at + (day.ended_at - day.began_at) * dice.random())
            assert screen.orders == {order.id: order.status for order in past.orders("all")}
            assert screen.signals == {signal.id: signal.status for signal in past.signals()}
            assert screen.trades.keys() == {trade.id for trade in past.brackets("all")}


class Follower:
    """A screen that only ever asks for what it was told is out of date."""

    def __init__(self, past: PastDesk) -> None:
        self._past = past
        self.orders: dict[str, Any] = {order.id: order.status for order in past.orders("all")}
        self.signals: dict[str, Any] = {signal.id: signal.status for signal in past.signals()}
        self.trades: dict[str, Any] = {trade.id: trade for trade in past.brackets("all")}
        past.bus.on_changes(self._told)

    def _told(self, changes: frozenset[Change]) -> None:
        for kind, key in changes:
            table, ask = {
                "order": (self.orders, lambda key: self._past.order(key).status),
                "signal": (self.signals, lambda key: self._past.signal(key).status),
                "bracket": (self.trades, self._past.bracket),
            }.get(kind, ({}, str))
            try:
                table[key] = ask(key)
            except CommandRefused:
                table.pop(key, None)


async def test_prices_previews_and_the_account_come_from_the_tape(tmp_path: Path) -> None:
    journal, _ = await live_a_day(tmp_path)
    [day, *_] = days_of(journal)
    async with open_past(journal, Mode.SIM, day) as past:
        await past.go(day.ended_at)
        assert past.has_tape
        quote = past.quote("AAPL")
        assert quote is not None
        assert quote.bid is not None
        assert quote.age_s >= 0
        assert past.view().account.equity is not None
        assert past.view().session_open is True
        bars = await past.bars("AAPL")
        assert bars[0].low <= float(quote.mid or 0) <= bars[-1].high * 1.01


async def test_cover_is_as_old_as_the_reading_that_proved_it(tmp_path: Path) -> None:
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=tmp_path / "exchange.db")
    async with serve_exchange(settings, SystemClock()) as exchange:
        rig = Rig(exchange, tmp_path / "desk")
        async with rig.desk() as desk, taped(rig, desk):
            trade = await protected(desk, rig.signal("AAPL"))
            stop = desk.bracket(trade.id).legs.stop_loss
            assert stop is not None
            await desk.lookup_order(stop.id, actor="test")
            await until(lambda: stop.id in desk.proofs())
            proved_at = desk.bracket(trade.id).verified_at
    [day, *_] = days_of(rig.folder / JOURNAL)
    async with open_past(rig.folder / JOURNAL, Mode.SIM, day) as past:
        await past.go(day.ended_at)
        assert past.bracket(trade.id).verified_at == proved_at


async def test_without_a_tape_prices_are_missing_and_nothing_else(tmp_path: Path) -> None:
    journal, shots = await live_a_day(tmp_path)
    for part in journal.parent.glob(f"{TAPE_FILE}*"):
        part.unlink()
    [day, *_] = days_of(journal)
    async with open_past(journal, Mode.SIM, day) as past:
        await past.go(shots[-2].at)
        assert shot_of(past, shots[-2].at) == shots[-2]
        assert not past.has_tape
        assert past.quote("AAPL") is None
        assert past.view().account.equity is None
        with pytest.raises(CommandRefused) as refused:
            await past.bars("AAPL")
        assert refused.value.code == "NO_TAPE"


async def test_nothing_can_be_done_in_it_and_the_journal_stays_as_it_is(tmp_path: Path) -> None:
    journal, shots = await live_a_day(tmp_path)
    before = verify(journal)
    [day, *_] = days_of(journal)
    async with open_past(journal, Mode.SIM, day) as past:
        await past.go(shots[2].at)
        [pending] = [signal.id for signal in past.signals() if signal.status.value == "pending"]
        commands: list[Any] = [
            past.approve(pending, actor="test"),
            past.reject(pending, actor="test"),
            past.flatten(symbol=None, actor="test"),
            past.set_state(DeskState.HALTED, actor="test"),
            past.exits.move("x", actor="test"),
            past.halt.suspend(actor="test"),
            past.ticket.send(b"{}", preview_id="p1", actor="test"),
            past.mandates.revoke_all(actor="test"),
        ]
        for command in commands:
            with pytest.raises(CommandRefused) as refused:
                await command
            assert refused.value.code == "REPLAY"
        with pytest.raises(CommandRefused):
            past.exits.plans("x")
        assert past.halt.ladder().desk_state is DeskState.ACTIVE
    assert verify(journal) == before


async def test_the_facts_of_a_trade_are_its_requests_and_replies_and_no_later_ones(tmp_path: Path) -> None:
    journal, shots = await live_a_day(tmp_path)
    [day, *_] = days_of(journal)
    async with open_past(journal, Mode.SIM, day) as past:
        await past.go(day.ended_at)
        [*_, first] = past.brackets("all")
        subjects = [first.signal_id, first.id, *(order.id for order in first.orders)]
        facts = await past.facts_about(subjects)
        assert [fact.seq for fact in facts] == sorted(fact.seq for fact in facts)
        sent = next(fact for fact in facts if fact.kind == "order_intended")
        assert '"client_order_id"' in sent.payload
        assert "null" not in sent.payload
        replies = [fact for fact in facts if fact.kind == "order_reported"]
        assert any('"source": "rest"' in fact.payload or '"source": "stream"' in fact.payload for fact in replies)
        await past.go(shots[1].at)
        earlier = await past.facts_about(subjects)
        assert 0 < len(earlier) < len(facts)
        assert all(fact.at <= shots[1].at for fact in earlier)


async def test_a_running_desk_tells_the_facts_of_a_moment_ago(tmp_path: Path) -> None:
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=tmp_path / "exchange.db")
    async with serve_exchange(settings, SystemClock()) as exchange:
        rig = Rig(exchange, tmp_path / "desk")
        async with rig.desk() as desk:
            view, _ = await desk.receive(rig.signal("AAPL"))
            received, *_ = await desk.facts_about([view.id])
            assert (received.kind, received.subject) == ("signal_received", view.id)
            await desk.reject(view.id, actor="test", reason="no")
            assert "signal_rejected" in {fact.kind for fact in await desk.facts_about([view.id])}
            assert await desk.facts_about(["nothing"]) == []


async def test_times_outside_of_the_day_are_its_ends(tmp_path: Path) -> None:
    journal, _ = await live_a_day(tmp_path)
    [day, *_] = days_of(journal)
    async with open_past(journal, Mode.SIM, day) as past:
        await past.go(datetime.max.replace(tzinfo=day.ended_at.tzinfo))
        assert past.at == day.ended_at
        assert await past.go(datetime.min.replace(tzinfo=day.ended_at.tzinfo))
        assert past.at == day.began_at
        assert past.orders("all") == []
