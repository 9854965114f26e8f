"""What a mandate's trades lost today, and what they could still lose."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.book import NEW_YORK, Book
from engine.model.mandate import MandateRecord, MandateUse
from engine.model.money import ZERO
from engine.model.words import SignalStatus
from engine.protection.result import realized_pl


def loss_today(book: Book, record: MandateRecord, now: datetime) -> Decimal:
    """What its trades of today lost, and what they and older ones still open would lose down to their stops.

    Gains of closed trades make up for closed losses, never for what is at risk.
    """
    today = now.astimezone(NEW_YORK).date()
    realized = at_risk = ZERO
    for use in record.uses:
        if use.is_returned:
            continue
        bracket = book.brackets.get(use.bracket_id)
        if bracket is None:
            at_risk += _approved_risk(book, use)
            continue
        cover = book.cover(bracket.id)
        sign, entry = bracket.side.sign, cover.avg_entry_price
        if entry is None:
            entry = cover.entry.limit_price if cover.entry is not None else None
        if entry is None:
            at_risk += _approved_risk(book, use)
        else:
            at_risk += max(ZERO, (entry - bracket.stop_price) * sign) * (cover.held + cover.entry_leaves)
        if bracket.closed_at is None or bracket.closed_at.astimezone(NEW_YORK).date() == today:
            realized += realized_pl(book.orders_of(bracket.id), cover.avg_entry_price, sign)
    return max(ZERO, -realized) + at_risk


def _approved_risk(book: Book, use: MandateUse) -> Decimal:
    """Of an approval on its way, at the price that it was given for."""
    approval = book.signals[use.signal_id].approval
    if approval is None or approval.qty == 0 or approval.stop_price is None:
        return ZERO
    if book.signals[use.signal_id].status is SignalStatus.DENIED:
        return ZERO
    return abs(use.notional / approval.qty - approval.stop_price) * approval.qty
