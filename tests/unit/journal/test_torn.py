from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import JournalUnavailable
from engine.journal import torn
from engine.journal.reader import verify
from engine.journal.writer import Journal
from tests.unit.journal.conftest import HandClock
from tests.unit.journal.events import notes


async def write(path: Path, disk: ThreadPoolExecutor, clock: HandClock, count: int) -> None:
    journal = await Journal.open(path, disk, clock)
    journal.append(notes(count))
    await journal.close()


async def reopened(path: Path, disk: ThreadPoolExecutor, clock: HandClock) -> tuple[int, str | None]:
    """Opens, appends one fact to prove that it works, and closes; the length found and the message."""
    journal = await Journal.open(path, disk, clock)
    found = journal.seq
    journal.append(notes(1))
    await journal.close()
    assert verify(path) == (True, found + 1, None, None)
    return found, journal.torn


def forge(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as prompt:
        prompt.execute("DROP TRIGGER IF EXISTS events_are_never_changed")
        prompt.execute("DROP TRIGGER IF EXISTS events_are_never_deleted")
        for statement in statements:
            prompt.execute(statement)
        prompt.execute("CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events BEGIN SELECT 1; END")


@pytest.mark.parametrize(
    ("forgery", "first_bad"),
    [
        ('UPDATE events SET payload = \'{"kind":"signal_expired","signal_id":"s9"}\' WHERE seq = 95', 95),
        ("UPDATE events SET hash = '' WHERE seq = 100", 100),
        ("UPDATE events SET kind = 'signal_denied' WHERE seq = 98", 98),
        ("UPDATE events SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 97", 97),
        ("UPDATE events SET payload = CAST(x'ff' AS TEXT) WHERE seq = 96", 96),
        ("DELETE FROM events WHERE seq = 99", 99),
    ],
)
async def test_a_tail_that_does_not_fit_is_found_cut_and_kept(
    path: Path,
    disk: ThreadPoolExecutor,
    clock: HandClock,
    caplog: pytest.LogCaptureFixture,
    forgery: str,
    first_bad: int,
) -> None:
    await write(path, disk, clock, 100)
    forge(path, forgery)
    check = verify(path)
    assert (check.ok, check.first_bad_seq, check.events) == (False, first_bad, first_bad - 1)
    found, message = await reopened(path, disk, clock)
    assert found == first_bad - 1
    assert message is not None
    assert message in caplog.text
    cut = [json.loads(line)["seq"] for line in Path(f"{path}.torn").read_text().splitlines()]
    assert cut == [seq for seq in range(first_bad, 101) if "DELETE" not in forgery or seq != first_bad]


async def test_a_second_torn_tail_does_not_overwrite_the_first(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    await write(path, disk, clock, 10)
    forge(path, "UPDATE events SET hash = '' WHERE seq = 10")
    await reopened(path, disk, clock)
    forge(path, "UPDATE events SET hash = '' WHERE seq = 9")
    await reopened(path, disk, clock)
    assert sorted(file.name for file in path.parent.glob("*.torn")) == ["journal.db.2.torn", "journal.db.torn"]


async def test_a_forgery_in_the_middle_is_refused_and_nothing_is_touched(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    await write(path, disk, clock, torn.LONGEST_TAIL + 100)
    forge(path, "UPDATE events SET subject = 'x', kind = 'signal_denied' WHERE seq = 50")
    before = path.read_bytes()
    with pytest.raises(JournalUnavailable, match="broken in its middle"):
        await Journal.open(path, disk, clock)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", [0.35, 0.7, 0.97])
async def test_a_file_cut_short_keeps_its_readable_beginning(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, kept: float
) -> None:
    await write(path, disk, clock, 2_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert not verify(path).ok
    found, message = await reopened(path, disk, clock)
    assert 0 < found < 2_000
    assert message is not None
    assert f"first {found} events were saved" in message
    assert Path(f"{path}.torn").stat().st_size == int(len(whole) * kept)


async def test_a_log_cut_short_loses_its_last_transaction_only(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock, tmp_path: Path
) -> None:
    journal = await Journal.open(path, disk, clock)
    for _ in range(3):
        journal.append(notes(5))
        await journal.durable()
    copy = tmp_path / "copy" / "journal.db"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    log = Path(f"{path}-wal").read_bytes()
    Path(f"{copy}-wal").write_bytes(log[:-100])
    await journal.close()
    assert (await reopened(copy, disk, clock)) == (10, None)


async def test_a_file_of_garbage_is_refused_rather_than_begun_anew(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    await write(path, disk, clock, 10)
    garbage = bytes(range(256)) * 64
    path.write_bytes(garbage)
    with pytest.raises(JournalUnavailable, match=r"nothing of the journal .* can be read"):
        await Journal.open(path, disk, clock)
    assert path.read_bytes() == garbage


async def test_a_damaged_page_in_a_long_journal_is_refused(
    path: Path, disk: ThreadPoolExecutor, clock: HandClock
) -> None:
    await write(path, disk, clock, torn.LONGEST_TAIL + 3_000)
    whole = bytearray(path.read_bytes())
    damaged = len(whole) // 4096 // 10 * 4096
    whole[damaged : damaged + 4096] = b"\xff" * 4096
    path.write_bytes(whole)
    with pytest.raises(JournalUnavailable, match="broken in its middle"):
        await Journal.open(path, disk, clock)
    assert path.read_bytes() == bytes(whole)
