"""The desk's own troubles: its journal and its start gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.incidents.scene import Scene, about_desk
from engine.model.incident import Incident, Priority

MISSED_HEARTBEATS: Final = 3
STALL_TOLD_S: Final = 600.0
GATE_GRACE_S: Final = 5.0
"""A start compares book and broker for a moment before it can open the gate."""


def journal_refused(scene: Scene) -> Iterator[Incident]:
    """The disk does not take what the desk writes."""
    if scene.journal_failure is not None:
        yield about_desk(
            scene,
            "journal",
            Priority.NOW,
            f"The journal cannot be written: {scene.journal_failure}",
            "Entries are denied; exits still work.",
            "Free the disk.",
        )


def journal_torn(scene: Scene) -> Iterator[Incident]:
    """The last process left a damaged end, which was cut off."""
    if scene.torn is not None:
        yield about_desk(
            scene,
            "torn",
            Priority.SOON,
            f"The journal's end was damaged and cut off: {scene.torn}",
            "What it said is read again from the broker; a signal or a reason may be missing.",
            "Compare with the broker's own page; the damaged part is kept beside the journal.",
        )


def journal_broken(scene: Scene) -> Iterator[Incident]:
    """The chain does not hold in a part that the start had not walked."""
    if scene.broken_chain is not None:
        yield about_desk(
            scene,
            "chain",
            Priority.NOW,
            f"The journal's chain does not hold: {scene.broken_chain}",
            "What the desk remembers may not be what happened.",
            "Halt, keep the file as evidence, and compare positions and orders with the broker's own page.",
        )


def stalled(scene: Scene) -> Iterator[Incident]:
    """The loop stood still: nothing was watched, nothing could be clicked."""
    if scene.world.stalled is None:
        return
    at, lasted_s, file = scene.world.stalled
    if scene.since_s(at) < STALL_TOLD_S:
        yield about_desk(
            scene,
            f"stall:{at:%H%M%S}",
            Priority.SOON,
            f"The desk stood still for {lasted_s:.1f} s",
            "Meanwhile nothing was watched and nothing sent; stops stood at the broker.",
            f"Send {file} to who maintains the desk." if file is not None else "Look into the log.",
        )


def no_heartbeat(scene: Scene) -> Iterator[Incident]:
    """The third party that should page when this desk dies hears nothing, and may page for that."""
    told = scene.heartbeat
    if told is not None and told.misses >= MISSED_HEARTBEATS:
        yield about_desk(
            scene,
            "heartbeat",
            Priority.LATER,
            f"The heartbeat does not arrive: {told.failing}",
            "Whoever waits for it cannot tell this desk from a dead one.",
            "Check its address and the connection; the desk itself goes on.",
        )


def waking(scene: Scene) -> Iterator[Incident]:
    """The machine slept, and not everything has been read since."""
    why = scene.world.waking
    if why is not None:
        yield about_desk(
            scene,
            "waking",
            Priority.SOON,
            f"{why}: nothing that was proved before counts",
            "Entries are denied, trades are shown as unverified; exits work, stops stand at the broker.",
            "Nothing: positions and orders are being read, the streams connect anew.",
        )


def watched_shares(scene: Scene) -> Iterator[Incident]:
    """Shares of another hand that somebody said to keep in sight."""
    for key, settlement in scene.book.settled.items():
        kind, _, rest = key.partition(":")
        if kind == "position" and settlement == "watch":
            symbol, _, qty = rest.rpartition(":")
            yield about_desk(
                scene,
                f"watched:{key}",
                Priority.LATER,
                f"{qty} {symbol} are held that no trade of this desk explains",
                "They are watched: this desk neither protects nor closes them.",
                "Close or protect them where they were bought.",
            )


def gate_locked(scene: Scene) -> Iterator[Incident]:
    """Book and broker differ, and nobody has settled it."""
    locked = scene.world.gate_locked_by
    if locked is not None and scene.since_s(scene.started_at) > GATE_GRACE_S:
        bare = scene.world.has_unexplained_shares
        yield about_desk(
            scene,
            "gate",
            Priority.NOW if bare else Priority.SOON,
            f"The start gate is locked: {locked}",
            "No stop of this desk stands behind those shares." if bare else "Entries are denied, exits work.",
            "Settle the difference."
            if scene.world.has_differences
            else "Nothing yet: the desk reads the broker again.",
        )
