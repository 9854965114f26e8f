"""Answers as JSON: Decimals as plain digits in strings, times RFC 3339 in UTC, absent as null."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from aiohttp import web

from engine.clock import Clock
from engine.errors import CommandRefused
from engine.journal.codec import kind_of
from engine.model.events import Recorded
from engine.model.money import plain

SLICE: Final = 50
"""Rows encoded before the loop gets its turn: well under a millisecond."""

_encode = msgspec.json.Encoder().encode
_MAYBE_EXPONENT: Final = re.compile(rb'"-?\d+(?:\.\d+)?E[+-]?\d+"')


class _Told(msgspec.Struct, frozen=True):
    seq: int
    at: datetime
    kind: str
    subject: str
    payload: msgspec.Raw


def encoded(value: Any) -> bytes:
    """JSON of views, dicts and lists of them."""
    raw = _encode(value)
    # The encoder writes Decimals by str(), which has an exponent now and then; a text may look the same, so only the
    # values themselves can tell.
    return _encode(_without_exponents(value)) if _MAYBE_EXPONENT.search(raw) else raw


def _without_exponents(value: Any) -> Any:
    def walk(found: Any) -> Any:
        match found:
            case Decimal():
                return plain(found)
            case dict():
                return {name: walk(inner) for name, inner in found.items()}
            case list() | tuple():
                return [walk(inner) for inner in found]
            case _:
                return found

    return walk(msgspec.to_builtins(value, builtin_types=(Decimal, datetime)))


def answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=encoded(value), status=status, content_type="application/json")


async def list_answer(name: str, rows: Sequence[Any], clock: Clock, status: int = 200) -> web.Response:
    """``{name: [rows]}``, encoded in slices between which the loop goes on."""
    parts = []
    for start in range(0, len(rows), SLICE):
        if start:
            await clock.sleep(0)
        parts.append(encoded(rows[start : start + SLICE])[1:-1])
    body = b'{"' + name.encode() + b'":[' + b",".join(parts) + b"]}"
    return web.Response(body=body, status=status, content_type="application/json")


def refusal_answer(error: CommandRefused) -> web.Response:
    return error_answer(error.http_status, error.code, error.operator_text, error.field, error.reasons)


def error_answer(
    status: int, code: str, message: str, field: str | None = None, reasons: Sequence[Any] = ()
) -> web.Response:
    """``{"error": {code, message, field}}``, with ``reasons`` when there are any."""
    error: dict[str, Any] = {"code": code, "message": message, "field": field}
    if reasons:
        error["reasons"] = reasons
    return answer({"error": error}, status)


def server_sent(record: Recorded) -> bytes:
    """A fact as one server-sent event."""
    event = record.event
    kind = kind_of(event)
    data = encoded(_Told(record.seq, record.at, kind, event.subject, msgspec.Raw(encoded(event))))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (record.seq, kind.encode(), data)
