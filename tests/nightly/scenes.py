"""What a desk is busy with when it is killed: each scene gets it there, the dice choose the moment.

All of them end in the middle of something: approvals on their way to the wire, fills, exits that the broker refuses,
answers that never come, a flatten, a start.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Final

import aiohttp

from tests.nightly.processes import Client, DeskProcess, until

SYMBOLS: Final = ("AAPL", "MSFT", "NVDA", "AMD", "JPM", "INTC")
CENT: Final = Decimal("0.01")

Dice = random.Random
Scene = Callable[["Stage"], Awaitable[None]]


class Stage:
    """One round: its dice, the exchange, the desk, and numbers for signals that nobody used before."""

    def __init__(self, number: int, dice: Dice, exchange: Client, desk: DeskProcess) -> None:
        self.number = number
        self.dice = dice
        self.exchange = exchange
        self.desk = desk
        self.asked: list[asyncio.Future[Any]] = []

    def ask_and_go_on(self, method: str, path: str, body: Any) -> None:
        """Without waiting for the answer, which may never come."""
        self.asked.append(asyncio.ensure_future(self.desk.api.ask(method, path, body)))

    async def forget(self) -> None:
        """What was asked and not answered."""
        for asked in self.asked:
            asked.cancel()
        await asyncio.gather(*self.asked, return_exceptions=True)

    async def moment(self, *seconds: float) -> None:
        """A random moment within the longest of these."""
        await asyncio.sleep(self.dice.uniform(0, self.dice.choice(seconds)))

    async def signals(self, symbols: Sequence[str], **changes: Any) -> list[str]:
        """Posted; their ids."""
        ids = []
        for symbol in symbols:
            quote = (await self.exchange.ask("GET", f"/v2/stocks/{symbol}/quotes/latest"))["quote"]
            body = {"symbol": symbol, "source": "nightly", "id": f"n{self.number}-{symbol}", **changes}
            answer = await self.desk.api.ask("POST", "/v1/signals", _proposal(Decimal(str(quote["ap"])), body))
            ids.append(answer["id"])
        return ids

    def approve(self, ids: Sequence[str]) -> None:
        for signal_id in ids:
            self.ask_and_go_on("POST", f"/v1/signals/{signal_id}/approve", {})

    async def fault(self, **fault: Any) -> None:
        await self.exchange.ask("POST", "/_exchange/faults", fault)

    def some(self, count: int) -> list[str]:
        return self.dice.sample(SYMBOLS, count)


def _proposal(price: Decimal, fields: dict[str, Any]) -> dict[str, Any]:
    """A market entry of ten shares, or a limit far away with ``away``, with a stop and a target around it."""
    away = Decimal(str(fields.pop("away", 0)))
    entry = (price * (1 - away / 100)).quantize(CENT)
    return {
        "side": "buy",
        "intent": "open",
        "qty": 10,
        "entry": {"type": "market"} if not away else {"type": "limit", "limit_price": str(entry)},
        "stop_loss": {"stop_price": str((entry * Decimal("0.98")).quantize(CENT))},
        "take_profit": {"limit_price": str((entry * Decimal("1.04")).quantize(CENT))},
        **fields,
    }


# --- the scenes ------------------------------------------------------------------------------------------------------


async def approvals(stage: Stage) -> None:
    """Three at once: some on the wire, some on disk, some neither."""
    stage.approve(await stage.signals(stage.some(3)))
    await stage.moment(0.01, 0.06, 0.3)


async def answers_lost(stage: Stage) -> None:
    """The broker takes entries, and its answers never come."""
    await stage.fault(do="lose_answer", method="POST", path="/v2/orders", count=2, hang_s=stage.dice.choice((0, 2)))
    stage.approve(await stage.signals(stage.some(2)))
    await stage.moment(0.1, 0.6, 1.5)


async def fills(stage: Stage) -> None:
    """Resting entries that another hand fills, in part at first."""
    stage.approve(await stage.signals(stage.some(2), away=3))
    await asyncio.sleep(0.5)
    for order in await stage.exchange.ask("GET", "/v2/orders?status=open&limit=50"):
        if order["order_class"] == "bracket" and order["status"] == "new":
            qty = stage.dice.choice(("3", "10"))
            await stage.exchange.ask("POST", f"/_exchange/orders/{order['id']}/fill", {"qty": qty})
    await stage.moment(0.02, 0.3, 6.0)


async def repairs(stage: Stage) -> None:
    """The exits of an entry are rejected, and their replacements are refused for a while."""
    (symbol,) = stage.some(1)
    await stage.fault(do="reject_legs", symbol=symbol)
    await stage.fault(
        do="refuse",
        method="POST",
        path="/v2/orders",
        order_class="oco",
        symbol=symbol,
        count=stage.dice.choice((0, 1, 3)),
    )
    stage.approve(await stage.signals([symbol]))
    await stage.moment(0.2, 1.0, 4.0)


async def flattens(stage: Stage) -> None:
    """Protected trades are on their way out."""
    stage.approve(await stage.signals(stage.some(2)))

    async def is_held() -> bool:
        return len(await stage.exchange.ask("GET", "/v2/positions")) >= 2

    await until("two positions are held", is_held)
    stage.ask_and_go_on("POST", "/v1/flatten", {"all": True})
    await stage.moment(0.02, 0.2, 2.5)


async def starts(stage: Stage) -> None:
    """Killed while it worked, and once more while it starts."""
    stage.approve(await stage.signals(stage.some(2)))
    await stage.moment(0.05)
    await stage.desk.kill()
    await stage.forget()
    await stage.desk.begin()
    await stage.moment(0.3, 1.5)


SCENES: Final[tuple[Scene, ...]] = (approvals, answers_lost, fills, repairs, flattens, starts)
LOST: Final = (aiohttp.ClientError, ConnectionError)
