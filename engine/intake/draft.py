"""A signal as it came in, before the desk gives it a number."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from engine.model.signal import EntrySpec, ExitSpec, Signal, SizeSpec, TargetSpec
from engine.model.words import Intent, Side


class SignalDraft(msgspec.Struct, frozen=True, kw_only=True):
    """All of ``Signal`` but its id."""

    source: str
    source_id: str
    strategy: str
    symbol: str
    side: Side
    intent: Intent | None
    """None: not said. The desk decides what that means, or asks."""
    size: SizeSpec | None
    entry: EntrySpec
    stop_loss: ExitSpec | None
    take_profit: ExitSpec | None
    reference_price: Decimal | None
    made_at: datetime
    received_at: datetime
    expires_at: datetime
    """Counted from ``received_at``: the time to live is the time in the queue. Old news is the drift guard's matter."""
    confidence: float | None = None
    note: str = ""
    targets: tuple[TargetSpec, ...] = ()
    """Where there are several; ``take_profit`` is the nearest of them."""

    def to_signal(self, signal_id: str) -> Signal:
        return Signal(id=signal_id, **{name: getattr(self, name) for name in self.__struct_fields__})
