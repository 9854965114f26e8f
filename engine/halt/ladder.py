"""The rungs of a halt as they stand: reached or not, proved or not, and by what. Pure.

A rung is *reached* when somebody or something has engaged it, and *proved* when the broker or the journal shows that it
holds. What is missing for the proof is named.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from engine.book import DESK_SCOPE, NEW_YORK, Book
from engine.model.halt import Suspension
from engine.model.order import Evidence
from engine.model.words import DeskState, OrderRole
from engine.trips import CAUTION
from engine.views_halt import HaltView, RungView

CANCELS_ENTRIES: Final = frozenset({DeskState.REDUCING, DeskState.HALTED})
MOST_NAMED: Final = 4
"""Symbols named before the rest is only counted."""


def left_in(book: Book) -> tuple[str, ...]:
    """What the book itself knows to be there: orders, shares. Empty: nothing that it knows of."""
    orders = [book.orders[key] for key in book.open_orders]
    unknown = [order.symbol for order in orders if order.unresolved_since is not None]
    known = [order.symbol for order in orders if order.unresolved_since is None]
    held = {
        bracket.symbol for bracket in map(book.brackets.__getitem__, book.open_brackets) if book.cover(bracket.id).held
    }
    return tuple(
        _count(symbols, what)
        for symbols, what in (
            (sorted(held | book.positions.keys()), "position"),
            (known, "open order"),
            (unknown, "order of unknown fate"),
        )
        if symbols
    )


def ladder(
    book: Book,
    *,
    listed: Evidence | None = None,
    disproved: tuple[str, ...] = (),
    cooling_s: float = 0.0,
    second_persons: tuple[str, ...] = (),
) -> HaltView:
    """``listed``: the newest reading of all orders; ``disproved``: what the newest try to prove the desk flat found;
    ``cooling_s``: for how long the halt cannot be left yet; ``second_persons``: of whom one has to agree.
    """
    state = book.state_of(DESK_SCOPE)
    rungs = (
        _paused(book, state),
        _reducing(book, state, listed),
        _halted(book, state, cooling_s, second_persons),
        _flat(book, state, disproved),
        _suspended(book),
    )
    return HaltView(desk_state=state, rungs=rungs, cooling_s=cooling_s, second_persons=second_persons)


def _paused(book: Book, state: DeskState) -> RungView:
    return _of_state(book, state, DeskState.PAUSED, "Nothing new is sent, working entries stay.", ())


def _reducing(book: Book, state: DeskState, listed: Evidence | None) -> RungView:
    entries = [order for order in map(book.orders.__getitem__, book.open_orders) if order.role is OrderRole.ENTRY]
    known = book.states.get(DESK_SCOPE)
    if book.flat_proof is not None and (listed is None or book.flat_proof.orders.at > listed.at):
        listed = book.flat_proof.orders
    if entries:
        missing: tuple[str, ...] = (_count([order.symbol for order in entries], "entry", "entries") + " still at work",)
    elif listed is None or known is None or listed.at < known.at:
        missing = ("the broker's orders are to be read",)
    else:
        missing = ()
    return _of_state(book, state, DeskState.REDUCING, "Working entries are canceled too: exits only.", missing, listed)


def _halted(book: Book, state: DeskState, cooling_s: float, second_persons: tuple[str, ...]) -> RungView:
    sentence = "No approvals, no mandates. Protection is kept."
    if cooling_s > 0:
        sentence += f" It cools off: it can be left in {math.ceil(cooling_s)} s."
    if second_persons:
        sentence += f" It is left by two: {' or '.join(second_persons)} has to agree."
    return _of_state(book, state, DeskState.HALTED, sentence, ())


def _of_state(
    book: Book,
    state: DeskState,
    rung: DeskState,
    sentence: str,
    missing: tuple[str, ...],
    evidence: Evidence | None = None,
) -> RungView:
    known = book.states.get(DESK_SCOPE)
    if known is None or CAUTION[state] < CAUTION[rung]:
        return RungView(name=rung.value, sentence=sentence)
    return RungView(
        name=rung.value,
        is_reached=True,
        is_proved=not missing,
        sentence=sentence,
        missing=missing,
        since=known.at,
        actor=known.actor,
        cause=known.cause,
        evidence=(evidence,) if evidence is not None and evidence.at >= known.at else (),
    )


def _flat(book: Book, state: DeskState, disproved: tuple[str, ...]) -> RungView:
    proof = book.flat_proof
    if proof is not None:
        at = proof.positions.at
        return RungView(
            name="flat",
            sentence=f"Flat, proved {_clock(at)} by REST: 0 orders, 0 positions.",
            is_reached=True,
            is_proved=True,
            since=at,
            actor=proof.actor,
            evidence=(proof.orders, proof.positions),
        )
    left = left_in(book) or disproved
    asked = (book.brackets[key].exit_requested_at for key in book.open_brackets)
    leaving_since = min((at for at in asked if at is not None), default=None)
    if leaving_since is not None:
        sentence = "On the way out."
    else:
        sentence = "Not flat." if left else "Nothing is known to be left; not proved."
    return RungView(
        name="flat",
        sentence=sentence,
        is_reached=leaving_since is not None or (not left and state in CANCELS_ENTRIES),
        missing=left,
        since=leaving_since,
    )


def _suspended(book: Book) -> RungView:
    known = book.suspension
    is_on = known.is_on is True
    missing: tuple[str, ...]
    if known.asked is not None:
        wish = "suspend" if known.asked else "resume"
        missing = (f"asked to {wish} by {known.asked_by}: the broker has not confirmed it",)
    else:
        missing = (known.refused,) if known.refused else ()
    return RungView(
        name="suspended",
        is_reached=is_on or known.asked is True,
        is_proved=is_on,
        sentence=_switch_words(known),
        missing=missing,
        since=known.evidence.at if is_on and known.evidence is not None else None,
        actor=known.set_by if is_on else "",
        evidence=(known.evidence,) if known.evidence is not None else (),
    )


def _switch_words(known: Suspension) -> str:
    if known.is_on is None:
        return "The broker has not been asked yet."
    if not known.is_on:
        return "The broker takes orders."
    hand = "" if known.set_by else "; set by another hand"
    return f"The broker takes no new order, exits included{hand}."


def _count(symbols: Iterable[str], one: str, many: str | None = None) -> str:
    """``2 open orders (AAPL, MSFT)``."""
    listed = list(symbols)
    names = list(dict.fromkeys(listed))
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    what = one if len(listed) == 1 else many or f"{one}s"
    return f"{len(listed)} {what} ({', '.join(names[:MOST_NAMED])}{more})"


def _clock(at: datetime) -> str:
    """Local time of the exchange, as the screen shows it."""
    return f"{at.astimezone(NEW_YORK):%H:%M:%S} ET"
