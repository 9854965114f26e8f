"""``main.py second-person`` as a person uses it: what it prints goes into the file as it is, and opens a halt."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.config_file import load_config
from engine.halt.second_person import SecondPerson
from engine.model.commands import Agreement
from tests.nightly.processes import ROOT

WORD = "neuf bouteilles cassées"


async def run(name: str, typed: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "main.py",
        "second-person",
        name,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, told = await process.communicate(typed.encode())
    return process.returncode, said.decode(), told.decode()


async def test_its_lines_are_the_configuration_of_several_people(tmp_path: Path) -> None:
    file = tmp_path / "greenlight.toml"
    lines = []
    for name in ("ben", 'Cid "the lid" B.'):
        status, line, _ = await run(name, f"{WORD} of {name}\n")
        assert status == 0
        assert "bouteilles" not in line
        lines.append(line)
    file.write_text("[halt]\n" + "".join(lines), encoding="utf-8")
    person = SecondPerson(load_config(file, required=True).halt.second_persons, SystemClock())
    assert person.names == ("ben", 'Cid "the lid" B.')
    for name in person.names:
        assert await person.agreed(Agreement(name, f"{WORD} of {name}"), actor="window") == name


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("ben", "short\n", "A word of 8 characters is needed"),
        ("ben", "", "A word of 8 characters is needed"),
        ("window", f"{WORD}\n", "is what the first person is called"),
        ("  ", f"{WORD}\n", "a name has 1 to 64 printable characters"),
    ],
)
async def test_what_cannot_be_sealed_is_one_sentence(name: str, typed: str, said: str) -> None:
    status, line, told = await run(name, typed)
    assert status != 0
    assert line == ""
    assert said in told
