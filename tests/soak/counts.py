"""What a process holds in one moment: memory, tasks, timers, threads, sockets and files."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple, cast


class Counts(NamedTuple):
    memory_mb: float
    """Resident."""
    tasks: Counter[str]
    """By name, without the numbers in it."""
    timers: int
    """Waiting in the loop and not cancelled."""
    threads: Counter[str]
    sockets: int
    files: int
    """Open descriptors that are no sockets."""


def count() -> Counts:
    """To be called on the loop."""
    loop = cast("Any", asyncio.get_running_loop())
    links = [_target_of(link) for link in Path("/proc/self/fd").iterdir()]
    sockets = sum(1 for link in links if link.startswith("socket:"))
    return Counts(
        memory_mb=_resident_mb(),
        tasks=Counter(_kind_of(task.get_name()) for task in asyncio.all_tasks()),
        timers=sum(1 for timer in loop._scheduled if not timer.cancelled()),
        threads=Counter(_kind_of(thread.name) for thread in threading.enumerate()),
        sockets=sockets,
        files=len(links) - sockets,
    )


def least(one: Counts, other: Counts) -> Counts:
    """Of each the less: what both moments have in common."""
    return Counts(
        memory_mb=min(one.memory_mb, other.memory_mb),
        tasks=one.tasks & other.tasks,
        timers=min(one.timers, other.timers),
        threads=one.threads & other.threads,
        sockets=min(one.sockets, other.sockets),
        files=min(one.files, other.files),
    )


def _resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _target_of(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # the one that listed them
        return ""


def _kind_of(name: str) -> str:
    """``Task-17`` and ``settle-gl-7f3a-000017-entry-1`` are kinds of their own, whatever their number."""
    return re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", name)


def leaks(before: Counts, after: Counts) -> list[str]:
    """What there is more of, though as little is going on as before. Memory is judged apart."""
    found = [f"{more} more tasks {name!r}" for name, more in (after.tasks - before.tasks).items()]
    found += [f"{more} more threads {name!r}" for name, more in (after.threads - before.threads).items()]
    for what in ("timers", "sockets", "files"):
        more = getattr(after, what) - getattr(before, what)
        if more > 0:
            found.append(f"{more} more {what}")
    return found
