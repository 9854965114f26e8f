"""How a signal's status follows the trade that it made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.model.bracket import Bracket
from engine.model.money import ZERO, plain
from engine.model.order import Order
from engine.model.signal import SignalRecord
from engine.model.words import OrderRole, OrderStatus, SignalStatus
from engine.protection.ledger import Cover


class Followed(NamedTuple):
    status: SignalStatus
    note: str
    is_answered: bool
    """The broker has the entry, or will never have it: the approval is no longer on its way."""


def follow_entry(record: SignalRecord, bracket: Bracket, cover: Cover, orders: Sequence[Order]) -> Followed:
    """The signal follows its entries: working, filled, closed, failed."""
    entries = [order for order in orders if order.role is OrderRole.ENTRY]
    is_known = any(order.broker_id is not None for order in entries)
    is_over = all(order.is_terminal for order in entries)
    note = _part_of_entry(bracket, entries) or record.decision_note
    status = record.status
    if bracket.closed_at is not None:
        refused = {OrderStatus.REJECTED, OrderStatus.NEVER_REACHED}
        failed = cover.entry_filled == 0 and any(order.status in refused for order in entries)
        status = SignalStatus.FAILED if failed else SignalStatus.CLOSED
        if cover.entry_filled == 0:
            last = entries[-1]
            note = last.last_error or f"entry {last.status.value} without a fill"
    elif not cover.entry_open and cover.entry_filled > 0:
        status = SignalStatus.FILLED
    elif is_known:
        status = SignalStatus.WORKING
    return Followed(status, note, is_known or is_over)


def _part_of_entry(bracket: Bracket, entries: Sequence[Order]) -> str:
    """A sentence when only some of several entries reached the broker, else nothing."""
    reached = [order for order in entries if not (order.is_terminal and order.was_unknown_to_broker)]
    if not reached or len(reached) == len(entries):
        return ""
    sent = sum((order.qty for order in reached), ZERO)
    return f"{plain(sent)} of {plain(bracket.qty)} reached the broker; the rest was not sent again"
