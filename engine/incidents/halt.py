"""The account's own switch: what it takes away, and wishes that did not arrive."""

from __future__ import annotations

from collections.abc import Iterator

from engine.halt.ladder import left_in
from engine.incidents.scene import Scene, about_desk
from engine.model.incident import Incident, Priority


def suspended(scene: Scene) -> Iterator[Incident]:
    """The broker takes no order: harmless while nothing is held, and a matter of minutes when something is."""
    known = scene.book.suspension
    if not known.is_on:
        return
    by = known.set_by or "another hand"
    held = left_in(scene.book)
    if held:
        yield about_desk(
            scene,
            "suspended-with-shares",
            Priority.NOW,
            f"Trading is suspended at the broker by {by}, and the account is not flat: {held[0]}",
            "No stop can be placed or replaced, nothing can be closed from here.",
            "Resume trading; the desk stays in its state.",
        )
    elif not known.set_by:
        yield about_desk(
            scene,
            "suspended",
            Priority.SOON,
            "Trading is suspended in the account's own settings, not by this desk",
            "The broker takes no order, exits included.",
            "Find out who did it; resume trading when it is right.",
        )


def switch_failed(scene: Scene) -> Iterator[Incident]:
    """Somebody believes that the account is suspended, or that it trades again, and it is not so."""
    known = scene.book.suspension
    if known.refused:
        yield about_desk(
            scene,
            "suspension-refused",
            Priority.SOON,
            f"The broker did not change its switch: {known.refused}",
            "Trading is suspended still." if known.is_on else "The account takes orders.",
            "Ask again, or set it on the broker's own page.",
        )
