"""Reading a sender's object field by field: what is wrong is refused with a stable code and the field's path.

``null`` counts as absent. Numbers may come as numbers or as strings, and keep every digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from engine.errors import CommandRefused
from engine.intake.jsontext import JsonNumber, refusal
from engine.model.money import decimal_from_text, is_on_tick, tick_of

LONGEST_NAME: Final = 128
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,6})?", re.ASCII)
# Letters as far as any broker's symbols go (options have 21), with at most one separator: it becomes part of a URL.
_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,21}(?:[./-][A-Z0-9]{1,10})?", re.ASCII)


class Fields:
    """An object with its path inside the body."""

    def __init__(self, values: Mapping[str, Any], path: str = "", theirs: Mapping[str, str] | None = None) -> None:
        self._values = values
        self._path = path
        self._theirs = theirs or {}

    def named(self, theirs: Mapping[str, str]) -> Fields:
        """The same fields, where the sender writes ``theirs[name]`` for our ``name``."""
        return Fields(self._values, self._path, theirs)

    def __contains__(self, name: str) -> bool:
        return self._get(name) is not None

    def names(self) -> set[str]:
        """Theirs, without the absent."""
        return {name for name, value in self._values.items() if value is not None}

    def where(self, name: str) -> str:
        """The path of a field, as the sender writes it."""
        name = self._theirs.get(name, name)
        return f"{self._path}.{name}" if self._path else name

    def _get(self, name: str) -> Any:
        return self._values.get(self._theirs.get(name, name))

    def missing(self, name: str, why: str = "") -> CommandRefused:
        return refusal("MISSING_FIELD", f"{self.where(name)} is missing{why}", self.where(name))

    def wrong_type(self, name: str, expected: str) -> CommandRefused:
        return refusal("WRONG_TYPE", f"{self.where(name)} must be {expected}", self.where(name))

    def refuse_others(self, known: Iterable[str]) -> None:
        """For commands, where an unknown field is a typing error and not a sender's extra."""
        for name in self._values:
            if name not in known:
                field = self.where(name)[:80]
                allowed = ", ".join(known) or "it takes none"
                raise refusal("UNKNOWN_FIELD", f"{field} is no field of this command: {allowed}", field)

    def group(self, name: str) -> Fields | None:
        """The object in a field."""
        if name not in self:
            return None
        value = self._get(name)
        if not isinstance(value, dict):
            raise self.wrong_type(name, "an object")
        return Fields(value, self.where(name))

    def groups(self, name: str) -> list[Fields]:
        """The objects in a list."""
        value = self._get(name)
        assert isinstance(value, list)
        found = []
        for number, entry in enumerate(value):
            where = f"{self.where(name)}[{number}]"
            if not isinstance(entry, dict):
                raise refusal("WRONG_TYPE", f"{where} must be an object", where)
            found.append(Fields(entry, where))
        return found

    def is_list(self, name: str) -> bool:
        return isinstance(self._get(name), list)

    def is_group(self, name: str) -> bool:
        return isinstance(self._get(name), dict)

    def is_true(self, name: str) -> bool:
        return self._get(name) is True

    def flag(self, name: str) -> bool | None:
        if name not in self:
            return None
        value = self._get(name)
        if not isinstance(value, bool):
            raise self.wrong_type(name, "true or false")
        return value

    def text(self, name: str, *, longest: int = LONGEST_NAME) -> str | None:
        """Without blanks around it; empty counts as absent."""
        if name not in self:
            return None
        value = self._get(name)
        if not isinstance(value, str):
            raise self.wrong_type(name, "text")
        text = str(value).strip()
        if len(text) > longest:
            raise refusal("TOO_LONG", f"{self.where(name)} is longer than {longest} characters", self.where(name))
        return text or None

    def label(self, name: str) -> str | None:
        """A name that is shown, stored and compared: one line of printable characters."""
        text = self.text(name)
        if text is not None and not text.isprintable():
            raise refusal("BAD_TEXT", f"{self.where(name)} holds characters that cannot be printed", self.where(name))
        return text

    def labels(self, name: str) -> list[str]:
        """A list of names; absent is empty."""
        if name not in self:
            return []
        value = self._get(name)
        if not isinstance(value, list):
            raise self.wrong_type(name, "a list of names")
        names = [each.strip() for each in value if isinstance(each, str) and not isinstance(each, JsonNumber)]
        if len(names) < len(value) or not all(names):
            raise self.wrong_type(name, "a list of names")
        return names

    def word[W: StrEnum](self, name: str, words: type[W], code: str, allowed: Iterable[W] | None = None) -> W | None:
        """One of a vocabulary, whatever its case."""
        text = self.text(name)
        if text is None:
            return None
        choices = tuple(allowed if allowed is not None else words)
        for choice in choices:
            if choice.value == text.lower():
                return choice
        raise refusal(
            code, f"{self.where(name)} is {text[:40]!r}; it must be one of {', '.join(choices)}", self.where(name)
        )

    def number(self, name: str) -> Decimal | None:
        """Any finite number of this world's size."""
        if name not in self:
            return None
        value = self._get(name)
        if not isinstance(value, str):
            raise self.wrong_type(name, "a number")
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            raise self.wrong_type(name, f"a number, not {text[:40]!r}")
        try:
            return decimal_from_text(text)
        except ValueError as error:
            raise refusal("OUT_OF_RANGE", f"{self.where(name)}: {error}", self.where(name)) from None

    def amount(self, name: str) -> Decimal | None:
        """A number above zero."""
        value = self.number(name)
        if value is not None and value <= 0:
            raise refusal("NOT_POSITIVE", f"{self.where(name)} must be above zero, not {value}", self.where(name))
        return value

    def price(self, name: str) -> Decimal | None:
        """An amount on the grid that the broker accepts orders on."""
        value = self.amount(name)
        if value is not None and not is_on_tick(value):
            text = f"{self.where(name)} is {value}; prices at this level come in steps of {tick_of(value)}"
            raise refusal("SUB_PENNY", text, self.where(name))
        return value

    def symbol(self, name: str) -> str:
        text = self.text(name)
        if text is None:
            raise self.missing(name)
        symbol = text.upper()
        if not _SYMBOL.fullmatch(symbol):
            raise refusal(
                "BAD_SYMBOL", f"{self.where(name)} is {text[:40]!r}, which no symbol looks like", self.where(name)
            )
        return symbol

    def time(self, name: str) -> datetime | None:
        """RFC 3339 with its zone, as UTC."""
        text = self.text(name)
        if text is None:
            return None
        if isinstance(self._get(name), JsonNumber):
            raise self.wrong_type(name, "a time as text, such as 2026-08-21T14:03:07Z")
        try:
            time = datetime.fromisoformat(text)
            if time.tzinfo is None:
                raise refusal(
                    "NAIVE_TIME", f"{self.where(name)} has no time zone: end it with Z or an offset", self.where(name)
                )
            return time.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.wrong_type(name, f"a time such as 2026-08-21T14:03:07Z, not {text[:40]!r}") from None
