"""The approval queue: signals come in, live for their time, and are decided once.

Between the last look at the book and the recorded approval nothing waits, so a thousand simultaneous clicks make one
order group.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec

from engine.alpaca.check import RequestModels
from engine.book import Book
from engine.clock import Clock
from engine.errors import BrokerError, CommandRefused, JournalUnavailable
from engine.intake.draft import SignalDraft
from engine.intake.formats.detect import parse
from engine.intake.redact import excerpt
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.commands import NO_EDITS, Edits
from engine.model.ids import bracket_id_of, signal_id
from engine.model.signal import Approval, Signal, SignalRecord
from engine.model.words import Intent, SignalStatus, Stage
from engine.pipeline.decide import Decision, decide
from engine.pipeline.entry import plan_entry
from engine.pipeline.executor import Executor
from engine.pipeline.picture import Pictures
from engine.pipeline.validate import denies_first
from engine.preview import Previews, refuse_if_changed, refuse_if_decided, refuse_if_denied
from engine.recorder import Recorder
from engine.rules.facts import denied
from engine.stopwatch import Stopwatch
from engine.surroundings import UnknownSymbol, World
from engine.tasks import Spawn
from engine.views import PreviewView, RequestView

log = logging.getLogger(__name__)

EXPIRY_LOOK_S: Final = 0.25
FACTS_WAIT_S: Final = 3.0
FRESH_QUOTE_S: Final = 1.0
"""A quote of a symbol that was not in play may be almost too old by the time of the click."""
FACTS_LOOK_S: Final = 0.02
UNPROTECTED_TEXT: Final = "The signal has no stop, and its strategy has no default one."


class ApprovalQueue:
    def __init__(
        self,
        *,
        book: Book,
        recorder: Recorder,
        journal: Journal,
        world: World,
        pictures: Pictures,
        executor: Executor,
        stopwatch: Stopwatch,
        clock: Clock,
        default_ttl_s: float,
        default_stop: bool,
        undo_s: float,
        fetch_quotes: Callable[[list[str]], Coroutine[Any, Any, None]],
    ) -> None:
        self._book = book
        self._recorder = recorder
        self._journal = journal
        self._world = world
        self._pictures = pictures
        self._executor = executor
        self._stopwatch = stopwatch
        self._clock = clock
        self._default_ttl_s = default_ttl_s
        self._default_stop = default_stop
        self._undo_s = undo_s
        self._fetch_quotes = fetch_quotes
        self._previews = Previews()
        self._models: RequestModels | None = None
        self._undoable: set[str] = set()
        self._spawn: Spawn | None = None

    def start(self, spawn: Spawn) -> None:
        self._spawn = spawn
        spawn("signal-expiry", self._expire())

    def use_models(self, models: RequestModels) -> None:
        """From here on each preview's body is validated by alpaca-py's request models."""
        self._models = models

    # --- coming in -----------------------------------------------------------------------------------------------

    async def receive(
        self, raw: bytes, *, source: str | None, pinned_format: str | None, began_s: float | None
    ) -> tuple[str, bool]:
        """Record a proposal; returns its id and whether it was known already.

        Raises:
            CommandRefused: it is no signal, or its symbol does not exist. That is recorded too.
        """
        began_s = self._clock.monotonic_s() if began_s is None else began_s
        try:
            draft = parse(
                raw,
                source=source,
                received_at=self._clock.now(),
                format=pinned_format,
                default_ttl_s=self._default_ttl_s,
            )
            known = self._known(draft)
            if known is None:
                await self._ensure_symbol(draft)
                known = self._known(draft)  # a copy may have come in meanwhile
        except CommandRefused as refused:
            self._note_refusal(raw, source, refused)
            raise
        if known is not None:
            return known, True
        signal = draft.to_signal(signal_id(self._book.next_signal_number()))
        await self._take_in(signal, began_s)
        return signal.id, False

    def _known(self, draft: SignalDraft) -> str | None:
        return self._book.signal_of_source.get((draft.source, draft.source_id))

    async def _ensure_symbol(self, draft: SignalDraft) -> None:
        try:
            await self._world.ensure_asset(draft.symbol)
        except UnknownSymbol:
            raise CommandRefused(
                "UNKNOWN_SYMBOL", f"The broker knows no asset {draft.symbol}.", field="symbol", http_status=422
            ) from None
        except BrokerError as lost:
            log.info("asset %s: %s", draft.symbol, lost)

    def _note_refusal(self, raw: bytes, source: str | None, refused: CommandRefused) -> None:
        self._recorder.record(
            ev.SignalRefused(
                source=source or "unknown",
                code=refused.code,
                field=refused.field,
                text=refused.operator_text,
                body=excerpt(raw),
            )
        )

    async def _take_in(self, signal: Signal, began_s: float) -> None:
        facts: list[ev.AnyEvent] = [ev.SignalReceived(signal=signal)]
        if signal.stop_loss is None and signal.intent is not Intent.CLOSE and not self._default_stop:
            facts.append(ev.SignalDenied(signal_id=signal.id, reasons=(denied("NO_STOP", UNPROTECTED_TEXT),)))
        try:
            await self._recorder.commit(*facts)
        except JournalUnavailable as why:
            raise CommandRefused("JOURNAL_UNAVAILABLE", f"Nothing can be recorded now: {why}", http_status=503) from why
        self._stopwatch.measured(signal.id, Stage.RECEIVE, began_s, self._clock.monotonic_s())
        assert self._spawn is not None
        self._spawn(f"facts-{signal.id}", self._gather_facts(signal))

    async def _gather_facts(self, signal: Signal) -> None:
        """What the gate will ask for, fetched before anybody asks: quote, asset, history."""
        try:
            await self._world.ensure_asset(signal.symbol)
        except (UnknownSymbol, BrokerError) as why:
            log.info("asset %s: %s", signal.symbol, why)
        quote = self._pictures.take(signal).quote
        if quote is None or quote.age_s > FRESH_QUOTE_S:
            await self._fetch_quotes([signal.symbol])
        in_play = {exposure.symbol for exposure in self._pictures.exposures()} | {signal.symbol}
        await self._world.ensure_history(sorted(in_play))

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
        self._refuse_unless_pending(record)
        decision, request = self._judge(record, edits)
        return self._previews.show(wanted, decision, request, self._clock.now())

    def _judge(self, record: SignalRecord, edits: Edits) -> tuple[Decision, RequestView | None]:
        """The gate's decision on what is true now, with the request that would be sent, which alpaca-py has checked."""
        decision = decide(record.signal, self._pictures.take(record.signal), edits)
        request = self._request(record, decision)
        wrong = self._models.check(request.body) if request is not None and self._models is not None else None
        if wrong is not None:
            reason = denied("ORDER_BODY", f"The order would not be valid: {wrong}")
            decision = msgspec.structs.replace(decision, reasons=denies_first([reason, *decision.reasons]))
        return decision, request

    def _request(self, record: SignalRecord, decision: Decision) -> RequestView | None:
        """The request that would be sent, byte for byte but for a later retry's number."""
        plan = decision.case.plan
        if decision.closes or plan.levels.stop_price is None or plan.qty < 1:
            return None
        intent = plan_entry(
            decision,
            desk_id=self._book.desk_id,
            bracket_id=bracket_for(record.signal.id, self._book),
            now=self._clock.now(),
        )[1]
        return RequestView(method="POST", path="/v2/orders", body=intent.body)

    # --- deciding ------------------------------------------------------------------------------------------------

    async def approve(self, wanted: str, *, actor: str, preview_id: str | None, edits: Edits) -> None:
        """Claim the signal; returns when the approval is on disk. The entry is already on its way then.

        Raises:
            CommandRefused: see ``preview.py``, and NOT_FOUND, ALREADY_DECIDED, EXPIRED.
        """
        clicked_s = self._clock.monotonic_s()
        record = self.record(wanted)
        self._refuse_unless_pending(record)
        if record.signal.intent is not Intent.CLOSE:
            await self._await_facts(record)
        record = self.record(wanted)
        self._refuse_unless_pending(record)
        gate_s = self._clock.monotonic_s()
        decision, _ = self._judge(record, edits)
        refuse_if_decided(decision)
        if preview_id is not None:
            refuse_if_changed(self._previews.recall(preview_id, wanted), decision)
        refuse_if_denied(decision)
        gated_s = self._clock.monotonic_s()
        claimed = self._recorder.record(self._claim(record, decision, actor, preview_id, edits))
        self._stopwatch.approved(wanted, clicked_s, gate_s, gated_s)
        assert self._spawn is not None
        self._spawn(f"execute-{wanted}", self._execute(wanted))
        try:
            await self._journal.durable(claimed[-1].seq)
        except JournalUnavailable as why:
            raise CommandRefused("JOURNAL_UNAVAILABLE", f"The approval is not on disk: {why}", http_status=503) from why

    def _claim(
        self, record: SignalRecord, decision: Decision, actor: str, preview_id: str | None, edits: Edits
    ) -> ev.SignalApproved:
        plan = decision.case.plan
        return ev.SignalApproved(
            signal_id=record.signal.id,
            bracket_id=None if decision.closes else bracket_for(record.signal.id, self._book),
            approval=Approval(
                actor=actor,
                at=self._clock.now(),
                preview_id=preview_id,
                qty=plan.qty,
                limit_price=plan.limit_price,
                stop_price=plan.levels.stop_price,
                take_profit_price=plan.levels.take_profit_price,
                edited=edits.changed(),
            ),
            reasons=decision.reasons,
        )

    async def _execute(self, approved: str) -> None:
        if self._undo_s > 0:
            self._undoable.add(approved)
            await self._clock.sleep(self._undo_s)
            self._undoable.discard(approved)
            if self._book.signals[approved].status is not SignalStatus.APPROVED:
                return
        await self._executor.execute_signal(approved)

    def _refuse_unless_pending(self, record: SignalRecord) -> None:
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

    def reject(self, wanted: str, *, actor: str, reason: str) -> None:
        """A person's no; within the undo time also of an approval that has not been sent yet.

        Raises:
            CommandRefused: NOT_FOUND, ALREADY_DECIDED, EXPIRED.
        """
        record = self.record(wanted)
        if wanted not in self._undoable:
            self._refuse_unless_pending(record)
        self._undoable.discard(wanted)
        self._recorder.record(ev.SignalRejected(signal_id=wanted, actor=actor, reason=reason))

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
