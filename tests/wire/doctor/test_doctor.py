"""The doctor against the embedded exchange over real sockets: what it finds, what it advises, what it leaves alone."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.alpaca.credentials import PaperKeys, Secret
from engine.alpaca.endpoints import PaperAccess, paper_endpoint
from engine.bus import Change
from engine.clock import SystemClock
from engine.config import Config
from engine.config_file import config_from_table
from engine.doctor import Finding, examine
from engine.exchange.faults import Html
from engine.exchange.server import ExchangeSettings, RunningExchange, serve_exchange
from engine.hosting import lock_folder
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.model.words import Mode
from engine.start import DeskSettings, start_desk

KEY, SECRET = "PKHEALTHY", "s3cret-of-the-paper-account"


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    named = {finding.what: finding for finding in findings}
    assert len(named) == len(findings), "each finding is about a thing of its own"
    return named


def to_fix(findings: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.text for finding in findings if not finding.ok}


def environ(url: str, key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    return {"APCA_API_BASE_URL": url, "APCA_API_KEY_ID": key, "APCA_API_SECRET_KEY": secret}


@asynccontextmanager
async def broker(clock: SystemClock | None = None, **changes: object) -> AsyncIterator[RunningExchange]:
    settings = ExchangeSettings(latency_ms=0, key=KEY, secret=SECRET, **changes)  # type: ignore[arg-type]
    async with serve_exchange(settings, clock or SystemClock()) as running:
        yield running


@asynccontextmanager
async def running_desk(data_dir: Path, url: str) -> AsyncIterator[None]:
    """A desk with its folder's lock and both streams."""
    with closing_lock(data_dir):
        access = PaperAccess(paper_endpoint({"APCA_API_BASE_URL": url}), PaperKeys(KEY, Secret(SECRET)))
        settings = DeskSettings(mode=Mode.PAPER, folder=data_dir / "paper-TEST", config=Config())
        async with start_desk(settings, access, SystemClock()) as desk:
            connected = asyncio.Event()

            def look(_: frozenset[Change]) -> None:
                if "down" not in (desk.health().stream, desk.health().quotes):
                    connected.set()

            desk.bus.on_changes(look)
            await asyncio.wait_for(connected.wait(), 2)
            yield


@contextmanager
def closing_lock(data_dir: Path) -> Iterator[None]:
    lock = lock_folder(data_dir)
    try:
        yield
    finally:
        lock.release()


async def write_journal(path: Path, count: int = 50) -> None:
    path.parent.mkdir(parents=True)
    with ThreadPoolExecutor(1) as disk:
        journal = await Journal.open(path, disk, SystemClock())
        journal.append([ev.SignalExpired(signal_id=f"s{number:06d}") for number in range(count)])
        await journal.close()


def forge(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as prompt:
        prompt.execute("DROP TRIGGER events_are_never_changed")
        prompt.execute(statement)


# --- healthy ---------------------------------------------------------------------------------------------------------


async def test_a_healthy_paper_account_has_nothing_to_fix(tmp_path: Path) -> None:
    async with broker() as running:
        findings = await examine(tmp_path, "paper", Config(), environ(running.url))

    assert to_fix(findings) == {}
    assert list(by_name(findings)) == [
        "data folder",
        "desk lock",
        "disk space",
        "configuration",
        "keys",
        "account",
        "clock",
        "order stream",
        "data stream",
        "journal",
    ]


async def test_the_embedded_exchange_needs_neither_keys_nor_network(tmp_path: Path) -> None:
    findings = await examine(tmp_path, "sim", Config(), {})

    assert to_fix(findings) == {}
    assert by_name(findings)["exchange"].ok
    assert "keys" not in by_name(findings)


async def test_the_doctor_makes_no_folder_and_gives_both_stream_slots_back(tmp_path: Path) -> None:
    absent = tmp_path / "not yet"
    async with broker() as running:
        await examine(absent, "paper", Config(), environ(running.url))
        again = await examine(absent, "paper", Config(), environ(running.url))

    assert to_fix(again) == {}
    assert not absent.exists()


async def test_beside_a_running_desk_its_taken_streams_and_its_lock_are_fine(tmp_path: Path) -> None:
    async with broker() as running, running_desk(tmp_path, running.url):
        findings = await examine(tmp_path, "paper", Config(), environ(running.url))

    named = by_name(findings)
    assert to_fix(findings) == {}
    assert "a desk runs" in named["desk lock"].text.casefold()
    assert "in use" in named["order stream"].text
    assert "in use" in named["data stream"].text
    assert "the chain holds" in named["journal paper-TEST"].text


# --- the way to the broker -------------------------------------------------------------------------------------------


async def test_wrong_keys_are_named_at_the_account_and_at_both_streams_and_never_shown(tmp_path: Path) -> None:
    async with broker() as running:
        findings = await examine(tmp_path, "paper", Config(), environ(running.url, secret="s-wrong-0815"))

    wrong = to_fix(findings)
    assert set(wrong) == {"account", "clock", "order stream", "data stream"}
    assert all("keys" in text for text in wrong.values())
    everything = " ".join(finding.text for finding in findings)
    assert KEY not in everything
    assert "s-wrong-0815" not in everything


async def test_missing_keys_say_where_they_were_looked_for_and_nothing_is_asked(tmp_path: Path) -> None:
    async with broker() as running:
        half = {"APCA_API_BASE_URL": running.url, "APCA_API_KEY_ID": KEY}
        findings = await examine(tmp_path, "paper", Config(), half)

    assert set(to_fix(findings)) == {"keys"}
    assert "APCA_API_SECRET_KEY" in to_fix(findings)["keys"]
    assert "account" not in by_name(findings)


async def test_the_live_address_is_refused_for_paper(tmp_path: Path) -> None:
    findings = await examine(tmp_path, "paper", Config(), environ("https://api.alpaca.markets"))

    assert set(to_fix(findings)) == {"address"}
    assert "APCA_API_BASE_URL" in to_fix(findings)["address"]


async def test_an_unreachable_broker_is_told_from_a_broken_desk(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        findings = await examine(tmp_path, "paper", Config(), environ(f"http://127.0.0.1:{unused.getsockname()[1]}"))

    wrong = to_fix(findings)
    assert set(wrong) == {"account", "clock", "order stream", "data stream"}
    assert "cannot be reached" in wrong["account"]
    assert "network" in wrong["order stream"]


async def test_a_gateway_that_answers_in_html_is_reported_with_its_status(tmp_path: Path) -> None:
    async with broker() as running:
        running.faults.add(Html(path="/v2/account", status=503))
        findings = await examine(tmp_path, "paper", Config(), environ(running.url))

    assert set(to_fix(findings)) == {"account"}
    assert "503" in to_fix(findings)["account"]


async def test_a_stream_slot_that_no_desk_here_holds_is_a_thing_to_fix(tmp_path: Path) -> None:
    async with broker() as running, running_desk(tmp_path / "elsewhere", running.url):
        findings = await examine(tmp_path / "here", "paper", Config(), environ(running.url))

    assert set(to_fix(findings)) == {"order stream", "data stream"}
    assert "no desk runs on this folder" in to_fix(findings)["order stream"]


async def test_a_clock_that_is_off_by_minutes_is_to_be_set(tmp_path: Path) -> None:
    class AheadClock(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(minutes=3)

    async with broker(AheadClock()) as running:
        findings = await examine(tmp_path, "paper", Config(), environ(running.url))

    assert set(to_fix(findings)) == {"clock"}
    assert "behind" in to_fix(findings)["clock"]
    assert "NTP" in to_fix(findings)["clock"]


# --- this machine ----------------------------------------------------------------------------------------------------


async def test_each_journal_is_checked_and_the_broken_one_is_named_with_its_first_bad_event(tmp_path: Path) -> None:
    await write_journal(tmp_path / "sim" / "journal.db")
    await write_journal(tmp_path / "paper-PA1" / "journal.db")
    forge(tmp_path / "paper-PA1" / "journal.db", "UPDATE events SET payload = '{}' WHERE seq = 31")

    findings = await examine(tmp_path, "sim", Config(), {})

    assert set(to_fix(findings)) == {"journal paper-PA1"}
    assert "from event 31 on" in to_fix(findings)["journal paper-PA1"]
    assert by_name(findings)["journal sim"].text == "50 events, the chain holds."


async def test_a_file_that_is_no_journal_is_a_finding_and_not_a_crash(tmp_path: Path) -> None:
    foreign = tmp_path / "sim" / "journal.db"
    foreign.parent.mkdir()
    foreign.write_bytes(b"this is not a database, however long it is" * 100)

    findings = await examine(tmp_path, "sim", Config(), {})

    assert set(to_fix(findings)) == {"journal sim"}


async def test_a_data_folder_that_is_a_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    taken = tmp_path / "data"
    taken.write_text("a file")

    findings = await examine(taken, "sim", Config(), {})

    assert "--data-dir" in to_fix(findings)["data folder"]


@pytest.mark.parametrize(
    ("tokens", "word"),
    [
        ({"breakout": "short"}, "breakout"),
        ({"breakout": "a-token-of-some-length", "trend": "a-token-of-some-length"}, "share"),
    ],
)
async def test_tokens_that_can_be_guessed_or_mistaken_are_found(
    tmp_path: Path, tokens: dict[str, str], word: str
) -> None:
    config = config_from_table({"api": {"signal_tokens": tokens}}, "greenlight.toml")

    findings = await examine(tmp_path, "sim", config, {})

    assert word in to_fix(findings)["configuration"]
    assert "short " not in to_fix(findings)["configuration"].replace("shorter", "")
