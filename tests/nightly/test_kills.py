"""Five rounds of ``kill -9`` against real processes; a hundred: ``python -m tests.nightly.kill --rounds 100``."""

from __future__ import annotations

from pathlib import Path

from tests.nightly.rounds import run_rounds


async def test_a_desk_that_is_killed_at_any_moment_comes_back_right(tmp_path: Path) -> None:
    async for done in run_rounds(5, seed=7, folder=tmp_path):
        assert not done.wrong, f"round {done.number} ({done.scene}): {'; '.join(done.wrong)}"
