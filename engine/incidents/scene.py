"""What a condition may look at: the book, the world and the time, as of one look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from engine.book import Book
from engine.model.bracket import Bracket
from engine.model.incident import Incident, Priority
from engine.model.order import Order
from engine.model.words import OrderStatus
from engine.surroundings import World
from engine.views_truth import HeartbeatView

COVERS_SHOWN: Final = 20
"""Causes named in an incident that stands for many."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One look. Conditions read it and change nothing."""

    book: Book
    world: World
    now: datetime
    started_at: datetime
    """When this process began: some conditions give a start a few seconds."""
    torn: str | None = None
    """What was cut off the journal at this start."""
    broken_chain: str | None = None
    """What the audit of the journal's chain found."""
    journal_failure: str | None = None
    """Why the journal cannot be written now."""

    heartbeat: HeartbeatView | None = None
    """The sign of life to a third party; None when none is wanted."""
    mandates_wait: bool = False
    """After a restart mandates wait until a person confirms them."""

    def since_s(self, at: datetime | None) -> float:
        """Seconds from ``at`` until now; 0 without one."""
        return (self.now - at).total_seconds() if at is not None else 0.0

    def cancelling_s(self, order: Order) -> float:
        """Seconds since the cancel of an open order was first asked, by whomever; 0 when nobody asked."""
        seen = order.status_since if order.status is OrderStatus.PENDING_CANCEL else None
        return self.since_s(order.cancel_since or order.cancel_requested_at or seen) if order.is_open else 0.0


type Condition = Callable[[Scene], Iterator[Incident]]


def about_bracket(
    scene: Scene,
    bracket: Bracket,
    word: str,
    priority: Priority,
    cause: str,
    consequence: str,
    action: str,
    *,
    buttons: tuple[str, ...] = (),
    deadline_at: datetime | None = None,
) -> Incident:
    """``word`` names the condition: the incident's key is ``word:bracket id``."""
    return Incident(
        id="",
        key=f"{word}:{bracket.id}",
        priority=priority,
        cause=cause,
        consequence=consequence,
        action=action,
        subject_kind="bracket",
        subject_id=bracket.id,
        symbol=bracket.symbol,
        raised_at=scene.now,
        deadline_at=deadline_at,
        buttons=buttons,
    )


def about_order(
    scene: Scene,
    order: Order,
    word: str,
    priority: Priority,
    cause: str,
    consequence: str,
    action: str,
    *,
    buttons: tuple[str, ...] = (),
) -> Incident:
    return Incident(
        id="",
        key=f"{word}:{order.id}",
        priority=priority,
        cause=cause,
        consequence=consequence,
        action=action,
        subject_kind="order",
        subject_id=order.id,
        symbol=order.symbol,
        raised_at=scene.now,
        buttons=buttons,
    )


def about_desk(
    scene: Scene,
    key: str,
    priority: Priority,
    cause: str,
    consequence: str,
    action: str,
    *,
    buttons: tuple[str, ...] = (),
) -> Incident:
    return Incident(
        id="",
        key=key,
        priority=priority,
        cause=cause,
        consequence=consequence,
        action=action,
        subject_kind="desk",
        subject_id="desk",
        symbol=None,
        raised_at=scene.now,
        buttons=buttons,
    )
