"""Starts a desk: fold the journal, connect, reconcile, run. Start-up and crash recovery are this one path.

What a desk stands on is opened here and ends with the block in reverse: no new commands, streams closed, writes under
way drained, journal flushed. Its parts are built by ``assembly.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import Executor as Pool, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from engine import VERSION
from engine.alpaca.client import open_client
from engine.alpaca.endpoints import Access
from engine.assembly import DeskSettings as DeskSettings, assemble
from engine.bus import Bus
from engine.checkpoint import Checkpoints
from engine.clock import Clock, SteadyClock
from engine.desk import Desk
from engine.errors import EngineError
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.ids import new_desk_id
from engine.recall import recall, standing
from engine.recorder import Recorder
from engine.tasks import task_scope
from engine.user_rules.process import Rules, open_rules

JOURNAL_FILE: Final = "journal.db"


class ForeignJournal(EngineError):
    """The folder's journal belongs to another mode."""


@asynccontextmanager
async def start_desk(
    settings: DeskSettings,
    access: Access,
    clock: Clock,
    *,
    journal_pool: Pool | None = None,
    user_rules: Rules | None = None,
) -> AsyncIterator[Desk]:
    """A running desk for as long as the block lasts. ``journal_pool`` has exactly one worker; made here when None.

    ``user_rules`` answer in place of a file of the operator's, which is then not looked for.

    Raises:
        JournalUnavailable, ForeignJournal: the folder cannot be used.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        pool = journal_pool or stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="journal"))
        read_pool = stack.enter_context(ThreadPoolExecutor(2, thread_name_prefix="reads"))
        path = settings.folder / JOURNAL_FILE
        checkpoint = standing(path)
        wall = clock
        clock = steady = SteadyClock(wall)
        journal = await Journal.open(path, pool, clock, behind=checkpoint)
        steady.not_before(journal.last_at)
        stack.push_async_callback(journal.close)
        memory = recall(path, checkpoint)
        book, activity, latency, bus = memory.book, memory.activity, memory.latency, Bus()
        if book.mode and book.mode != settings.mode.value:
            raise ForeignJournal(f"{path} is the journal of a {book.mode} desk, this one is {settings.mode.value}.")
        recorder = Recorder(journal, book, bus)
        bus.on_records(activity.fold)
        bus.on_records(latency.fold)
        if journal.seq == 0:
            recorder.record(ev.JournalOpened(desk_id=new_desk_id(), mode=settings.mode.value))
        checkpoints = Checkpoints(journal, book, activity, clock, read_pool, worth_it=settings.checkpoint_after)
        if memory.is_restored:
            checkpoints.stands_at(checkpoint.seq)
        rules = user_rules or open_rules(settings.folder.parent, settings.config.rules, clock)
        told = {"rules_file": rules.name, "rules_sha256": rules.sha256} if rules is not None else {}
        recorder.record(ev.DeskStarted(version=VERSION, **told))
        stack.push_async_callback(checkpoints.at_stop)
        stack.callback(recorder.record, ev.DeskStopped())
        if rules is not None:
            stack.push_async_callback(rules.close)
        client = await stack.enter_async_context(
            open_client(access, clock, requests_per_minute=settings.config.broker.requests_per_minute)
        )
        spawn = await stack.enter_async_context(task_scope())
        desk = assemble(
            settings,
            wall,
            clock,
            spawn,
            client,
            journal,
            book,
            bus,
            recorder,
            activity,
            latency,
            read_pool,
            checkpoint,
            rules,
        )
        spawn("checkpoints", checkpoints.run())
        yield desk
