"""A disk that takes nothing more, under a real desk: no entry goes out, every exit does, and nothing is forgotten.

The limit is the kernel's own on the size of the desk's files: from one moment to the next no write goes through, as on
a full disk, and the exchange beside it goes on.
"""

from __future__ import annotations

import random
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.journal.reader import verify
from tests.nightly.processes import Client, DeskProcess, exchange_process, until
from tests.nightly.scenes import Stage

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the limit of another process is Linux's own")


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    async with exchange_process(seed=7, log=folder / "exchange.log") as exchange:
        desk = DeskProcess(exchange, folder / "data", folder / "desk.log")
        await desk.start()
        await desk.open()
        try:
            yield Stage(1, random.Random(7), exchange, desk)
        finally:
            set_full(desk, on=False)
            await desk.stop()


def set_full(desk: DeskProcess, *, on: bool) -> None:
    _, hard = resource.prlimit(desk.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(desk.pid, resource.RLIMIT_FSIZE, (1 if on else hard, hard))


async def protected(stage: Stage, symbol: str) -> str:
    (signal_id,) = await stage.signals([symbol])
    await approved(stage, signal_id)

    async def is_protected() -> bool:
        rows = (await stage.desk.api.ask("GET", "/v1/brackets"))["brackets"]
        return any(row["symbol"] == symbol and row["status"] == "protected" for row in rows)

    await until(f"{symbol} is protected", is_protected)
    rows = (await stage.desk.api.ask("GET", "/v1/brackets"))["brackets"]
    return str(next(row["id"] for row in rows if row["symbol"] == symbol))


async def approved(stage: Stage, signal_id: str) -> None:
    async def takes_it() -> bool:
        answer = await stage.desk.api.ask("POST", f"/v1/signals/{signal_id}/approve")
        return "error" not in answer

    await until(f"{signal_id} is approved", takes_it)


async def health(stage: Stage) -> dict[str, Any]:
    told: dict[str, Any] = await stage.desk.api.ask("GET", "/v1/health")
    return told


async def entries_at(exchange: Client) -> int:
    orders = await exchange.ask("GET", "/v2/orders?status=all&limit=500")
    return sum(1 for order in orders if order["side"] == "buy")


async def test_a_full_disk_stops_entries_and_no_exit(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        api, exchange = scene.desk.api, scene.exchange
        await protected(scene, "AAPL")
        waiting = await scene.signals(["MSFT", "JPM"])
        before = await entries_at(exchange)
        set_full(scene.desk, on=True)

        # One click finds it out: whatever it answers, nothing is sent.
        await api.ask("POST", f"/v1/signals/{waiting[0]}/approve")

        async def is_told() -> bool:
            rows = (await api.ask("GET", "/v1/incidents"))["incidents"]
            return any("journal cannot be written" in row["cause"] for row in rows)

        await until("an incident tells of the disk", is_told)
        assert (await health(scene))["status"] == "degraded"
        refused = await api.ask("POST", f"/v1/signals/{waiting[1]}/approve")
        assert refused["error"]["code"] == "DENIED"
        assert "JOURNAL" in {reason["code"] for reason in refused["error"]["reasons"] if reason["verdict"] == "deny"}
        assert await entries_at(exchange) == before

        flattened = await api.ask("POST", "/v1/flatten", {"symbol": "AAPL"})
        assert "error" not in flattened

        async def is_flat() -> bool:
            return await exchange.ask("GET", "/v2/positions") == []

        await until("AAPL is closed", is_flat)

        set_full(scene.desk, on=False)

        async def writes_again() -> bool:
            return (await health(scene))["status"] == "ok"

        await until("the journal is written again", writes_again)
        await protected(scene, "NVDA")

        # What went out while nothing could be written is in the journal of the next process.
        await scene.desk.kill()
        await scene.desk.start()
        await scene.desk.open()
        api = scene.desk.api
        rows = (await api.ask("GET", "/v1/brackets?status=all"))["brackets"]
        assert {row["symbol"]: row["status"] for row in rows}["AAPL"] == "closed"
        known = {row["broker_id"] for row in (await api.ask("GET", "/v1/orders?status=all"))["orders"]}
        at_broker = await exchange.ask("GET", "/v2/orders?status=all&limit=500")
        assert {order["id"] for order in at_broker} <= known
        (journal,) = scene.desk.data_dir.glob("paper-*/journal.db")
        assert verify(journal).ok


async def test_a_desk_killed_while_its_disk_is_full_finds_the_exits_that_it_could_not_write(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        exchange = scene.exchange
        await protected(scene, "AAPL")
        set_full(scene.desk, on=True)
        await scene.desk.api.ask("POST", "/v1/flatten", {"symbol": "AAPL"})

        async def is_flat() -> bool:
            return await exchange.ask("GET", "/v2/positions") == []

        await until("AAPL is closed", is_flat)
        await scene.desk.kill()
        await scene.desk.start()
        await scene.desk.open()

        async def is_closed() -> bool:
            rows = (await scene.desk.api.ask("GET", "/v1/brackets?status=all"))["brackets"]
            return {row["symbol"]: row["status"] for row in rows}["AAPL"] == "closed"

        await until("the trade is known to be closed", is_closed)
        # No second close was sent for shares that were gone.
        orders = await exchange.ask("GET", "/v2/orders?status=all&limit=500")
        sold = [order for order in orders if order["side"] == "sell" and order["filled_qty"] != "0"]
        assert sum(int(order["filled_qty"]) for order in sold) == sum(
            int(order["filled_qty"]) for order in orders if order["side"] == "buy"
        )
        assert await exchange.ask("GET", "/v2/positions") == []
