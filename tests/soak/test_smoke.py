"""The harness of the soak itself, for some seconds; half an hour: ``python -m tests.soak --minutes 30``."""

from __future__ import annotations

from pathlib import Path

from tests.soak.soak import soak


async def test_some_seconds_of_load_and_faults_leave_no_task_thread_or_file_behind(tmp_path: Path) -> None:
    done = await soak(tmp_path, warm_up_s=0.5, seconds=3.0, rest_s=0.5)
    assert done.facts > 10
    assert done.faults >= 1
    assert not [leak for leak in done.leaks if "timers" not in leak and "sockets" not in leak]
