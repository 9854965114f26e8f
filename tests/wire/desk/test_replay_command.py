"""``main.py replay`` as a person starts it: a window on a day beside a desk, and a sentence where there is none."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.nightly.processes import ROOT
from tests.wire.desk.past_day import live_a_day

PATIENCE_S = 60.0


async def started(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "main.py",
        "replay",
        *arguments,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_day_opens_in_a_window_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    journal, _ = await live_a_day(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    journal.parent.rename(data / "sim")
    before = (data / "sim" / "journal.db").read_bytes()
    process = await started("--data-dir", str(data))
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        assert line.startswith(b"greenlight replay of 20")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (data / "sim" / "journal.db").read_bytes() == before, "nothing was written"
    refused = await started("--data-dir", str(data), "--day", "2020-01-01")
    _, said = await asyncio.wait_for(refused.communicate(), PATIENCE_S)
    assert refused.returncode == 1
    assert b"holds nothing of 2020-01-01" in said


async def test_no_journal_is_one_sentence(tmp_path: Path) -> None:
    process = await started("--data-dir", str(tmp_path))
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 1
    assert said.decode().strip() == f"greenlight: There is no journal of a sim desk in {tmp_path}."
