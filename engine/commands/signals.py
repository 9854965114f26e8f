"""The desk's door for signals: reading them, deciding about one or about several, taking an approval back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from engine.approval import ApprovalQueue
from engine.batch import Batches
from engine.book import Book
from engine.clock import Clock
from engine.errors import CommandRefused
from engine.model.commands import NO_EDITS, Edits
from engine.model.rejections import REJECTIONS
from engine.model.signal import SignalRecord
from engine.model.words import SignalStatus
from engine.present import Presenter
from engine.preview_feed import PreviewFeed
from engine.reception import Reception
from engine.views import PreviewView, SignalView
from engine.views_batch import BatchPreviewView, OutcomeView, RejectReasonView


class SignalParts(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind this part of the door."""

    reception: Reception
    queue: ApprovalQueue
    previews: PreviewFeed
    batches: Batches


class SignalCommands:
    def __init__(self, parts: SignalParts, book: Book, presenter: Presenter, clock: Clock) -> None:
        self._signal_parts = parts
        self._book = book
        self._presenter = presenter
        self._clock = clock

    # --- reading: signals ------------------------------------------------------------------------------------------

    def signals(self, status: SignalStatus | None = None, limit: int = 500) -> list[SignalView]:
        """Newest first."""
        if status is SignalStatus.PENDING:
            chosen: Iterable[str] = reversed(self._book.pending)
        else:
            known = self._book.signals
            chosen = reversed(known) if status is None else known.having(status)
        return [self.signal(signal_id) for signal_id in first(chosen, limit)]

    def signal(self, signal_id: str) -> SignalView:
        record = self._signal_parts.queue.record(signal_id)
        return self._presenter.signal(record, self._preview_of(record))

    def _preview_of(self, record: SignalRecord) -> PreviewView | None:
        """None when there is nothing to decide any more."""
        if record.status is not SignalStatus.PENDING or record.signal.expires_at <= self._clock.now():
            return None
        try:
            return self._signal_parts.previews.get(record.signal.id)
        except CommandRefused:  # its time ended between the two looks at the clock
            return None

    def preview(self, signal_id: str, edits: Edits = NO_EDITS) -> PreviewView:
        return (
            self._signal_parts.queue.preview(signal_id, edits)
            if edits.changed()
            else self._signal_parts.previews.get(signal_id)
        )

    def preview_batch(self, ids: Sequence[str]) -> BatchPreviewView:
        """What approving all of these, in this order, would send and change, added up."""
        return self._signal_parts.batches.preview(ids)

    @staticmethod
    def reject_reasons() -> list[RejectReasonView]:
        """The usual reasons for a no."""
        return [RejectReasonView(code=code, text=text) for code, text in REJECTIONS.items()]

    def signal_record(self, signal_id: str) -> SignalRecord:
        """The book's own record. Raises ``CommandRefused``: NOT_FOUND."""
        return self._signal_parts.queue.record(signal_id)

    # --- deciding --------------------------------------------------------------------------------------------------

    async def receive(
        self,
        raw: bytes,
        *,
        source: str | None = None,
        format: str | None = None,  # noqa: A002 - the API's own word
        began_s: float | None = None,
    ) -> tuple[SignalView, bool]:
        """Record a proposal. Returns its picture and whether it was known already."""
        signal_id, duplicate = await self._signal_parts.reception.receive(
            raw, source=source, pinned_format=format, began_s=began_s
        )
        return self.signal(signal_id), duplicate

    async def approve(
        self,
        signal_id: str,
        *,
        actor: str,
        preview_id: str | None = None,
        edits: Edits = NO_EDITS,
        reason: str = "",
    ) -> SignalView:
        """``reason`` is why, where a rule warns (``[approval] reason_over_warnings``)."""
        await self._signal_parts.queue.approve(
            signal_id, actor=actor, preview_id=preview_id, edits=edits, reason=reason
        )
        return self.signal(signal_id)

    async def reject(self, signal_id: str, *, actor: str, reason: str = "", code: int | None = None) -> SignalView:
        """``code`` is the digit of a usual reason; ``reason`` in own words wins over its text."""
        self._signal_parts.queue.reject(signal_id, actor=actor, reason=reason, code=code)
        return self.signal(signal_id)

    async def undo(self, signal_id: str, *, actor: str) -> SignalView:
        """Take an approval back within its undo time; refused with TOO_LATE afterwards."""
        self._signal_parts.queue.undo(signal_id, actor=actor)
        return self.signal(signal_id)

    async def approve_batch(
        self, ids: Sequence[str], *, actor: str, preview_id: str | None = None, reason: str = ""
    ) -> list[OutcomeView]:
        return await self._signal_parts.batches.approve(ids, actor=actor, preview_id=preview_id, reason=reason)

    async def reject_batch(
        self, ids: Sequence[str], *, actor: str, reason: str = "", code: int | None = None
    ) -> list[OutcomeView]:
        return self._signal_parts.batches.reject(ids, actor=actor, reason=reason, code=code)


def first(keys: Iterable[str], limit: int) -> list[str]:
    return list(islice(keys, max(0, limit)))
