"""Reading back is the same as living through, however much of it nobody will look at again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine import activity, recall
from engine.activity import ActivityLog
from engine.book import Book
from engine.bus import Bus
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.words import DeskState, Stage
from engine.recorder import Recorder
from tests.unit.builders import make_signal
from tests.unit.journal.conftest import HandClock

KEPT = 20


async def test_a_log_that_forgets_is_read_back_as_it_was(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signals always make a line, a state makes one too and is not counted on; none stands among the newest here."""
    monkeypatch.setattr(activity, "KEPT", KEPT)
    monkeypatch.setattr(recall, "KEPT", KEPT)
    journal = await Journal.open(path, disk, clock)
    book, bus = Book(), Bus()
    log = ActivityLog(book)
    bus.on_records(log.fold)
    recorder = Recorder(journal, book, bus)
    for number in range(60):
        recorder.record(ev.SignalReceived(signal=make_signal(id=f"s{number:06d}", source_id=f"x{number}")))
        if number < 60 - KEPT:
            recorder.record(ev.DeskStateSet(scope="desk", state=DeskState.PAUSED, actor="t", cause=f"{number}"))
    await journal.close()
    memory = recall.recall(path, recall.NOTHING)
    assert len(log.lines()) == KEPT
    assert memory.activity.lines() == log.lines()


async def test_a_log_with_room_for_all_is_read_back_whole(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    journal = await Journal.open(path, disk, clock)
    recorder = Recorder(journal, Book(), Bus())
    for number in range(30):
        recorder.record(ev.DeskStateSet(scope="desk", state=DeskState.PAUSED, actor="t", cause=f"{number}"))
    await journal.close()
    assert len(recall.recall(path, recall.NOTHING).activity.lines()) == 30


async def test_only_the_newest_measured_stages_are_read_back(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall, "SAMPLES_KEPT", KEPT)
    journal = await Journal.open(path, disk, clock)
    recorder = Recorder(journal, Book(), Bus())
    recorder.record(ev.SignalReceived(signal=make_signal(id="s000001")))
    for number in range(3 * KEPT):
        recorder.record(
            ev.StageMeasured(signal_id="s000001", stage=Stage.GATE, started_at=clock.now(), ms=float(number)),
            ev.DeskStateSet(scope="desk", state=DeskState.PAUSED, actor="t", cause=f"{number}"),
        )
    await journal.close()
    read = recall.recall(path, recall.NOTHING).latency.samples(0)
    assert [sample.ms for sample in read] == [float(number) for number in range(2 * KEPT, 3 * KEPT)]


def test_reading_back_tells_nobody_and_living_through_does(clock: HandClock) -> None:
    book = Book()
    fact = ev.Recorded(1, clock.now(), ev.SignalReceived(signal=make_signal()))
    with book.untold():
        assert {change.kind for change in book.apply(fact)} == {"activity"}
    other = Book()
    assert {change.kind for change in other.apply(fact)} > {"activity"}
