"""A short day of a real desk, taped: a trade opened and closed, an entry canceled, a signal rejected, a pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from engine.clock import SystemClock
from engine.desk import Desk
from engine.exchange.server import ExchangeSettings, serve_exchange
from engine.model.words import DeskState
from engine.past.recording import taping
from engine.past.tape_file import TAPE_FILE
from engine.views import DeskView
from tests.wire.desk.conftest import Rig, approved, protected, until

JOURNAL = "journal.db"


class Shot(NamedTuple):
    """What a desk showed at one moment: of each thing what matters of it."""

    at: datetime
    signals: dict[str, tuple[str, str]]
    orders: dict[str, tuple[str, str, bool]]
    trades: dict[str, tuple[str, str, str]]
    positions: dict[str, str]
    incidents: set[str]
    newest_line: int
    desk: tuple[str, int, int, str]


def shot_of(desk: object, at: datetime) -> Shot:
    shown: Desk = desk  # type: ignore[assignment]
    view: DeskView = shown.view()
    return Shot(
        at,
        {s.id: (s.status.value, s.outcome) for s in shown.signals()},
        {o.id: (o.status.value, str(o.filled_qty), o.is_armed) for o in shown.orders("all")},
        {b.id: (str(b.held_qty), str(b.covered_qty), b.plan) for b in shown.brackets("all")},
        {p.symbol: str(p.qty) for p in shown.positions()},
        {i.id for i in shown.incidents()},
        shown.activity(1)[0].seq,
        (view.health.desk_state.value, view.pending, len(view.naked_symbols), str(view.incidents)),
    )


@asynccontextmanager
async def taped(rig: Rig, desk: Desk) -> AsyncIterator[None]:
    async with taping(desk, rig.folder / TAPE_FILE, rig.clock, keep_days=1):
        yield


async def live_a_day(folder: Path) -> tuple[Path, list[Shot]]:
    """The journal that it left, and what was on the screen at some moments, oldest first."""
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=folder / "exchange.db")
    shots: list[Shot] = []
    async with serve_exchange(settings, SystemClock()) as exchange:
        rig = Rig(exchange, folder / "desk")
        async with rig.desk() as desk, taped(rig, desk):

            async def keep() -> None:
                # No fact may share the moment with the picture of it.
                await asyncio.sleep(0.05)
                seq = desk.health().journal_seq
                shot = shot_of(desk, rig.clock.now())
                await asyncio.sleep(0.02)
                if seq == desk.health().journal_seq:
                    shots.append(shot)

            await keep()
            first = await protected(desk, rig.signal("AAPL"))
            await keep()
            waiting, _ = await desk.receive(rig.signal("MSFT"))
            await keep()
            await desk.reject(waiting.id, actor="test", reason="not today")
            await keep()
            resting = await approved(desk, rig.resting("JPM"))
            await keep()
            await desk.set_state(DeskState.PAUSED, actor="test")
            entry = desk.bracket(resting).legs.entry
            assert entry is not None
            await desk.cancel_order(entry.id, actor="test")
            await until(lambda: desk.bracket(resting).closed_at is not None)
            await keep()
            await desk.flatten_bracket(first.id, actor="test")
            await until(lambda: desk.bracket(first.id).closed_at is not None)
            await keep()
    return rig.folder / JOURNAL, shots
