"""Free memory goes back to the system, when nobody waits for anything."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from engine.heap import EVERY_S, LOOK_EVERY_S, glibc_trim, small_heap
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock

CLOCK = virtual_clock()
BLOCK = 20_000
BLOCKS = 2_000


def resident() -> int:
    """Bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_it_waits_for_a_quiet_moment_and_comes_once_a_minute() -> None:
    quiet = True
    trimmed_at: list[float] = []

    async def trim() -> None:
        trimmed_at.append(asyncio.get_running_loop().time())

    async def live() -> None:
        nonlocal quiet
        async with small_heap(CLOCK, lambda: quiet, lambda: nullcontext(trim)):
            await CLOCK.sleep(EVERY_S + 1)
            quiet = False
            await CLOCK.sleep(10 * EVERY_S)
            quiet = True
            await CLOCK.sleep(LOOK_EVERY_S)
            assert len(trimmed_at) == 2
        await CLOCK.sleep(10 * EVERY_S)

    run_virtually(live())
    assert len(trimmed_at) == 2
    assert trimmed_at[0] == EVERY_S
    assert trimmed_at[1] > 11 * EVERY_S


def test_without_such_a_call_the_desk_runs_all_the_same() -> None:
    async def live() -> bool:
        async with small_heap(CLOCK, lambda: True, nullcontext):
            await CLOCK.sleep(10 * EVERY_S)
        return True

    assert run_virtually(live())


async def test_holes_between_what_stays_are_given_back() -> None:
    with glibc_trim() as trim:
        if trim is None:
            pytest.skip("this C library has no malloc_trim")
        blocks = [bytes(BLOCK) for _ in range(BLOCKS)]
        kept = blocks[::100]
        del blocks
        before = resident()
        await trim()
        assert before - resident() > BLOCK * BLOCKS / 2
        assert kept
