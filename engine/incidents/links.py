"""The ways to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.incidents.scene import Scene, about_desk
from engine.model.incident import Incident, Priority

STREAM_GRACE_S: Final = 5.0


def stream_down(scene: Scene) -> Iterator[Incident]:
    """The order stream is away for longer than a reconnect takes."""
    stream = scene.world.stream
    if not stream.up and scene.since_s(stream.since or scene.started_at) > STREAM_GRACE_S:
        yield about_desk(
            scene,
            "stream",
            Priority.SOON,
            f"The order stream is down: {stream.why or 'not connected yet'}",
            "Fills are seen only by the timer; entries are denied.",
            "Nothing, it reconnects by itself; check the connection if it lasts.",
        )
