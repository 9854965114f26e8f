"""The way of a signal from its approval to a protected position, on one screen.

Runs once per approval, under the symbol's lock until the broker's answer is classified; different symbols run at the
same time. From then on the journaled entry in flight refuses a second one, the order stream reports, and the
supervisor protects.
"""

from __future__ import annotations

import logging
from typing import Final

from engine.alpaca.budget import Slot
from engine.book import Book
from engine.clock import Clock
from engine.gateway import Gateway, Submitted
from engine.model import events as ev
from engine.model.commands import Edits
from engine.model.signal import Approval, Reason, SignalRecord
from engine.model.words import Intent, SignalStatus
from engine.pipeline.decide import Decision, decide
from engine.pipeline.entry import plan_entry
from engine.pipeline.picture import Pictures
from engine.recorder import Recorder
from engine.rules.facts import denied
from engine.stopwatch import Stopwatch
from engine.tasks import SymbolLocks

log = logging.getLogger(__name__)

LOCK_WAIT_S: Final = 10.0


class Executor:
    def __init__(
        self,
        pictures: Pictures,
        gateway: Gateway,
        recorder: Recorder,
        book: Book,
        clock: Clock,
        locks: SymbolLocks,
        stopwatch: Stopwatch,
    ) -> None:
        self._pictures = pictures
        self._gateway = gateway
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._locks = locks
        self._stopwatch = stopwatch

    async def execute_signal(self, signal_id: str) -> None:
        """Turn an approved signal into its entry group, or say why not."""
        record = self._book.signals[signal_id]
        if record.signal.intent is Intent.CLOSE:
            self._close(record)  # an exit waits for no budget and no lock
            return
        left_s = (record.signal.expires_at - self._clock.now()).total_seconds()
        async with self._gateway.entry_slot(within_s=left_s) as slot:
            if slot is None:
                why = "No request was left in the rate budget before the signal expired."
                self._deny(record, (denied("EXPIRED", why),))
                return
            try:
                async with self._locks.hold(record.signal.symbol, LOCK_WAIT_S):
                    await self._execute_alone(record, slot)
            except TimeoutError:
                why = f"{record.signal.symbol} was busy with another order for {LOCK_WAIT_S:.0f} s."
                self._deny(record, (denied("SYMBOL_BUSY", why),))

    async def _execute_alone(self, record: SignalRecord, slot: Slot) -> None:
        """With the symbol's lock and a request of the budget in hand."""
        decision = self._decide_again(record)
        if decision.denies:
            self._deny(record, decision.reasons)
        else:
            await self._enter(record, decision, slot)

    def _decide_again(self, record: SignalRecord) -> Decision:
        """The same stages as the preview, on what is true now: validate, position, correlation, size."""
        approval = record.approval
        assert approval is not None
        facts = self._pictures.take(record.signal)
        return decide(record.signal, facts, approved_numbers(approval))

    async def _enter(self, record: SignalRecord, decision: Decision, slot: Slot) -> None:
        """Submit: intent on disk, one request, its answer classified."""
        assert record.bracket_id is not None
        opened, intent = plan_entry(
            decision, desk_id=self._book.desk_id, bracket_id=record.bracket_id, now=self._clock.now()
        )
        submitted: Submitted = await self._gateway.submit(intent, opened, slot=slot)
        self._stopwatch.submitted(record.signal.id, submitted)

    def _close(self, record: SignalRecord) -> None:
        """A closing signal hands every open trade of its symbol to the supervisor."""
        assert record.approval is not None
        trades = tuple(self._book.open_brackets_of(record.signal.symbol))
        if not trades:
            why = f"No trade of this desk is open in {record.signal.symbol}."
            self._deny(record, (denied("NOTHING_TO_CLOSE", why),))
        for bracket in trades:
            self._recorder.record(
                ev.ExitRequested(
                    bracket_id=bracket.id,
                    actor=record.approval.actor,
                    reason=f"{record.signal.strategy} closes",
                    signal_id=record.signal.id,
                )
            )

    def _deny(self, record: SignalRecord, reasons: tuple[Reason, ...]) -> None:
        if self._book.signals[record.signal.id].status is SignalStatus.APPROVED:
            self._recorder.record(ev.SignalDenied(signal_id=record.signal.id, reasons=reasons))


def approved_numbers(approval: Approval) -> Edits:
    """The approval as edits: exactly the numbers that were said yes to, whatever the sizer would say by now."""
    return Edits(
        qty=approval.qty,
        limit_price=approval.limit_price,
        stop_price=approval.stop_price,
        take_profit_price=approval.take_profit_price,
    )
