"""The refusals that have been recorded or quoted verbatim: each is provoked, and answered with the same body.

The bodies stand here by value. Where a recording names prices, quantities or a symbol, the situation is made with the
same ones as far as the listing allows; ids differ by nature.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine.exchange.faults import Refuse
from tests.unit.exchange.trader import Answer, Trader

NIGHT = datetime(2026, 8, 21, 7, 0, tzinfo=UTC)
BRACKET = {"order_class": "bracket", "take_profit": {"limit_price": "280"}, "stop_loss": {"stop_price": "265"}}
OTO = {"order_class": "oto", "stop_loss": {"stop_price": "265"}}
COIN = {"symbol": "BTC/USD", "qty": "0.1", "time_in_force": "gtc"}
NOBODY = "/v2/orders/00000000-0000-4000-8000-000000000000"
Provoke = Callable[[], Answer]


def order(**terms: Any) -> Provoke:
    """The answer to one order of a new account."""
    return lambda: Trader(symbols=("AAPL", "SPY", "BTC/USD")).order(**terms)


def holding(owned: str, **terms: Any) -> tuple[Trader, dict[str, Any]]:
    """A position of ``owned`` AAPL, and an order that rests beside it."""
    trader = Trader(cash=Decimal(1_000_000))
    trader.holding(owned)
    resting = trader.placed(**{"time_in_force": "gtc"} | terms)
    trader.wait()
    return trader, resting


def resting(**terms: Any) -> tuple[Trader, str]:
    """A limit order at the venue."""
    trader = Trader()
    placed = trader.placed(**{"type": "limit", "limit_price": "260"} | terms)
    trader.wait()
    return trader, placed["id"]


def bracket_that_closes() -> Answer:
    trader = Trader()
    trader.holding()
    exits = {"take_profit": {"limit_price": "260"}, "stop_loss": {"stop_price": "280"}}
    return trader.order(**BRACKET | exits | {"side": "sell"})


def cancel_after_the_fill() -> Answer:
    trader = Trader()
    placed = trader.placed()
    trader.wait()
    return trader.call("DELETE", f"/v2/orders/{placed['id']}")


def cancel_twice() -> Answer:
    trader, order_id = resting()
    trader.call("DELETE", f"/v2/orders/{order_id}")
    return trader.call("DELETE", f"/v2/orders/{order_id}")


def same_client_order_id() -> Answer:
    trader, _ = resting(client_order_id="once")
    return trader.order(client_order_id="once")


def close_what_exits_reserve() -> Answer:
    trader = Trader()
    trader.bracket(qty="106")
    trader.wait()
    return trader.call("DELETE", "/v2/positions/AAPL")


def sell_what_exits_reserve() -> Answer:
    trader, _ = holding("422", side="sell", qty="422", type="limit", limit_price="280")
    return trader.order(side="sell", qty="140")


def replace_at_night() -> Answer:
    trader = Trader(session="real", start=NIGHT)
    placed = trader.placed(type="limit", limit_price="260")
    return trader.call("PATCH", f"/v2/orders/{placed['id']}", {"limit_price": "261"})


def replace_before_the_last_replacement_is_through() -> Answer:
    trader, order_id = resting()
    newer = trader.call("PATCH", f"/v2/orders/{order_id}", {"limit_price": "261"}).json["id"]
    return trader.call("PATCH", f"/v2/orders/{newer}", {"limit_price": "262"})


def replace_by_the_same() -> Answer:
    trader, order_id = resting()
    return trader.call("PATCH", f"/v2/orders/{order_id}", {"limit_price": "260"})


def suspended() -> Answer:
    trader = Trader()
    trader.call("PATCH", "/v2/account/configurations", {"suspend_trade": True})
    return trader.order()


def too_fast() -> Answer:
    trader = Trader(requests_per_minute=1)
    trader.call("GET", "/v2/clock")
    return trader.call("GET", "/v2/clock")


def too_fast_for_data() -> Answer:
    trader = Trader(data_requests_per_minute=1)
    trader.call("GET", "/v2/stocks/quotes/latest", symbols="AAPL")
    return trader.call("GET", "/v2/stocks/quotes/latest", symbols="AAPL")


def against_a_resting_limit() -> Answer:
    trader, _ = holding("10", side="sell", qty="5", type="limit", limit_price="280")
    return trader.order()


def against_a_resting_stop() -> Answer:
    trader, _ = holding("10", side="sell", qty="5", type="stop", stop_price="260")
    return trader.order()


def get(path: str, *, settings: dict[str, Any] | None = None, **query: str) -> Provoke:
    return lambda: Trader(**(settings or {})).call("GET", path, **query)


WASH = "potential wash trade detected. use complex orders"
SUB_PENNY = "sub-penny increment does not fulfill minimum pricing criteria"

RECORDED: list[tuple[Provoke, int, dict[str, Any]]] = [
    (bracket_that_closes, 422, {"code": 42210000, "message": "bracket orders must be entry orders"}),
    (
        order(**BRACKET | {"stop_loss": {}}),
        422,
        {"code": 40010001, "message": "bracket orders require stop_loss.stop_price"},
    ),
    (
        order(**BRACKET | {"take_profit": {}}),
        422,
        {"code": 40010001, "message": "bracket orders require take_profit.limit_price"},
    ),
    (cancel_after_the_fill, 422, {"code": 42210000, "message": 'order is already in "filled" state'}),
    (cancel_twice, 422, {"code": 42210000, "message": "order pending cancel"}),
    (
        order(**BRACKET | COIN),
        422,
        {"code": 42210000, "message": "crypto orders not allowed for advanced order_class: otoco"},
    ),
    (order(**COIN | {"time_in_force": "day"}), 422, {"code": 42210000, "message": "invalid crypto time_in_force"}),
    (same_client_order_id, 422, {"code": 40010001, "message": "client_order_id must be unique"}),
    (
        order(**BRACKET | {"qty": "1.5"}),
        422,
        {"code": 42210000, "message": "fractional orders must be simple orders"},
    ),
    (
        order(qty="2000", type="limit", limit_price="250"),
        403,
        {"buying_power": "400000", "code": 40310000, "cost_basis": "500000", "message": "insufficient buying power"},
    ),
    (
        close_what_exits_reserve,
        403,
        {
            "available": "0",
            "code": 40310000,
            "existing_qty": "106",
            "held_for_orders": "106",
            "message": "insufficient qty available for order (requested: 106, available: 0)",
            "symbol": "AAPL",
        },
    ),
    (
        sell_what_exits_reserve,
        403,
        {
            "available": "0",
            "code": 40310000,
            "existing_qty": "422",
            "held_for_orders": "422",
            "message": "insufficient qty available for order (requested: 140, available: 0)",
            "symbol": "AAPL",
        },
    ),
    (
        order(symbol="AAPL270115C00300000", qty="1"),
        403,
        {"code": 40310000, "message": "account not eligible for level2 options trading"},
    ),
    (
        order(**OTO | {"extended_hours": True}),
        403,
        {"code": 40310000, "message": "oto orders do not support extended hours trading"},
    ),
    (order(order_class="oto"), 422, {"code": 40010001, "message": "oto orders require stop_loss.stop_price"}),
    (
        order(**OTO | {"time_in_force": "ioc"}),
        422,
        {"code": 40010001, "message": 'oto orders support only "day" or "gtc" time_in_force'},
    ),
    (
        get("/v2/account/activities", page_size="500"),
        422,
        {"code": 40010001, "message": "tried to set the page size to 500, but the maximum is 100"},
    ),
    (get("/v2/positions/AAPL"), 404, {"code": 40410000, "message": "position does not exist"}),
    (too_fast, 429, {"code": 42910000, "message": "rate limit exceeded"}),
    (too_fast_for_data, 429, {"message": "too many requests."}),
    (replace_at_night, 422, {"code": 42210000, "message": "cannot replace order in accepted status"}),
    (
        replace_before_the_last_replacement_is_through,
        422,
        {"code": 42210000, "message": "order chain not fully replaced"},
    ),
    (replace_by_the_same, 422, {"code": 42210000, "message": "order parameters are not changed"}),
    (
        order(**BRACKET | {"type": "limit", "limit_price": "10", "stop_loss": {"stop_price": "10"}}),
        422,
        {
            "base_price": "10",
            "code": 42210000,
            "message": "stop_loss.stop_price must be <= base_price - 0.01",
        },
    ),
    (
        order(type="limit", limit_price="290.123"),
        422,
        {"code": 42210000, "message": f"invalid limit_price 290.123. {SUB_PENNY}"},
    ),
    (
        order(type="stop", stop_price="290.123"),
        422,
        {"code": 42210000, "message": f"invalid stop_price 290.123. {SUB_PENNY}"},
    ),
    (get("/v2/account", settings={"key": "K", "secret": "S"}), 401, {"message": "unauthorized."}),
    (suspended, 403, {"code": 40310000, "message": "new orders are rejected by user request"}),
    (
        against_a_resting_limit,
        403,
        {
            "code": 40310000,
            "message": WASH,
            "reject_reason": "opposite side limit order exists. use complex/limit/stop_limit orders",
        },
    ),
    (
        against_a_resting_stop,
        403,
        {"code": 40310000, "message": WASH, "reject_reason": "opposite side market/stop order exists"},
    ),
]


IDS = {"related_orders", "existing_order_id"}
"""Fields of ids, which the recordings leave out or cut."""


@pytest.mark.parametrize(("provoke", "status", "body"), RECORDED, ids=[body["message"][:50] for _, _, body in RECORDED])
def test_a_recorded_refusal_is_answered_with_the_recorded_body(
    provoke: Provoke, status: int, body: dict[str, Any]
) -> None:
    answer = provoke()
    assert answer.status == status
    assert {name: value for name, value in answer.json.items() if name not in IDS} == body


def test_an_unknown_order_is_named_after_the_recorded_words() -> None:
    answer = Trader().call("GET", NOBODY)
    assert (answer.status, answer.json["code"]) == (404, 40410000)
    assert answer.json["message"].startswith("order not found")


def test_the_order_that_makes_a_wash_trade_is_named() -> None:
    trader, sell = holding("10", side="sell", qty="5", type="stop", stop_price="260")
    assert trader.order().json["existing_order_id"] == sell["id"]


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, 40310000, "order parameters are not changed"),
        (422, 40010001, "unable to replace order, order isn't sent to exchange yet"),
        (403, 40310100, "trade denied due to pattern day trading protection"),
    ],
)
def test_words_of_the_past_can_be_scripted(status: int, code: int, message: str) -> None:
    """Alpaca has given up these forms, or they were seen once: a fault says them."""
    trader, order_id = resting()
    trader.fault(Refuse(method="PATCH", status=status, code=code, message=message))
    answer = trader.call("PATCH", f"/v2/orders/{order_id}", {"limit_price": "261"})
    assert (answer.status, answer.json["code"], answer.json["message"]) == (status, code, message)
    assert trader.status(order_id) == "new"
