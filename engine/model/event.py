"""What all facts have in common."""

from __future__ import annotations

from typing import ClassVar

import msgspec


def _kind(name: str) -> str:
    """``SignalReceived`` -> ``signal_received``: the ``kind`` of the journal and of the event stream."""
    return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(name))


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=_kind):
    """Base of all facts. ``subject`` names the thing that the fact is about."""

    SUBJECT: ClassVar[str] = ""

    @property
    def subject(self) -> str:
        return str(getattr(self, self.SUBJECT)) if self.SUBJECT else "desk"
