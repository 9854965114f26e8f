"""The daily bars on disk, so that a restart asks for nothing that is known.

A cache: what cannot be read is fetched anew. Read and written whole, by a worker thread; a new file takes the place of
the old one in one step.
"""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures import Executor as Pool
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from engine.market.day import Day

log = logging.getLogger(__name__)

DAILY_FILE: Final = "daily-bars.json"
VERSION: Final = 1
"""Of the file's shape and of what its numbers mean. A file of another version is not read."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    asked_on: dict[str, date] = {}
    series: dict[str, tuple[Day, ...]] = {}


class _Stored(Kept, frozen=True, kw_only=True):
    version: int
    feed: str
    """Volumes of one feed say nothing about those of another."""


class DailyFile:
    def __init__(self, path: Path, feed: str, pool: Pool) -> None:
        self._path = path
        self._feed = feed
        self._pool = pool

    async def read(self) -> Kept:
        """What is stored; nothing when there is no file, or none that can be used."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read)

    def _read(self) -> Kept:
        try:
            stored = msgspec.json.decode(self._path.read_bytes(), type=_Stored)
        except FileNotFoundError:
            return Kept()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as why:
            log.info("%s is ignored, and the bars are fetched anew: %s", self._path, why)
            return Kept()
        if (stored.version, stored.feed) != (VERSION, self._feed):
            log.info("%s is of version %d and feed %s, and ignored", self._path, stored.version, stored.feed)
            return Kept()
        if stored.series.keys() - stored.asked_on.keys():
            log.info("%s is ignored: it does not say when all of its bars were fetched", self._path)
            return Kept()
        return stored

    async def write(self, kept: Kept) -> None:
        """A disk that refuses costs the next start a request, and nothing else."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._write, kept)
        except OSError as why:
            log.info("the daily bars are not kept: %s", why)

    def _write(self, kept: Kept) -> None:
        stored = _Stored(version=VERSION, feed=self._feed, asked_on=kept.asked_on, series=kept.series)
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(stored))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
