"""Runs one seed: gives it a loop, a folder in memory, dice and a place for its log lines, and takes all that back."""

from __future__ import annotations

import functools
import gc
import logging
import random
import secrets as real_secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Final
from unittest import mock

from simloop._run import finish

from engine import chores, latency
from engine.alpaca import retry
from engine.alpaca.check import RequestModels
from engine.journal.reader import read_all
from engine.model import ids
from tests.simulation.case import Case
from tests.simulation.virtual import VirtualLoop
from tests.simulation.world import Violation, World

TMPFS: Final = Path("/dev/shm")


@dataclass(slots=True)
class Outcome:
    """How one seed ended."""

    case: Case
    violations: list[Violation]
    story: list[str]
    facts: list[tuple[str, str]]
    """Kind and subject of every journal line, of the last process."""
    virtual_s: float
    real_s: float
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        return self.case.seed

    @property
    def ok(self) -> bool:
        return not self.violations


class _Lines(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__(logging.INFO)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self._world.log_lines.append(self.format(record) if record.exc_info else line)
        if record.levelno >= logging.WARNING:
            self._world.tell(f"     ! {line}")


@contextmanager
def _entropy(seed: int) -> Iterator[None]:
    """Jitter and the desk's id are drawn from the seed; nothing else in the desk throws dice."""
    dice = random.Random(f"{seed}/entropy")
    jitter = SimpleNamespace(Random=lambda: random.Random(dice.random()))
    tokens = SimpleNamespace(**vars(real_secrets) | {"token_hex": lambda n: dice.randbytes(n).hex()})
    with mock.patch.object(retry, "random", jitter), mock.patch.object(ids, "secrets", tokens):
        yield


@contextmanager
def _rare_looks() -> Iterator[None]:
    """In virtual time a loop has no lag, and looking for it twenty times a second is a fifth of all steps."""
    with mock.patch.object(latency, "LAG_PROBE_S", 2.0), mock.patch.object(chores, "JOURNAL_LOOK_S", 1.0):
        yield


@contextmanager
def _logs_of(world: World) -> Iterator[None]:
    handler, root = _Lines(world), logging.getLogger()
    level, propagated = root.level, list(root.handlers)
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers[:] = propagated
        root.setLevel(level)


@functools.cache
def _load_libraries() -> None:
    """Once a process: what the first desk would import, put where the collector need not look after each seed."""
    RequestModels._imported()
    gc.collect()
    gc.freeze()


def simulate(case: Case) -> Outcome:
    """Run one seed, or what of it a case keeps, from start to end."""
    began_s, seed = time.perf_counter(), case.seed
    loop = VirtualLoop(seed)
    _load_libraries()
    where = TMPFS if TMPFS.is_dir() else None
    gc.disable()
    try:
        with _entropy(seed), tempfile.TemporaryDirectory(dir=where, prefix="greenlight-") as folder:
            world = World(loop, Path(folder), case)
            with _logs_of(world), _rare_looks():
                try:
                    loop.run_until_complete(world.run())
                except Exception as error:
                    world.violated("the_simulation_ends", repr(error), error)
                finally:
                    finish(loop)
                    for life in world.machine.lives:
                        life.close_reader()
            journal = world.machine.life.journal
            facts = [(type(r.event).__name__, r.event.subject) for r in read_all(journal)] if journal.exists() else []
    finally:
        gc.enable()
    counts = {
        "lives": len(world.machine.lives),
        "entries": len(world.entries),
        "writes": len(world.broker.witness.arrivals),
        "reads": world.broker.witness.reads,
        "facts": len(facts),
    }
    return Outcome(case, world.violations, world.story, facts, loop.time(), time.perf_counter() - began_s, counts)
