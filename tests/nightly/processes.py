"""Real processes on real sockets: the exchange that lives on, and the desk that is killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 30.0
LOOK_S: Final = 0.05
TOKEN: Final = "token"


class NotInTime(Exception):
    """What was waited for did not come; the text says what it was."""


async def until(what: str, is_true: Callable[[], Awaitable[bool]], patience_s: float = 30.0) -> None:
    """Wait for something to become true.

    Raises:
        NotInTime: it did not.
    """
    try:
        async with asyncio.timeout(patience_s):
            while not await is_true():
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise NotInTime(f"{what}: not within {patience_s:.0f} s") from None


class Client:
    """Asks one server in JSON."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer, whatever its status; None for an empty one."""
        raw = None if body is None else msgspec.json.encode(body)
        async with self._session.request(method, self.url + path, data=raw) as answer:
            text = await answer.read()
            return msgspec.json.decode(text) if text else None


@asynccontextmanager
async def exchange_process(*, seed: int, log: Path) -> AsyncIterator[Client]:
    """``main.py exchange`` for as long as the block lasts."""
    arguments = ("exchange", f"--seed={seed}", "--latency-ms=8")
    with log.open("ab") as errors:
        process = await _start(arguments, {}, errors)
        try:
            url = (await _first_line(process, "greenlight exchange ready url=")).strip()
            async with aiohttp.ClientSession() as session:
                yield Client(url, session)
        finally:
            await _end(process)


@asynccontextmanager
async def running_program(
    exchange: Client, data_dir: Path, log: Path, environment: dict[str, str]
) -> AsyncIterator[str]:
    """``main.py`` with its window on the exchange's process; the address of its API."""
    arguments = ("--broker=paper", f"--data-dir={data_dir}", "--api=127.0.0.1:0")
    with log.open("ab") as errors:
        process = await _start(arguments, {**_keys_for(exchange), **environment}, errors)
        try:
            ready = await _first_line(process, "greenlight ready mode=paper api=")
            yield ready.split()[0]
        finally:
            await _end(process)


def _keys_for(exchange: Client) -> dict[str, str]:
    return {
        "APCA_API_KEY_ID": "key",
        "APCA_API_SECRET_KEY": "secret",
        "APCA_API_BASE_URL": exchange.url,
        "GREENLIGHT_API_TOKEN": TOKEN,
    }


class DeskProcess:
    """A headless desk whose only broker is the exchange's process. Started and killed any number of times."""

    def __init__(self, exchange: Client, data_dir: Path, log: Path) -> None:
        self._exchange = exchange
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._api: Client | None = None
        self.data_dir = data_dir

    @property
    def api(self) -> Client:
        assert self._api is not None
        return self._api

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Returns when the API listens."""
        await self.begin()
        assert self._process is not None
        ready = await _first_line(self._process, "greenlight ready mode=paper api=")
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"})
        self._api = Client(ready.split()[0], self._session)

    async def begin(self) -> None:
        """Only start the process."""
        arguments = ("--headless", "--broker=paper", f"--data-dir={self.data_dir}", "--api=127.0.0.1:0")
        with self._log.open("ab") as errors:
            self._process = await _start(arguments, _keys_for(self._exchange), errors)

    async def open(self) -> None:
        """Returns when the start gate is open."""

        async def is_open() -> bool:
            health = await self.api.ask("GET", "/v1/health")
            return bool(health["start_gate"] == "open" and health["status"] == "ok")

        await until("the start gate opens", is_open)

    async def kill(self) -> None:
        """``kill -9``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        await self._close()

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        status = await _end(self._process)
        await self._close()
        return status

    async def _close(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = self._api = None


async def _start(arguments: tuple[str, ...], environment: dict[str, str], errors: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "main.py",
        *arguments,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
    )


async def _first_line(process: asyncio.subprocess.Process, begins: str) -> str:
    """What follows ``begins`` in the ready line."""
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        line = (await process.stdout.readline()).decode()
    if not line.startswith(begins):
        raise NotInTime(f"a process said {line!r} in place of {begins!r}")
    return line.removeprefix(begins)


async def _end(process: asyncio.subprocess.Process) -> int:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode
