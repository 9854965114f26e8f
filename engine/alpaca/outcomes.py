"""How a request can end, in values: what it would have done, what for, and what came back."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Verb(enum.Enum):
    """What the request does at the broker. All but READ are writes."""

    READ = "read"
    SUBMIT = "submit"
    REPLACE = "replace"
    CANCEL = "cancel"
    CONFIGURE = "configure"
    """Changes the account's own settings: the same words twice have the effect of once."""


class Purpose(enum.Enum):
    """What the request is for; it decides whether waiting makes sense."""

    ENTRY = "entry"
    """Opens or adds to a position."""
    PROTECT = "protect"
    """Places or moves a stop or target for held shares."""
    CLOSE = "close"
    """Reduces or closes a position."""
    CANCEL = "cancel"
    REPLACE = "replace"
    """Changes a working order, whichever it is."""
    CONFIGURE = "configure"
    """Changes what the broker lets the account do."""
    READ = "read"


@dataclass(frozen=True, slots=True)
class Response:
    """A whole HTTP answer, whatever it says. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        return "json" in self.headers.get("content-type", "").lower()

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id")


class FailureKind(enum.Enum):
    """Where the way to an answer broke off."""

    DNS = "the broker's name could not be resolved"
    CONNECT_REFUSED = "the broker could not be reached"
    TLS = "no secure connection to the broker could be made"
    TIMEOUT_CONNECT = "no connection to the broker came about in time"
    TIMEOUT_AFTER_SEND = "the broker did not answer in time"
    RESET_AFTER_SEND = "the connection broke before the answer was complete"
    GARBAGE = "the broker's answer was no valid HTTP"


SENT: frozenset[FailureKind] = frozenset(
    {FailureKind.TIMEOUT_AFTER_SEND, FailureKind.RESET_AFTER_SEND, FailureKind.GARBAGE}
)
"""Kinds after which the broker may have read the request."""


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """No (whole) answer came."""

    kind: FailureKind
    detail: str = ""

    @property
    def was_sent(self) -> bool:
        """Whether a byte of the request may have reached the broker."""
        return self.kind in SENT


type Outcome = Response | TransportFailure
