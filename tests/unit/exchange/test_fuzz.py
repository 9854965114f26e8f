"""Whatever a client sends, the exchange answers: it never raises, an error has a message, and the books add up.

Requests are valid ones with parts exchanged for junk, sent in short series to one account, because what hurts is
usually the second request.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings, strategies as st

from engine.exchange.rest import Request, Response
from tests.unit.exchange.trader import Trader

SYMBOLS = ("AAPL", "BTC/USD")
LAST = "{last}"
"""Stands for the id of the newest order."""

junk_text = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "", " ", "null", "NaN", "-NaN", "sNaN", "Infinity", "-0", "0", "-1", "1e9", "1e-9", "1e400", "9" * 60,
            "1_0", "٣", "²", "\x00", "\ud800", "🙂", "a,b,,c", "AAPL,AAPL", "BTCUSD", "BTC/USD", "true", "TRUE",
            "2026-08-21", "2026-08-21T14:00:00Z", "2026-08-21T14:00:00 00:00", "0001-01-01",
            "9999-12-31T23:59:59-12:00", "-1D",
            "99999999999999A", "0Min", "1Min", "99999999999Day", "QUFQTHxNfA==", "QUFQTHxNfDAwMDEtMDEtMDE=",
            "%", "../..",
        ]
    ),
)  # fmt: skip
junk_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**40), 10**40),
        st.floats(),
        junk_text,
        st.just("1." + "3" * 40),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(junk_text, inner, max_size=2)),
    max_leaves=4,
)

ORDERS: list[dict[str, Any]] = [
    {"symbol": "AAPL", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"},
    {"symbol": "AAPL", "qty": "2", "side": "sell", "type": "market", "time_in_force": "day"},
    {"symbol": "AAPL", "qty": "0.7", "side": "buy", "type": "market", "time_in_force": "day"},
    {"symbol": "AAPL", "notional": "50", "side": "buy", "type": "market", "time_in_force": "day"},
    {"symbol": "AAPL", "notional": "50", "side": "sell", "type": "market", "time_in_force": "day"},
    {"symbol": "BTC/USD", "qty": "0.01", "side": "buy", "type": "market", "time_in_force": "gtc"},
    {"symbol": "BTCUSD", "notional": "20", "side": "sell", "type": "limit", "limit_price": "99000",
     "time_in_force": "gtc"},
    {"symbol": "AAPL", "qty": 4, "side": "buy", "type": "limit", "limit_price": 270.5, "time_in_force": "gtc"},
    {"symbol": "AAPL", "qty": "4", "side": "sell", "type": "trailing_stop", "trail_percent": "1",
     "time_in_force": "gtc"},
    {"symbol": "AAPL", "qty": "4", "side": "buy", "type": "trailing_stop", "trail_price": "2", "time_in_force": "day"},
    {"symbol": "AAPL", "qty": "4", "side": "buy", "type": "stop", "stop_price": "272", "time_in_force": "day"},
    {
        "symbol": "AAPL", "qty": "5", "side": "buy", "type": "market", "time_in_force": "gtc", "order_class": "bracket",
        "take_profit": {"limit_price": "280"}, "stop_loss": {"stop_price": "260", "limit_price": "259"},
    },
    {
        "symbol": "AAPL", "qty": "1", "side": "sell", "type": "limit", "time_in_force": "gtc", "order_class": "oco",
        "take_profit": {"limit_price": "280"}, "stop_loss": {"stop_price": "260"},
    },
    {
        "symbol": "AAPL", "qty": "2", "side": "buy", "type": "limit", "limit_price": "271", "time_in_force": "day",
        "order_class": "oto", "stop_loss": {"stop_price": "260"}, "client_order_id": "mine",
    },
]  # fmt: skip
AMENDMENTS: list[dict[str, Any]] = [
    {"limit_price": "269"}, {"stop_price": "261"}, {"qty": "3"}, {"trail": "3"}, {"time_in_force": "ioc"},
]  # fmt: skip
SETTINGS: list[dict[str, Any]] = [
    {"suspend_trade": True}, {"suspend_trade": False}, {"no_shorting": True}, {"max_margin_multiplier": "1"},
]  # fmt: skip
FIELDS = sorted({name for order in ORDERS for name in order} | {"extended_hours", "position_intent"})

HANDS = [f"orders/{LAST}/fill", f"orders/{LAST}/cancel", f"orders/{LAST}/reject", "prices/AAPL", "halts/AAPL"]
"""What another hand or the market does meanwhile."""
PATHS = [
    "/v2/orders", "/v2/orders", f"/v2/orders/{LAST}", "/v2/orders:by_client_order_id", "/v2/positions",
    "/v2/positions/AAPL", "/v2/positions/BTC/USD", "/v2/account", "/v2/account/configurations",
    "/v2/account/activities", "/v2/account/activities/FILL", "/v2/account/portfolio/history", "/v2/assets",
    "/v2/assets/AAPL", "/v2/clock", "/v2/calendar", "/v3/clock", "/v3/calendar/NYSE", "/v2/stocks/bars",
    "/v2/stocks/AAPL/bars", "/v2/stocks/quotes/latest", "/v2/stocks/AAPL/trades/latest", "/v2/stocks/snapshots",
    "/v1beta3/crypto/us/bars", "/v1beta3/crypto/us/latest/quotes", "/v1beta3/crypto/us/latest/orderbooks",
    "/v1/corporate-actions", "/",
]  # fmt: skip
QUERIES = [
    "status", "limit", "after", "until", "direction", "nested", "symbols", "side", "asset_class", "before_order_id",
    "after_order_id", "client_order_id", "qty", "percentage", "cancel_orders", "page_size", "page_token", "date",
    "activity_types", "category", "order_id", "period", "timeframe", "start", "end", "sort", "feed", "exchange",
    "attributes", "date_end", "intraday_reporting", "pnl_reset",
]  # fmt: skip
GOOD_QUERIES = {
    "status": "all", "nested": "true", "symbols": "AAPL,BTCUSD", "timeframe": "1Min", "limit": "3",
    "after_order_id": LAST, "start": "2026-08-20", "page_size": "2", "period": "1D", "direction": "asc",
    "cancel_orders": "true",
    "qty": "1",
}  # fmt: skip


@st.composite
def changed(draw: st.DrawFn, originals: list[dict[str, Any]]) -> bytes:
    """The JSON of one of the originals, as often as not with some fields exchanged or taken out."""
    body = dict(draw(st.sampled_from(originals)))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        name = draw(st.one_of(st.sampled_from(FIELDS), st.sampled_from(sorted(body)) if body else st.nothing()))
        if draw(st.booleans()):
            body[name] = draw(junk_json)
        else:
            body.pop(name, None)
    try:
        return msgspec.json.encode(body)
    except (UnicodeEncodeError, ValueError):
        return b"\xff"


bodies = st.one_of(
    changed(ORDERS), changed(AMENDMENTS), changed(SETTINGS), st.binary(max_size=16), st.just(b"[" * 3000),
    st.just(b"{}"),
)  # fmt: skip
queries = st.one_of(
    st.just({}),
    st.dictionaries(st.sampled_from(QUERIES), junk_text, max_size=4),
    st.lists(st.sampled_from(sorted(GOOD_QUERIES)), max_size=4).map(lambda names: {n: GOOD_QUERIES[n] for n in names}),
)
odd_paths = st.one_of(
    st.sampled_from(PATHS),
    st.builds("{}/{}".format, st.sampled_from(PATHS), junk_text),
    junk_text,
)
OWN_QUERIES = {
    "/v2/orders": ["status", "limit", "after", "until", "direction", "nested", "symbols", "side", "asset_class",
                   "before_order_id", "after_order_id"],
    "/v2/account/activities": ["page_size", "page_token", "direction", "after", "until", "date", "activity_types"],
    "/v2/account/portfolio/history": ["period", "timeframe"],
    "/v2/calendar": ["start", "end"],
    "/v2/stocks/bars": ["symbols", "timeframe", "start", "end", "limit", "page_token", "sort", "feed"],
    "/v1/corporate-actions": ["symbols", "types", "start", "end"],
}  # fmt: skip


@st.composite
def questions(draw: st.DrawFn) -> Request:
    """A GET with parameters of its own, most of them sensible."""
    path = draw(st.sampled_from(sorted(OWN_QUERIES)))
    names = draw(st.lists(st.sampled_from(OWN_QUERIES[path]), max_size=4, unique=True))
    query = {name: draw(junk_text if draw(st.booleans()) else st.just(GOOD_QUERIES.get(name, ""))) for name in names}
    return Request(method="GET", path=path, query=query)


requests = st.one_of(
    questions(),
    st.builds(
        Request,
        method=st.just("POST"),
        path=st.sampled_from(HANDS).map("/_exchange/{}".format),
        body=changed([{}, {"qty": "1"}, {"price": "265"}, {"price": "285"}, {"percent": "-4"}, {"halted": False}]),
    ),
    st.builds(Request, method=st.just("POST"), path=st.just("/v2/orders"), body=changed(ORDERS)),
    st.builds(Request, method=st.just("PATCH"), path=st.just(f"/v2/orders/{LAST}"), body=changed(AMENDMENTS)),
    st.builds(
        Request,
        method=st.sampled_from(["GET", "GET", "DELETE", "PATCH", "POST", "PUT", "HEAD", ""]),
        path=odd_paths,
        query=queries,
        body=bodies,
    ),
)


def sent(trader: Trader, request: Request) -> Response:
    """The answer, with the newest order's id where the request speaks of it."""
    newest = next(trader.exchange.floor.orders.newest_first(), None)
    last = "00000000-0000-4000-8000-000000000000" if newest is None else newest.id
    query: Mapping[str, str] = {name: value.replace(LAST, last) for name, value in request.query.items()}
    return trader.rest.handle(
        Request(method=request.method, path=request.path.replace(LAST, last), query=query, body=request.body)
    )


def check_answer(response: Response) -> None:
    assert 200 <= response.status < 500
    if response.status == 204:
        assert response.body == b""
        return
    answer = msgspec.json.decode(response.body)
    if response.status >= 400:
        assert isinstance(answer["message"], str)
        assert answer["message"]


def check_books(trader: Trader) -> None:
    floor = trader.exchange.floor
    live, account = floor.orders.live(), floor.account
    assert account.reserved_power == sum(order.buying_power for order in live)
    cash, held = trader.settings.cash, dict.fromkeys(SYMBOLS, Decimal(0))
    for execution in floor.executions:
        signed = execution.qty if execution.side == "buy" else -execution.qty
        held[execution.symbol] += signed
        cash -= signed * execution.price
    assert account.state.cash == cash
    for symbol in SYMBOLS:
        assert account.qty(symbol) == held[symbol]
        assert account.held(symbol) == sum(order.hold for order in live if order.symbol == symbol)
        assert account.available(symbol) >= 0
    assert held["BTC/USD"] >= 0
    assert all(order.hold >= 0 <= order.buying_power for order in live)


@settings(max_examples=45, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(series=st.lists(requests, min_size=3, max_size=12), waits=st.lists(st.booleans(), min_size=12, max_size=12))
def test_any_series_of_requests_is_answered_and_the_books_add_up(series: list[Request], waits: list[bool]) -> None:
    trader = Trader(symbols=SYMBOLS)
    for request, waiting in zip(series, waits, strict=False):
        check_answer(sent(trader, request))
        check_books(trader)
        if waiting:
            trader.wait(0.02)
            check_books(trader)
    trader.close()
