"""A second opinion: answers of a running exchange, judged by openapi-core on Alpaca's own documents.

The documents are Alpaca's and not in this project, so this is a command and no test. What every test holds every answer
to is ``checker.py``; this says whether the two agree.

    uv run --with openapi-core python -m tests.conformance.by_openapi_core trading-api.json market-data-api.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp

from engine.clock import SystemClock
from engine.exchange.server import serve_exchange
from engine.exchange.settings import ExchangeSettings

SETTLED_S: Final = 1.0
DATA: Final = ("/v2/stocks", "/v1beta3/")
CONTRADICTION: Final = "/v2/account/activities/FILL"
"""The document asks for exactly one of two kinds of which every activity is both: nothing can pass."""

BRACKET: Final = {
    "symbol": "AAPL",
    "qty": "5",
    "side": "buy",
    "type": "market",
    "time_in_force": "gtc",
    "order_class": "bracket",
    "take_profit": {"limit_price": "250"},
    "stop_loss": {"stop_price": "150"},
}
RESTING: Final = {
    "symbol": "MSFT",
    "qty": "2",
    "side": "buy",
    "type": "limit",
    "limit_price": "100",
    "time_in_force": "day",
}
READS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("/v2/account", {}),
    ("/v2/account/configurations", {}),
    ("/v2/account/portfolio/history", {}),
    ("/v2/account/activities", {"page_size": "5"}),
    (CONTRADICTION, {}),
    ("/v2/positions", {}),
    ("/v2/positions/AAPL", {}),
    ("/v2/orders", {"status": "all", "nested": "true"}),
    ("/v2/assets", {"asset_class": "us_equity"}),
    ("/v2/assets/AAPL", {}),
    ("/v2/clock", {}),
    ("/v2/calendar", {"start": "2026-11-25", "end": "2026-11-30"}),
    ("/v2/stocks/quotes/latest", {"symbols": "AAPL,SPY"}),
    ("/v2/stocks/trades/latest", {"symbols": "AAPL"}),
    ("/v2/stocks/snapshots", {"symbols": "AAPL"}),
    ("/v2/stocks/bars", {"symbols": "AAPL", "timeframe": "1Min", "limit": "2"}),
    ("/v1beta3/crypto/us/latest/quotes", {"symbols": "BTC/USD"}),
    ("/v1beta3/crypto/us/latest/trades", {"symbols": "BTC/USD"}),
    ("/v1beta3/crypto/us/snapshots", {"symbols": "BTC/USD"}),
    ("/v1beta3/crypto/us/bars", {"symbols": "BTC/USD", "timeframe": "1Min", "limit": "2"}),
)


class Judge:
    def __init__(self, base: str, session: aiohttp.ClientSession, trading: Path, data: Path) -> None:
        from openapi_core import OpenAPI

        self._base = base
        self._session = session
        self._trading, self._data = (
            OpenAPI.from_dict(json.loads(path.read_text(encoding="utf-8")) | {"servers": [{"url": base}]})
            for path in (trading, data)
        )
        self.wrong: list[str] = []

    async def ask(self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> Any:
        """The decoded answer; what openapi-core has against it is printed and kept."""
        from openapi_core.testing import MockRequest, MockResponse

        async with self._session.request(method, self._base + path, params=query, json=body) as answer:
            raw, status = await answer.read(), answer.status
        sent = None if body is None else json.dumps(body).encode()
        request = MockRequest(self._base, method.lower(), path, args=query or {}, data=sent)
        response = MockResponse(raw, status_code=status, content_type="application/json")
        api = self._data if path.startswith(DATA) else self._trading
        said = "as documented"
        try:
            api.validate_response(request, response)
        except Exception as error:
            said = f"{type(error).__name__}: {str(error.__cause__ or error)[:200]}"
            if path != CONTRADICTION:
                self.wrong.append(f"{method} {path}")
        print(f"{method} {path} {status}: {said}")
        return json.loads(raw) if raw else None


async def judge(trading: Path, data: Path) -> list[str]:
    headers = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
    async with (
        serve_exchange(ExchangeSettings(seed=7, latency_ms=1.0), SystemClock()) as exchange,
        aiohttp.ClientSession(headers=headers) as session,
    ):
        told = Judge(exchange.url, session, trading, data)
        bracket = await told.ask("POST", "/v2/orders", body=BRACKET)
        await asyncio.sleep(SETTLED_S)
        await told.ask("GET", f"/v2/orders/{bracket['id']}")
        await told.ask("GET", "/v2/orders:by_client_order_id", {"client_order_id": bracket["client_order_id"]})
        for path, query in READS:
            await told.ask("GET", path, query)
        resting = await told.ask("POST", "/v2/orders", body=RESTING)
        await told.ask("PATCH", f"/v2/orders/{resting['id']}", body={"limit_price": "101"})
        await told.ask("POST", "/v2/orders", body=RESTING | {"symbol": "NOPE"})
        await told.ask("DELETE", "/v2/orders")
        await asyncio.sleep(SETTLED_S)
        await told.ask("DELETE", "/v2/positions")
        await told.ask("PATCH", "/v2/account/configurations", body={"suspend_trade": False})
    return told.wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trading", type=Path)
    parser.add_argument("data", type=Path)
    asked = parser.parse_args()
    return 1 if asyncio.run(judge(asked.trading, asked.data)) else 0


if __name__ == "__main__":
    sys.exit(main())
