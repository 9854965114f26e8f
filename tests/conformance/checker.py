"""Holds every answer of the exchange to Alpaca's own schemas, while other tests ask it for other reasons.

``watched`` wraps the sans-IO handler. What an answer has wrong is noted and not raised, so that the client under test
lives on; who opened the watch looks at the notes. The controls below ``/_exchange`` are ours and not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock
from uuid import UUID

import fastjsonschema
import msgspec

from engine.exchange.data_rest import DataRest
from engine.exchange.rest import CONTROL_PREFIX, Request, Response, Rest

SCHEMAS: Final[dict[str, Any]] = msgspec.json.decode(Path(__file__).with_name("schemas.json").read_bytes())
NO_CODE: Final = frozenset({"unauthorized."})
"""Refusals that Alpaca's gateway writes, without a code; those of the market data API never have one."""


def _is(kind: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            kind(text)
        except ValueError:
            return False
        return True

    return check


FORMATS: Final = {"uuid": _is(UUID), "date-time": _is(datetime.fromisoformat), "date": _is(date.fromisoformat)}


@cache
def _calls() -> list[tuple[str, re.Pattern[str], dict[str, Any], str]]:
    found = []
    for call, answers in SCHEMAS["calls"].items():
        method, path = call.split(" ", 1)
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+(/[^/]+)?" if "symbol" in path else "[^/]+", re.escape(path))
        found.append((method, re.compile(pattern), answers, call))
    return sorted(found, key=lambda row: "{" in row[3])  # a fixed path before one with a variable


@cache
def _validator(call: str, status: str) -> Callable[[Any], Any] | None:
    schema = SCHEMAS["calls"][call][status]
    return None if schema is None else _compiled(schema)


@cache
def shape_of(name: str) -> Callable[[Any], Any]:
    """Raises ``fastjsonschema.JsonSchemaValueException`` for what is no documented ``name`` (``Order``)."""
    return _compiled({"$ref": f"#/definitions/{name}"})


def _compiled(schema: dict[str, Any]) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = fastjsonschema.compile(
        schema | {"definitions": SCHEMAS["definitions"]}, formats=FORMATS
    )
    return made


def wrong(request: Request, response: Response) -> str | None:
    """What is wrong with the answer, None when it is as documented."""
    if request.path.startswith(CONTROL_PREFIX):
        return None
    name = f"{request.method} {request.path} -> {response.status}"
    if response.status >= 400:
        found = _wrong_refusal(response, DataRest.owns(request.path))
        return None if found is None else f"{name}: {found}"
    known = next((row for row in _calls() if row[0] == request.method and row[1].fullmatch(request.path)), None)
    if known is None:
        return f"{name}: Alpaca documents no such call"
    answers, call = known[2], known[3]
    if str(response.status) not in answers:
        return f"{name}: documented are {', '.join(answers)}"
    validate = _validator(call, str(response.status))
    if validate is None:
        return f"{name}: the body should be empty" if response.body else None
    try:
        validate(msgspec.json.decode(response.body))
    except (fastjsonschema.JsonSchemaValueException, msgspec.DecodeError) as error:
        return f"{name}: {error}"
    return None


def _wrong_refusal(response: Response, of_data: bool) -> str | None:
    body = msgspec.json.decode(response.body)
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return f"a refusal without a message: {body}"
    code = body.get("code")
    if code is None:
        return None if of_data or body["message"] in NO_CODE else f"a refusal without a code: {body}"
    prefix = str(code)[:3]
    # Validation failures keep the prefix 400 although their status is 422.
    fits = prefix == str(response.status) or (response.status == 422 and prefix == "400")
    return None if isinstance(code, int) and len(str(code)) == 8 and fits else f"a code that does not fit: {body}"


@contextmanager
def watched() -> Iterator[list[str]]:
    """Gives the list that grows by a line for every answer that is not as documented.

    Of watches within each other the innermost notes.
    """
    notes: list[str] = []
    handle = getattr(Rest.handle, "unwatched", Rest.handle)

    def handle_and_look(self: Rest, request: Request) -> Response:
        response = handle(self, request)
        found = wrong(request, response)
        if found is not None:
            notes.append(found)
        return response

    handle_and_look.unwatched = handle  # type: ignore[attr-defined]
    with mock.patch.object(Rest, "handle", handle_and_look):
        yield notes
