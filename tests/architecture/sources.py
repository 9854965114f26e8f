"""The engine's own sources, as text and as trees, for tests that read them."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
VERDICTS: Final = frozenset({"denied", "warned", "passed", "verdict", "_exposure_pct"})
"""Functions of the gate whose first text is a reason's code."""


@cache
def files(*folders: str) -> tuple[Path, ...]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found, f"no sources in {folders}"
    return tuple(found)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with its dotted name; of a call on an expression only ``.name``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield _dotted(node.func), node


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def names(path: Path) -> set[str]:
    """Every name and attribute that the code uses."""
    found = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    found |= {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    imported = (node for node in ast.walk(tree(path)) if isinstance(node, ast.Import | ast.ImportFrom))
    return found | {alias.name for node in imported for alias in node.names}


def comments(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def reason_codes() -> set[str]:
    """Every code that a verdict of the gate can carry, read from the calls that make them."""
    found = set()
    for path in (*files("engine/rules", "engine/pipeline"), ROOT / "engine/approval.py"):
        for name, call in calls(path):
            texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if name in VERDICTS and texts:
                found.add(texts[0])
    # The meters of prop-firm mode are verdicts too; each names its code where it is made.
    meters = (ROOT / "engine/prop/meters.py").read_text(encoding="utf-8")
    return found | set(re.findall(r'"(PROP_[A-Z_]+)"', meters))
