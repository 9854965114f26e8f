"""How often the broker is asked, by the timer alone: within its budget, and never long without a look."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from engine.desk import Desk
from engine.exchange.faults import StickCancel
from engine.order_reading import OrderReader
from engine.surroundings import World
from tests.wire.desk.trading_day import Day, play

MORNING: Final = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


async def watched(day: Day, desk: Desk, minutes: int) -> int:
    """Lets time go by; returns the most requests of the timer that were seen within one minute."""
    most = 0
    for _ in range(minutes * 60):
        await day.clock.sleep(1.0)
        view = desk.health().reconciliation
        assert view is not None
        assert view.requests_limit == 10
        most = max(most, view.requests_last_min)
    return most


@pytest.mark.parametrize("is_busy", [True, False])
def test_the_timer_stays_within_its_budget_and_looks_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_busy: bool
) -> None:
    asked: list[float] = []
    reads: list[float] = []

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            if is_busy:
                await day.protected(desk, day.signal())
            await day.clock.sleep(120)  # what the fill and the start had to ask for is over
            asked.clear()
            reads.clear()
            began_s = day.clock.monotonic_s()
            most = await watched(day, desk, 10)
            assert most <= 10
            all_requests = len([at for at in asked if at >= began_s])
            assert all_requests <= 10 * 10, "over ten minutes everything that reconciliation asks is within the budget"
            gaps = [later - earlier for earlier, later in pairwise(reads)]
            assert max(gaps) <= (16.0 if is_busy else 32.0)

    _count(monkeypatch, asked, reads)
    play(tmp_path, scene, begins=MORNING)


def test_an_order_under_way_is_read_every_five_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    reads: list[float] = []

    async def scene(day: Day) -> None:
        async with day.desk() as desk:
            low = str(round(day.price() * 95 / 100, 2))
            stop, target = str(round(day.price() * 94 / 100, 2)), str(round(day.price() * 99 / 100, 2))
            bracket_id = await day.approved(
                desk,
                day.signal(
                    entry={"type": "limit", "limit_price": low},
                    stop_loss={"stop_price": stop},
                    take_profit={"limit_price": target},
                ),
            )
            await day.clock.sleep(120)
            day.running.faults.add(StickCancel())
            await desk.cancel_order(desk.bracket(bracket_id).orders[0].id, actor="test")
            reads.clear()
            await day.clock.sleep(16)
            assert len(reads) >= 3
            view = desk.health().reconciliation
            assert view is not None
            assert view.every_s == 5.0

    _count(monkeypatch, asked, reads)
    play(tmp_path, scene, begins=MORNING)


def _count(monkeypatch: pytest.MonkeyPatch, asked: list[float], reads: list[float]) -> None:
    asking, read = World.asking, OrderReader.read

    async def counted(self: World, request: Any) -> Any:
        asked.append(self._clock.monotonic_s())
        return await asking(self, request)

    async def noted(self: OrderReader, symbols: Any) -> Any:
        reads.append(self._clock.monotonic_s())
        return await read(self, symbols)

    monkeypatch.setattr(World, "asking", counted)
    monkeypatch.setattr(OrderReader, "read", noted)
