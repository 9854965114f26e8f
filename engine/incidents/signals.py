"""Proposals that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.incidents.scene import Scene
from engine.model.incident import Incident, Priority

EXPIRY_WARNING_S: Final = 15.0


def expiring(scene: Scene) -> Iterator[Incident]:
    """Nobody has decided, and the time to live runs out."""
    for signal_id in scene.book.pending:
        signal = scene.book.signals[signal_id].signal
        left_s = -scene.since_s(signal.expires_at)
        if 0 < left_s <= EXPIRY_WARNING_S:
            yield Incident(
                id="",
                key=f"expiry:{signal_id}",
                priority=Priority.LATER,
                cause=f"{signal.symbol} signal is about to expire",
                consequence="Nothing will be sent.",
                action="Approve or reject it.",
                subject_kind="signal",
                subject_id=signal_id,
                symbol=signal.symbol,
                raised_at=scene.now,
                deadline_at=signal.expires_at,
                buttons=("show",),
            )
