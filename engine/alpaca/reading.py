"""From JSON bytes to typed values, lenient where the broker may change and strict where money is read.

Lenient: unknown fields are ignored, unknown words stay plain strings, a missing or null optional field takes its
default, numbers come as strings or as JSON numbers. Strict: identity fields must be there, a number must be a
finite decimal of a sane size, and a time must carry its zone. A row that breaks a strict rule becomes an
``Unreadable`` beside its neighbours; it never takes them along and never turns into an empty value.

Numbers never pass through a float: JSON numbers reach ``Decimal`` as their own digits. Times keep microseconds;
the broker's nanoseconds are cut, never rounded up, so that no event seems to come from the future.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, Final, Union, get_args, get_origin

import msgspec

MAX_NUMBER_LENGTH: Final = 64
"""Characters; the longest number seen is a ratio of some 20 digits."""
MAX_MAGNITUDE: Final = 18
"""Power of ten of the largest number believed: no account, price or volume comes near."""
MAX_RAW_LENGTH: Final = 4_000
"""Characters of an unreadable row that are kept as evidence."""

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,4})?", re.ASCII)
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ROWS_DECODER: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ROW_MAP_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Malformed(ValueError):
    """Bytes or a row that cannot be read; the text says which field and what was found."""


class Unreadable(msgspec.Struct, frozen=True):
    """A row that was received and could not be read. It is evidence: journal it, and ask the broker again."""

    raw: str
    """The row as it came, cut to ``MAX_RAW_LENGTH`` characters."""
    why: str


@dataclass(frozen=True, slots=True)
class Rows[T]:
    """A list as the broker sent it: what could be read, and what could not."""

    items: tuple[T, ...]
    unreadable: tuple[Unreadable, ...] = ()


def decode(body: bytes | str) -> Any:
    """Any JSON value, with exact numbers. Raises ``Malformed``."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed(f"not JSON: {error}") from error


def decode_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object. Raises ``Malformed``."""
    value = decode(body)
    if not isinstance(value, dict):
        raise Malformed(f"expected a JSON object, found {_shown(value)}")
    return value


def split_rows(body: bytes) -> list[msgspec.Raw]:
    """The undecoded elements of a JSON array. Raises ``Malformed`` when it is none."""
    try:
        return _ROWS_DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Malformed(f"expected a JSON array: {error}") from error


def split_map(body: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The undecoded values of a JSON object by key. Raises ``Malformed`` when it is none."""
    try:
        return _ROW_MAP_DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Malformed(f"expected a JSON object: {error}") from error


def read_rows[T](raws: Iterable[msgspec.Raw], reader: Callable[[dict[str, Any]], T]) -> Rows[T]:
    """Each row by itself: a bad one is set aside with its reason."""
    items: list[T] = []
    unreadable: list[Unreadable] = []
    for raw in raws:
        try:
            items.append(reader(decode_object(bytes(raw))))
        except Malformed as error:
            unreadable.append(unreadable_from(bytes(raw), error))
    return Rows(tuple(items), tuple(unreadable))


def unreadable_from(raw: bytes | str, why: Exception | str) -> Unreadable:
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
    return Unreadable(text[:MAX_RAW_LENGTH], str(why))


def read[T: msgspec.Struct](kind: type[T], row: object, /, **known: object) -> T:
    """One struct from one JSON object.

    ``known`` gives fields that the row doesn't carry (a map's key, an arrival time). The wire name of a field is
    the struct's own renaming (``msgspec.field(name=...)``). Raises ``Malformed`` naming the field.
    """
    if not isinstance(row, dict):
        raise Malformed(f"expected a JSON object, found {_shown(row)}")
    values: dict[str, object] = dict(known)
    for name, wire_name, convert, required in _plan(kind):
        if name in values:
            continue
        found = row.get(wire_name)
        try:
            value = None if found is None else convert(found)
        except Malformed as error:
            raise Malformed(f"{kind.__name__}.{wire_name}: {error}") from error
        if value is not None:
            values[name] = value
        elif required:
            raise Malformed(f"{kind.__name__}.{wire_name} is missing")
    return kind(**values)


def number_from(value: object) -> Decimal | None:
    """A finite decimal; an empty string is none. Raises ``Malformed`` for anything else."""
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if len(text) > MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
            raise Malformed(f"not a number: {_shown(value)}")
        number = Decimal(text)
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    else:
        raise Malformed(f"not a number: {_shown(value)}")
    if not number.is_finite() or number.adjusted() > MAX_MAGNITUDE:
        raise Malformed(f"not a believable number: {_shown(value)}")
    return number


def moment_from(value: object) -> datetime | None:
    """An aware UTC time; an empty string is none. Raises ``Malformed`` without a zone."""
    if not isinstance(value, str):
        raise Malformed(f"not a time: {_shown(value)}")
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise Malformed(f"a time without zone: {_shown(value)}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed(f"not a time: {_shown(value)}") from error


def _text_from(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)  # an id that is a number on the wire (a trade's, for one)
    raise Malformed(f"not a text: {_shown(value)}")


def _text_or_none_from(value: object) -> str | None:
    return _text_from(value) or None


def _flag_from(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    raise Malformed(f"neither true nor false: {_shown(value)}")


def _integer_from(value: object) -> int | None:
    number = number_from(value)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise Malformed(f"not a whole number: {_shown(value)}")
    return int(number)


def _texts_from(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Malformed(f"not a list: {_shown(value)}")
    return tuple(str(entry) for entry in value)


def _date_from(value: object) -> date | None:
    if not isinstance(value, str):
        raise Malformed(f"not a date: {_shown(value)}")
    try:
        return date.fromisoformat(value[:10]) if value else None
    except ValueError as error:
        raise Malformed(f"not a date: {_shown(value)}") from error


def _wall_time_from(value: object) -> time | None:
    if not isinstance(value, str):
        raise Malformed(f"not a time of day: {_shown(value)}")
    try:
        return time.fromisoformat(value) if value else None
    except ValueError as error:
        raise Malformed(f"not a time of day: {_shown(value)}") from error


type _Converter = Callable[[object], object]

_CONVERTERS: Final[dict[object, _Converter]] = {
    str: _text_from,
    Decimal: number_from,
    datetime: moment_from,
    bool: _flag_from,
    int: _integer_from,
    date: _date_from,
    time: _wall_time_from,
    tuple[str, ...]: _texts_from,
}


@cache
def _plan(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, _Converter, bool], ...]:
    """Per field: its name, its name on the wire, its converter, whether it must be there."""
    return tuple(
        (field.name, field.encode_name, _converter_of(field.type, is_required=field.required), field.required)
        for field in msgspec.structs.fields(kind)
    )


def _converter_of(annotation: Any, *, is_required: bool) -> _Converter:
    is_optional = False
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        assert len(kinds) == 1, f"a wire field has one type, found {annotation}"
        annotation, is_optional = kinds[0], True
    if annotation is str and (is_optional or is_required):
        return _text_or_none_from  # an empty id is no id
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        nested = annotation
        return lambda value: read(nested, value)
    if annotation is float or (get_origin(annotation) is tuple and annotation != tuple[str, ...]):
        return _never_on_the_wire
    return _CONVERTERS[annotation]


def _never_on_the_wire(_: object) -> object:
    """For fields that only ``known`` sets; a broker that sends one is ignored."""
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
