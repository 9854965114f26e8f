"""A machine that slept: its monotonic clock stood still, its wall clock went on, and nothing known before counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.errors import CommandRefused
from engine.exchange.server import ExchangeSettings, serve_exchange
from engine.model import events as ev
from tests.wire.desk.conftest import Rig, protected, until


class SleepyClock(SystemClock):
    """As the clocks of a machine whose lid was shut for a while."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.slept_s)


@pytest.fixture
async def sleepy(tmp_path: Path) -> AsyncIterator[tuple[Rig, SleepyClock]]:
    clock = SleepyClock()
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=tmp_path / "exchange.db")
    async with serve_exchange(settings, clock) as exchange:
        yield Rig(exchange, tmp_path / "desk", clock), clock


async def test_after_a_sleep_a_trade_is_unverified_and_no_entry_goes_until_everything_was_read(
    sleepy: tuple[Rig, SleepyClock],
) -> None:
    rig, clock = sleepy
    async with rig.desk() as desk:
        trade = await protected(desk, rig.signal("AAPL"))
        waiting, _ = await desk.receive(rig.signal("MSFT", expires_in_s=3600))
        await until(lambda: desk.preview(waiting.id).approvable)
        # Young evidence, 40 s old by the wall: its age alone would not say a word.
        slow = {"do": "delay", "method": "GET", "path": "/v2/*", "seconds": 1.0, "count": 4}
        await rig.ask("POST", "/_exchange/faults", slow)
        clock.slept_s = 40.0
        await until(lambda: desk.bracket(trade.id).status.value == "unverified")
        assert desk.health().start_gate == "locked"
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(waiting.id, actor="ann")
        assert refused.value.code == "DENIED"
        await until(lambda: any("slept for 40 s" in incident.cause for incident in desk.incidents()))
        await until(lambda: desk.bracket(trade.id).status.value == "protected")
        await until(lambda: desk.health().start_gate == "open" and desk.preview(waiting.id).approvable)
        await until(lambda: not any("slept" in incident.cause for incident in desk.incidents()))
        woke = [fact.event async for fact in _so_far(desk) if isinstance(fact.event, ev.DeskWoke)]
        assert [round(each.lost_s) for each in woke] == [40]


async def test_a_quote_from_before_the_sleep_is_old_at_once(sleepy: tuple[Rig, SleepyClock]) -> None:
    rig, clock = sleepy
    async with rig.desk() as desk:
        waiting, _ = await desk.receive(rig.signal("MSFT", expires_in_s=7200))
        await until(lambda: desk.preview(waiting.id).approvable)
        clock.slept_s = 3600.0
        quote = desk.quote("MSFT")
        assert quote is not None
        assert quote.age_s > 3500
        # No timer has had its turn yet: the click comes with the machine's first breath.
        with pytest.raises(CommandRefused) as refused:
            await desk.approve(waiting.id, actor="ann")
        assert {"STALE_QUOTE", "ACCOUNT_STALE"} <= {reason.code for reason in refused.value.reasons}


async def _so_far(desk):  # type: ignore[no-untyped-def]
    """Facts up to now."""
    last = desk.health().journal_seq
    async for fact in desk.records(0):
        yield fact
        if fact.seq >= last:
            return
