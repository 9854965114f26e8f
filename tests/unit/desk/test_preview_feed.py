"""Previews follow events: what happened marks them, told at most four times a second, and none is computed twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.bus import Change
from engine.model import events as ev
from engine.preview_feed import TELL_EVERY_S, TICK_S, PreviewFeed
from tests.unit.builders import make_signal
from tests.unit.desk.desk_parts import Parts, parts


class Feed:
    def __init__(self, desk: Parts) -> None:
        self.desk = desk
        self.computed: list[str] = []
        self.told: list[set[str]] = []
        self.feed = PreviewFeed(self._compute, desk.book, desk.recorder, desk.clock, desk.bus)
        desk.bus.on_changes(self._note)

    def _compute(self, signal_id: str) -> Any:
        self.computed.append(signal_id)
        return f"preview {len(self.computed)} of {signal_id}"

    def _note(self, changes: frozenset[Change]) -> None:
        if all(change.kind == "signal" for change in changes):
            self.told.append({change.key for change in changes})

    def receive(self, number: int, symbol: str) -> str:
        signal = make_signal(id=f"s{number:06d}", source_id=f"x{number}", symbol=symbol)
        self.desk.recorder.record(ev.SignalReceived(signal=signal))
        return signal.id

    def tick(self, *, after_s: float = 0.25) -> None:
        self.desk.clock.at_s += after_s
        self.feed.tell()

    def quoted(self, symbol: str) -> None:
        self.desk.recorder.tell(Change("quote", symbol))


@pytest.fixture
async def feed(tmp_path: Path) -> AsyncIterator[Feed]:
    async with parts(tmp_path) as desk:
        made = Feed(desk)
        aapl, msft = made.receive(1, "AAPL"), made.receive(2, "MSFT")
        made.feed.tell()
        made.feed.get(aapl)
        made.feed.get(msft)
        made.computed.clear()
        made.told.clear()
        desk.clock.at_s += TELL_EVERY_S
        yield made


async def test_what_did_not_move_is_not_computed_again(feed: Feed) -> None:
    assert feed.feed.get("s000001") == feed.feed.get("s000001")
    feed.feed.tell()
    assert (feed.computed, feed.told) == ([], [])


async def test_a_quote_marks_the_signals_of_its_symbol_alone(feed: Feed) -> None:
    for _ in range(100):
        feed.quoted("MSFT")
    feed.feed.tell()
    assert feed.told == [{"s000002"}], "a hundred quotes are told once"
    feed.feed.get("s000001")
    feed.feed.get("s000002")
    feed.feed.get("s000002")
    assert feed.computed == ["s000002"]


async def test_its_own_news_marks_nothing(feed: Feed) -> None:
    feed.quoted("MSFT")
    feed.feed.tell()
    feed.feed.get("s000002")
    feed.tick()
    assert len(feed.told) == 1


async def test_a_signal_is_told_four_times_a_second_however_often_it_moves(feed: Feed) -> None:
    for _ in range(40):
        feed.quoted("MSFT")
        feed.tick(after_s=TICK_S)
    assert sum("s000002" in told for told in feed.told) == 4, "in a second of ticks"


@pytest.mark.parametrize("kind", ["account", "order", "bracket", "position", "desk", "signal"])
async def test_what_moves_account_or_exposure_marks_all(feed: Feed, kind: Any) -> None:
    feed.desk.recorder.tell(Change(kind, "other"))
    feed.told.clear()
    feed.feed.tell()
    assert feed.told == [{"s000001", "s000002"}]


async def test_age_alone_makes_a_preview_old_after_a_second(feed: Feed) -> None:
    feed.desk.clock.at_s += 0.65
    feed.feed.tell()
    assert feed.told == []
    feed.desk.clock.at_s += 0.2
    feed.feed.tell()
    assert feed.told == [{"s000001", "s000002"}]
    feed.feed.get("s000001")
    assert feed.computed == ["s000001"]


async def test_a_decided_signal_is_told_of_no_more(feed: Feed) -> None:
    feed.desk.recorder.record(ev.SignalRejected(signal_id="s000001", actor="ann", reason=""))
    feed.told.clear()
    feed.feed.tell()
    assert feed.told == [{"s000002"}]


async def test_when_many_have_moved_each_tick_tells_some_and_none_is_left_out(feed: Feed) -> None:
    for number in range(3, 31):
        feed.receive(number, f"S{number}")
    for _ in range(3):
        feed.tick(after_s=TICK_S)
    feed.desk.recorder.tell(Change("account", ""))
    feed.told.clear()
    feed.desk.clock.at_s += 0.25
    for _ in range(3):
        feed.tick(after_s=TICK_S)
    assert [len(told) for told in feed.told] == [10, 10, 10]
    assert set.union(*feed.told) == set(feed.desk.book.pending)


async def test_signals_that_nobody_looks_at_do_not_crowd_out_the_others(feed: Feed) -> None:
    """Whoever was told waits for all others, whether or not somebody asked for its preview."""
    for number in range(3, 31):
        feed.receive(number, f"S{number}")
    told = set()
    for _ in range(3):
        feed.desk.recorder.tell(Change("account", ""))
        feed.told.clear()
        feed.tick(after_s=TICK_S)
        told |= feed.told[-1]
    assert told == set(feed.desk.book.pending)
