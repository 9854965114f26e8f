"""The sample signal of the manual, and ways to change it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from engine.intake.draft import SignalDraft
from engine.intake.formats.detect import parse

NOW: Final = datetime(2026, 8, 21, 14, 3, 9, 120_000, UTC)
SAMPLE: Final = {
    "source": "breakout",
    "id": "breakout-000123",
    "strategy": "breakout",
    "symbol": "AAPL",
    "side": "buy",
    "intent": "open",
    "qty": 10,
    "entry": {"type": "limit", "limit_price": "187.20", "time_in_force": "day"},
    "stop_loss": {"stop_price": "184.90"},
    "take_profit": {"limit_price": "191.80"},
    "reference_price": "187.10",
    "made_at": "2026-08-21T14:03:07Z",
    "expires_in_s": 60,
    "confidence": 0.72,
    "note": "20-day high",
}


def body(**changes: Any) -> bytes:
    """The sample with fields changed; None takes one away."""
    return json.dumps({name: value for name, value in (SAMPLE | changes).items() if value is not None}).encode()


def draft(**changes: Any) -> SignalDraft:
    return parse(body(**changes), source=None, received_at=NOW)
