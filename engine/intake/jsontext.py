"""JSON from strangers: numbers keep their digits, and whatever is sent, the answer is an object or a refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final, Never

from engine.errors import CommandRefused

MOST_PARTS: Final = 10_000
"""Commas and colons. No signal has a hundred; a mebibyte of brackets would hold up the loop for a third of a second."""
_PLACEHOLDER: Final = re.compile(r"\{\{[^{}]{0,200}\}\}")


class JsonNumber(str):
    """The digits of a JSON number as they were written. Floats would lose them: 187.1 is not 187.1."""

    __slots__ = ()


def refusal(code: str, text: str, field: str | None = None, status: int = 422) -> CommandRefused:
    """A refusal of what was sent: 422, for form."""
    return CommandRefused(code, text, field=field, http_status=status)


def object_from(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body. Numbers are ``JsonNumber``, everything else is as ``json`` makes it.

    Raises:
        CommandRefused: 400 ``MALFORMED_JSON``; 422 for an unfilled placeholder, a doubled or too deep field, text that
            is no text, or anything that is no object.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal("MALFORMED_JSON", f"the body is not UTF-8 text (byte {error.start})", status=400) from None
    if text.count(",") + text.count(":") > MOST_PARTS:
        raise refusal("TOO_COMPLEX", f"the body has more than {MOST_PARTS} parts")
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        if placeholder := _PLACEHOLDER.search(text):
            raise _unfilled(placeholder[0], None) from None
        where = f"line {error.lineno}, column {error.colno}"
        raise refusal("MALFORMED_JSON", f"the body is not JSON: {error.msg} at {where}", status=400) from None
    except RecursionError:
        raise refusal("TOO_DEEP", "the body is nested too deep") from None
    if not isinstance(value, dict):
        raise refusal("WRONG_TYPE", "the body must be a JSON object")
    # Only escapes can hide a brace or half a character, so most bodies need no second look.
    if "{{" in text or "\\u" in text:
        for path, found in _texts(value):
            _check_text(path, found)
    return value


def _texts(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text and every key with its path, without recursion."""
    todo: list[tuple[str, Any]] = [("", value)]
    while todo:
        path, found = todo.pop()
        if isinstance(found, dict):
            for key, inner in found.items():
                inside = f"{path}.{key}" if path else key
                yield inside, key
                todo.append((inside, inner))
        elif isinstance(found, list):
            todo.extend((f"{path}[{number}]", inner) for number, inner in enumerate(found))
        elif isinstance(found, str):
            yield path, found


def _check_text(path: str, text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            field = path.encode("ascii", "backslashreplace").decode()[:80]
            raise refusal("BAD_TEXT", f"{field} holds half a character (a lone surrogate)", field) from None
    if "{{" in text and (placeholder := _PLACEHOLDER.search(text)):
        raise _unfilled(placeholder[0], path)


def _unfilled(placeholder: str, field: str | None) -> CommandRefused:
    where = f" in {field}" if field else ""
    return refusal("UNFILLED_PLACEHOLDER", f"{placeholder}{where} was not filled in by the sender", field)


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # ``found`` keeps the order of first appearance: the two lists part at the first repetition.
        doubled = next(name for (name, _), kept in zip_longest(pairs, found) if name != kept)
        field = doubled.encode("ascii", "backslashreplace").decode()[:80]
        # Most parsers take the last, some the first: with orders that is no matter of taste.
        raise refusal("DUPLICATE_FIELD", f"{field} stands in one object twice", field)
    return found


def _no_constant(name: str) -> Never:
    raise refusal("MALFORMED_JSON", f"the body is not JSON: it holds {name}", status=400)


_decoder: Final = json.JSONDecoder(
    parse_float=JsonNumber,
    parse_int=JsonNumber,
    parse_constant=_no_constant,
    object_pairs_hook=_object_without_doubles,
)
