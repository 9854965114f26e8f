"""How much memory the program holds after an hour, as it is started: window, embedded exchange, demo strategy.

Somebody says yes to every signal, and Retry to every trade whose exits the desk has given up (through the API).

    python -m tests.bench.long_run [--minutes N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import aiohttp

from tests.bench.first_paint import PAINTED, rss_mb
from tests.bench.report import head, say, table
from tests.nightly.processes import TOKEN, Client

ROOT: Final = Path(__file__).parents[2]
READY: Final = "greenlight ready "
LOOK_EVERY_S: Final = 2.0
TOLD_MINUTES: Final = (0.2, 1, 2, 5, 10, 15, 20, 30, 40, 50, 60)


class Operator:
    """Says yes, and presses Retry."""

    def __init__(self, api: Client) -> None:
        self._api = api
        self.approved = self.retried = 0

    async def look(self) -> None:
        for signal in (await self._api.ask("GET", "/v1/signals?status=pending"))["signals"]:
            answer = await self._api.ask("POST", f"/v1/signals/{signal['id']}/approve", {})
            self.approved += "error" not in answer
        for trade in (await self._api.ask("GET", "/v1/brackets?status=open"))["brackets"]:
            if trade["gave_up"] and trade["can_retry"]:
                await self._api.ask("POST", f"/v1/brackets/{trade['id']}/retry")
                self.retried += 1


async def run(folder: Path, minutes: float) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.painted", str(time.monotonic()),
        f"--data-dir={folder}", "--api=127.0.0.1:0",
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "GREENLIGHT_API_TOKEN": TOKEN},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = await _api_of(process)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
            operator = Operator(Client(url, session))
            rows = await _watched(operator, process.pid, minutes)
            facts = (await Client(url, session).ask("GET", "/v1/health"))["journal_seq"]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    say(f"{operator.approved} signals approved, {operator.retried} times Retry, {facts:,} facts in the journal.")
    table(("minutes after the paint", "resident, MB", "most so far"), rows)


async def _api_of(process: asyncio.subprocess.Process) -> str:
    """Returns when the API is there and the window has been painted."""
    assert process.stdout is not None
    url = painted = ""
    while not (url and painted):
        line = (await process.stdout.readline()).decode()
        if not line:
            raise RuntimeError("main.py has ended before its window was painted")
        if line.startswith(READY):
            url = next(word for word in line.split() if word.startswith("api=")).removeprefix("api=")
        elif line.startswith(PAINTED):
            painted = line
    return url


async def _watched(operator: Operator, pid: int, minutes: float) -> list[tuple[str, float, float]]:
    began_s = time.monotonic()
    told = [each for each in TOLD_MINUTES if each < minutes] + [minutes]
    rows = []
    for moment in told:
        while (left_s := began_s + moment * 60 - time.monotonic()) > 0:
            await operator.look()
            await asyncio.sleep(min(LOOK_EVERY_S, left_s))
        rows.append((f"{moment:g}", rss_mb(pid), rss_mb(pid, "VmHWM")))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    arguments = parser.parse_args()
    head("An hour with the window, offscreen")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), arguments.minutes))


if __name__ == "__main__":
    main()
