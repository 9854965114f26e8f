"""Mandates at work: each pending signal that one speaks of is approved by it, within its bounds, or left to a person.

It takes the very same way as a person's click. The bounds are looked at in the moment of the claim, when nothing can
come in between, so no number of signals at once, no revocation and no restart lets one exceed them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Final

from engine.approval import ApprovalQueue
from engine.book import Book
from engine.bus import Bus, Change
from engine.clock import Clock
from engine.config import MandateRules
from engine.errors import CommandRefused
from engine.mandate_loss import loss_today
from engine.model.commands import NO_EDITS
from engine.model.mandate import MandateRecord
from engine.model.money import ZERO
from engine.model.signal import Reason
from engine.model.words import Verdict
from engine.pipeline.decide import Decision
from engine.rules.mandates import Burn, MandateAsk, MandatePolicy, burn_of, covers, why_not
from engine.tasks import Spawn

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
AGAIN_AFTER_S: Final = 0.25
"""A signal that was refused is tried again at most this often."""
WAKES: Final = frozenset({"signal", "quote", "account", "desk", "mandate", "bracket", "position"})


class Mandates:
    def __init__(self, queue: ApprovalQueue, book: Book, clock: Clock, bus: Bus, rules: MandateRules) -> None:
        self._queue = queue
        self._book = book
        self._clock = clock
        self._rules = rules
        self._wake = asyncio.Event()
        self._at_work: set[str] = set()
        self._tried_s: dict[str, float] = {}
        self.refusals: dict[str, str] = {}
        """Mandate -> why it did not approve the last signal that it looked at."""
        self._spawn: Spawn | None = None
        bus.on_changes(self._note)

    def start(self, spawn: Spawn) -> None:
        self._spawn = spawn
        spawn("mandates", self._run())

    def _note(self, changes: frozenset[Change]) -> None:
        if self._book.pending and self._book.mandates and any(change.kind in WAKES for change in changes):
            self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            self.look()
            await self._clock.sleep(AGAIN_AFTER_S / 5)

    def look(self) -> None:
        """Begin to approve what a mandate speaks of; each in a task of its own."""
        assert self._spawn is not None
        live = self._book.live_mandates(self._clock.now())
        now_s = self._clock.monotonic_s()
        for signal_id in tuple(self._book.pending) if live else ():
            if signal_id in self._at_work or now_s - self._tried_s.get(signal_id, float("-inf")) < AGAIN_AFTER_S:
                continue
            chosen = self._chosen(signal_id, live)
            if chosen is not None:
                self._at_work.add(signal_id)
                self._tried_s[signal_id] = now_s
                self._spawn(f"mandate-{signal_id}", self._approve(signal_id, chosen))
        for over in self.refusals.keys() - self._book.standing_mandates.keys():
            del self.refusals[over]
        for gone in self._tried_s.keys() - self._book.pending.keys():
            del self._tried_s[gone]

    def _chosen(self, signal_id: str, live: list[MandateRecord]) -> list[str] | None:
        """The mandates that speak of a signal, oldest first. One that came back is a person's to decide again."""
        record = self._book.signals[signal_id]
        if record.decision_note:
            return None
        return [known.mandate.id for known in live if covers(known.mandate, record.signal)] or None

    async def _approve(self, signal_id: str, mandate_ids: list[str]) -> None:
        try:
            for wanted in mandate_ids:
                try:
                    await self._queue.approve(
                        signal_id,
                        actor=self._book.mandates[wanted].mandate.actor,
                        preview_id=None,
                        edits=NO_EDITS,
                        guard=lambda decision, wanted=wanted: self._guard(wanted, decision),  # type: ignore[misc]
                    )
                    self.refusals.pop(wanted, None)
                    return
                except CommandRefused as refused:
                    log.info("%s does not approve %s: %s", wanted, signal_id, refused)
                    self.refusals[wanted] = f"{signal_id}: {refused.operator_text}"
        finally:
            self._at_work.discard(signal_id)

    def _guard(self, wanted: str, decision: Decision) -> None:
        record = self._book.mandates[wanted]
        reason = why_not(record, ask_of(decision), self.burn(record), self.policy())
        if reason is not None:
            raise CommandRefused(reason.code, reason.text, reasons=(reason, *decision.reasons))

    def policy(self) -> MandatePolicy:
        return MandatePolicy(
            run=self._book.run,
            confirm_after_restart=self._rules.confirm_after_restart,
            wait_on_warn=self._rules.on_warn == "wait",
        )

    def burn(self, record: MandateRecord) -> Burn:
        """What it has used of its bounds, as of now."""
        now = self._clock.now()
        loss = loss_today(self._book, record, now) if record.mandate.max_loss_day is not None else ZERO
        return burn_of(record, now, loss)


def ask_of(decision: Decision) -> MandateAsk:
    """What a mandate is asked about: the decision's own numbers."""
    plan, facts = decision.case.plan, decision.case.facts
    per_share = plan.risk_per_share
    warnings: Iterator[Reason] = (reason for reason in decision.reasons if reason.verdict is Verdict.WARN)
    warning = next(warnings, None)
    return MandateAsk(
        signal=decision.case.signal,
        closes=decision.closes or decision.reverses,
        notional=plan.notional,
        risk=None if per_share is None else per_share * plan.qty,
        warning=warning.text if warning is not None else None,
        state=facts.state,
        now=facts.now,
    )
