"""What surrounds a signal whatever its format: its sender, its arrival, its time to live, and what it is known by."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from engine.intake.fields import Fields
from engine.intake.jsontext import refusal

DEFAULT_SOURCE: Final = "api"
"""Of a body that names none, sent with the operator's own token."""
DEFAULT_TTL_S: Final = 60.0
LONGEST_TTL_S: Final = 86_400


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    raw: bytes
    source: str | None
    """Of the token that it came with; None when the body may name one freely."""
    received_at: datetime
    default_ttl_s: float = DEFAULT_TTL_S

    def source_of(self, named: str | None) -> str:
        """The token's source, which the body may repeat but not contradict.

        Raises:
            CommandRefused: 403 ``SOURCE_MISMATCH``.
        """
        if self.source is None:
            return named or DEFAULT_SOURCE
        if named is not None and named != self.source:
            text = f"this token belongs to the source {self.source!r} and cannot speak for {named[:40]!r}"
            raise refusal("SOURCE_MISMATCH", text, "source", status=403)
        return self.source

    def source_id_of(self, named: str | None) -> str:
        """The sender's id, or one that the same body gets again within the same minute."""
        if named is not None:
            return named
        minute = self.received_at.replace(second=0, microsecond=0).isoformat()
        return "body-" + sha256(self.raw + minute.encode()).hexdigest()[:32]

    def expires_at(self, fields: Fields, name: str = "expires_in_s") -> datetime:
        """Raises:
        CommandRefused: ``EXPIRES_OUT_OF_RANGE``.
        """
        ttl = fields.number(name)
        if ttl is None:
            return self.received_at + timedelta(seconds=self.default_ttl_s)
        if not 1 <= ttl <= LONGEST_TTL_S:
            text = f"{fields.where(name)} must lie between 1 and {LONGEST_TTL_S} seconds, not {ttl}"
            raise refusal("EXPIRES_OUT_OF_RANGE", text, fields.where(name))
        return self.received_at + timedelta(seconds=float(ttl))
