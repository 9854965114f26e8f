"""The small standing tasks of a desk: each keeps one thing fresh that nothing else would."""

from __future__ import annotations

from collections.abc import Coroutine
from concurrent.futures import Executor as Pool
from typing import Any, Final

from engine.account_after_fills import AccountAfterFills
from engine.alpaca.check import RequestModels
from engine.approval import ApprovalQueue
from engine.book import Book
from engine.clock import Clock
from engine.incidents.watch import Watch
from engine.journal.audit import audit
from engine.journal.reader import Tail
from engine.journal.writer import Journal
from engine.pipeline.picture import Pictures
from engine.resting import keep_resting
from engine.surroundings import World

LOADING_MODELS: Final = "the order models are still being loaded"
"""What the start gate says until ``load_models`` is done."""
JOURNAL_LOOK_S: Final = 0.2
HISTORY_LOOK_S: Final = 30.0


def chores(
    *,
    journal: Journal,
    book: Book,
    checkpoint: Tail,
    watch: Watch,
    after_fills: AccountAfterFills,
    world: World,
    pictures: Pictures,
    queue: ApprovalQueue,
    clock: Clock,
    pool: Pool,
) -> dict[str, Coroutine[Any, Any, None]]:
    """By the name of their task."""

    async def load_models() -> None:
        """They are slow to import: in a worker thread, and entries wait for it."""
        queue.use_models(await RequestModels.load(pool))
        world.loading = None

    async def keep_history() -> None:
        """For what came into play without a signal, for a new day, and after a broker that could not be reached."""
        while True:
            await clock.sleep(HISTORY_LOOK_S)
            await world.history.ensure(pictures.in_play())

    async def audit_chain() -> None:
        """What the start took on trust, because a checkpoint stands behind it."""
        watch.broken_chain = await audit(journal.path, checkpoint, pool, clock)

    async def watch_journal() -> None:
        while True:
            watch.journal_failure = journal.failure
            await clock.sleep(JOURNAL_LOOK_S)

    return {
        "resting": keep_resting(book, clock),
        "request-models": load_models(),
        "account-after-fills": after_fills.run(),
        "daily-bars": keep_history(),
        "journal-audit": audit_chain(),
        "journal-watch": watch_journal(),
    }
