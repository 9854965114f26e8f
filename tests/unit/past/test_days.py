"""Days of a journal: New York's, newest first, found without reading what lies between."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from engine.errors import EngineError, JournalUnavailable
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.incident import Priority
from engine.model.words import DeskState, Mode
from engine.past.days import days_of, marks_of
from engine.past.opening import PastDays, day_of, journal_of
from tests.unit.journal.conftest import HandClock
from tests.unit.journal.events import INCIDENT

MIDNIGHT = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
"""Of New York, in winter."""


async def written(path: Path, times: Sequence[datetime], disk: ThreadPoolExecutor) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    clock = HandClock(times[0])
    journal = await Journal.open(path, disk, clock)
    for number, at in enumerate(times):
        clock.at = at
        fact = ev.DemoSwitched(on=True, actor="test")
        if number % 3 == 0:
            fact = ev.DeskStateSet(scope="desk", state=DeskState.PAUSED, actor="test", cause="")  # type: ignore[assignment]
        journal.append([fact])
    await journal.close()
    return path


async def test_a_day_begins_at_midnight_in_new_york(path: Path, disk: ThreadPoolExecutor) -> None:
    times = [MIDNIGHT + timedelta(microseconds=shift) for shift in (-1, 0, 1)]
    newest, oldest = days_of(await written(path, times, disk))
    assert (oldest.date, oldest.first_seq, oldest.last_seq) == (date(2026, 11, 24), 1, 1)
    assert (newest.date, newest.first_seq, newest.last_seq) == (date(2026, 11, 25), 2, 3)
    assert (newest.began_at, newest.ended_at, newest.facts) == (times[1], times[2], 2)


async def test_days_on_which_nothing_happened_are_no_days(path: Path, disk: ThreadPoolExecutor) -> None:
    times = [MIDNIGHT + timedelta(hours=hours) for hours in (1, 2, 100, 101, 102)]
    found = days_of(await written(path, times, disk))
    assert [(day.date.day, day.facts) for day in found] == [(29, 3), (25, 2)]


async def test_marks_are_those_of_the_day(path: Path, disk: ThreadPoolExecutor) -> None:
    times = [MIDNIGHT + timedelta(hours=hours) for hours in (1, 2, 100, 101, 102, 103)]
    journal = await written(path, times, disk)
    newest, oldest = days_of(journal)
    assert [(mark.at, mark.kind) for mark in marks_of(journal, newest)] == [(times[3], "state")]
    assert [mark.at for mark in marks_of(journal, oldest)] == [times[0]]


async def test_an_incident_is_worth_stopping_at_unless_it_can_wait(path: Path, disk: ThreadPoolExecutor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = await Journal.open(path, disk, HandClock(MIDNIGHT))
    for number, priority in enumerate(Priority):
        incident = msgspec.structs.replace(INCIDENT, id=f"i{number}", priority=priority)
        journal.append([ev.IncidentRaised(incident=incident)])
    await journal.close()
    [day] = days_of(path)
    assert [mark.kind for mark in marks_of(path, day)] == ["incident", "incident"]


def test_no_journal_is_said(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable):
        days_of(tmp_path / "journal.db")


async def test_a_day_that_is_not_there_is_refused_with_those_that_are(path: Path, disk: ThreadPoolExecutor) -> None:
    journal = await written(path, [MIDNIGHT, MIDNIGHT + timedelta(days=1)], disk)
    with pytest.raises(EngineError, match="from 2026-11-25 to 2026-11-26"):
        day_of(journal, date(2026, 1, 1))
    assert day_of(journal, None).date == date(2026, 11, 26)
    assert day_of(journal, date(2026, 11, 25)).facts == 1


def test_of_several_accounts_one_has_to_be_named(tmp_path: Path) -> None:
    found = [tmp_path / f"paper-{name}" / "journal.db" for name in ("PA1", "PA2")]
    assert journal_of(found[:1], None) == found[0]
    assert journal_of(found, "PA2") == found[1]
    for account, named in ((None, "PA1, PA2"), ("PA9", "PA9")):
        with pytest.raises(EngineError, match=named):
            journal_of(found, account)


def test_the_window_opens_a_day_with_this_very_program() -> None:
    program, told = PastDays(Path("/data/paper-PA1/journal.db"), Mode.PAPER).command(date(2026, 11, 25))
    assert program
    assert told[1:] == ["replay", "--broker", "paper", "--data-dir", "/data", "--day", "2026-11-25", "--account", "PA1"]
