"""A book with its real journal and bus, on a clock that the test moves by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.book import Book
from engine.bus import Bus
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.words import OrderStatus, Purpose
from engine.recorder import Recorder
from tests.unit.builders import (
    ENTRY_ID,
    T0,
    after,
    legs_of,
    make_approval,
    make_bracket,
    make_order,
    make_report,
    make_signal,
    proof,
)


class HandClock:
    """Wall and monotonic time as the test sets them; sleeping moves both."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> datetime:
        return T0 + timedelta(seconds=self.at_s)

    def monotonic_s(self) -> float:
        return 1000.0 + self.at_s

    async def sleep(self, seconds: float) -> None:
        self.at_s += seconds


class Parts:
    """What remembers and tells; the parts of the desk under test are put on top."""

    def __init__(self, journal: Journal, clock: HandClock) -> None:
        self.clock = clock
        self.journal = journal
        self.book = Book()
        self.bus = Bus()
        self.recorder = Recorder(journal, self.book, self.bus)
        self.facts: list[ev.Recorded] = []
        self.bus.on_records(self.facts.extend)

    def told(self, kind: type[Any]) -> list[Any]:
        return [fact.event for fact in self.facts if isinstance(fact.event, kind)]

    def enter(self, *, signal_id: str = "s000001") -> None:
        """The approved signal becomes a trade whose entry group is intended."""
        signal = make_signal(id=signal_id, received_at=self.clock.now(), expires_at=self.clock.now() + timedelta(60))
        entry = make_order(created_at=self.clock.now(), status_since=self.clock.now())
        legs = legs_of(entry, status=OrderStatus.SENDING, broker_id=None, evidence=None)
        self.recorder.record(
            ev.SignalReceived(signal=signal),
            ev.SignalApproved(signal_id=signal_id, bracket_id="b000001", approval=make_approval(self.clock.now())),
            ev.BracketOpened(bracket=make_bracket(opened_at=self.clock.now())),
            ev.OrderIntended(order=entry, body={}, purpose=Purpose.ENTRY, legs=legs),
        )

    def report(self, order_id: str, status: OrderStatus, filled: int = 0, **more: Any) -> None:
        report = make_report(
            status,
            broker_id=f"broker-{order_id}",
            filled_qty=Decimal(filled),
            evidence=proof(self.clock.now()),
            updated_at=self.clock.now(),
            **more,
        )
        self.recorder.report(order_id, report)

    def answer(self) -> None:
        self.report(ENTRY_ID, OrderStatus.ACCEPTED)
        for suffix in ("tp", "sl"):
            self.report(f"{ENTRY_ID}.{suffix}", OrderStatus.HELD)


@asynccontextmanager
async def parts(folder: Path) -> AsyncIterator[Parts]:
    clock = HandClock()
    with ThreadPoolExecutor(1, thread_name_prefix="journal") as disk:
        journal = await Journal.open(folder / "journal.db", disk, clock)
        try:
            yield Parts(journal, clock)
        finally:
            await journal.close()


__all__ = ["HandClock", "Parts", "after", "parts"]
