from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import CommandRefused
from engine.intake.draft import SignalDraft
from engine.intake.formats.detect import parse
from engine.intake.redact import excerpt
from engine.model.signal import EntrySpec, ExitSpec, SizeSpec
from engine.model.words import Intent, OrderType, Side, TimeInForce
from tests.unit.intake.bodies import NOW, body, draft

ORDER = {
    "side": "buy",
    "symbol": "SPY",
    "type": "market",
    "qty": "100",
    "time_in_force": "gtc",
    "order_class": "bracket",
    "take_profit": {"limit_price": "301"},
    "stop_loss": {"stop_price": "299", "limit_price": "298.5"},
}


def parsed(body: dict[str, Any], **options: Any) -> SignalDraft:
    return parse(json.dumps(body).encode(), **{"source": None, "received_at": NOW} | options)


def refused(body: dict[str, Any], **options: Any) -> CommandRefused:
    with pytest.raises(CommandRefused) as caught:
        parsed(body, **options)
    return caught.value


def test_an_alpaca_order_is_known_by_its_shape() -> None:
    found = parsed(ORDER | {"client_order_id": "mine-1", "position_intent": "buy_to_open"}, source="script")
    assert (found.source, found.source_id, found.strategy) == ("script", "mine-1", "script")
    assert (found.symbol, found.side, found.intent) == ("SPY", Side.BUY, Intent.OPEN)
    assert found.size == SizeSpec(unit="qty", value=Decimal(100))
    assert found.entry == EntrySpec(time_in_force=TimeInForce.GTC)
    assert found.stop_loss == ExitSpec(unit="price", value=Decimal(299), limit_price=Decimal("298.5"))
    assert found.take_profit == ExitSpec(unit="price", value=Decimal(301))


def test_an_alpaca_order_by_notional() -> None:
    order = {
        "symbol": "SPY",
        "side": "sell",
        "notional": 500,
        "type": "limit",
        "limit_price": 300,
        "time_in_force": "day",
    }
    found = parsed(order)
    assert found.size == SizeSpec(unit="notional", value=Decimal(500))
    assert (found.entry.type, found.intent, found.stop_loss, found.take_profit) == (OrderType.LIMIT, None, None, None)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"symbol": None}, "MISSING_FIELD", "symbol"),
        ({"side": None}, "MISSING_FIELD", "side"),
        ({"order_class": "oco"}, "UNKNOWN_ORDER_CLASS", "order_class"),
        ({"type": "trailing_stop"}, "UNKNOWN_ORDER_TYPE", "type"),
        ({"type": "limit"}, "LIMIT_PRICE_REQUIRED", "limit_price"),
        ({"notional": 5}, "CONFLICTING_FIELDS", "notional"),
        ({"position_intent": "sideways"}, "UNKNOWN_INTENT", "position_intent"),
        ({"position_intent": "sell_to_close"}, "CONFLICTING_FIELDS", "position_intent"),
        ({"stop_loss": {"limit_price": 1}}, "MISSING_FIELD", "stop_loss.stop_price"),
        ({"take_profit": {"percent": 1}}, "MISSING_FIELD", "take_profit.limit_price"),
        ({"stop_loss": {"stop_price": 302}}, "STOP_ON_WRONG_SIDE", "stop_loss.stop_price"),
    ],
)
def test_what_is_wrong_in_an_alpaca_order_is_named(changes: dict[str, Any], code: str, field: str) -> None:
    error = refused(ORDER | changes)
    assert (error.http_status, error.code, error.field) == (422, code, field)


def test_a_pinned_format_is_used_whatever_the_shape() -> None:
    assert parsed({"symbol": "SPY", "side": "buy"}, format="alpaca").symbol == "SPY"
    assert parse(body(), source=None, received_at=NOW, format="native") == draft()
    assert refused(ORDER, format="native").code == "MISPLACED_FIELD"


def test_an_unknown_pinned_format_is_refused_with_those_that_exist() -> None:
    error = refused(ORDER, format="morse")
    assert (error.http_status, error.code, error.field) == (422, "UNKNOWN_FORMAT", "format")
    assert "native, alpaca, traderspost" in error.operator_text


@pytest.mark.parametrize(
    ("sent", "nearest", "field"),
    [
        ({}, "native", "symbol"),
        ({"hello": "world"}, "native", "symbol"),
        ({"apikey": "k", "strategy": "p", "symbol": "NHPC", "side": "buy", "pricetype": "MARKET"}, "native", "format"),
        ({"ticker": "AAPL", "price": "187.21"}, "traderspost", "action"),
        ({"action": "buy", "order_class": "bracket", "time_in_force": "gtc", "type": "limit"}, "alpaca", "symbol"),
    ],
)
def test_an_unknown_shape_is_told_what_it_comes_nearest_to(sent: dict[str, Any], nearest: str, field: str) -> None:
    error = refused(sent)
    assert (error.http_status, error.code, error.field) == (422, "UNKNOWN_FORMAT", field)
    assert f"nearest is {nearest}" in error.operator_text


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b'{"apikey":"abc123","symbol":"AAPL"}', '{"apikey":"\u2026","symbol":"AAPL"}'),
        (b'{"a":[{"token": "abc123"}]}', '{"a":[{"token": "\u2026"}]}'),
        (b"key=1;\npassword=abc123;\nqty=1;", 'key=1;\npassword="\u2026";\nqty=1;'),
        (b'{"auth_key":"abc123', '{"auth_key":"\u2026"'),
        (b"\xff\xfe", "\\xff\\xfe"),
    ],
)
def test_an_excerpt_keeps_no_secret(raw: bytes, kept: str) -> None:
    assert excerpt(raw) == kept


def test_a_secret_that_the_cut_would_halve_is_gone_too() -> None:
    text = excerpt(b'{"pad":"' + b"x" * 480 + b'","token":"abc123abc123"}')
    assert len(text) <= 500
    assert "abc" not in text


ALERT = {
    "ticker": "AAPL",
    "action": "buy",
    "sentiment": "long",
    "quantity": "100",
    "price": "187.21",
    "time": "2026-08-21T14:03:07Z",
    "interval": "5",
}


def test_a_strategy_alert_is_known_by_ticker_and_action() -> None:
    found = parsed(ALERT, source="tradingview")
    assert (found.source, found.symbol, found.side, found.intent) == ("tradingview", "AAPL", Side.BUY, Intent.OPEN)
    assert found.size == SizeSpec(unit="qty", value=Decimal(100))
    assert (found.reference_price, found.made_at.minute, found.entry) == (Decimal("187.21"), 3, EntrySpec())


def test_a_traderspost_signal_brings_its_exits_and_its_size_unit() -> None:
    signal = {
        "ticker": "AMD",
        "action": "buy",
        "orderType": "limit",
        "limitPrice": 143,
        "signalPrice": 143.12,
        "quantity": 0.5,
        "quantityType": "risk_percent",
        "takeProfit": {"percent": 10},
        "stopLoss": {"type": "stop", "percent": 5},
        "timeInForce": "gtc",
    }
    found = parsed(signal)
    assert found.entry == EntrySpec(type=OrderType.LIMIT, limit_price=Decimal(143), time_in_force=TimeInForce.GTC)
    assert found.size == SizeSpec(unit="risk_pct", value=Decimal("0.5"))
    assert found.stop_loss == ExitSpec(unit="percent", value=Decimal(5))
    assert found.take_profit == ExitSpec(unit="percent", value=Decimal(10))
    assert found.intent is None
    exits = {"stopLoss": {"stopPrice": 140, "limitPrice": "139.5"}, "takeProfit": {"limitPrice": 150}}
    priced = parsed(signal | exits)
    assert priced.stop_loss == ExitSpec(unit="price", value=Decimal(140), limit_price=Decimal("139.5"))
    assert priced.take_profit == ExitSpec(unit="price", value=Decimal(150))


def test_a_sell_to_flat_closes_and_a_bare_sell_stays_unsaid() -> None:
    assert parsed(ALERT | {"action": "sell", "sentiment": "flat"}).intent is Intent.CLOSE
    assert parsed({"symbol": "AAPL", "action": "sell", "quantity": 10}).intent is None


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"action": "exit"}, "UNSUPPORTED_ACTION", "action"),
        ({"action": "hold"}, "UNKNOWN_SIDE", "action"),
        ({"sentiment": "short"}, "CONFLICTING_FIELDS", "sentiment"),
        ({"sentiment": "happy"}, "UNKNOWN_SENTIMENT", "sentiment"),
        ({"quantityType": "percent_of_equity"}, "UNKNOWN_SIZE_UNIT", "quantityType"),
        ({"quantityType": "risk_percent", "quantity": 101}, "OUT_OF_RANGE", "quantity"),
        ({"quantity": "{{strategy.order.contracts}}"}, "UNFILLED_PLACEHOLDER", "quantity"),
        ({"orderType": "limit"}, "LIMIT_PRICE_REQUIRED", "limitPrice"),
        ({"orderType": "trailing_stop"}, "UNKNOWN_ORDER_TYPE", "orderType"),
        ({"trailPercent": 1}, "UNSUPPORTED_FIELD", "trailPercent"),
        ({"optionType": "call"}, "UNSUPPORTED_FIELD", "optionType"),
        ({"takeProfit": {"trailAmount": 1}}, "UNSUPPORTED_FIELD", "takeProfit.trailAmount"),
        ({"stopLoss": {}}, "MISSING_FIELD", "stopLoss.stopPrice"),
        ({"stopLoss": {"percent": 1, "amount": 1}}, "CONFLICTING_FIELDS", "stopLoss.amount"),
        ({"takeProfit": {"limitPrice": "187.005"}}, "SUB_PENNY", "takeProfit.limitPrice"),
        ({"stopLoss": {"stopPrice": 190}}, "STOP_ON_WRONG_SIDE", "stop_loss.stop_price"),
        ({"time": "2026-08-21T14:03:07"}, "NAIVE_TIME", "time"),
    ],
)
def test_what_is_wrong_in_an_alert_is_named_in_the_senders_words(
    changes: dict[str, Any], code: str, field: str
) -> None:
    error = refused(ALERT | changes)
    assert (error.http_status, error.code, error.field) == (422, code, field)
