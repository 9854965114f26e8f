"""Rounds of ``kill -9``: a desk gets busy, is killed at a random moment, comes back, and has to be right.

The exchange's process lives through all rounds, and so does the desk's data folder: what one round leaves behind, the
next one finds.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.nightly.processes import Client, DeskProcess, NotInTime, exchange_process, until
from tests.nightly.reckoning import journal_is_whole, read, wrong
from tests.nightly.scenes import SCENES, Stage

SETTLE_S: Final = 45.0
"""For look-ups, rescues and placements after a restart."""


class Round(NamedTuple):
    number: int
    scene: str
    wrong: tuple[str, ...]
    entries: int
    """Entry groups at the exchange by now."""


async def run_rounds(count: int, *, seed: int, folder: Path) -> AsyncIterator[Round]:
    """Scenes in turn, their moments drawn from the seed."""
    folder.mkdir(parents=True, exist_ok=True)
    async with exchange_process(seed=seed, log=folder / "exchange.log") as exchange:
        desk = DeskProcess(exchange, folder / "data", folder / "desk.log")
        await desk.start()
        try:
            for number in range(1, count + 1):
                await desk.open()
                yield await _round(number, random.Random(f"{seed}/{number}"), exchange, desk)
        finally:
            await desk.stop()


async def _round(number: int, dice: random.Random, exchange: Client, desk: DeskProcess) -> Round:
    scene = SCENES[(number - 1) % len(SCENES)]
    stage = Stage(number, dice, exchange, desk)
    await scene(stage)
    await desk.kill()
    await stage.forget()
    found = list(journal_is_whole(desk))
    await exchange.ask("DELETE", "/_exchange/faults")
    await desk.start()
    books = await read(exchange, desk)

    async def is_right() -> bool:
        nonlocal books
        books = await read(exchange, desk)
        return not list(wrong(books))

    try:
        await desk.open()
        await until("all is right", is_right, SETTLE_S)
    except NotInTime:
        found += wrong(books)
    found += await _go_flat(exchange, desk)
    entries = sum("-entry-" in order["client_order_id"] for order in books.orders)
    return Round(number, scene.__name__, tuple(found), entries)


async def _go_flat(exchange: Client, desk: DeskProcess) -> list[str]:
    """So that the next round has every symbol to itself; it is a check of its own."""
    for signal in (await desk.api.ask("GET", "/v1/signals?status=pending"))["signals"]:
        await desk.api.ask("POST", f"/v1/signals/{signal['id']}/reject", {"reason": "the round is over"})
    await desk.api.ask("POST", "/v1/flatten", {"all": True})

    async def is_flat() -> bool:
        for order in await exchange.ask("GET", "/v2/orders?status=open&limit=500"):
            if "-entry-" in order["client_order_id"]:
                known = (await desk.api.ask("GET", "/v1/orders?status=open"))["orders"]
                for each in known:
                    if each["broker_id"] == order["id"]:
                        await desk.api.ask("DELETE", f"/v1/orders/{each['id']}")
        positions = await exchange.ask("GET", "/v2/positions")
        open_brackets = (await desk.api.ask("GET", "/v1/brackets"))["brackets"]
        return not positions and not open_brackets

    try:
        await until("all trades are closed", is_flat, SETTLE_S)
    except NotInTime as late:
        return [str(late)]
    return []
