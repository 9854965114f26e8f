"""What changed the desk's state by itself, and rules that cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator

from engine.incidents.scene import Scene, about_desk
from engine.model.incident import Incident, Priority
from engine.trips import RELEASE_RULES


def tripped(scene: Scene) -> Iterator[Incident]:
    """One for each trip that a person has not released."""
    for trip in scene.book.trips.values():
        if trip.overridden_by is None:
            yield about_desk(
                scene,
                f"trip:{trip.code}",
                Priority.NOW,
                trip.cause,
                f"The desk is {trip.state.value} until it is released.",
                f"Find out why; then release it. {RELEASE_RULES.get(trip.code, '')}".strip(),
                buttons=("show",),
            )


def prop_day_late(scene: Scene) -> Iterator[Incident]:
    """The firm's day began while no desk was running."""
    day = scene.book.prop.day
    if day is not None and day.is_late:
        yield about_desk(
            scene,
            f"prop-late:{day.day}",
            Priority.SOON,
            f"The desk did not run when the prop firm's day {day.day} began",
            "The day's start is the desk's best knowledge; headroom may differ from the firm's.",
            "Compare with the firm's own page, and correct the day's start.",
        )


def mandate_unconfirmed(scene: Scene) -> Iterator[Incident]:
    """A mandate of an earlier start, which may be waiting for a person."""
    waiting = [m.mandate.id for m in scene.book.live_mandates(scene.now) if m.run != scene.book.run]
    if waiting and scene.mandates_wait:
        yield about_desk(
            scene,
            "mandates",
            Priority.LATER,
            f"Given before the desk was started: {', '.join(waiting)}",
            "They approve nothing until they are confirmed.",
            "Confirm or revoke them.",
        )


def user_rules_broken(scene: Scene) -> Iterator[Incident]:
    """The operator's own rules cannot be loaded."""
    why = scene.world.user_rules_broken()
    if why is not None:
        yield about_desk(
            scene,
            "user-rules",
            Priority.NOW,
            f"Your own rules cannot be used: {why}",
            "Every entry is denied; exits and protection work.",
            "Put the file right, and start again.",
        )


def prop_firm_broken(scene: Scene) -> Iterator[Incident]:
    """Prop-firm mode is asked for, and its preset cannot be used."""
    why = scene.world.prop_firm_broken
    if why is not None:
        yield about_desk(
            scene,
            "prop-firm",
            Priority.NOW,
            f"Prop-firm mode cannot be kept: {why}",
            "Every entry is denied; exits and protection work.",
            "Put the preset right, and start again.",
        )
