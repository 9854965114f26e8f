"""The one way a fact comes into being: into the journal, into the book, and to everybody who listens.

``record`` is plain and immediate: no other code can run between the three steps, so whoever decides on the book and
records the decision without waiting in between decides alone. ``commit`` additionally waits for the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from engine.book import Book
from engine.bus import Bus, Change
from engine.errors import JournalUnavailable
from engine.journal.writer import Journal
from engine.model.events import AnyEvent, OrderReported, Recorded
from engine.model.order import OrderReport, apply_report

log = logging.getLogger(__name__)

EXIT_DISK_WAIT_S: Final = 0.05
"""Exits wait this long for the disk and then go out: an unprotected position is worse than a late journal line."""


class Recorder:
    def __init__(self, journal: Journal, book: Book, bus: Bus) -> None:
        self._journal = journal
        self._book = book
        self._bus = bus
        self._to_tell: deque[tuple[list[Recorded], set[Change]]] = deque()
        self._telling = False
        self._waits = 0

    @property
    def is_waiting(self) -> bool:
        """Somebody waits for the disk before acting."""
        return self._waits > 0

    def record(self, *events: AnyEvent) -> list[Recorded]:
        """Facts that are true now; on disk with the next group."""
        if not events:
            return []
        recorded = self._journal.append(events)
        changes: set[Change] = set()
        for fact in recorded:
            changes |= self._book.apply(fact)
        self._publish(recorded, changes)
        return recorded

    def _publish(self, recorded: list[Recorded], changes: set[Change]) -> None:
        """Listeners hear of facts in the order of the journal, also when one of them records a further fact."""
        self._to_tell.append((recorded, changes))
        if self._telling:
            return
        self._telling = True
        try:
            while self._to_tell:
                self._bus.publish(*self._to_tell.popleft())
        finally:
            self._telling = False

    async def commit(self, *events: AnyEvent) -> list[Recorded]:
        """As ``record``, and on disk when this returns.

        Raises:
            JournalUnavailable: the disk does not take it. The facts stand in the book and in the queue of the journal.
        """
        recorded = self.record(*events)
        await self._durable(recorded)
        return recorded

    async def commit_exit(self, *events: AnyEvent) -> list[Recorded]:
        """As ``commit`` for what protects or closes: waits for the disk only briefly and never fails for it."""
        recorded = self.record(*events)
        try:
            async with asyncio.timeout(EXIT_DISK_WAIT_S):
                await self._durable(recorded)
        except (TimeoutError, JournalUnavailable) as why:
            log.warning("exit goes out before its journal line is on disk: %s", str(why) or "the disk is slow")
        return recorded

    async def _durable(self, recorded: list[Recorded]) -> None:
        self._waits += 1
        try:
            await self._journal.durable(recorded[-1].seq)
        finally:
            self._waits -= 1

    def report(self, order_id: str, report: OrderReport) -> bool:
        """A broker's report of an order, recorded only when it says something new; returns whether it did.

        Tried on the order first: what the table refuses must never reach the journal, which has to fold for ever.

        Raises:
            IllegalTransition, InvariantViolated: the report cannot be true of this order; nothing was recorded.
        """
        order = self._book.orders[order_id]
        if apply_report(order, report, report.evidence.at) is order:
            return False
        self.record(OrderReported(order_id=order_id, report=report))
        return True

    def tell(self, *changes: Change) -> None:
        """Views that changed without a fact (a quote, a verified order)."""
        self._publish([], set(changes))
