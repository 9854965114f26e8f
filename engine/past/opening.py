"""Which journal and which day: for the command line, and for the window's list of days."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from pathlib import Path

from engine.book import NEW_YORK
from engine.errors import EngineError
from engine.model.words import Mode
from engine.past.days import Day, days_of
from engine.past.desk import PastDesk, open_past


class PastDays:
    """Of a running desk's journal."""

    def __init__(self, journal: Path, mode: Mode) -> None:
        self._journal = journal
        self._mode = mode

    async def days(self) -> Sequence[Day]:
        """Newest first. Raises ``JournalUnavailable``."""
        # A pool of our own: qasync's default executor makes QThreads that outlive their work.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="days") as pool:
            return await asyncio.get_running_loop().run_in_executor(pool, days_of, self._journal)

    def command(self, day: date) -> tuple[str, list[str]]:
        """The program that opens one, and what it is told."""
        folder = self._journal.parent
        told = ["replay", "--broker", self._mode.value, "--data-dir", str(folder.parent), "--day", day.isoformat()]
        if self._mode is not Mode.SIM:
            told += ["--account", _account_of(self._journal)]
        return sys.executable, [str(Path(sys.argv[0]).absolute()), *told]


def journal_of(found: Sequence[Path], account: str | None) -> Path:
    """The one that is meant.

    Raises:
        EngineError: there are several and none is named, or none of that account.
    """
    chosen = [path for path in found if account is None or _account_of(path) == account]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(map(_account_of, found))
    if not chosen:
        raise EngineError(f"There is no journal of the account {account}; there are: {names}.")
    raise EngineError(f"There are journals of several accounts; name one with --account: {names}.")


def day_of(journal: Path, wanted: date | None) -> Day:
    """That day of the journal, the newest when none is named. Blocking: for a program that has not begun yet.

    Raises:
        EngineError: the journal cannot be read, or holds nothing of that day.
    """
    days = days_of(journal)
    day = next((day for day in days if wanted in (None, day.date)), None)
    if day is None:
        held = f"from {days[-1].date} to {days[0].date}" if days else "no day at all"
        raise EngineError(f"The journal holds nothing of {wanted}: it holds {held}.")
    return day


@asynccontextmanager
async def opened(journal: Path, mode: Mode, day: Day, at: time | None) -> AsyncIterator[PastDesk]:
    """A day of the journal at its beginning, or at a time of New York's. Raises as ``open_past``."""
    async with open_past(journal, mode, day) as past:
        if at is not None:
            await past.go(datetime.combine(day.date, at, NEW_YORK))
        yield past


def _account_of(journal: Path) -> str:
    """``paper-PA3XYZ`` is the folder of account PA3XYZ."""
    return journal.parent.name.partition("-")[2] or journal.parent.name
