"""The loop really stands still here: what a thread beside it sees and writes down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.watchdog import KEPT, Stall, Watchdog, watched_loop

LIMIT_S = 0.2


def a_bug_that_blocks(seconds: float) -> None:
    time.sleep(seconds)


class Notices(list[tuple[str, str]]):
    def __init__(self, *, works: bool = True) -> None:
        super().__init__()
        self._works = works

    def __call__(self, title: str, text: str) -> bool:
        self.append((title, text))
        return self._works


@asynccontextmanager
async def watched(folder: Path, notices: Notices) -> AsyncIterator[list[Stall]]:
    told: list[Stall] = []
    watchdog = Watchdog(folder, SystemClock(), stalled_after_s=LIMIT_S, notify=notices)
    async with watched_loop(watchdog, told.append):
        await asyncio.sleep(LIMIT_S)
        yield told


async def until_told(told: list[Stall], count: int) -> None:
    async with asyncio.timeout(5):
        while len(told) < count:
            await asyncio.sleep(0.01)


async def test_a_stall_is_written_down_while_it_lasts_and_told_when_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notices = Notices()
    async with watched(tmp_path, notices) as told:
        a_bug_that_blocks(5 * LIMIT_S)
        # The thread has spoken while nothing on this loop could.
        assert len(notices) == 1
        assert "Stops stand at the broker" in notices[0][1]
        await until_told(told, 1)
        (stall,) = told
        assert stall.lasted_s >= 4 * LIMIT_S
        assert stall.file is not None
        assert "a_bug_that_blocks" in Path(stall.file).read_text(encoding="utf-8")
        a_bug_that_blocks(5 * LIMIT_S)
        await until_told(told, 2)
        assert len(notices) == 2


async def test_a_loop_that_moves_raises_nothing(tmp_path: Path) -> None:
    notices = Notices()
    async with watched(tmp_path, notices) as told:
        for _ in range(10):
            a_bug_that_blocks(LIMIT_S / 10)
            await asyncio.sleep(LIMIT_S / 10)
    assert (told, notices, list(tmp_path.iterdir())) == ([], [], [])


async def test_a_folder_that_cannot_be_written_is_no_second_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken = tmp_path / "stalls"
    taken.write_text("a file where the folder should be")
    notices = Notices(works=False)
    async with watched(taken, notices) as told:
        a_bug_that_blocks(5 * LIMIT_S)
        await until_told(told, 1)
    assert told[0].file is None
    assert len(notices) == 1


async def test_old_files_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(KEPT + 3):
        (tmp_path / f"stall-20200101-0000{number:02d}-000000.txt").write_text("old")
    async with watched(tmp_path, Notices()) as told:
        a_bug_that_blocks(5 * LIMIT_S)
        await until_told(told, 1)
    assert len(list(tmp_path.iterdir())) == KEPT
