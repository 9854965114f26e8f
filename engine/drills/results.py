"""The score sheet: one JSON line a drill, appended beside the exchange's book, newest last."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor as Pool
from pathlib import Path
from typing import Final

import msgspec

from engine.views_drills import DrillResultView

log = logging.getLogger(__name__)

KEPT: Final = 200


class Results:
    def __init__(self, path: Path, pool: Pool, known: list[DrillResultView]) -> None:
        self._path = path
        self._pool = pool
        self._known = known

    @classmethod
    async def load(cls, path: Path, pool: Pool) -> Results:
        """Lines that cannot be read are left alone and not shown: they are worth a warning, not a desk."""
        known = await asyncio.get_running_loop().run_in_executor(pool, _read, path)
        return cls(path, pool, known)

    def newest_first(self) -> tuple[DrillResultView, ...]:
        return tuple(reversed(self._known))

    def add(self, result: DrillResultView) -> None:
        """Shown at once; written off the loop."""
        self._known = [*self._known, result][-KEPT:]
        self._pool.submit(_append, self._path, result)


def _read(path: Path) -> list[DrillResultView]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as why:
        log.warning("the drills' score sheet cannot be read: %s", why)
        return []
    found: list[DrillResultView] = []
    for line in lines[-KEPT:]:
        try:
            found.append(msgspec.json.decode(line, type=DrillResultView))
        except msgspec.MsgspecError as why:
            log.warning("a line of the drills' score sheet cannot be read: %s", why)
    return found


def _append(path: Path, result: DrillResultView) -> None:
    try:
        with path.open("ab") as sheet:
            sheet.write(msgspec.json.encode(result) + b"\n")
    except OSError as why:
        log.warning("the drill's score was not written: %s", why)
