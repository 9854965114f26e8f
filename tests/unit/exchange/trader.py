"""A trader at a sans-IO exchange whose clock and prices move only when a test moves them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from engine.exchange.core import Exchange
from engine.exchange.faults import Fault
from engine.exchange.floor import TradeUpdate
from engine.exchange.rest import Request, Rest
from engine.exchange.settings import ExchangeSettings

START = datetime(2026, 8, 21, 14, 0, tzinfo=UTC)
"""A Friday, 10:00 in New York."""
PRICES = {"AAPL": "271", "SPY": "662"}
"""Where the tests' markets stand, whatever the listing's reference levels are."""
STILL_S = 1e9
"""A quote interval so long that prices move by hand only."""


class ManualClock:
    """Time that stands until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic_s(self) -> float:
        return self._passed_s

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a sans-IO exchange does not sleep")

    def pass_s(self, seconds: float) -> None:
        self._passed_s += seconds


class Answer:
    """Status, headers and JSON of an answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.json: Any = msgspec.json.decode(body) if body else None


class Trader:
    """Sends requests, lets time pass, and remembers the trade updates. Closed by ``conftest.py`` after its test."""

    opened: ClassVar[list[Trader]] = []

    def __init__(
        self,
        *,
        start: datetime = START,
        symbols: tuple[str, ...] = ("AAPL", "SPY"),
        db_path: Path | None = None,
        quote_interval_s: float = STILL_S,
        **settings: Any,
    ) -> None:
        self.clock = ManualClock(start)
        self.settings = ExchangeSettings(
            symbols=symbols, db_path=db_path, quote_interval_s=quote_interval_s, **settings
        )
        is_new = db_path is None or not db_path.exists()
        self.exchange = Exchange(self.settings, self.clock)
        for symbol, price in PRICES.items():
            if is_new and self.exchange.market.lists(symbol):
                self.exchange.move_price(symbol, Decimal(price))
        self.rest = Rest(self.exchange)
        self.updates: list[dict[str, Any]] = []
        self.exchange.on_updates = self._note
        self.exchange.listen(rendering=True)
        Trader.opened.append(self)

    def close(self) -> None:
        Trader.opened.remove(self)
        self.exchange.close()

    def _note(self, updates: list[TradeUpdate]) -> None:
        self.updates += [update.data for update in updates]

    def fault(self, fault: Fault) -> None:
        self.exchange.faults.add(fault)

    # -- requests ---------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None, **query: str) -> Answer:
        request = Request(
            method=method, path=path, query=query, body=b"" if body is None else msgspec.json.encode(body)
        )
        response = self.rest.handle(request)
        return Answer(response.status, response.headers, response.body)

    def get(self, path: str, **query: str) -> Any:
        answer = self.call("GET", path, **query)
        assert answer.status == 200, answer.json
        return answer.json

    def order(self, **terms: Any) -> Answer:
        """Posts an order for ten AAPL at market unless the terms say otherwise."""
        body = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"} | terms
        return self.call("POST", "/v2/orders", {key: value for key, value in body.items() if value is not None})

    def placed(self, **terms: Any) -> dict[str, Any]:
        answer = self.order(**terms)
        assert answer.status == 200, answer.json
        order: dict[str, Any] = answer.json
        return order

    def bracket(self, target: str = "280", stop: str = "265", **terms: Any) -> dict[str, Any]:
        exits = {"take_profit": {"limit_price": target}, "stop_loss": {"stop_price": stop}}
        return self.placed(**({"order_class": "bracket", "time_in_force": "gtc"} | exits | terms))

    def oco(self, target: str = "280", stop: str = "265", **terms: Any) -> Answer:
        exits = {"take_profit": {"limit_price": target}, "stop_loss": {"stop_price": stop}}
        return self.order(
            **({"order_class": "oco", "type": "limit", "side": "sell", "time_in_force": "gtc"} | exits | terms)
        )

    def holding(self, qty: str = "10", symbol: str = "AAPL") -> None:
        """Buys and waits for the fill."""
        self.placed(symbol=symbol, qty=qty)
        self.wait()

    # -- the world --------------------------------------------------------------------------------------------------

    def wait(self, seconds: float = 1.0) -> None:
        """Lets time pass in small steps, doing what falls due."""
        for _ in range(max(1, round(seconds / 0.002)) if seconds <= 2 else 1):
            self.clock.pass_s(0.002 if seconds <= 2 else seconds)
            self.exchange.run_due()

    def move(self, price: str, symbol: str = "AAPL") -> None:
        """Moves the market and lets what follows from it happen."""
        self.exchange.move_price(symbol, Decimal(price))
        self.exchange.settle()
        self.wait(0.1)

    def read(self, order_id: str) -> dict[str, Any]:
        order: dict[str, Any] = self.get(f"/v2/orders/{order_id}", nested="true")
        return order

    def status(self, order_id: str) -> str:
        return str(self.read(order_id)["status"])

    def events(self, order_id: str) -> list[str]:
        return [update["event"] for update in self.updates if update["order"]["id"] == order_id]

    def position(self, symbol: str = "AAPL") -> dict[str, Any]:
        position: dict[str, Any] = self.get(f"/v2/positions/{symbol}")
        return position

    def held_qty(self, symbol: str = "AAPL") -> str:
        answer = self.call("GET", f"/v2/positions/{symbol}")
        return "0" if answer.status == 404 else str(answer.json["qty"])
