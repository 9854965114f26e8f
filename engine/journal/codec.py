"""Facts to rows and back, and the chain that binds each row to its predecessor.

The payload is the event's JSON with its ``kind`` as tag. Decimals are strings that keep their trailing zeros, times are
UTC. ``at`` always has six digits of a second: equal times have equal texts, and the hash is a function of the fact.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple, get_args

import msgspec

from engine.errors import EngineError
from engine.model.events import AnyEvent, Recorded

GENESIS: Final = "0" * 64
"""Stands for the hash of the predecessor of the first event."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder[AnyEvent](AnyEvent).decode
_UTC_OFFSET: Final = timedelta(0)
_KIND_OF: Final = {event: str(event.__struct_config__.tag) for event in get_args(AnyEvent)}
KINDS: Final = frozenset(_KIND_OF.values())


class JournalUnreadable(EngineError):
    """A row that this program cannot understand."""


class Pending(NamedTuple):
    """An event as it will be written; its hash is computed by the writer, in the order of the chain."""

    seq: int
    at: str
    kind: str
    subject: str
    payload: str


def kind_of(event: AnyEvent) -> str:
    """``signal_received`` for a ``SignalReceived``."""
    return _KIND_OF[type(event)]


def payload_of(event: AnyEvent) -> str:
    """The event as JSON.

    Raises:
        TypeError: it carries something that has no JSON form: a bug of the caller.
    """
    return _encode(event).decode()


def text_of(at: datetime) -> str:
    """``2026-08-21T14:03:07.000000Z``. The time must be aware UTC."""
    assert at.utcoffset() == _UTC_OFFSET, "the journal's times are aware UTC"
    return at.isoformat(timespec="microseconds")[:26] + "Z"


def chain_hash(previous: str, seq: int, at: str, kind: str, payload: str) -> str:
    """Hex sha256 that proves this event and all before it."""
    # JSON escapes line ends, so the separator cannot occur inside a part.
    return sha256(f"{previous}\n{seq}\n{at}\n{kind}\n{payload}".encode()).hexdigest()


def recorded_of(seq: int, at: str, payload: str) -> Recorded:
    """The fact in a row.

    Raises:
        JournalUnreadable: names the event and what is wrong with it.
    """
    try:
        return Recorded(seq, datetime.fromisoformat(at), _decode(payload))
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unreadable(seq, payload, error) from error


def _unreadable(seq: int, payload: str, error: Exception) -> JournalUnreadable:
    try:
        kind = json.loads(payload)["kind"]
    except (ValueError, TypeError, KeyError):
        return JournalUnreadable(f"journal event {seq} is not readable: {error}")
    if kind not in KINDS:
        return JournalUnreadable(
            f"journal event {seq} is of the kind {kind!r}, which this version of the program does not know: update it"
        )
    return JournalUnreadable(f"journal event {seq} ({kind}) is not readable: {error}")
