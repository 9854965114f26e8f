"""Several signals at once: one summed preview, then each approved or rejected for itself, with its own answer.

Each signal is judged as if those before it in the list had been approved already: what they would take of buying power,
exposure and risk is reserved, in order. So the preview shows which of ten signals fit together, and approving the batch
sends exactly those.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.approval import ApprovalQueue
from engine.clock import Clock
from engine.errors import CommandRefused
from engine.model.commands import NO_EDITS
from engine.model.money import ZERO
from engine.model.signal import SignalRecord
from engine.pipeline.picture import Pictures
from engine.prop.meters import PropFacts
from engine.rules.exposures import Exposure
from engine.rules.facts import Facts
from engine.views import PreviewView
from engine.views_batch import BatchPreviewView, BatchRowView, OutcomeView

LARGEST_BATCH: Final = 200
BATCHES_KEPT: Final = 64
HUNDREDTH: Final = Decimal("0.01")


class Batches:
    def __init__(self, queue: ApprovalQueue, pictures: Pictures, clock: Clock) -> None:
        self._queue = queue
        self._pictures = pictures
        self._clock = clock
        self._shown: OrderedDict[str, dict[str, str]] = OrderedDict()
        """Batch preview's id -> each signal's preview in it."""
        self._numbers = itertools.count(1)

    def preview(self, ids: Sequence[str]) -> BatchPreviewView:
        """What approving all of these now, in this order, would send and change.

        Raises:
            CommandRefused: BAD_BATCH.
        """
        wanted = _checked(ids)
        rows: list[BatchRowView] = []
        before: list[tuple[SignalRecord, PreviewView]] = []
        for signal_id in wanted:
            row = self._row(signal_id, before)
            rows.append(row)
            if row.code is None and row.preview is not None:
                before.append((self._queue.record(signal_id), row.preview))
        preview_id = f"batch{next(self._numbers):06d}"
        self._shown[preview_id] = {row.id: row.preview.preview_id for row in rows if row.preview is not None}
        if len(self._shown) > BATCHES_KEPT:
            self._shown.popitem(last=False)
        return self._summed(preview_id, rows, [preview for _, preview in before])

    def _row(self, signal_id: str, before: list[tuple[SignalRecord, PreviewView]]) -> BatchRowView:
        try:
            record = self._queue.record(signal_id)
            self._queue.refuse_unless_pending(record)
        except CommandRefused as refused:
            return BatchRowView(id=signal_id, preview=None, code=refused.code, text=refused.operator_text)
        taken = tuple(_exposure(other, preview) for other, preview in before)
        facts = reserving(self._pictures.take(record.signal, taken), record, before)
        preview = self._queue.show(record, facts)
        return BatchRowView(id=signal_id, preview=preview, code=preview.blocked_code, text=preview.blocked_by or "")

    def _summed(self, preview_id: str, rows: list[BatchRowView], fitting: list[PreviewView]) -> BatchPreviewView:
        risk = sum((p.risk.usd for p in fitting if p.risk is not None), ZERO)
        risk_pct = sum((p.risk.pct_of_equity for p in fitting if p.risk is not None), ZERO)
        notional = sum((_notional(preview) for preview in fitting), ZERO)
        # The last one was judged with all others reserved: what it leaves is what the batch leaves.
        last = fitting[-1].headroom if fitting else None
        return BatchPreviewView(
            preview_id=preview_id,
            rows=tuple(rows),
            approvable=len(fitting),
            risk_usd=risk,
            risk_pct_of_equity=risk_pct if fitting else None,
            notional=notional.quantize(HUNDREDTH),
            buying_power_after=last.buying_power_after if last is not None else None,
            gross_exposure_pct_after=last.gross_exposure_pct_after if last is not None else None,
            open_positions_after=last.open_positions_after if last is not None else None,
            made_at=self._clock.now(),
        )

    async def approve(
        self, ids: Sequence[str], *, actor: str, preview_id: str | None, reason: str = ""
    ) -> list[OutcomeView]:
        """Each for itself, in order; a refusal of one stops none of the others. On disk when this returns.

        ``reason`` is said for all those of which a rule warns.

        Raises:
            CommandRefused: BAD_BATCH; CHANGED_SINCE_SHOWN when the preview is too old to be known;
                JOURNAL_UNAVAILABLE.
        """
        wanted = _checked(ids)
        shown: dict[str, str] | None = None
        if preview_id is not None:
            shown = self._shown.get(preview_id)
            if shown is None:
                raise CommandRefused("CHANGED_SINCE_SHOWN", "That preview is too old: look at the current one.")
        outcomes = []
        newest = 0
        for signal_id in wanted:
            try:
                if shown is not None and signal_id not in shown:
                    raise CommandRefused("CHANGED_SINCE_SHOWN", f"{signal_id} was not in that preview.")
                row_preview = shown[signal_id] if shown is not None else None
                newest = await self._queue.claim(
                    signal_id, actor=actor, preview_id=row_preview, edits=NO_EDITS, reason=reason
                )
                outcomes.append(OutcomeView(id=signal_id, done=True, code=None, text="approved"))
            except CommandRefused as refused:
                outcomes.append(_refused(signal_id, refused))
        if newest:
            await self._queue.durable(newest)
        return outcomes

    def reject(self, ids: Sequence[str], *, actor: str, reason: str, code: int | None) -> list[OutcomeView]:
        """Each for itself, with the one reason. Raises ``CommandRefused``: BAD_BATCH."""
        outcomes = []
        for signal_id in _checked(ids):
            try:
                self._queue.reject(signal_id, actor=actor, reason=reason, code=code)
                outcomes.append(OutcomeView(id=signal_id, done=True, code=None, text="rejected"))
            except CommandRefused as refused:
                outcomes.append(_refused(signal_id, refused))
        return outcomes


def reserving(facts: Facts, record: SignalRecord, before: list[tuple[SignalRecord, PreviewView]]) -> Facts:
    """A picture that counts the exposure of ``before`` already, with all else that their approvals would take."""
    same = next((other.signal.id for other, _ in before if other.signal.symbol == record.signal.symbol), None)
    prop = facts.prop
    if isinstance(prop, PropFacts):
        risk = sum((preview.risk.usd for _, preview in before if preview.risk is not None), ZERO)
        prop = msgspec.structs.replace(
            prop,
            open_risk=prop.open_risk + risk,
            exposure=prop.exposure + sum((_notional(preview) for _, preview in before), ZERO),
            symbols=prop.symbols | {other.signal.symbol for other, _ in before},
        )
    return msgspec.structs.replace(
        facts,
        entry_in_flight=facts.entry_in_flight or same,
        orders_today=facts.orders_today + len(before),
        working_orders=facts.working_orders + len(before),
        prop=prop,
    )


def _exposure(record: SignalRecord, preview: PreviewView) -> Exposure:
    signal = record.signal
    return Exposure(symbol=signal.symbol, side=signal.side, notional=_notional(preview), strategy=signal.strategy)


def _notional(preview: PreviewView) -> Decimal:
    price = preview.limit_price if preview.limit_price is not None else preview.price
    return preview.qty * price if price is not None else ZERO


def _refused(signal_id: str, refused: CommandRefused) -> OutcomeView:
    return OutcomeView(
        id=signal_id, done=False, code=refused.code, text=refused.operator_text, reasons=tuple(refused.reasons)
    )


def _checked(ids: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(ids))
    if not 1 <= len(wanted) <= LARGEST_BATCH:
        raise CommandRefused(
            "BAD_BATCH", f"A batch holds 1 to {LARGEST_BATCH} signals, not {len(wanted)}.", field="ids", http_status=422
        )
    return wanted
