"""The manual says what the program does: pages that can rot are compared with the code."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest

from engine.config import Config
from engine.settings import settings_of
from tests.architecture.sources import ROOT, reason_codes

CONFIGURATION = ROOT / "docs" / "configuration.md"
GATE = ROOT / "docs" / "gate.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)


def the_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_configuration", ROOT / "docs" / "make_configuration.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    return maker


def test_the_page_of_the_configuration_is_the_one_that_the_schema_makes() -> None:
    assert CONFIGURATION.read_text(encoding="utf-8") == the_maker().render(), "run: python docs/make_configuration.py"


@pytest.mark.parametrize("section", Config.__struct_fields__)
def test_every_key_stands_in_the_manual_under_its_section(section: str) -> None:
    page = CONFIGURATION.read_text(encoding="utf-8")
    heading = the_maker().HEADINGS.get(section, section)
    part = page.split(f"\n## [{heading}]\n")[1].split("\n## ")[0]
    keys = [setting.key for setting in settings_of(section)]
    assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == keys


def test_every_reason_of_the_gate_has_a_sentence_and_what_to_do() -> None:
    rows = {code: (says, action) for code, says, action in ROW.findall(GATE.read_text(encoding="utf-8"))}
    assert reason_codes() - rows.keys() == set(), "docs/gate.md misses these"
    assert rows.keys() - reason_codes() == set(), "no rule says these any more"
    assert all(says.endswith(".") and action.endswith(".") for says, action in rows.values())


def test_the_gate_has_as_many_codes_as_the_reader_of_its_sources_believes() -> None:
    """A code made in a way that the reader does not see would escape the manual."""
    shouted = set()
    for folder in ("rules", "pipeline"):
        for path in (ROOT / "engine" / folder).glob("*.py"):
            shouted |= set(re.findall(r'"([A-Z][A-Z_]{3,})"', path.read_text(encoding="utf-8")))
    assert shouted <= reason_codes()
    assert len(reason_codes()) > 35


def test_keys_named_on_the_page_of_the_gate_exist() -> None:
    for section, key in re.findall(r"`\[(\w+)\] (\w+)`", GATE.read_text(encoding="utf-8")):
        assert hasattr(getattr(Config(), section), key), f"[{section}] {key}"
