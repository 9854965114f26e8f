"""The program as a person uses it, from outside: its own process, its own window, pixels, keys and a mouse.

The first start, an approval, a stop dragged, exits retried, the desk halted. What happened is asked of the desk's API
and of the broker, never of the window.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
import pytest

from gui.theme import DARK
from tests.nightly.processes import TOKEN, Client, exchange_process, running_program
from tests.nightly.remote_screen import RemoteScreen
from tests.nightly.screen import Picture, Screen, pixels_of
from tests.nightly.x_screen import XScreen, what_is_missing

WIDE, HIGH = 1600, 900
PATIENCE_S: Final = 30.0
LOOK_S: Final = 0.1
TRIES_EVERY: Final = 30
"""Looks between two presses: who sees that nothing came of it presses again."""
GUARD_S: Final = 1.0
"""Longer than a card that has just come takes no yes."""
STILL: Final = 6
"""Looks at which it has not moved."""


class Person:
    """Who sits before the screen, and who asks the desk what became of it."""

    def __init__(self, screen: Screen, api: Client, exchange: Client) -> None:
        self.screen = screen
        self.api = api
        self.exchange = exchange
        self._number = 0

    async def until(self, what: str, is_so: Callable[[], Any], *, again: Callable[[], Any] | None = None) -> Any:
        """``again`` is what a person does anew every few seconds for as long as it is not so; it may do nothing."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                looks = 0
                while not (found := await is_so()):
                    if again is not None and looks % TRIES_EVERY == 0:
                        await again()
                    looks += 1
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(f"never: {what}") from None
        return found

    async def sees(self, what: str, is_so: Callable[[Picture], Any]) -> Any:
        async def look() -> Any:
            return is_so(await self.screen.picture())

        return await self.until(what, look)

    async def stands_still(self, what: str, found: Callable[[Picture], int | None]) -> int:
        """Where something is, once it has been there for a while: charts move while their prices come in."""
        seen: list[int | None] = [None]

        async def look() -> int | None:
            seen.append(found(await self.screen.picture()))
            return seen[-1] if len(seen) > STILL and len(set(seen[-STILL:])) == 1 else None

        at: int = await self.until(f"{what}, still", look)
        return at

    async def propose(self, symbol: str) -> str:
        quote = (await self.exchange.ask("GET", f"/v2/stocks/{symbol}/quotes/latest"))["quote"]
        price = Decimal(str(quote["ap"]))
        self._number += 1
        body = {
            "source": "e2e",
            "id": f"e{self._number}",
            "strategy": "e2e",
            "symbol": symbol,
            "side": "buy",
            "intent": "open",
            "qty": 10,
            "entry": {"type": "market"},
            "stop_loss": {"stop_price": str(round(price * Decimal("0.97"), 2))},
            "take_profit": {"limit_price": str(round(price * Decimal("1.03"), 2))},
        }
        answer = await self.api.ask("POST", "/v1/signals", body)
        return str(answer["id"])

    async def trade_of(self, signal: str) -> dict[str, Any] | None:
        trades = await self.api.ask("GET", "/v1/brackets?status=open")
        rows = trades if isinstance(trades, list) else trades["brackets"]
        found: dict[str, Any] | None = next((trade for trade in rows if trade["signal_id"] == signal), None)
        return found

    async def approve(self, symbol: str) -> str:
        """With the keyboard: to the card, and yes. Its signal."""
        signal = await self.propose(symbol)
        await self.sees("a card with its green button", lambda seen: len(pixels_of(seen, DARK.go)) > 800)

        async def say_yes() -> None:
            """For as long as it waits: the gate may say no at first (no quote yet), or something got worse."""
            if (await self.api.ask("GET", f"/v1/signals/{signal}"))["status"] != "pending":
                return
            for key in ("Left", "Left", "Down", "Up"):
                await self.screen.press(key)
            await asyncio.sleep(GUARD_S)
            await self.screen.press("a")

        async def is_held() -> bool:
            trade = await self.trade_of(signal)
            return trade is not None and Decimal(trade["held_qty"]) > 0

        await self.until(f"{symbol} is held", is_held, again=say_yes)
        return signal

    async def entries(self, symbol: str) -> int:
        """Order groups of a symbol that the broker was ever sent."""
        orders = await self.exchange.ask("GET", f"/v2/orders?status=all&nested=true&limit=50&symbols={symbol}")
        return sum(order["order_class"] == "bracket" for order in orders)


@asynccontextmanager
async def a_person(kind: type[RemoteScreen | XScreen], folder: Path) -> AsyncIterator[Person]:
    async with (
        kind.opened(WIDE, HIGH) as screen,
        exchange_process(seed=7, log=folder / "exchange.log") as exchange,
        running_program(exchange, folder / "data", folder / "desk.log", screen.environment) as url,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
    ):
        await screen.meet()
        person = Person(screen, Client(url, session), exchange)

        async def is_open() -> bool:
            return bool((await person.api.ask("GET", "/v1/health"))["status"] == "ok")

        await person.until("the start gate is open", is_open)
        yield person


def sheet_is_up(seen: Picture) -> bool:
    """The ground of a card in the middle of an otherwise empty window."""
    middle = seen[HIGH // 3 : 2 * HIGH // 3, WIDE // 3 : 2 * WIDE // 3]
    return len(pixels_of(middle, DARK.plane2)) > 20_000


@pytest.fixture(params=[RemoteScreen, XScreen], ids=["vnc", "x"])
def kind(request: pytest.FixtureRequest) -> type[RemoteScreen | XScreen]:
    """Qt's own VNC server, which is always there, and a real X server, which ``.ci/run`` insists on."""
    missing = what_is_missing() if request.param is XScreen else ""
    if missing and "NEEDS_X" in os.environ:
        pytest.fail(f"The window was not tried on X: {missing} cannot be found here, and .ci/run could not install it.")
    if missing:
        pytest.skip(f"no X server to try the window on: {missing} cannot be found")
    found: type[RemoteScreen | XScreen] = request.param
    return found


async def test_first_start_approve_drag_a_stop_retry_and_halt(
    kind: type[RemoteScreen | XScreen], tmp_path: Path
) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # of this process; the program has its own
    async with a_person(kind, tmp_path) as person:
        screen = person.screen
        await person.sees("the first steps", sheet_is_up)
        await screen.press("Esc")
        await person.sees("the first steps gone", lambda seen: not sheet_is_up(seen))

        # A yes, by the keyboard.
        signal = await person.approve("AAPL")
        trade = await person.trade_of(signal)
        assert trade is not None
        assert await person.entries("AAPL") == 1, "one approval, one order"

        # The stop, taken by its line and pulled closer.
        await screen.press("Right")
        await screen.press("Down")
        chart = (slice(60, HIGH // 2), slice(int(WIDE * 0.8), WIDE - 80))

        def stop_line(seen: Picture) -> int | None:
            rows = np.bincount(pixels_of(seen[chart], DARK.stop)[:, 0], minlength=chart[0].stop)
            return int(rows.argmax()) + chart[0].start if rows.max() > 40 else None

        x = int(WIDE * 0.85)
        before = Decimal(trade["legs"]["stop_loss"]["stop_price"])

        async def pull() -> None:
            y = await person.stands_still("the line of the stop", stop_line)
            await screen.drag((x, y), (x, y - 40))

        async def is_closer() -> bool:
            moved = await person.trade_of(signal)
            leg = moved["legs"]["stop_loss"] if moved is not None else None
            return leg is not None and Decimal(leg["stop_price"]) > before

        await person.until("the stop is closer at the broker", is_closer, again=pull)

        # A trade whose exits the broker refuses, until it takes them again.
        fault = {"do": "exits_refused", "from_group": 1, "every": 1, "then_refuse_oco": 500, "seed": 7}
        await person.exchange.ask("POST", "/_exchange/faults", fault)
        naked = await person.approve("MSFT")
        assert await person.entries("MSFT") == 1, "one approval, one order"

        async def is_naked() -> bool:
            trade = await person.trade_of(naked)
            return trade is not None and trade["status"] == "naked"

        await person.until("MSFT is naked", is_naked)
        await person.sees("the alarm", lambda seen: len(pixels_of(seen[:60], DARK.p1)) > 800)
        await person.exchange.ask("DELETE", "/_exchange/faults")

        async def retry() -> None:
            for key in ("Right", "Up", "Up", "Up"):
                await screen.press(key)
            await screen.press("b")

        async def is_protected() -> bool:
            trade = await person.trade_of(naked)
            return trade is not None and trade["status"] == "protected"

        await person.until("MSFT is protected again", is_protected, again=retry)

        # Everything stopped: the button on the upper right, held.
        async def hold() -> None:
            await screen.click(WIDE - 70, 32, hold_s=1.4)

        async def is_halted() -> bool:
            return bool((await person.api.ask("GET", "/v1/health"))["desk_state"] == "halted")

        await person.until("the desk is halted", is_halted, again=hold)
        late = await person.propose("NVDA")
        for _ in range(3):
            for key in ("Left", "Left", "Down", "Up"):
                await screen.press(key)
            await asyncio.sleep(GUARD_S)
            await screen.press("a")
        assert await person.trade_of(late) is None, "a halted desk enters nothing"
