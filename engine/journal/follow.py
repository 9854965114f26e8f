"""The journal as an endless stream: what is on disk behind a number, then what is added, without gap or doubles.

Only facts on disk are handed out. Otherwise a crash could take back a number that a reader has already seen, and a
reader that resumes behind it would miss the other fact that got the number next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Executor
from typing import Final

from engine.bus import Bus
from engine.clock import Clock
from engine.errors import JournalUnavailable
from engine.journal.reader import read_after
from engine.journal.writer import RETRY_S, Journal
from engine.model.events import Recorded

PAGE: Final = 500
KEPT: Final = 1_000
"""Facts kept in memory for one reader; a slower one is served from the file."""


async def follow(
    journal: Journal, bus: Bus, after: int, *, executor: Executor, clock: Clock
) -> AsyncGenerator[Recorded, None]:
    """Facts with a number above ``after``, oldest first, until the caller closes the generator.

    ``executor`` reads the file; not the journal's own, which must stay free for the writer. A reader may be as slow as
    it likes: it holds at most ``KEPT`` facts in memory.
    """
    live: deque[Recorded] = deque(maxlen=KEPT)
    arrived = asyncio.Event()

    def keep(records: Sequence[Recorded]) -> None:
        live.extend(records)
        arrived.set()

    loop = asyncio.get_running_loop()
    unsubscribe = bus.on_records(keep)
    seq = after
    try:
        while True:
            arrived.clear()
            while live and live[0].seq <= seq:
                live.popleft()
            if live and live[0].seq == seq + 1:
                fact = live[0]
                await _on_disk(journal, fact.seq, clock)
                # While waiting, the deque may have dropped it at its other end; the fact in hand is still the next.
                seq = fact.seq
                yield fact
            elif seq < journal.durable_seq:
                for fact in await loop.run_in_executor(executor, read_after, journal.path, seq, PAGE):
                    seq = fact.seq
                    yield fact
            elif seq < journal.seq:
                await _on_disk(journal, seq + 1, clock)
            else:
                await arrived.wait()
    finally:
        unsubscribe()


async def _on_disk(journal: Journal, seq: int, clock: Clock) -> None:
    while journal.durable_seq < seq:
        try:
            await journal.durable(seq)
        except JournalUnavailable:
            await clock.sleep(RETRY_S)
