"""The approval queue: signals live for their time and are decided once.

Between the last look at the book and the recorded approval nothing waits, so a thousand simultaneous clicks make one
order group. A mandate's yes takes the very same way, with a guard that runs in that moment too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import msgspec

from engine.alpaca.check import RequestModels
from engine.book import Book
from engine.clock import Clock
from engine.errors import CommandRefused, JournalUnavailable
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.commands import NO_EDITS, Edits
from engine.model.ids import bracket_id_of
from engine.model.rejections import rejection
from engine.model.signal import Approval, Numbers, Signal, SignalRecord
from engine.model.words import Intent, SignalStatus
from engine.pipeline.decide import Decision, decide
from engine.pipeline.entry import plan_entry
from engine.pipeline.executor import Executor
from engine.pipeline.picture import Pictures
from engine.pipeline.validate import denies_first
from engine.preview import Previews, refuse_if_changed, refuse_if_decided, refuse_if_denied, refuse_without_reason
from engine.recorder import Recorder
from engine.rules.facts import Facts, denied
from engine.stopwatch import Stopwatch
from engine.tasks import Spawn
from engine.user_rules.board import UserRulesBoard
from engine.views import PreviewView, RequestView

EXPIRY_LOOK_S: Final = 0.25
FACTS_WAIT_S: Final = 3.0
FACTS_LOOK_S: Final = 0.02

Guard = Callable[[Decision], None]
"""Looks at the decision in the moment of the claim, and raises ``CommandRefused`` when it must not be."""


class ApprovalQueue:
    def __init__(
        self,
        *,
        book: Book,
        recorder: Recorder,
        journal: Journal,
        pictures: Pictures,
        executor: Executor,
        stopwatch: Stopwatch,
        clock: Clock,
        undo_s: float,
        reason_over_warnings: bool,
        to_close: Callable[[str], tuple[RequestView, ...]],
        user_rules: UserRulesBoard,
    ) -> None:
        """``to_close`` tells what closing the trades of a symbol would send."""
        self._book = book
        self._recorder = recorder
        self._journal = journal
        self._pictures = pictures
        self._executor = executor
        self._stopwatch = stopwatch
        self._clock = clock
        self._undo_s = undo_s
        self._to_close = to_close
        self._user_rules = user_rules
        self.previews = Previews(reason_over_warnings=reason_over_warnings)
        self._models: RequestModels | None = None
        self._undoable: dict[str, Approval] = {}
        """Approved signals that have not been sent yet, each with the approval that waits."""
        self._spawn: Spawn | None = None

    def start(self, spawn: Spawn) -> None:
        self._spawn = spawn
        spawn("signal-expiry", self._expire())

    def use_models(self, models: RequestModels) -> None:
        """From here on each preview's body is validated by alpaca-py's request models."""
        self._models = models

    # --- looking -------------------------------------------------------------------------------------------------

    def record(self, wanted: str) -> SignalRecord:
        """
        Raises:
            CommandRefused: NOT_FOUND.
        """
        record = self._book.signals.get(wanted)
        if record is None:
            raise CommandRefused("NOT_FOUND", f"There is no signal {wanted}.", http_status=404)
        return record

    def preview(self, wanted: str, edits: Edits = NO_EDITS) -> PreviewView:
        """What approving now would do, under a new id.

        Raises:
            CommandRefused: NOT_FOUND; ALREADY_DECIDED or EXPIRED, since there is nothing to preview then.
        """
        record = self.record(wanted)
        self.refuse_unless_pending(record)
        return self.show(record, self._pictures.take(record.signal), edits)

    def show(self, record: SignalRecord, facts: Facts, edits: Edits = NO_EDITS) -> PreviewView:
        """The preview on a picture of the caller's, which an approval can name like any other."""
        if not edits.changed():
            facts = self._user_rules.for_preview(record.signal.id, facts)
        decision, requests = self._judge(record, edits, facts)
        self._user_rules.want(record.signal.id, decision)
        return self.previews.show(decision, requests, self._clock.now())

    def _judge(self, record: SignalRecord, edits: Edits, facts: Facts) -> tuple[Decision, tuple[RequestView, ...]]:
        """The gate's decision on these facts, with the requests that would be sent, which alpaca-py has checked."""
        decision = decide(record.signal, facts, edits)
        requests = self._requests(record, decision)
        orders = [request.body for request in requests if request.method == "POST"]
        wrongs = [self._models.check(body) for body in orders] if self._models is not None else []
        wrong = next((text for text in wrongs if text is not None), None)
        if wrong is not None:
            reason = denied("ORDER_BODY", f"The order would not be valid: {wrong}")
            decision = msgspec.structs.replace(decision, reasons=denies_first([reason, *decision.reasons]))
        return decision, requests

    def _requests(self, record: SignalRecord, decision: Decision) -> tuple[RequestView, ...]:
        """The requests that would be sent, byte for byte but for a later retry's number."""
        plan = decision.case.plan
        lacks_limit = plan.extended and plan.limit_price is None
        if decision.closes or plan.levels.stop_price is None or plan.qty <= 0 or lacks_limit:
            return ()
        group = plan_entry(
            decision,
            desk_id=self._book.desk_id,
            bracket_id=bracket_for(record.signal.id, self._book),
            now=self._clock.now(),
        )
        entry = tuple(RequestView(method="POST", path="/v2/orders", body=intent.body) for intent in group.intents)
        return (*self._to_close(record.signal.symbol), *entry) if decision.reverses else entry

    # --- deciding ------------------------------------------------------------------------------------------------

    async def approve(
        self,
        wanted: str,
        *,
        actor: str,
        preview_id: str | None,
        edits: Edits,
        reason: str = "",
        guard: Guard | None = None,
    ) -> None:
        """Claim the signal; returns when the approval is on disk. The entry is already on its way then.

        ``reason`` is a person's, for a yes although a rule warns; ``guard`` judges in place of a person.

        Raises:
            CommandRefused: see ``preview.py``, and NOT_FOUND, ALREADY_DECIDED, EXPIRED, or what ``guard`` says.
        """
        await self.durable(
            await self.claim(wanted, actor=actor, preview_id=preview_id, edits=edits, reason=reason, guard=guard)
        )

    async def claim(
        self,
        wanted: str,
        *,
        actor: str,
        preview_id: str | None,
        edits: Edits,
        reason: str = "",
        guard: Guard | None = None,
    ) -> int:
        """The part of ``approve`` before the disk; returns the approval's number in the journal."""
        clicked_s = self._clock.monotonic_s()
        record = self.record(wanted)
        self.refuse_unless_pending(record)
        if record.signal.intent is not Intent.CLOSE:
            await self._await_facts(record)
        async with self._user_rules.turn():
            record = self.record(wanted)
            self.refuse_unless_pending(record)
            signal = record.signal
            await self._user_rules.ask(wanted, lambda: decide(signal, self._pictures.take(signal), edits))
            return self._claim(
                wanted, clicked_s, actor=actor, preview_id=preview_id, edits=edits, reason=reason.strip(), guard=guard
            )

    def _claim(
        self,
        wanted: str,
        clicked_s: float,
        *,
        actor: str,
        preview_id: str | None,
        edits: Edits,
        reason: str,
        guard: Guard | None,
    ) -> int:
        """From the last look at the book to the recorded approval. Nothing waits in here."""
        record = self.record(wanted)
        self.refuse_unless_pending(record)
        gate_s = self._clock.monotonic_s()
        facts = self._pictures.take(record.signal)
        decision, _ = self._judge(record, edits, facts)
        refuse_if_decided(decision)
        if preview_id is not None:
            refuse_if_changed(self.previews.recall(preview_id, wanted), decision)
        refuse_if_denied(decision)
        if guard is not None:
            guard(decision)
        elif self.previews.wants_reason(decision) and not reason:
            refuse_without_reason(decision)
        gated_s = self._clock.monotonic_s()
        approval = msgspec.structs.replace(
            self._approval(record, decision, actor, preview_id, edits, facts), reason=reason
        )
        claimed = self._recorder.record(
            ev.SignalApproved(
                signal_id=wanted,
                bracket_id=None if decision.closes else bracket_for(wanted, self._book),
                approval=approval,
                reasons=decision.reasons,
            )
        )
        if approval.undo_until is not None:
            self._undoable[wanted] = approval
        self._stopwatch.approved(wanted, clicked_s, gate_s, gated_s)
        assert self._spawn is not None
        self._spawn(f"execute-{wanted}", self._execute(wanted, approval))
        return claimed[-1].seq

    async def durable(self, seq: int) -> None:
        """
        Raises:
            CommandRefused: JOURNAL_UNAVAILABLE.
        """
        try:
            await self._journal.durable(seq)
        except JournalUnavailable as why:
            raise CommandRefused("JOURNAL_UNAVAILABLE", f"The approval is not on disk: {why}", http_status=503) from why

    def _approval(
        self,
        record: SignalRecord,
        decision: Decision,
        actor: str,
        preview_id: str | None,
        edits: Edits,
        facts: Facts,
    ) -> Approval:
        now, plan = self._clock.now(), decision.case.plan
        proposed = None
        if edits.changed():
            unedited = decide(record.signal, facts).case.plan
            proposed = Numbers(
                qty=unedited.qty,
                limit_price=unedited.limit_price,
                stop_price=unedited.levels.stop_price,
                take_profit_price=unedited.levels.take_profit_price,
            )
        return Approval(
            actor=actor,
            at=now,
            preview_id=preview_id,
            qty=plan.qty,
            limit_price=plan.limit_price,
            stop_price=plan.levels.stop_price,
            take_profit_price=plan.levels.take_profit_price,
            edited=edits.changed(),
            proposed=proposed,
            notional=plan.notional,
            undo_until=now + timedelta(seconds=self._undo_s) if self._undo_s > 0 and not decision.closes else None,
            targets=plan.targets,
            trigger_price=plan.trigger_price,
        )

    async def _execute(self, approved: str, approval: Approval) -> None:
        if approval.undo_until is not None:
            await self._clock.sleep(self._undo_s)
            # Undone, and perhaps approved again since: that approval has a task and a time of its own.
            if self._undoable.get(approved) is not approval:
                return
            del self._undoable[approved]
        await self._executor.execute_signal(approved)

    def refuse_unless_pending(self, record: SignalRecord) -> None:
        signal = record.signal
        is_pending = record.status is SignalStatus.PENDING
        if record.status is SignalStatus.EXPIRED or (is_pending and signal.expires_at <= self._clock.now()):
            raise CommandRefused("EXPIRED", f"{signal.id} expired before it was decided.")
        if not is_pending:
            raise CommandRefused("ALREADY_DECIDED", f"{signal.id} is {record.status.value} already.")

    async def _await_facts(self, record: SignalRecord) -> None:
        """A signal approved the moment it arrived waits for its quote, asset and account, at most 3 s."""
        deadline_s = self._clock.monotonic_s() + FACTS_WAIT_S
        while not self._has_facts(record.signal) and self._clock.monotonic_s() < deadline_s:
            await self._clock.sleep(FACTS_LOOK_S)

    def _has_facts(self, signal: Signal) -> bool:
        facts = self._pictures.take(signal)
        loaded = facts.not_ready is None and facts.gate_locked_by is None
        return loaded and facts.account is not None and facts.quote is not None and facts.asset is not None

    def undo(self, wanted: str, *, actor: str) -> None:
        """Take an approval back before anything was sent: the signal waits for a decision again.

        Raises:
            CommandRefused: NOT_FOUND, or TOO_LATE when its time is over, it was sent, or there was none.
        """
        record = self.record(wanted)
        if self._undoable.pop(wanted, None) is None:
            raise CommandRefused("TOO_LATE", f"{wanted} is {record.status.value}: there is nothing to take back.")
        self._recorder.record(ev.SignalReturned(signal_id=wanted, why=f"taken back by {actor}", actor=actor))

    def reject(self, wanted: str, *, actor: str, reason: str, code: int | None = None) -> None:
        """A person's no; also of an approval that has not been sent yet: within the undo time, or held by the desk.

        Raises:
            CommandRefused: NOT_FOUND, ALREADY_DECIDED, EXPIRED.
        """
        record = self.record(wanted)
        if wanted not in self._undoable and wanted not in self._book.held_entries:
            self.refuse_unless_pending(record)
        self._undoable.pop(wanted, None)
        text = reason or (rejection(code) if code is not None else "")
        self._recorder.record(ev.SignalRejected(signal_id=wanted, actor=actor, reason=text, code=code))

    async def _expire(self) -> None:
        while True:
            now = self._clock.now()
            for pending in tuple(self._book.pending):
                if self._book.signals[pending].signal.expires_at <= now:
                    self._recorder.record(ev.SignalExpired(signal_id=pending))
            await self._clock.sleep(EXPIRY_LOOK_S)


def bracket_for(signal_id: str, book: Book) -> str:
    """The id of the trade that approving this signal makes: a signal approved again after a return gets a new one."""
    first = bracket_id_of(signal_id)
    if first not in book.brackets:
        return first
    again = 2
    while f"{first}r{again}" in book.brackets:
        again += 1
    return f"{first}r{again}"
