"""Entries that the desk holds back after their approval, until a price is seen or a position has closed.

Alpaca takes no exits with a stop entry, so the desk holds the trigger itself and then sends a market or limit entry
with its exits. Nothing of it is at the broker meanwhile: while the desk is down, nothing triggers.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.money import ceil_to_tick, floor_to_tick
from engine.model.signal import Signal, SignalRecord
from engine.model.words import OrderType, Side

STOP_ENTRIES: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
SEND_WITHIN: Final = timedelta(seconds=60)
"""A released entry that found no request of the budget for longer is not wanted any more."""


def trigger_of(signal: Signal) -> Decimal | None:
    """The price that the desk waits for, on the tick away from the market; None of an entry that is sent at once."""
    at = signal.entry.stop_price
    if signal.entry.type not in STOP_ENTRIES or at is None:
        return None
    return ceil_to_tick(at) if signal.side is Side.BUY else floor_to_tick(at)


def is_reached(side: Side, trigger: Decimal, price: Decimal) -> bool:
    return price >= trigger if side is Side.BUY else price <= trigger


def signal_to_send(record: SignalRecord) -> Signal:
    """The signal as the gate judges it before sending: what a held one waited for has happened."""
    signal, held = record.signal, record.held
    if held is None or held.released_at is None:
        return signal
    signal = msgspec.structs.replace(signal, expires_at=held.released_at + SEND_WITHIN)
    if held.trigger_price is None:
        return signal
    kind = OrderType.MARKET if signal.entry.limit_price is None else OrderType.LIMIT
    entry = msgspec.structs.replace(signal.entry, type=kind, stop_price=None)
    # Drift is measured from where the strategy wanted to enter: its trigger.
    return msgspec.structs.replace(signal, entry=entry, reference_price=held.trigger_price)
