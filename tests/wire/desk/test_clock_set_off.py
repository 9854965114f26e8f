"""A desk whose clock is not the broker's: lists are filtered by the broker's stamps, and nothing falls between two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.alpaca import wire
from engine.clock import SystemClock
from engine.desk import Desk
from engine.exchange.server import ExchangeSettings, serve_exchange
from engine.order_reading import proved_until
from tests.wire.desk.conftest import Rig, until

RESTING = {"symbol": "JPM", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1", "time_in_force": "day"}
NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


class ClockSetOff(SystemClock):
    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return super().now() + self.ahead


async def another_hands_order_is_seen(rig: Rig, desk: Desk) -> None:
    order = await rig.ask("POST", "/v2/orders", RESTING)
    await rig.ask("POST", "/_exchange/streams/cut")  # then everything is listed
    await until(lambda: order["id"] in {each.subject for each in desk.differences()})


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(minutes=-5), timedelta(days=2)])
async def test_an_order_of_another_hand_is_seen_whatever_our_clock_says(tmp_path: Path, ahead: timedelta) -> None:
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=tmp_path / "exchange.db")
    async with serve_exchange(settings, SystemClock()) as exchange:
        rig = Rig(exchange, tmp_path / "desk", ClockSetOff(ahead))
        async with rig.desk() as desk:
            for count in (1, 2):  # the second comes after a list that showed the first
                await another_hands_order_is_seen(rig, desk)
                assert len(desk.differences()) == count


async def test_an_order_is_seen_after_the_clock_was_set_forward_and_back(tmp_path: Path) -> None:
    settings = ExchangeSettings(latency_ms=4.0, latency_jitter=0.0, db_path=tmp_path / "exchange.db")
    async with serve_exchange(settings, SystemClock()) as exchange:
        clock = ClockSetOff(timedelta(0))
        rig = Rig(exchange, tmp_path / "desk", clock)
        async with rig.desk() as desk:
            for minutes in (10, 0, 10):
                clock.ahead = timedelta(minutes=minutes)
                await another_hands_order_is_seen(rig, desk)


def made(created: datetime, submitted: datetime | None) -> wire.Order:
    return wire.Order(id="x", status="new", filled_qty=Decimal(0), created_at=created, submitted_at=submitted)


def test_a_list_proves_what_was_made_up_to_its_newest_row() -> None:
    before, opening = NOON - timedelta(hours=20), NOON + timedelta(hours=21)
    assert proved_until([], before) == before
    assert proved_until([made(NOON, NOON)], before) == NOON
    # Made after the close and stamped for the next opening: orders of this evening are still to come.
    assert proved_until([made(NOON, NOON), made(NOON + timedelta(hours=5), opening)], before) == NOON + timedelta(
        hours=5
    )
