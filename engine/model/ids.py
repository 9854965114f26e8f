"""Identities, all derived from small counters in the journal, so that recovery can derive them too.

A signal, its bracket and its orders share one number: signal ``s000017`` becomes bracket ``b000017`` whose orders
carry client ids such as ``gl-7f3a2c-000017-entry-1``. The middle part is the desk's own id, made once per journal:
Alpaca wants client ids unique for the life of the account, and another desk's orders must be told from ours.
"""

from __future__ import annotations

import re
import secrets
from typing import Final, NamedTuple

PREFIX: Final = "gl"
_OURS: Final = re.compile(
    rf"^{PREFIX}-(?P<desk>[0-9a-f]{{6}})-(?P<number>\d{{6,}}(?:r\d+)?)-(?P<purpose>[a-z]+)-(?P<attempt>\d+)\Z"
)


def new_desk_id() -> str:
    return secrets.token_hex(3)


def signal_id(number: int) -> str:
    return f"s{number:06d}"


def bracket_id_of(signal: str) -> str:
    """The bracket that approving this signal makes."""
    return "b" + signal[1:]


def incident_id(number: int) -> str:
    return f"i{number:06d}"


def mandate_id(number: int) -> str:
    return f"m{number:04d}"


def client_order_id(desk_id: str, bracket_id: str, purpose: str, attempt: int) -> str:
    """``purpose`` is a lower-case word (``entry``, ``oco``, ``stop``, ``close``, ``patch``); attempts count from 1."""
    return f"{PREFIX}-{desk_id}-{bracket_id[1:]}-{purpose}-{attempt}"


def desk_of(client_id: str) -> str | None:
    """The id of the desk that made this client order id, or None when no Greenlight desk did."""
    match = _OURS.match(client_id)
    return match["desk"] if match else None


class Parts(NamedTuple):
    """What a client order id of ours says."""

    bracket_id: str
    purpose: str
    attempt: int


def parts_of(client_id: str, desk_id: str) -> Parts | None:
    """The trade and the purpose of an order that this desk made, from its id alone; None of anybody else's."""
    match = _OURS.match(client_id)
    if match is None or match["desk"] != desk_id:
        return None
    return Parts(bracket_id="b" + match["number"], purpose=match["purpose"], attempt=int(match["attempt"]))


def leg_id(parent_id: str, role_suffix: str) -> str:
    """Our id of a child order whose client id the broker makes up: ``tp`` or ``sl`` behind the parent's."""
    return f"{parent_id}.{role_suffix}"
