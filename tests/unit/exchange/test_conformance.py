"""Answers hold to Alpaca's published schemas.

``schemas.json`` has, from Alpaca's OpenAPI document of the trading API (2026-06-24), the fields of the schemas used
here with type, nullability and enumeration. Answers may leave out optional fields and add none but the ones named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.exchange.trader import Trader

SCHEMAS: dict[str, Any] = msgspec.json.decode(Path(__file__).with_name("schemas.json").read_bytes())
UNDOCUMENTED = {"effective_buying_power"}
"""In recorded answers, but not in the document."""
TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check(schema: str, rows: Any, *, also: Iterable[str] = ()) -> None:
    """Every row has the schema's required fields, no unknown one, and values of the right kind."""
    fields = SCHEMAS[schema]["fields"]
    for row in rows if isinstance(rows, list) else [rows]:
        assert set(SCHEMAS[schema]["required"]) <= set(row)
        assert set(row) <= set(fields) | set(also)
        for name, value in row.items():
            if name in fields:
                check_value(f"{schema}.{name}", fields[name], value)


def check_value(place: str, field: dict[str, Any], value: Any) -> None:
    if value is None:
        assert field.get("nullable"), f"{place} is null"
        return
    if field["type"] != "any":
        assert isinstance(value, TYPES[field["type"]]), f"{place} is {value!r}"
    if "enum" in field:
        assert value in field["enum"], f"{place} is {value!r}"
    if field.get("format") == "uuid":
        assert UUID.fullmatch(value), f"{place} is {value!r}"
    if field.get("format") in {"date-time", "date"}:
        datetime.fromisoformat(value)


@pytest.fixture
def busy() -> Trader:
    """An account in which something of everything has happened."""
    trader = Trader()
    trader.bracket()
    trader.placed(symbol="SPY", qty="3")
    trader.wait()
    limit = trader.placed(symbol="SPY", type="limit", limit_price="600", time_in_force="gtc")
    stop = trader.placed(symbol="SPY", side="sell", type="trailing_stop", trail_percent="2", qty="2")
    trader.wait()
    trader.call("PATCH", f"/v2/orders/{limit['id']}", {"limit_price": "601"})
    trader.call("DELETE", f"/v2/orders/{stop['id']}")
    trader.placed(symbol="SPY", qty=None, notional="50")
    trader.wait()
    return trader


def test_orders(busy: Trader) -> None:
    rows = busy.get("/v2/orders", status="all", nested="true")
    assert len(rows) == 6
    check("Order", rows)
    for row in rows:
        check("Order", row["legs"] or [])


def test_orders_of_trade_updates(busy: Trader) -> None:
    check("Order", [update["order"] for update in busy.updates])


def test_account_and_configurations(busy: Trader) -> None:
    check("Account", busy.get("/v2/account"), also=UNDOCUMENTED)
    check("AccountConfigurations", busy.get("/v2/account/configurations"))


def test_positions_activities_and_history(busy: Trader) -> None:
    positions = busy.get("/v2/positions")
    assert [row["symbol"] for row in positions] == ["AAPL", "SPY"]
    check("Position", positions)
    check("TradingActivities", busy.get("/v2/account/activities"))
    check("PortfolioHistory", busy.get("/v2/account/portfolio/history", period="1D", timeframe="5Min"))


def test_assets_clocks_and_calendars(busy: Trader) -> None:
    check("Assets", busy.get("/v2/assets"))
    check("legacy_clock", busy.get("/v2/clock"))
    check("legacy_calendar_day", busy.get("/v2/calendar", start="2026-08-01", end="2026-08-31"))
    check("clock", busy.get("/v3/clock")["clocks"])
    check("calendar_day", busy.get("/v3/calendar/NYSE", start="2026-08-01", end="2026-08-31")["calendar"])


def test_market_data_has_the_documented_fields(busy: Trader) -> None:
    quote = busy.get("/v2/stocks/quotes/latest", symbols="AAPL")["quotes"]["AAPL"]
    assert set(quote) == {"t", "bx", "bp", "bs", "ap", "as", "ax", "c", "z"}
    trade = busy.get("/v2/stocks/trades/latest", symbols="AAPL")["trades"]["AAPL"]
    assert set(trade) == {"t", "i", "x", "p", "s", "c", "z"}
    bars = busy.get("/v2/stocks/bars", symbols="AAPL", timeframe="1Min", limit="3", start="2026-08-21T13:00:00Z")
    assert all(set(bar) == {"t", "o", "h", "l", "c", "v", "n", "vw"} for bar in bars["bars"]["AAPL"])
    assert all(isinstance(bar["v"], int) and isinstance(bar["n"], int) for bar in bars["bars"]["AAPL"])
    snapshot = busy.get("/v2/stocks/snapshots", symbols="AAPL")["AAPL"]
    assert set(snapshot) == {"latestTrade", "latestQuote", "minuteBar", "dailyBar", "prevDailyBar"}
