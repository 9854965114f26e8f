"""The ways to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.incidents.scene import Scene, about_desk
from engine.links import Link
from engine.model.incident import Incident, Priority

STREAM_GRACE_S: Final = 5.0
POLLING_OFFERED_S: Final = 180.0
"""A broker frees the slot of a dead connection within this time; a living one keeps it."""
QUOTES_GRACE_S: Final = 15.0


def stream_down(scene: Scene) -> Iterator[Incident]:
    """The order stream is away for longer than a reconnect takes."""
    stream = scene.world.stream
    down_s = _down_s(scene, stream)
    if stream.up or down_s <= STREAM_GRACE_S:
        return
    why = stream.why or "not connected yet"
    if stream.polled_by is not None:
        cause = f"Orders are polled, the order stream is down: {why}"
        consequence = "Fills are seen some 2 s late; entries are denied."
        action = "Nothing: the stream takes over by itself when it is back."
        buttons: tuple[str, ...] = ()
    else:
        cause = f"The order stream is down: {why}"
        consequence = "Fills are seen only by the timer; entries are denied."
        action = "Nothing, it reconnects by itself; check the connection if it lasts."
        buttons = ()
        if down_s > POLLING_OFFERED_S:
            action = "End the other program that may hold the stream, or poll orders until it is back."
            buttons = ("poll",)
    if stream.is_final:
        action = "Correct the keys and start the desk again; it does not reconnect by itself."
    priority = Priority.NOW if stream.is_final else Priority.SOON
    yield about_desk(scene, "stream", priority, cause, consequence, action, buttons=buttons)


def rest_down(scene: Scene) -> Iterator[Incident]:
    """Requests fail while the stream stands; when both are away, the stream's incident says it."""
    rest = scene.world.rest
    if rest.why and not rest.up and scene.world.stream.up and _down_s(scene, rest) > STREAM_GRACE_S:
        yield about_desk(
            scene,
            "rest",
            Priority.NOW if rest.is_final else Priority.SOON,
            f"The broker's REST interface is down: {rest.why}",
            "Entries are denied; exits and cancels are tried, and may not get through.",
            "Correct the keys and start the desk again." if rest.is_final else "Nothing, the desk keeps trying.",
        )


def quotes_down(scene: Scene) -> Iterator[Incident]:
    """Prices do not come by the stream."""
    quotes = scene.world.quotes
    if quotes.why and not quotes.up and _down_s(scene, quotes) > QUOTES_GRACE_S:
        yield about_desk(
            scene,
            "quotes",
            Priority.LATER,
            f"The data stream is down: {quotes.why}",
            "Prices are read every 2 s instead; entries are denied where they are too old.",
            "Correct the keys or the feed and start the desk again." if quotes.is_final else "Nothing, it reconnects.",
        )


def _down_s(scene: Scene, link: Link) -> float:
    return scene.since_s(link.since or scene.started_at)
