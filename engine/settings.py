"""What can be set, in words, and the file that it is set in.

The schema is ``engine/config.py``; the manual's page and the window's sheet are made from what stands here. The file
belongs to the operator: what is changed is changed in its place, and comments, order and everything else stay.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import inspect

from engine.config import Config, Section, StrategyRules
from engine.config_file import ConfigError, config_from_table

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

Kind = Literal["switch", "whole", "number", "text", "words", "list", "table"]

UNITS: Final = {
    "_s": "seconds",
    "_ms": "milliseconds",
    "_pct": "percent",
    "_qty": "shares",
    "_notional": "account currency",
    "_per_minute": "a minute",
    "_per_day": "a day",
}
"""The unit is the last word of a key."""


class Setting(NamedTuple):
    section: str
    key: str
    kind: Kind
    default: Any
    """None: off."""
    allowed: str
    """In words; values stand in backticks."""
    unit: str
    meaning: str
    words: tuple[str, ...] = ()
    """The choices, where there are a few."""


def settings_of(section: str) -> list[Setting]:
    """The keys of one section; of ``strategies`` those that each of its tables may have."""
    found: Section = StrategyRules() if section == "strategies" else getattr(Config(), section)
    rows = []
    for field in inspect.type_info(type(found)).fields:  # type: ignore[attr-defined]
        node, meaning = field.type, ""
        if isinstance(node, inspect.Metadata):
            meaning = (node.extra_json_schema or {}).get("description", "")
            node = node.type
        unit = next((unit for suffix, unit in UNITS.items() if field.name.endswith(suffix)), "")
        default = getattr(found, field.name)
        rows.append(
            Setting(section, field.name, _kind(node), default, allowed_words(node), unit, meaning, _choices(node))
        )
    return rows


def allowed_words(node: inspect.Type) -> str:
    """What may stand there, in words."""
    match node:
        case inspect.Metadata():
            return allowed_words(node.type)
        case inspect.UnionType(types=types):
            words = [allowed_words(one) for one in types if not isinstance(one, inspect.NoneType)]
            return " or ".join(words)
        case inspect.LiteralType(values=values):
            return " or ".join(f'`"{value}"`' for value in sorted(values, key=str))
        case inspect.BoolType():
            return "`true` or `false`"
        case inspect.IntType() | inspect.FloatType():
            what = "whole number" if isinstance(node, inspect.IntType) else "number"
            return " ".join(filter(None, (what, _bounds(node))))
        case inspect.StrType():
            return "text"
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"list of {allowed_words(item)}"
        case inspect.DictType():
            return "table of names and texts"
        case _:
            raise TypeError(f"the manual has no words for {node}")


def value_of(setting: Setting, text: str) -> Any:
    """What was typed, as the file wants it; None for nothing, which is the default.

    Raises:
        ConfigError: it is no value of that kind. Bounds are the schema's matter.
    """
    text = text.strip()
    if not text:
        return None
    try:
        match setting.kind:
            case "switch":
                return {"true": True, "false": False}[text.casefold()]
            case "whole":
                return int(text.replace(",", ""))
            case "number":
                number = float(text.replace(",", ""))
                return int(number) if number.is_integer() else number
            case "list":
                return [word.strip() for word in text.split(",") if word.strip()]
            case _:
                return text
    except (KeyError, ValueError):
        allowed = setting.allowed.replace("`", "")
        raise ConfigError(f"{setting.section}.{setting.key} = {text}: allowed is {allowed}") from None


class SettingsFile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """What stands in it: section -> key -> value. Empty when there is no file.

        Raises:
            ConfigError: it cannot be read, or is not valid.
        """
        document = self._document()
        config_from_table(document.unwrap(), str(self.path))
        return document.unwrap()

    def check(self, changes: Mapping[tuple[str, str], Any]) -> None:
        """Raises:
        ConfigError: the file could not be used with these changes.
        """
        self._with(changes)

    def save(self, changes: Mapping[tuple[str, str], Any]) -> None:
        """Write these values; None takes a key out. All of them, or the file stays as it was.

        Raises:
            ConfigError: a value that is not allowed, or a file that cannot be written.
        """
        document = self._with(changes)
        beside = self.path.with_name(self.path.name + ".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w", encoding="utf-8") as file:
                file.write(document.as_string())
                file.flush()
                os.fsync(file.fileno())
            if self.path.exists():
                beside.chmod(self.path.stat().st_mode)
            beside.replace(self.path)
        except OSError as why:
            beside.unlink(missing_ok=True)
            raise ConfigError(f"{self.path}: cannot be written: {why.strerror or why}") from why

    def _with(self, changes: Mapping[tuple[str, str], Any]) -> TOMLDocument:
        """The file as it would be, checked as a start checks it."""
        import tomlkit  # most starts never ask

        document = self._document()
        for (section, key), value in changes.items():
            if section not in document:
                if value is None:
                    continue
                document[section] = tomlkit.table()
            table: Any = document[section]
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        config_from_table(document.unwrap(), self.path.name)
        return document

    def _document(self) -> TOMLDocument:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            return tomlkit.parse(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return tomlkit.document()
        except (OSError, UnicodeDecodeError) as why:
            raise ConfigError(f"{self.path}: cannot be read: {why}") from why
        except TOMLKitError as why:
            raise ConfigError(f"{self.path}: is not valid TOML: {why}") from why


def _kind(node: inspect.Type) -> Kind:
    match node:
        case inspect.Metadata():
            return _kind(node.type)
        case inspect.UnionType(types=types):
            return _kind(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case inspect.LiteralType():
            return "words"
        case inspect.BoolType():
            return "switch"
        case inspect.IntType():
            return "whole"
        case inspect.FloatType():
            return "number"
        case inspect.VarTupleType() | inspect.ListType():
            return "list"
        case inspect.DictType():
            return "table"
        case _:
            return "text"


def _choices(node: inspect.Type) -> tuple[str, ...]:
    match node:
        case inspect.Metadata():
            return _choices(node.type)
        case inspect.UnionType(types=types):
            return next((found for one in types if (found := _choices(one))), ())
        case inspect.LiteralType(values=values):
            return tuple(str(value) for value in sorted(values, key=str))
        case _:
            return ()


def _bounds(node: inspect.IntType | inspect.FloatType) -> str:
    words = []
    if node.gt is not None:
        words.append(f"above {node.gt:,g}")
    if node.ge is not None:
        words.append(f"from {node.ge:,g}")
    if node.le is not None:
        words.append(f"{'up ' if not words else ''}to {node.le:,.0f}" if node.le >= 1 else f"to {node.le:g}")
    return " ".join(words)


def shown(value: Any) -> str:
    """A value as it is typed: lists with commas, nothing for what is off."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    if isinstance(value, float):
        return f"{value:g}" if value < 1e6 else f"{value:.0f}"
    return str(value) if not isinstance(value, dict) else msgspec.json.encode(value).decode()
