"""Checks, piece by piece beside a running desk, the part of the chain that a start from a checkpoint took on trust."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import Final

from engine.clock import Clock
from engine.errors import JournalUnavailable
from engine.journal.reader import EMPTY, ChainCheck, Tail, check_chain, open_reader

PIECE: Final = 2_000
"""Events; some milliseconds of a worker thread."""
PAUSE_S: Final = 0.05
"""So that the audit takes a tenth of a core at most, and never holds anybody up."""


async def audit(path: Path, up_to: Tail, executor: Executor, clock: Clock) -> str | None:
    """Walks from the first event to ``up_to``; returns what is wrong, None when the chain is whole."""
    good = EMPTY
    loop = asyncio.get_running_loop()
    while good.seq < up_to.seq:
        last = min(good.seq + PIECE, up_to.seq)
        try:
            check = await loop.run_in_executor(executor, _walk, path, good, last)
        except (sqlite3.Error, JournalUnavailable) as error:
            return f"it cannot be read: {error}"
        if check.why is not None:
            return check.why
        if check.good.seq != last:
            return f"event {check.good.seq + 1} is missing"
        good = check.good
        await clock.sleep(PAUSE_S)
    if good.hash != up_to.hash:
        return f"event {up_to.seq} is not the one that the checkpoint stands at"
    return None


def _walk(path: Path, behind: Tail, up_to: int) -> ChainCheck:
    with closing(open_reader(path)) as connection:
        return check_chain(connection, up_to, behind=behind)
