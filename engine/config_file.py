"""The settings file, read and checked. What cannot be used stops the start with one sentence that names it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec

from engine.config import Config, StrategyRules
from engine.errors import EngineError

PATTERNS: Final = {
    "user_file": "allowed is the name of a Python file, such as rules.py",
    "url": "allowed is an https:// address, or http:// of this machine",
    "windows": "allowed are times such as 09:45-11:30",
    "allow_symbols": "allowed are symbols in capital letters, such as BRK.B",
    "deny_symbols": "allowed are symbols in capital letters, such as BRK.B",
}
"""What is allowed where the schema only has a pattern for it."""


class ConfigError(EngineError):
    """The file cannot be used; the text names file, key, what was found and what is allowed."""


def load_config(path: Path, *, required: bool) -> Config:
    """The file's settings; the defaults when it is absent and not ``required``.

    Raises:
        ConfigError: absent though required, not TOML, an unknown key, or a value outside what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if required:
            raise ConfigError(f"{path}: there is no such file") from None
        return Config()
    except (OSError, UnicodeDecodeError) as why:
        raise ConfigError(f"{path}: cannot be read: {why}") from why
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as why:
        raise ConfigError(f"{path}: is not valid TOML: {why}") from why
    return config_from_table(table, str(path))


def config_from_table(table: dict[str, Any], where: str) -> Config:
    _check_strategies(table, where)
    try:
        return msgspec.convert(table, Config, strict=True)
    except msgspec.ValidationError as why:
        raise ConfigError(f"{where}: {_named(str(why), table)}") from why


def _check_strategies(table: dict[str, Any], where: str) -> None:
    """Each strategy's table for itself: msgspec's word for a wrong one would not name the strategy."""
    strategies = table.get("strategies")
    for name, rules in strategies.items() if isinstance(strategies, dict) else ():
        try:
            msgspec.convert(rules, StrategyRules, strict=True)
        except msgspec.ValidationError as why:
            what, _, path = str(why).partition(" - at `$.")
            inside = f".{path.rstrip('`')}" if path else ""
            raise ConfigError(f"{where}: {_named(f'{what} - at `$.strategies.{name}{inside}`', table)}") from why
        for window in rules.get("windows", ()):
            begin, _, end = window.partition("-")
            if begin >= end:
                raise ConfigError(
                    f"{where}: strategies.{name}.windows = {window}: the end is allowed after the beginning only"
                )


def _named(message: str, table: dict[str, Any]) -> str:
    """msgspec's ``Expected `int` >= 1 - at `$.limits.max_order_qty``` with key, found value and what is allowed."""
    what, _, path = message.partition(" - at `$.")
    keys = path.rstrip("`").split(".") if path else []
    if "unknown field" in what:
        where = f"[{'.'.join(keys)}]: " if keys else ""
        return f"{where}{what} (known: {', '.join(_section(keys).__struct_fields__)})"
    if not keys:
        return message
    keys[-1] = keys[-1].partition("[")[0]  # of a list the whole is told
    allowed = _words_of(keys)
    reason = f"allowed are {', '.join(allowed)}" if allowed else what[0].lower() + what[1:]
    reason = PATTERNS.get(keys[-1], reason) if "regex" in what else reason
    return f"{'.'.join(keys)} = {_found(table, keys)}: {reason}"


def _section(keys: list[str]) -> type[msgspec.Struct]:
    if keys and keys[0] == "strategies":
        return StrategyRules
    return type(getattr(Config(), keys[0])) if keys else Config


def _words_of(keys: list[str]) -> list[str]:
    """The words a key may hold, when it holds one of a few."""
    for field in msgspec.structs.fields(_section(keys)):
        if field.name == keys[-1]:
            kind = get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type
            kinds = (kind, *get_args(kind))  # absent may be allowed too
            return [str(word) for one in kinds if get_origin(one) is Literal for word in get_args(one)]
    return []


def _found(table: dict[str, Any], keys: list[str]) -> str:
    """The value as it was written; tokens and secret addresses are never repeated."""
    if keys[0] in ("api", "heartbeat"):
        return "…"
    found: Any = table
    for key in keys:
        found = found.get(key, "nothing") if isinstance(found, dict) else found
    return str(found)
