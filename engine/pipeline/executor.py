"""The way of a signal from its approval to a protected position, on one screen.

Runs once per approval, under the symbol's lock until the broker's answer is classified; different symbols run at the
same time. From then on the journaled entry in flight refuses a second one, the order stream reports, and the
supervisor protects.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from engine.alpaca.budget import Slot
from engine.book import Book
from engine.clock import Clock
from engine.config import Config
from engine.gateway import Gateway, Submitted
from engine.model import events as ev
from engine.model.commands import NUMBERS, ApprovedNumbers
from engine.model.money import plain
from engine.model.signal import Approval, Reason, SignalRecord
from engine.model.words import Intent, SignalStatus, Verdict
from engine.pipeline.decide import Decision, decide
from engine.pipeline.entry import plan_entry
from engine.pipeline.held import signal_to_send
from engine.pipeline.picture import Pictures
from engine.pipeline.reverse import begin_reversal
from engine.protection.triggers import arm
from engine.recorder import Recorder
from engine.rules.facts import denied
from engine.stopwatch import Stopwatch
from engine.tasks import SymbolLocks

log = logging.getLogger(__name__)

LOCK_WAIT_S: Final = 10.0

AskUserRules = Callable[[str, Callable[[], Decision]], Awaitable[None]]
"""Returns when the operator's own rules have answered about what the second argument shows."""


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
        config: Config,
        *,
        session_ends_at: Callable[[], datetime | None],
        ask_user_rules: AskUserRules,
    ) -> None:
        """``session_ends_at`` is when the core session that is open now closes; None outside of it."""
        self._ask_user_rules = ask_user_rules
        self._pictures = pictures
        self._gateway = gateway
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._locks = locks
        self._stopwatch = stopwatch
        self._config = config
        self._session_ends_at = session_ends_at

    async def execute_signal(self, signal_id: str) -> None:
        """Turn an approved signal into its entry group, or say why not."""
        record = self._book.signals[signal_id]
        if record.signal.intent is Intent.CLOSE:
            self._close(record)  # an exit waits for no budget and no lock
            return
        waiting: tuple[ev.OrderIntended, ...] = ()
        while True:
            left_s = (signal_to_send(record).expires_at - self._clock.now()).total_seconds()
            async with self._gateway.entry_slot(within_s=left_s) as slot:
                if slot is None:
                    why = "No request was left in the rate budget before the signal expired."
                    self._drop(record, waiting, (denied("EXPIRED", why),))
                    return
                try:
                    async with self._locks.hold(record.signal.symbol, LOCK_WAIT_S):
                        waiting = await self._execute_alone(record, waiting, slot)
                except TimeoutError:
                    why = f"{record.signal.symbol} was busy with another order for {LOCK_WAIT_S:.0f} s."
                    self._drop(record, waiting, (denied("SYMBOL_BUSY", why),))
                    return
            if not waiting:
                return

    async def _execute_alone(
        self, record: SignalRecord, waiting: tuple[ev.OrderIntended, ...], slot: Slot
    ) -> tuple[ev.OrderIntended, ...]:
        """With the symbol's lock and a request of the budget in hand.

        Returns the intents that the broker's request limit stopped: they keep their ids, and come here again as
        ``waiting`` when a request is free. None: the signal's way ends here.
        """
        await self._ask_user_rules(record.signal.id, lambda: self._decide_again(record, is_again=bool(waiting)))
        decision = self._decide_again(record, is_again=bool(waiting))
        if decision.denies:
            self._drop(record, waiting, decision.reasons)
            return ()
        if not waiting and self._holds_back(record, decision):
            return ()
        if waiting:
            intents, submitted = waiting, await self._gateway.send_group(waiting, slot=slot)
        else:
            intents, submitted = await self._enter(record, decision, slot)
        self._stopwatch.submitted(record.signal.id, _slowest(submitted))
        deferred = {each.order_id for each in submitted if each.is_deferred}
        return tuple(intent for intent in intents if intent.order.id in deferred)

    def _decide_again(self, record: SignalRecord, *, is_again: bool) -> Decision:
        """The same stages as the preview, on what is true now: validate, position, correlation, size."""
        approval = record.approval
        assert approval is not None
        signal = signal_to_send(record)
        facts = self._pictures.take_again(signal) if is_again else self._pictures.take(signal)
        return decide(signal, facts, approved_numbers(approval))

    def _holds_back(self, record: SignalRecord, decision: Decision) -> bool:
        """Whether something must happen before the entry is sent; then that is on record, and this way ends here."""
        trigger = decision.case.plan.trigger_price
        if trigger is not None:
            held_entry = arm(record, trigger, self._clock.now(), self._session_ends_at())
            self._recorder.record(ev.EntryHeld(signal_id=record.signal.id, held=held_entry))
            return True
        if not decision.reverses:
            return False
        if record.held is not None and record.held.kind == "reverse":
            held = plain(decision.case.facts.position_qty)
            self._deny(
                record, (denied("POSITION_EXISTS", f"{held} {record.signal.symbol} are held again.", held, "0"),)
            )
        else:
            rules = self._config.strategy(record.signal.strategy)
            trades = self._book.open_brackets_of(record.signal.symbol)
            self._recorder.record(*begin_reversal(record, trades, self._clock.now(), rules.reverse_within_s))
        return True

    async def _enter(
        self, record: SignalRecord, decision: Decision, slot: Slot
    ) -> tuple[tuple[ev.OrderIntended, ...], list[Submitted]]:
        """Submit: intents on disk, one request a group, their answers classified."""
        assert record.bracket_id is not None
        group = plan_entry(decision, desk_id=self._book.desk_id, bracket_id=record.bracket_id, now=self._clock.now())
        return group.intents, await self._gateway.submit_group(group.intents, group.opened, slot=slot)

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

    def _drop(self, record: SignalRecord, waiting: tuple[ev.OrderIntended, ...], reasons: tuple[Reason, ...]) -> None:
        """The gate's no, before the intents were written or after."""
        if not waiting:
            self._deny(record, reasons)
        first = next((reason for reason in reasons if reason.verdict is Verdict.DENY), reasons[0])
        for intent in waiting:
            self._gateway.withdraw(intent.order.id, f"It waited for the request limit, and then: {first.text}")

    def _deny(self, record: SignalRecord, reasons: tuple[Reason, ...]) -> None:
        if self._book.signals[record.signal.id].status is SignalStatus.APPROVED:
            self._recorder.record(ev.SignalDenied(signal_id=record.signal.id, reasons=reasons))


def approved_numbers(approval: Approval) -> ApprovedNumbers:
    """The approval as edits: exactly the numbers that were said yes to, whatever the sizer would say by now."""
    return ApprovedNumbers(
        qty=approval.qty,
        limit_price=approval.limit_price,
        stop_price=approval.stop_price,
        take_profit_price=approval.take_profit_price,
        targets=approval.targets,
        typed=tuple(name for name in approval.edited if name in NUMBERS),
    )


def _slowest(submitted: Sequence[Submitted]) -> Submitted:
    """The request that was answered last: the entry is at the broker when all of it is. One without an answer wins."""
    return max(submitted, key=lambda each: math.inf if each.answered_at_s is None else each.answered_at_s)
