from __future__ import annotations

import re
from pathlib import Path

from engine.clock import SystemClock
from engine.intake.drill_routes import DrillCalls
from engine.intake.formats.detect import FORMATS
from engine.intake.routes import Calls
from engine.intake.sse import EventStreams
from tests.wire.api.scripted import ScriptedDesk, ScriptedDrills

ROOT = Path(__file__).parents[3]
MANUAL = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "engine" / "intake").rglob("*.py"))


async def test_the_manual_lists_every_call_and_no_other() -> None:
    desk = ScriptedDesk()
    routes = Calls(desk, SystemClock(), EventStreams(desk, SystemClock())).routes()
    routes += DrillCalls(ScriptedDrills()).routes()
    documented = re.findall(r"^\| `((?:GET|POST|DELETE|PATCH) /v1/[^`?]*)` \|", MANUAL, re.MULTILINE)
    assert sorted(documented) == sorted(f"{route.method} {route.path}" for route in routes)


def test_the_manual_lists_every_code_that_the_intake_gives() -> None:
    given = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+|INTERNAL|DENIED|UNAUTHORIZED)"', SOURCES))
    assert len(given) > 30
    assert {code for code in given if f"`{code}`" not in MANUAL} == set()


def test_the_manual_lists_every_format() -> None:
    assert re.findall(r"^\| `(\w+)` \| .* \| .* \|$", MANUAL.partition("`?format=`")[2], re.MULTILINE)[
        : len(FORMATS)
    ] == [*FORMATS]
