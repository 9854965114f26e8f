"""What the activity log says of the facts about exits: one sentence each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.model import events as ev
from engine.model.money import plain

if TYPE_CHECKING:
    from engine.book import Book

type Told = tuple[str, str | None, str]
"""Level, symbol, text."""


def _symbol(book: Book, bracket_id: str) -> str:
    return book.brackets[bracket_id].symbol


def _who(actor: str) -> str:
    return {"window": "you", "desk": "the desk"}.get(actor, actor)


def _move_asked(event: ev.ExitsMoveAsked, book: Book) -> Told:
    parts = []
    if event.stop_price is not None:
        parts.append(f"stop to {plain(event.stop_price)}")
    if event.take_profit_price is not None:
        parts.append(f"target to {plain(event.take_profit_price)}")
    why = f" · {event.reason}" if event.reason else ""
    return "info", _symbol(book, event.bracket_id), f"{' · '.join(parts)} asked by {_who(event.actor)}{why}"


def _move_refused(event: ev.ExitsMoveRefused, book: Book) -> Told:
    return "warn", _symbol(book, event.bracket_id), f"exits not moved, the old ones stand · {event.text}"


def _watch_began(event: ev.WatchBegan, book: Book) -> Told:
    what = "target" if event.target else "stop"
    return "warn", _symbol(book, event.bracket_id), f"the desk watches the {what} · {event.why}"


def _watch_ended(event: ev.WatchEnded, book: Book) -> Told:
    what = "target" if event.target else "stop"
    return "info", _symbol(book, event.bracket_id), f"the desk no longer watches the {what} · {event.why}"


def _stop_passed(event: ev.StopPassed, book: Book) -> Told:
    level, what = ("bad", "beyond its stop") if event.passed else ("info", "on the right side of its stop again")
    return level, _symbol(book, event.bracket_id), f"{what} · {event.text}"


def _unprotected(event: ev.UnprotectedBegan, book: Book) -> Told:
    text = f"runs unprotected until {event.until:%H:%M:%S} UTC, by {_who(event.actor)}"
    return "bad", _symbol(book, event.bracket_id), text


def _protected_again(event: ev.UnprotectedEnded, book: Book) -> Told:
    return "info", _symbol(book, event.bracket_id), f"no longer unprotected · {event.why}"


def _repair_began(event: ev.RepairBegan, book: Book) -> Told:
    text = f"repair chosen by {_who(event.repair.actor)} · {event.repair.text or event.repair.kind}"
    return "info", _symbol(book, event.bracket_id), text


def _repair_ended(event: ev.RepairEnded, book: Book) -> Told:
    word, level = ("done", "good") if event.done else ("failed", "bad")
    return level, _symbol(book, event.bracket_id), f"repair {word} · {event.text}"


TELLERS: Final[Mapping[type, Callable[[Any, Book], Told]]] = {
    ev.ExitsMoveAsked: _move_asked,
    ev.ExitsMoveRefused: _move_refused,
    ev.WatchBegan: _watch_began,
    ev.WatchEnded: _watch_ended,
    ev.StopPassed: _stop_passed,
    ev.UnprotectedBegan: _unprotected,
    ev.UnprotectedEnded: _protected_again,
    ev.RepairBegan: _repair_began,
    ev.RepairEnded: _repair_ended,
}
