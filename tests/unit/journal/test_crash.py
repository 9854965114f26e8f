"""What a process that dies, or a disk that fills, leaves behind. Both need a process of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.journal.reader import read_all, verify
from engine.journal.writer import Journal
from engine.model.events import SignalExpired
from tests.unit.journal.conftest import HandClock

_PRELUDE = """
import asyncio, resource, signal, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from engine.clock import SystemClock
from engine.errors import JournalUnavailable
from engine.journal.writer import Journal
from engine.model.events import SignalExpired

def fact(number):
    return SignalExpired(signal_id=f"s{number:06d}")
"""

_APPEND_FOR_EVER = """
async def main():
    journal = await Journal.open(Path(sys.argv[1]), ThreadPoolExecutor(1), SystemClock())
    while True:
        journal.append([fact(journal.seq + n) for n in range(1, 8)])
        confirmed = journal.seq
        await journal.durable(confirmed)
        print(confirmed, flush=True)
asyncio.run(main())
"""

_FILL_THE_DISK = """
def allow(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with ThreadPoolExecutor(1) as disk:
        journal = await Journal.open(Path(sys.argv[1]), disk, SystemClock())
        journal.append([fact(1)])
        await journal.durable()
        allow(100_000)
        try:
            while True:
                journal.append([fact(journal.seq + n) for n in range(1, 51)])
                await journal.durable()
        except JournalUnavailable as error:
            print(error)
        refused_after = journal.durable_seq
        journal.append([fact(journal.seq + 1)])
        allow(resource.RLIM_INFINITY)
        while not journal.healthy:
            await asyncio.sleep(0.01)
        await journal.durable()
        await journal.close()
        print(refused_after < journal.durable_seq == journal.seq)
asyncio.run(main())
"""


def _run(script: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PRELUDE + script, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


async def test_what_was_confirmed_survives_a_kill(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> None:
    with _run(_APPEND_FOR_EVER, path) as process:
        assert process.stdout is not None
        for _ in range(40):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        # The last line may be cut short by the kill; what was printed whole was confirmed before.
        confirmed = max(
            (int(line) for line in process.stdout.read().splitlines(True) if line.endswith("\n")), default=280
        )
    assert process.returncode == -signal.SIGKILL
    check = verify(path)
    assert check.ok
    assert check.events >= confirmed >= 280
    assert [fact.event for fact in read_all(path)] == [
        SignalExpired(signal_id=f"s{number:06d}") for number in range(1, check.events + 1)
    ]
    journal = await Journal.open(path, disk, clock)
    assert (journal.seq, journal.torn) == (check.events, None)
    await journal.close()


def test_a_full_disk_is_reported_and_writing_resumes_when_there_is_room(path: Path) -> None:
    with _run(_FILL_THE_DISK, path) as process:
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    message, resumed = out.splitlines()
    assert "the journal cannot be written" in message
    assert resumed == "True"
    check = verify(path)
    assert check.ok
    assert [fact.event.subject for fact in read_all(path)] == [f"s{n:06d}" for n in range(1, check.events + 1)]
