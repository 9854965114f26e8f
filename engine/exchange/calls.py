"""One call to an endpoint, and the parameters that several endpoints read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from engine.exchange.errors import malformed

DIRECTIONS: Final = frozenset({"asc", "desc"})


class Call(NamedTuple):
    """The variable parts of the path, the query, the body."""

    arguments: list[str]
    query: dict[str, str]
    body: bytes


Answer = tuple[int, Any]
"""HTTP status and JSON value; None is an empty body."""

Route = tuple[tuple[str, ...], Callable[[Call], Answer]]
"""Method and path parts (``*`` is a variable), and the endpoint."""


def order_id_of(text: str) -> str:
    """An order id in its canonical form; Alpaca answers anything else as a missing id."""
    compact = text.lower().replace("-", "")
    if len(compact) != 32 or any(c not in "0123456789abcdef" for c in compact):
        raise malformed("order_id is missing")
    return f"{compact[:8]}-{compact[8:12]}-{compact[12:16]}-{compact[16:20]}-{compact[20:]}"


def time_ns(query: dict[str, str], name: str) -> int | None:
    """RFC 3339, a date, or None when absent. A plus sign that a client did not escape arrives as a space."""
    text = query.get(name)
    if not text:
        return None
    return parse_time(text.replace(" ", "+"), name)


def parse_time(text: str, name: str) -> int:
    """Nanoseconds since the epoch; times without an offset are UTC, more than six digits are cut."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise malformed(f"invalid {name}: {text}") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since // timedelta(microseconds=1)) * 1000
