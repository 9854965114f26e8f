"""The harness of the soak itself, for some seconds; half an hour: ``python -m tests.soak --minutes 30``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.soak.counts import Counts, leaks, least
from tests.soak.soak import soak


def counts(sockets: int, memory_mb: float, *tasks: str) -> Counts:
    return Counts(memory_mb, Counter(tasks), timers=3, threads=Counter(["MainThread"]), sockets=sockets, files=14)


def test_what_comes_and_goes_is_no_leak_and_what_stays_in_every_look_is() -> None:
    before = least(counts(8, 90.0, "feed", "read"), counts(9, 87.0, "feed"))
    assert (before.sockets, before.memory_mb, before.tasks) == (8, 87.0, Counter(["feed"]))
    passing = least(counts(9, 88.0, "feed"), counts(8, 91.0, "feed", "read"))
    assert leaks(before, passing) == []
    stays = least(counts(9, 88.0, "feed", "late"), counts(10, 88.0, "feed", "late"))
    assert leaks(before, stays) == ["1 more tasks 'late'", "1 more sockets"]


async def test_some_seconds_of_load_and_faults_leave_no_task_thread_or_file_behind(tmp_path: Path) -> None:
    done = await soak(tmp_path, warm_up_s=0.5, seconds=3.0, rest_s=0.5, look_s=0.0)
    assert done.facts > 10
    assert done.faults >= 1
    assert not [leak for leak in done.leaks if "timers" not in leak and "sockets" not in leak]
