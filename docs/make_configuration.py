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

from engine.config import Config
from engine.settings import settings_of

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

HEADINGS: Final = {"strategies": "strategies.NAME"}
"""Sections that are not written as they are named."""
NOTES: Final = {
    "strategies": "One table for each strategy, by the name that its signals carry. The table `[strategies.default]` "
    "holds for all that have none of their own.\n\n"
}


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
    for setting in settings_of(section):
        unit = f", {setting.unit}" if setting.unit else ""
        yield f"`{setting.key}`", _default(setting.default), setting.allowed + unit, setting.meaning


def _default(value: Any) -> str:
    if value is None:
        return "off"
    return f"`{msgspec.json.encode(value).decode()}`"  # of these values JSON and TOML write the same


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
