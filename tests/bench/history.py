"""A long journal made of real trades: a desk trades on the exchange, and what it recorded is stamped out many times.

Every fact keeps its real shape and size; the numbers of signals, trades and orders go on as they would, and the
broker's ids become new ones, so that nothing is a duplicate of anything.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from engine.bus import Bus
from engine.clock import SystemClock
from engine.journal.codec import payload_of
from engine.journal.reader import read_all
from engine.journal.writer import Journal
from engine.model import events as ev
from engine.recall import Memory
from engine.recorder import Recorder
from tests.bench.rig import PATIENCE_S, SYMBOLS, Moments, close_trade, desk_at, pending, signal_body
from tests.bench.venue import Venue

TRADES: Final = 8
REJECTED: Final = 2
SIGNALS: Final = TRADES + REJECTED
KEPT: Final = (
    ev.SignalReceived, ev.SignalApproved, ev.SignalRejected, ev.BracketOpened, ev.OrderIntended, ev.OrderReported,
    ev.CancelIntended, ev.ReplaceIntended, ev.ExitRequested, ev.PositionReported, ev.StageMeasured,
)  # fmt: skip
GROUP: Final = 2_000

_NAMES: Final = re.compile(
    r'(?P<own>(?<=")[sb]\d{6})'  # s000001, b000001.tp
    r"|(?P<client>gl-[0-9a-f]{6}-\d{6})"
    r"|(?P<source>bench-\d{9,})"
    r"|(?P<uuid>[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}))"
)


class Template(msgspec.Struct, frozen=True):
    """What some signals left in a journal. ``opening`` comes once, ``payloads`` again and again."""

    opening: tuple[ev.AnyEvent, ...]
    payloads: tuple[str, ...]
    trades: int = TRADES

    def copies(self, first: int = 0) -> Iterator[ev.AnyEvent]:
        """For ever, from copy number ``first`` on."""
        decoder = msgspec.json.Decoder(ev.AnyEvent)
        number = first
        while True:
            for payload in self.payloads:
                yield decoder.decode(_renamed(payload, number))
            number += 1


def _renamed(payload: str, copy: int) -> str:
    shift = copy * SIGNALS

    def rename(match: re.Match[str]) -> str:
        text = match[0]
        match match.lastgroup:
            case "own":
                return f"{text[0]}{int(text[1:]) + shift:06d}"
            case "client":
                return f"{text[:10]}{int(text[10:]) + shift:06d}"
            case "source":
                return f"{text}{copy:06d}"
            case _:
                return f"{copy:08x}"

    return _NAMES.sub(rename, payload)


async def record_template(url: str, venue: Venue, folder: Path) -> Template:
    """Lets a desk trade, and reads what it wrote."""
    async with desk_at(url, folder) as desk:
        for symbol in SYMBOLS[:TRADES]:
            signal_id = await pending(desk, signal_body(symbol, await venue.price(symbol), qty=3))
            moments = Moments(desk, signal_id)
            await desk.approve(signal_id, actor="bench", preview_id=desk.preview(signal_id).preview_id)
            await asyncio.wait_for(moments.protected.wait(), PATIENCE_S)
            await close_trade(desk, moments)
        for symbol in SYMBOLS[:REJECTED]:
            signal_id = await pending(desk, signal_body(symbol, await venue.price(symbol)))
            await desk.reject(signal_id, actor="bench", reason="not now")
    with ThreadPoolExecutor(1) as pool:
        facts = await asyncio.get_running_loop().run_in_executor(pool, lambda: list(read_all(folder / "journal.db")))
    events = [recorded.event for recorded in facts]
    opening = tuple(event for event in events if isinstance(event, ev.JournalOpened | ev.AccountBound))
    return Template(opening, tuple(payload_of(event) for event in events if isinstance(event, KEPT)))


async def write_history(template: Template, path: Path, count: int) -> int:
    """A journal of ``count`` facts and a few more, whole copies only, written as the desk writes. Copies made."""
    path.parent.mkdir(parents=True)
    per_copy = len(template.payloads)
    copies = -(-count // per_copy)
    facts = template.copies()
    with ThreadPoolExecutor(1) as pool:
        journal = await Journal.open(path, pool, SystemClock())
        recorder, _ = listening_recorder(journal)
        recorder.record(*template.opening, ev.DeskStarted(version="bench"))
        for number in range(copies * per_copy):
            recorder.record(next(facts))
            if number % GROUP == 0:
                await journal.durable()
        recorder.record(ev.DeskStopped())
        await journal.close()
    return copies


def listening_recorder(journal: Journal) -> tuple[Recorder, Memory]:
    """The recorder with those who always listen in a desk."""
    memory, bus = Memory(), Bus()
    bus.on_records(memory.activity.fold)
    bus.on_records(memory.latency.fold)
    return Recorder(journal, memory.book, bus), memory
