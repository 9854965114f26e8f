"""Something that changed the desk's state by itself, until a person releases it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.model.words import DeskState


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    """``DAILY_LOSS``, ``REJECT_STORM``, ``STREAM_DOWN``, ``UNSETTLED_ORDERS``, or the prop-firm rule that broke."""
    state: DeskState
    """What it sets; a stricter state is left alone."""
    cause: str
    measured: str
    limit: str
    at: datetime
    overridden_by: str | None = None
    """Who released it although its cause stood: it does not trip again before the cause has ended once."""
