"""The child process of the operator's rules: started, asked one thing at a time, and started again when it dies.

What it is asked has a deadline. A child that misses it is in an unknown state (an endless loop, as likely as not), so
it is ended and another one takes its place, after a pause that doubles each time up to a limit. Reading happens in a
worker thread, so that no loop needs to know about processes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from engine.clock import Clock
from engine.config import UserRules
from engine.user_rules import child
from engine.user_rules.answers import Answer, RulesFailed, read_answer

log = logging.getLogger(__name__)

START_WITHIN_S: Final = 10.0
"""The file may import what is slow to import."""
FIRST_WAIT_S: Final = 3.0
"""A question in the first moments of the desk waits for the start."""
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 30.0
HEALTHY_AFTER_S: Final = 60.0
"""A child that lived so long makes the next pause short again."""
PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "TEMP")
"""All that the child sees of the environment: keys and tokens are none of its business."""


class Rules(Protocol):
    """Whoever answers for the operator's file: a child process, or a test's stand-in."""

    name: str
    sha256: str

    @property
    def broken(self) -> str | None:
        """Why the file can never answer; None while it may."""

    async def ask(self, signal: dict[str, Any], picture: dict[str, Any]) -> Answer:
        """Raises ``RulesFailed``."""

    async def run(self) -> None: ...

    async def close(self) -> None: ...


class NoRules:
    """A file that was asked for by name, and cannot be read."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.sha256 = ""
        self.broken: str | None = why

    async def ask(self, signal: dict[str, Any], picture: dict[str, Any]) -> Answer:  # noqa: ARG002
        raise RulesFailed(self.broken or "")

    async def run(self) -> None:
        """There is nothing to keep alive."""

    async def close(self) -> None:
        """And nothing to end."""


class RulesProcess:
    def __init__(self, path: Path, source: str, clock: Clock, *, timeout_s: float) -> None:
        self.name = path.name
        self.sha256 = sha256(source.encode()).hexdigest()
        self.broken: str | None = None
        self._path = path
        self._source = source
        self._clock = clock
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="user-rules")
        self._turn = asyncio.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._died = asyncio.Event()
        self._settled = asyncio.Event()
        """The first start has ended, one way or the other."""
        self._why = "it is being started"
        self._asked = 0

    async def ask(self, signal: dict[str, Any], picture: dict[str, Any]) -> Answer:
        """
        Raises:
            RulesFailed: it is broken, is not running, failed, was too slow, or answered with what is no verdict.
        """
        try:
            async with asyncio.timeout(FIRST_WAIT_S):
                await self._settled.wait()
        except TimeoutError:
            raise RulesFailed(self._why) from None
        async with self._turn:
            if self.broken is not None or self._child is None:
                raise RulesFailed(self.broken or self._why)
            self._asked += 1
            question = {"id": self._asked, "signal": signal, "picture": picture}
            try:
                answer = await self._exchange(self._child, question, self._timeout_s)
            except TimeoutError:
                self._lose(f"it did not answer within {self._timeout_s * 1000:g} ms")
                raise RulesFailed(self._why) from None
            if answer.id != self._asked:
                self._lose("it answered another question")
                raise RulesFailed(self._why)
            return answer

    async def _exchange(self, running: subprocess.Popen[bytes], said: dict[str, Any], within_s: float) -> Answer:
        """One line there, one line back. Raises ``RulesFailed`` and ``TimeoutError``."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(within_s):
            line = await loop.run_in_executor(self._pool, _line_for_line, running, msgspec.json.encode(said) + b"\n")
        if not line:
            self._lose("its process ended")
            raise RulesFailed(self._why)
        return read_answer(line)

    async def run(self) -> None:
        """Keeps a child alive, until it turns out that the file itself is broken."""
        pause_s = FIRST_PAUSE_S
        while self.broken is None:
            began_s = self._clock.monotonic_s()
            self._died.clear()
            await self._start()
            self._settled.set()
            if self.broken is not None:
                break
            await self._died.wait()
            if self._clock.monotonic_s() - began_s > HEALTHY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            log.warning("%s: %s; it is started again in %.1f s", self.name, self._why, pause_s)
            await self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            started = await loop.run_in_executor(self._pool, self._spawn_child)
        except OSError as why:
            self._lose(f"its process cannot be started: {why}")
            return
        self._child = started
        try:
            await self._exchange(started, {"source": self._source, "name": self.name}, START_WITHIN_S)
        except RulesFailed as why:
            if self._child is started:  # it lives, and says what is wrong with the file
                self.broken = str(why)
                log.error("%s cannot be used, entries are denied: %s", self.name, why)
                self._end_child()
        except TimeoutError:
            self.broken = f"it could not be loaded within {START_WITHIN_S:g} s"
            self._end_child()

    def _spawn_child(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-B", child.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._path.parent,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            start_new_session=True,  # the desk's Ctrl-C is not the child's
        )

    def _lose(self, why: str) -> None:
        self._why = why
        self._end_child()
        self._died.set()

    def _end_child(self) -> None:
        running, self._child = self._child, None
        if running is not None:
            running.kill()  # frees the thread that reads from it, too
            self._pool.submit(_bury, running)

    async def close(self) -> None:
        self.broken = self.broken or "the desk has stopped"
        self._end_child()
        await asyncio.get_running_loop().run_in_executor(self._pool, int)  # after all that stands before it
        self._pool.shutdown(wait=True)


def _line_for_line(running: subprocess.Popen[bytes], line: bytes) -> bytes:
    """In the worker thread. Empty: the child is gone."""
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        running.stdin.write(line)
        running.stdin.flush()
        return running.stdout.readline()
    except (OSError, ValueError):
        return b""


def _bury(running: subprocess.Popen[bytes]) -> None:
    """Wait for the end of what was killed, and close its pipes."""
    running.wait()
    for pipe in (running.stdin, running.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError as lost:
                log.debug("a pipe of the rules' process: %s", lost)


def open_rules(folder: Path, settings: UserRules, clock: Clock) -> Rules | None:
    """The operator's rules in the data folder; None when there are none.

    A file that the settings name is missed when it is not there; the usual one may be absent.
    """
    name = settings.user_file
    path = folder / name
    if not name or (name == UserRules().user_file and not path.exists()):
        return None
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        return NoRules(name, f"it cannot be read: {why}")
    return RulesProcess(path, source, clock, timeout_s=settings.user_timeout_ms / 1000)
