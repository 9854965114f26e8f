"""Writes ``docs/configuration.md`` from the schema in ``engine/config.py``, so that the manual follows it.

    python docs/make_configuration.py

The test of the manual runs ``render`` and compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent.parent))

import msgspec
from msgspec import inspect

from engine.config import Config, Section, StrategyRules

PAGE: Final = Path(__file__).parent / "configuration.md"

HEAD: Final = """# Configuration

`greenlight.toml` in the data folder, or the file named by `--config`. Every key may be left out; an empty file is a
desk with the defaults below. A key that is not listed here, or a value outside what is allowed, stops the start with a
sentence that names both. Changes are read at the next start.

```toml
[limits]
max_open_positions = 5
max_order_notional = 25000

[approval]
max_drift_pct = 0.5
```

*This page is made from the schema by `docs/make_configuration.py`.*
"""

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


HEADINGS: Final = {"strategies": "strategies.NAME"}
"""Sections that are not written as they are named."""
NOTES: Final = {
    "strategies": "One table for each strategy, by the name that its signals carry. The table `[strategies.default]` "
    "holds for all that have none of their own.\n\n"
}


def schema(section: str) -> Section:
    """The defaults of a section's keys."""
    found: Section = StrategyRules() if section == "strategies" else getattr(Config(), section)
    return found


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    for section in Config.__struct_fields__:
        heading = HEADINGS.get(section, section)
        parts.append(
            f"\n## [{heading}]\n\n{NOTES.get(section, '')}| key | default | allowed | meaning |\n|---|---|---|---|\n"
        )
        parts.extend(f"| {' | '.join(row)} |\n" for row in _rows(section))
    return "".join(parts)


def _rows(section: str) -> Iterator[tuple[str, str, str, str]]:
    for field in inspect.type_info(type(schema(section))).fields:  # type: ignore[attr-defined]
        node, meaning = field.type, ""
        if isinstance(node, inspect.Metadata):
            meaning = (node.extra_json_schema or {}).get("description", "")
            node = node.type
        default = getattr(schema(section), field.name)
        yield f"`{field.name}`", _default(default), _allowed(node) + _unit(field.name), meaning


def _unit(key: str) -> str:
    return next((f", {unit}" for suffix, unit in UNITS.items() if key.endswith(suffix)), "")


def _default(value: Any) -> str:
    if value is None:
        return "off"
    return f"`{msgspec.json.encode(value).decode()}`"  # of these values JSON and TOML write the same


def _allowed(node: inspect.Type) -> str:
    """What may stand there, in words."""
    match node:
        case inspect.Metadata():
            return _allowed(node.type)
        case inspect.UnionType(types=types):
            words = [_allowed(one) for one in types if not isinstance(one, inspect.NoneType)]
            return " or ".join(words)
        case inspect.LiteralType(values=values):
            return " or ".join(f'`"{value}"`' for value in sorted(values))
        case inspect.BoolType():
            return "`true` or `false`"
        case inspect.IntType() | inspect.FloatType():
            what = "whole number" if isinstance(node, inspect.IntType) else "number"
            return " ".join(filter(None, (what, _bounds(node))))
        case inspect.StrType():
            return "text"
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"list of {_allowed(item)}"
        case inspect.DictType():
            return "table of names and texts"
        case _:
            raise TypeError(f"the manual has no words for {node}")


def _bounds(node: inspect.IntType | inspect.FloatType) -> str:
    words = []
    if node.gt is not None:
        words.append(f"above {node.gt:,g}")
    if node.ge is not None:
        words.append(f"from {node.ge:,g}")
    if node.le is not None:
        words.append(f"{'up ' if not words else ''}to {node.le:,.0f}" if node.le >= 1 else f"to {node.le:g}")
    return " ".join(words)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
