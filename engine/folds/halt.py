"""Folds of how far the desk is stopped, by itself or by a halt.

A proof of being flat holds until anything is sent, found or held again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

from msgspec.structs import replace

from engine.model import events as ev
from engine.model.halt import FlatProof, Suspension


class HaltFolds(ABC):
    def __init__(self) -> None:
        self.flat_proof: FlatProof | None = None
        """The newest; None once anything came after it."""
        self.suspension = Suspension()

    @abstractmethod
    def _touch(self, kind: str, key: str) -> None:
        """A view is out of date."""

    def _note_exposed(self) -> None:
        """An order or a position has come into being: what was proved before says nothing any more."""
        if self.flat_proof is not None:
            self.flat_proof = None
            self._touch("desk", "")

    def _on_loop_stalled(self, event: ev.LoopStalled, at: datetime) -> None:
        self._touch("desk", "")

    def _on_desk_woke(self, event: ev.DeskWoke, at: datetime) -> None:
        self._touch("desk", "")

    def _on_flat_proved(self, event: ev.FlatProved, at: datetime) -> None:
        self.flat_proof = event.proof
        self._touch("desk", "")

    def _on_suspension_asked(self, event: ev.SuspensionAsked, at: datetime) -> None:
        self.suspension = replace(self.suspension, asked=event.suspended, asked_by=event.actor, asked_at=at, refused="")
        self._touch("desk", "")

    def _on_suspension_refused(self, event: ev.SuspensionRefused, at: datetime) -> None:
        self.suspension = replace(self.suspension, asked=None, asked_at=None, refused=event.text)
        self._touch("desk", "")

    def _on_suspension_seen(self, event: ev.SuspensionSeen, at: datetime) -> None:
        before = self.suspension
        is_ours = before.asked is event.suspended
        self.suspension = replace(
            before,
            is_on=event.suspended,
            evidence=event.evidence,
            asked=None if is_ours else before.asked,
            asked_at=None if is_ours else before.asked_at,
            refused="",
            set_by=before.asked_by if is_ours else before.set_by if before.is_on is event.suspended else "",
        )
        self._touch("desk", "")
