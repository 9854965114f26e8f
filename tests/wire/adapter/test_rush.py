"""Many approvals at once: nobody of ours is refused while we are alone, and exits never wait."""

from __future__ import annotations

import asyncio

import pytest

from engine.alpaca.client import open_client
from engine.alpaca.errors import NotFound, Purpose
from tests.bench.rush import run_rush
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock
from tests.wire.adapter.raw_server import Answer, Silence, raw_server
from tests.wire.adapter.samples import BRACKET, ORDER, access_to

ROUND_TRIP_S = 0.08


def test_alone_no_request_is_refused_and_no_exit_waits() -> None:
    told = run_rush(approvals=200, limit=200)
    assert (told.entered, told.entries_refused, told.exits_refused) == (200, 0, 0)
    assert max(told.exit_took_s) < 3 * ROUND_TRIP_S


@pytest.mark.parametrize(("before", "per_s"), [(100, 0.0), (140, 0.0), (0, 0.5)])
def test_beside_another_program_no_exit_is_refused_and_none_waits(before: int, per_s: float) -> None:
    told = run_rush(approvals=200, limit=200, used_before=before, foreign_per_s=per_s)
    assert told.foreign > 0
    assert told.entered == 200
    assert told.exits_refused == 0
    assert max(told.exit_took_s) < 3 * ROUND_TRIP_S


def test_a_burst_of_another_program_that_no_header_has_told_delays_exits_by_their_own_retries_alone() -> None:
    told = run_rush(approvals=200, limit=200, foreign_at_once=100)
    assert told.entered == 200
    assert told.exits > told.exits_refused
    assert max(told.exit_took_s) < 3 * ROUND_TRIP_S


def test_a_hundred_reads_that_hang_hold_no_exit_up() -> None:
    async def main() -> None:
        clock = virtual_clock()
        async with raw_server(Silence()) as server, open_client(access_to(server.url), clock) as client:
            reads = [asyncio.create_task(client.account(deadline_s=600), name=f"read {n}") for n in range(100)]
            while len(server.seen) < 100:
                await clock.sleep(0)
            server.usual = Answer(200, ORDER)
            began_s = clock.monotonic_s()
            await client.submit(BRACKET, purpose=Purpose.CLOSE)
            server.usual = Answer(404, {"code": 40410000, "message": "order not found"})
            with pytest.raises(NotFound):
                await client.cancel("o-1")
            assert clock.monotonic_s() - began_s < 1.0
            assert not any(read.done() for read in reads)
            for read in reads:
                read.cancel()
            await asyncio.gather(*reads, return_exceptions=True)

    run_virtually(main())
