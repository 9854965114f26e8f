"""What the state bar says of the book alone: the same of a running desk and of a day looked at again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.book import DESK_SCOPE, Book
from engine.model.money import ZERO
from engine.protection.naked_days import of_day, running_today


def book_part(book: Book, now: datetime) -> dict[str, Any]:
    """Fields of ``DeskView``."""
    naked = [
        (bracket, book.cover(bracket.id).naked)
        for bracket in (book.brackets[key] for key in book.open_brackets)
        if bracket.naked_since is not None
    ]
    oldest = min((b.naked_since for b, _ in naked if b.naked_since is not None), default=None)
    standing = [book.incidents[key] for key in book.open_incidents.values()]
    in_sight = [int(incident.priority) for incident in standing if not incident.is_shelved]
    set_by = book.states.get(DESK_SCOPE)
    return {
        "desk_state_cause": (set_by.cause or f"set by {set_by.actor}") if set_by is not None else "",
        "naked_qty": sum((qty for _, qty in naked), ZERO),
        "naked_symbols": tuple(dict.fromkeys(bracket.symbol for bracket, _ in naked)),
        "naked_s": max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0,
        "incidents": (in_sight.count(1), in_sight.count(2), in_sight.count(3)),
        "shelved": len(standing) - len(in_sight),
        "pending": len(book.pending),
        "naked_share_s_today": naked_share_s_today(book, now),
        "mandates": len(book.live_mandates(now)),
        "flat_proved_at": book.flat_proof.positions.at if book.flat_proof is not None else None,
        "is_suspended": book.suspension.is_on is True,
    }


def naked_share_s_today(book: Book, now: datetime) -> float:
    """Uncovered shares times seconds since midnight in New York, the running spans included."""
    open_trades = (book.brackets[key] for key in book.open_brackets)
    running = sum(running_today(trade.naked_counted_at, now, book.cover(trade.id).exposed) for trade in open_trades)
    return round(of_day(book.naked_days, now) + running, 3)
