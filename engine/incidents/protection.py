"""Trades that are protected in another way than by a stop at the broker, or not at all by a person's word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.book import Book
from engine.bus import Change
from engine.incidents.scene import Scene, about_bracket
from engine.model.incident import Incident, Priority
from engine.model.money import plain
from engine.model.words import ExitWhen, OrderRole, OrderStatus

STALLED_AFTER_S: Final = 2.0


def watched(scene: Scene) -> Iterator[Incident]:
    """The desk holds the stop itself: it protects only while this program runs and quotes come."""
    for bracket_id in scene.book.open_brackets:
        bracket, cover = scene.book.brackets[bracket_id], scene.book.cover(bracket_id)
        told_already = bracket.gave_up_at is not None or bracket.exit_requested_at is not None
        if bracket.watch_stop_since is None or cover.naked == 0 or told_already:
            continue
        yield about_bracket(
            scene,
            bracket,
            "watched",
            Priority.SOON,
            f"{plain(cover.naked)} {bracket.symbol}: the desk watches the stop at {plain(bracket.stop_price)}",
            f"It protects only while this desk runs and quotes come: {bracket.watch_why}.",
            "Keep the desk running, or flatten.",
            buttons=("plans", "flatten"),
        )


def unprotected(scene: Scene) -> Iterator[Incident]:
    """A person keeps the supervisor's hands off, with a countdown."""
    for bracket_id in scene.book.open_brackets:
        bracket, cover = scene.book.brackets[bracket_id], scene.book.cover(bracket_id)
        if bracket.unprotected_until is None:
            continue
        yield about_bracket(
            scene,
            bracket,
            "unprotected",
            Priority.NOW,
            f"{bracket.symbol} runs unprotected by a person's word until {bracket.unprotected_until:%H:%M:%S} UTC",
            f"{plain(cover.naked)} of {plain(cover.held)} shares have no stop, and the desk places none.",
            "It ends by itself; end it earlier with Protect.",
            buttons=("protect", "flatten"),
            deadline_at=bracket.unprotected_until,
        )


def flipped(scene: Scene) -> Iterator[Incident]:
    """More was closed than was held."""
    for bracket_id in scene.book.open_brackets:
        bracket, cover = scene.book.brackets[bracket_id], scene.book.cover(bracket_id)
        if cover.flipped > 0:
            yield about_bracket(
                scene,
                bracket,
                "flipped",
                Priority.NOW,
                f"{bracket.symbol} has flipped: {plain(cover.flipped)} shares are held the wrong way",
                "Both exits filled, or a hand at the broker went past the position; entries of the symbol are stopped.",
                "Nothing yet: the desk cancels what works and closes exactly these shares.",
                buttons=("show",),
            )


def has_flipped(book: Book, changes: frozenset[Change]) -> bool:
    """Whether a trade is held the wrong way now: over within a moment as a rule, so it is not left to the timer."""
    return any(change.kind == "bracket" and book.cover(change.key).flipped > 0 for change in changes)


def stop_passed(scene: Scene) -> Iterator[Incident]:
    """The price is beyond a stop that does not stand, and the policy is to ask."""
    for bracket_id in scene.book.open_brackets:
        bracket, cover = scene.book.brackets[bracket_id], scene.book.cover(bracket_id)
        if bracket.stop_passed_at is not None and cover.naked > 0 and bracket.exit_requested_at is None:
            yield about_bracket(
                scene,
                bracket,
                "through",
                Priority.NOW,
                f"{plain(cover.naked)} {bracket.symbol} are beyond their stop at {plain(bracket.stop_price)}",
                "The broker takes no stop there, so none stands; the loss grows with the price.",
                "Flatten, or move the stop.",
                buttons=("flatten", "plans"),
            )


def exit_waits(scene: Scene) -> Iterator[Incident]:
    """Somebody wants out, and the market cannot take it now: the exits stay."""
    for bracket_id in scene.book.open_brackets:
        bracket, cover = scene.book.brackets[bracket_id], scene.book.cover(bracket_id)
        if bracket.exit_requested_at is None or cover.held == 0 or cover.closing:
            continue
        halted = bracket.symbol in scene.world.halted
        shut = scene.world.session_open is False and not (
            bracket.exit_when is ExitWhen.EXTENDED and scene.world.extended_open
        )
        if not (halted or shut):
            continue
        why = f"trading in {bracket.symbol} is halted" if halted else "the core session is closed"
        yield about_bracket(
            scene,
            bracket,
            "exit_waits",
            Priority.SOON,
            f"{bracket.symbol} is to be closed, and {why}",
            "Its exits stay until it can be: a stop fires at the reopening.",
            "Wait, or flatten by an extended-hours limit." if shut and not halted else "Wait for trading to resume.",
            buttons=("plans",),
        )


def stuck_rescue(scene: Scene) -> Iterator[Incident]:
    """A part-filled entry whose cancel the broker does not confirm."""
    for bracket_id in scene.book.open_brackets:
        cover = scene.book.cover(bracket_id)
        if cover.naked == 0 or not cover.entry_open:
            continue
        bracket = scene.book.brackets[bracket_id]
        stuck = [
            order
            for order in scene.book.orders_of(bracket_id)
            if order.role is OrderRole.ENTRY
            and order.is_open
            and order.status is OrderStatus.PENDING_CANCEL
            and scene.since_s(order.cancel_since or order.cancel_requested_at) > STALLED_AFTER_S + 1.0
        ]
        if stuck:
            yield about_bracket(
                scene,
                bracket,
                "rescue",
                Priority.NOW,
                f"{plain(cover.naked)} {bracket.symbol} naked: the cancel of the part-filled entry is stuck",
                "Its own exits sleep until it is whole, and it may still buy more.",
                "Nothing yet: the desk tries exits beside it, else watches the stop. Look at the broker's own page.",
                buttons=("plans", "flatten"),
            )
