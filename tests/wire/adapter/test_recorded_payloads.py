"""Alpaca's published examples and recorded answers, as they are, read in full."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.alpaca import vocabulary
from engine.alpaca.errors import NotFound, Purpose, Response, Verb, classify
from engine.alpaca.reading import decode, read
from engine.alpaca.wire import (
    Account,
    Activity,
    Asset,
    Bar,
    CalendarDay,
    Clock,
    Order,
    Quote,
    Trade,
    read_order,
    read_position,
    read_snapshot,
    read_trade_update,
)
from engine.errors import NotYetError, RetryableError, TerminalError

PAYLOADS = Path(__file__).parent / "payloads"


@cache
def examples(name: str) -> dict[str, Any]:
    """By source, decoded as the adapter decodes."""
    rows = decode((PAYLOADS / f"{name}.json").read_bytes())
    return {f"{row['from']}-{number}": row for number, row in enumerate(rows)}


def each(name: str) -> Any:
    return pytest.mark.parametrize("row", [pytest.param(row["row"], id=key) for key, row in examples(name).items()])


@each("orders")
def test_every_recorded_order_is_read_in_full(row: dict[str, Any]) -> None:
    order = read_order(row)
    assert (order.id, order.client_order_id, order.status) == (row["id"], row["client_order_id"], row["status"])
    assert order.unreadable_legs == ()
    assert len(order.legs) == len(row.get("legs") or ())
    for name in ("qty", "limit_price", "stop_price", "filled_avg_price", "trail_percent", "notional"):
        found = row.get(name)
        assert getattr(order, name) == (None if found in (None, "") else Decimal(str(found))), name
    assert order.order_class in vocabulary.ORDER_CLASSES
    assert order.submitted_at is not None


def test_a_recorded_bracket_has_its_held_legs() -> None:
    row = next(row["row"] for key, row in examples("orders").items() if "a_bracket_order_class" in key)
    order = read_order(row)
    assert [(leg.type, leg.status) for leg in order.legs] == [("limit", "held"), ("stop_limit", "held")]
    assert order.legs[1].stop_price == Decimal("3465.5525")


@each("positions")
def test_every_recorded_position_is_read(row: dict[str, Any]) -> None:
    position = read_position(row)
    assert position.symbol == row["symbol"].strip()
    assert position.qty == Decimal(str(row["qty"]))
    assert position.avg_entry_price == Decimal(str(row["avg_entry_price"]))


@each("accounts")
def test_every_recorded_account_is_read_with_or_without_day_trading_fields(row: dict[str, Any]) -> None:
    removed = {"pattern_day_trader", "daytrade_count", "daytrading_buying_power"}
    account = read(Account, {name: value for name, value in row.items() if name not in removed})
    assert account == read(Account, row)
    assert account.buying_power == Decimal(str(row["buying_power"]))
    assert account.status == "ACTIVE"


@each("fills")
def test_every_recorded_fill_is_read(row: dict[str, Any]) -> None:
    fill = read(Activity, row)
    assert (fill.activity_type, fill.order_id, fill.price) == ("FILL", row["order_id"], Decimal(str(row["price"])))
    assert fill.transaction_time is not None


@each("assets")
def test_every_recorded_asset_is_read(row: dict[str, Any]) -> None:
    assert read(Asset, row).tradable is row["tradable"]


def test_recorded_prices_are_read_exactly() -> None:
    rows = {key.rsplit("-", 1)[0]: row["row"] for key, row in examples("market_data").items()}
    quote = read(Quote, rows["md_stock_quote"], symbol="SPY")
    assert (str(quote.bid_price), str(quote.ask_price), quote.at.microsecond) == ("387.67", "387.7", 946977)
    assert str(read(Trade, rows["md_stock_trade"], symbol="SPY").price) == "178.26"
    assert str(read(Bar, rows["md_stock_bar"], symbol="SPY").vwap) == "177.954244"
    for symbol, row in rows["md_v2_stocks_snapshots_snapshots"].items():
        snapshot = read_snapshot(symbol, row)
        assert snapshot.latest_quote is not None
        assert snapshot.prev_daily_bar is not None


def test_recorded_times_are_read() -> None:
    rows = {key.rsplit("-", 1)[0]: row["row"] for key, row in examples("times").items()}
    assert read(Clock, rows["docs_clock"]).is_open
    assert read(Clock, rows["oas_legacy_clock"]).next_open.hour == 13
    assert read(CalendarDay, rows["docs_calendar"]).close.hour == 16


def test_recorded_trade_updates_are_read() -> None:
    rows = {key.rsplit("-", 1)[0]: row["row"] for key, row in examples("streams").items()}
    fill = read_trade_update(rows["ws_trading_09"]["data"], arrived_at_s=5.0)
    assert (fill.event, fill.position_qty, fill.order.filled_qty) == ("fill", Decimal(0), Decimal("1790.86"))
    pending = read_trade_update(rows["ws_trade_update_pending_new_sdklog"], arrived_at_s=5.0)
    assert (pending.event, pending.order.qty, pending.execution_id) == ("pending_new", Decimal("271.0"), None)


ERRORS = [pytest.param(row, id=key) for key, row in examples("errors").items()]


@pytest.mark.parametrize("row", ERRORS)
@pytest.mark.parametrize("verb", list(Verb))
def test_every_quoted_error_is_understood(row: dict[str, Any], verb: Verb) -> None:
    body = json.dumps(row["body"]).encode()
    outcome = Response(row["http_status"], {"content-type": "application/json"}, body)
    purpose = {Verb.READ: Purpose.READ, Verb.CANCEL: Purpose.CANCEL, Verb.REPLACE: Purpose.REPLACE}
    for each_purpose in [purpose[verb]] if verb in purpose else [Purpose.ENTRY, Purpose.PROTECT, Purpose.CLOSE]:
        error = classify(outcome, verb, each_purpose)
        assert isinstance(error, TerminalError | NotYetError | RetryableError), "a refusal leaves nothing unknown"
        assert isinstance(error, RetryableError) == (row["http_status"] == 429)
        assert isinstance(error, NotFound) == (row["http_status"] == 404)


def test_a_recorded_order_survives_unknown_words_of_the_future() -> None:
    row = next(iter(examples("orders").values()))["row"]
    order = read_order(row | {"status": "pending_miracle", "asset_class": "treasury", "type": "iceberg"})
    assert isinstance(order, Order)
    assert order.status == "pending_miracle"
