"""What a person types under a column's head, and which rows it lets through.

    tsla            the cell says it, anywhere, whatever the case
    tsla|qqq        one of them
    !cancel         it does not say it
    =new            it says just that
    >100  <=0.5     the number in the cell
    10..20          between, both ends included

Numbers are compared by value, never as text: by that which the column sorts by, and where that is none by the one that
the cell begins with. Of a time it is the seconds, in the cell and in the field: ``4:10`` is 250.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

type Admits = Callable[[str, Any], bool]
"""Given a cell in words and the value that its column sorts by."""

HELP: Final = "tsla|qqq   !cancel   =new   >100   <=0.5   10..20"

_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_NUMBER: Final = re.compile(r"[-+−]?\$?\d[\d,]*(\.\d+)?", re.ASCII)
_TIME: Final = re.compile(r"(?:(\d+):)?(\d+):(\d\d)", re.ASCII)


class BadFilter(ValueError):
    """What was typed cannot be read; the text says what is expected."""


def read_filter(text: str) -> Admits | None:
    """None when nothing was typed.

    Raises:
        BadFilter: a comparison without a number.
    """
    text = text.strip()
    if not text:
        return None
    sign = next((sign for sign in _COMPARED if text.startswith(sign)), "")
    rest = text.removeprefix(sign).strip()
    if sign:
        bound = _number(rest)
        if bound is not None:
            return _compares(_COMPARED[sign], bound)
        if sign != "=" or not rest:
            raise BadFilter(f"After {sign} comes a number, as in {sign}12.5")
        return lambda words, _value: words.casefold() == rest.casefold()
    if ".." in text:
        least, most = (_number(part.strip()) for part in text.split("..", 1))
        if least is None or most is None:
            raise BadFilter("Between two numbers, as in 10..20")
        at_least, at_most = _compares(operator.ge, least), _compares(operator.le, most)
        return lambda words, value: at_least(words, value) and at_most(words, value)
    if text.startswith("!"):
        unwanted = text[1:].strip().casefold()
        return (lambda words, _value: unwanted not in words.casefold()) if unwanted else None
    wanted = [part for each in text.split("|") if (part := each.strip().casefold())]
    return (lambda words, _value: any(part in words.casefold() for part in wanted)) if wanted else None


def _compares(how: Callable[[Any, Any], bool], bound: Decimal) -> Admits:
    def admits(words: str, value: Any) -> bool:
        found = Decimal(str(value)) if isinstance(value, int | float | Decimal) else _first_number(words)
        return found is not None and how(found, bound)

    return admits


def _number(text: str) -> Decimal | None:
    return _first_number(text) if _NUMBER.fullmatch(text) or _TIME.fullmatch(text) else None


def _first_number(words: str) -> Decimal | None:
    """As it is written here: with commas between thousands, a dollar sign, and a long minus; a time in seconds."""
    time = _TIME.match(words.strip())
    if time is not None:
        hours, minutes, seconds = (int(part or 0) for part in time.groups())
        return Decimal(3_600 * hours + 60 * minutes + seconds)
    found = _NUMBER.match(words.strip())
    return None if found is None else Decimal(found[0].replace(",", "").replace("$", "").replace("−", "-"))
