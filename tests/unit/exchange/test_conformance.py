"""Answers hold to Alpaca's published schemas: every answer of every test does, and here each call is asked once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.exchange.rest import Request, Response
from tests.conformance.checker import SCHEMAS, shape_of, watched, wrong
from tests.unit.exchange.trader import Trader

NOT_SERVED = {
    "GET /v1beta3/crypto/{loc}/quotes",
    "GET /v1beta3/crypto/{loc}/trades",
    "GET /v2/stocks/auctions",
    "GET /v2/stocks/meta/conditions/{ticktype}",
    "GET /v2/stocks/meta/exchanges",
    "GET /v2/stocks/quotes",
    "GET /v2/stocks/trades",
    "GET /v2/stocks/{symbol}/auctions",
    "GET /v2/stocks/{symbol}/quotes",
    "GET /v2/stocks/{symbol}/trades",
    "POST /v2/positions/{symbol_or_contract_id}/do-not-exercise",
    "POST /v2/positions/{symbol_or_contract_id}/exercise",
}
"""Ticks of the past, auctions, tables of codes, options: answered with 404, and named in the manual."""


CLOCK = {"timestamp": "2026-08-21T10:00:00-04:00", "is_open": True} | dict.fromkeys(
    ("next_open", "next_close"), "2026-08-21T16:00:00-04:00"
)


@pytest.fixture
def busy() -> Trader:
    """An account in which something of everything has happened."""
    trader = Trader(symbols=("AAPL", "SPY", "BTC/USD"))
    trader.bracket()
    trader.placed(symbol="SPY", qty="3")
    trader.wait()
    limit = trader.placed(symbol="SPY", type="limit", limit_price="600", time_in_force="gtc")
    stop = trader.placed(symbol="SPY", side="sell", type="trailing_stop", trail_percent="2", qty="2")
    trader.placed(symbol="BTC/USD", qty="0.01", time_in_force="gtc")
    trader.wait()
    trader.call("PATCH", f"/v2/orders/{limit['id']}", {"limit_price": "601"})
    trader.call("DELETE", f"/v2/orders/{stop['id']}")
    trader.placed(symbol="SPY", qty=None, notional="50")
    trader.wait()
    return trader


def test_every_documented_call_that_is_served_answers_as_documented(busy: Trader) -> None:
    order = busy.placed(symbol="SPY", type="limit", limit_price="599", client_order_id="mine")
    busy.wait()
    patched = busy.placed(symbol="SPY", type="limit", limit_price="598")
    busy.wait()
    stocks = {"symbols": "AAPL,SPY"}
    coins = {"symbols": "BTC/USD"}
    days = {"start": "2026-08-01", "end": "2026-08-31"}
    ask: dict[str, Callable[[], Any]] = {
        "GET /v2/orders": lambda: busy.call("GET", "/v2/orders", status="all", nested="true"),
        "GET /v2/orders/{order_id}": lambda: busy.call("GET", f"/v2/orders/{order['id']}"),
        "GET /v2/orders:by_client_order_id": lambda: busy.call(
            "GET", "/v2/orders:by_client_order_id", client_order_id="mine"
        ),
        "POST /v2/orders": lambda: busy.order(symbol="SPY", type="limit", limit_price="597"),
        "PATCH /v2/orders/{order_id}": lambda: busy.call(
            "PATCH", f"/v2/orders/{patched['id']}", {"limit_price": "596"}
        ),
        "DELETE /v2/orders/{order_id}": lambda: busy.call("DELETE", f"/v2/orders/{order['id']}"),
        "GET /v2/positions": lambda: busy.call("GET", "/v2/positions"),
        "GET /v2/positions/{symbol_or_asset_id}": lambda: busy.call("GET", "/v2/positions/BTCUSD"),
        "DELETE /v2/positions/{symbol_or_asset_id}": lambda: busy.call("DELETE", "/v2/positions/BTCUSD"),
        "GET /v2/account": lambda: busy.call("GET", "/v2/account"),
        "GET /v2/account/configurations": lambda: busy.call("GET", "/v2/account/configurations"),
        "PATCH /v2/account/configurations": lambda: busy.call(
            "PATCH", "/v2/account/configurations", {"no_shorting": True}
        ),
        "GET /v2/account/activities": lambda: busy.call("GET", "/v2/account/activities"),
        "GET /v2/account/activities/{activity_type}": lambda: busy.call("GET", "/v2/account/activities/FILL"),
        "GET /v2/account/portfolio/history": lambda: busy.call(
            "GET", "/v2/account/portfolio/history", period="1D", timeframe="5Min"
        ),
        "GET /v2/assets": lambda: busy.call("GET", "/v2/assets"),
        "GET /v2/assets/{symbol_or_asset_id}": lambda: busy.call("GET", "/v2/assets/AAPL"),
        "GET /v2/clock": lambda: busy.call("GET", "/v2/clock"),
        "GET /v2/calendar": lambda: busy.call("GET", "/v2/calendar", **days),
        "GET /v3/clock": lambda: busy.call("GET", "/v3/clock"),
        "GET /v3/calendar/{market}": lambda: busy.call("GET", "/v3/calendar/NYSE", **days),
        "GET /v1/corporate-actions": lambda: busy.call("GET", "/v1/corporate-actions", symbols="AAPL"),
        "GET /v2/stocks/bars": lambda: busy.call("GET", "/v2/stocks/bars", timeframe="1Min", **stocks),
        "GET /v2/stocks/bars/latest": lambda: busy.call("GET", "/v2/stocks/bars/latest", **stocks),
        "GET /v2/stocks/quotes/latest": lambda: busy.call("GET", "/v2/stocks/quotes/latest", **stocks),
        "GET /v2/stocks/trades/latest": lambda: busy.call("GET", "/v2/stocks/trades/latest", **stocks),
        "GET /v2/stocks/snapshots": lambda: busy.call("GET", "/v2/stocks/snapshots", **stocks),
        "GET /v2/stocks/{symbol}/bars": lambda: busy.call("GET", "/v2/stocks/AAPL/bars", timeframe="1Day", **days),
        "GET /v2/stocks/{symbol}/bars/latest": lambda: busy.call("GET", "/v2/stocks/AAPL/bars/latest"),
        "GET /v2/stocks/{symbol}/quotes/latest": lambda: busy.call("GET", "/v2/stocks/AAPL/quotes/latest"),
        "GET /v2/stocks/{symbol}/trades/latest": lambda: busy.call("GET", "/v2/stocks/AAPL/trades/latest"),
        "GET /v2/stocks/{symbol}/snapshot": lambda: busy.call("GET", "/v2/stocks/AAPL/snapshot"),
        "GET /v1beta3/crypto/{loc}/bars": lambda: busy.call(
            "GET", "/v1beta3/crypto/us/bars", timeframe="1Min", **coins
        ),
        "GET /v1beta3/crypto/{loc}/latest/bars": lambda: busy.call("GET", "/v1beta3/crypto/us/latest/bars", **coins),
        "GET /v1beta3/crypto/{loc}/latest/quotes": lambda: busy.call(
            "GET", "/v1beta3/crypto/us/latest/quotes", **coins
        ),
        "GET /v1beta3/crypto/{loc}/latest/trades": lambda: busy.call(
            "GET", "/v1beta3/crypto/us/latest/trades", **coins
        ),
        "GET /v1beta3/crypto/{loc}/latest/orderbooks": lambda: busy.call(
            "GET", "/v1beta3/crypto/us/latest/orderbooks", **coins
        ),
        "GET /v1beta3/crypto/{loc}/snapshots": lambda: busy.call("GET", "/v1beta3/crypto/us/snapshots", **coins),
        "DELETE /v2/orders": lambda: busy.call("DELETE", "/v2/orders"),
        "DELETE /v2/positions": lambda: busy.call("DELETE", "/v2/positions", cancel_orders="true"),
    }
    assert ask.keys() == SCHEMAS["calls"].keys() - NOT_SERVED
    failed = {call: answer.json for call in ask if (answer := ask[call]()).status >= 400}
    assert failed == {}


@pytest.mark.parametrize("call", sorted(NOT_SERVED))
def test_what_is_not_served_says_so(busy: Trader, call: str) -> None:
    method, path = call.split(" ")
    answer = busy.call(method, path.replace("{loc}", "us").replace("{symbol}", "AAPL"))
    assert answer.status in (404, 405), answer.json


def test_orders_in_trade_updates_are_documented_orders(busy: Trader) -> None:
    assert len(busy.updates) > 20
    for update in busy.updates:
        shape_of("Order")(msgspec.json.decode(msgspec.json.encode(update["order"])))


@pytest.mark.parametrize(
    ("path", "status", "body", "why"),
    [
        ("/v2/clock", 200, CLOCK | {"moon": "full"}, "moon"),
        ("/v2/clock", 200, CLOCK | {"timestamp": "soon"}, "timestamp must be date-time"),
        ("/v2/clock", 200, {"is_open": True}, "must contain"),
        ("/v2/orders", 200, [{"notional": None, "type": "limit", "time_in_force": "tomorrow"}], "time_in_force"),
        ("/v2/orders", 200, [{"type": "limit"}], "must contain"),
        ("/v2/orders", 201, [], "documented are 200"),
        ("/v2/moons", 200, [], "no such call"),
        ("/v2/orders", 403, {"message": "no"}, "without a code"),
        ("/v2/orders", 403, {"code": 42210000, "message": "no"}, "does not fit"),
        ("/v2/orders", 404, ["no"], "without a message"),
    ],
)
def test_what_is_not_as_documented_is_seen(path: str, status: int, body: Any, why: str) -> None:
    found = wrong(Request(method="GET", path=path), Response(status=status, body=msgspec.json.encode(body)))
    assert found is not None
    assert why in found


def test_the_watch_notes_what_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    trader = Trader()
    monkeypatch.setattr(trader.exchange, "render", lambda *_, **__: {"colour": "red"})
    with watched() as notes:
        trader.order()
    assert len(notes) == 1
    assert "POST /v2/orders" in notes[0]
