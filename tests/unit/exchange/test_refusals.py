"""What is refused, with Alpaca's status, code, message and extra fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.exchange.trader import Trader

BRACKET = {
    "order_class": "bracket",
    "time_in_force": "gtc",
    "take_profit": {"limit_price": "280"},
    "stop_loss": {"stop_price": "265"},
}


@pytest.mark.parametrize(
    ("terms", "status", "code", "message"),
    [
        ({"qty": None}, 422, 40010001, "qty or notional is required"),
        ({"notional": "100"}, 422, 40010001, "only one of qty or notional is accepted"),
        ({"qty": "0"}, 422, 40010001, "qty must be > 0"),
        ({"qty": "-1"}, 422, 40010001, "qty must be > 0"),
        ({"qty": "1e999"}, 422, 40010001, "invalid qty"),
        ({"qty": "NaN"}, 422, 40010001, "invalid qty"),
        ({"side": "hold"}, 422, 40010001, "invalid side"),
        ({"type": "best"}, 422, 40010001, "invalid order type"),
        ({"time_in_force": "gtd"}, 422, 40010001, "invalid time_in_force"),
        ({"type": "limit"}, 422, 40010001, "limit orders require a limit price"),
        ({"type": "stop"}, 422, 40010001, "stop orders require a stop price"),
        ({"limit_price": "1"}, 422, 40010001, "market orders require no stop or limit price"),
        (
            {"type": "limit", "limit_price": "270", "stop_price": "265"},
            422,
            40010001,
            "limit orders require no stop price",
        ),
        (
            {"type": "stop", "limit_price": "270", "stop_price": "275"},
            422,
            40010001,
            "stop orders require no limit price",
        ),
        ({"symbol": None}, 422, 40010001, "symbol is required"),
        ({"order_class": "mleg"}, 422, 40010001, "symbol is not allowed for mleg order"),
        ({"order_class": "mleg", "symbol": None}, 403, 40310000, "account not eligible for level3 options trading"),
        (
            BRACKET | {"symbol": "AAPL270115C00300000"},
            422,
            42210000,
            "complex orders not supported for options trading",
        ),
        ({"order_class": "oco", "type": "market"}, 422, 40010001, "oco orders require take_profit.limit_price"),
        (
            {"order_class": "oto", "type": "stop", "stop_price": "280", "stop_loss": {"stop_price": "265"}},
            422,
            40010001,
            "oto orders must be market or limit orders",
        ),
        (
            BRACKET | {"take_profit": {"limit_price": "270.5"}},
            422,
            42210000,
            "take_profit.limit_price must be >= base_price + 0.01",
        ),
        (
            BRACKET | {"stop_loss": {"stop_price": "265", "limit_price": "266"}},
            422,
            42210000,
            "stop_loss.limit_price must be <= stop_loss.stop_price",
        ),
        (
            BRACKET | {"side": "sell", "take_profit": {"limit_price": "260"}, "stop_loss": {"stop_price": "271"}},
            422,
            42210000,
            "stop_loss.stop_price must be >= base_price + 0.01",
        ),
        ({"client_order_id": "x" * 129}, 422, 40010001, "client_order_id must be no more than 128 characters"),
        ({"symbol": "NOPE"}, 422, 42210000, 'asset "NOPE" not found'),
        (
            {"type": "limit", "limit_price": "270.123"},
            422,
            42210000,
            "invalid limit_price 270.123. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        (BRACKET | {"take_profit": None}, 422, 40010001, "bracket orders require take_profit.limit_price"),
        (BRACKET | {"stop_loss": None}, 422, 40010001, "bracket orders require stop_loss.stop_price"),
        ({"order_class": "oto"}, 422, 40010001, "oto orders require stop_loss.stop_price"),
        (
            BRACKET | {"time_in_force": "ioc"},
            422,
            40010001,
            'bracket orders support only "day" or "gtc" time_in_force',
        ),
        (BRACKET | {"extended_hours": True}, 403, 40310000, "bracket orders do not support extended hours trading"),
        (BRACKET | {"qty": "1.5"}, 422, 42210000, "fractional orders must be simple orders"),
        (
            BRACKET | {"take_profit": {"limit_price": "264"}},
            422,
            42210000,
            "take_profit.limit_price must be > stop_loss.stop_price",
        ),
        (BRACKET | {"order_class": "oco", "type": "limit"}, 422, 42210000, "oco orders must be exit orders"),
        (
            {"position_intent": "buy_to_close"},
            422,
            42210000,
            "position intent mismatch, inferred: buy_to_open, specified: buy_to_close",
        ),
        ({"qty": "1.5", "time_in_force": "gtc"}, 422, 42210000, "fractional orders must be DAY orders"),
        ({"qty": None, "notional": "0.50"}, 422, 42210000, "notional must be >= 1.00"),
        ({"qty": "1.5", "side": "sell"}, 422, 42210000, "fractional orders cannot be sold short"),
        ({"extended_hours": True}, 422, 42210000, "extended hours order must be DAY or GTC limit orders"),
    ],
)  # fmt: skip
def test_an_order_against_a_rule_is_refused(terms: dict[str, Any], status: int, code: int, message: str) -> None:
    trader = Trader()
    answer = trader.order(**terms)
    assert (answer.status, answer.json["code"], answer.json["message"]) == (status, code, message)
    assert trader.get("/v2/orders", status="all") == []


def test_a_body_that_is_no_json_is_refused() -> None:
    from engine.exchange.rest import Request

    for body in (b"{", b"[]", b'"x"'):
        assert Trader().rest.handle(Request(method="POST", path="/v2/orders", body=body)).status == 400


def test_a_stop_too_near_to_the_base_price_names_it() -> None:
    trader = Trader()
    limit = BRACKET | {"type": "limit", "limit_price": "268"}
    answer = trader.order(**limit | {"stop_loss": {"stop_price": "268"}})
    assert answer.json == {
        "code": 42210000,
        "message": "stop_loss.stop_price must be <= base_price - 0.01",
        "base_price": "268",
    }
    assert trader.order(**BRACKET | {"stop_loss": {"stop_price": "271"}}).json["base_price"] == "271"


def test_the_market_is_a_base_price_beside_the_entrys_limit() -> None:
    trader = Trader()
    answer = trader.order(**BRACKET | {"type": "limit", "limit_price": "275", "stop_loss": {"stop_price": "272"}})
    assert (answer.status, answer.json["base_price"]) == (422, "271")


def test_a_stop_that_the_market_has_passed_is_refused_with_its_price() -> None:
    trader = Trader()
    trader.holding()
    answer = trader.order(side="sell", type="stop", stop_price="272")
    assert (answer.status, answer.json["message"]) == (422, "stop price must be less than current price")
    assert answer.json["market_price"] == "271"


def test_reserved_shares_cannot_be_sold_twice() -> None:
    trader = Trader()
    trader.holding()
    limit = trader.placed(side="sell", type="limit", limit_price="280", qty="7")
    answer = trader.order(side="sell", type="limit", limit_price="281", qty="5")
    assert answer.status == 403
    assert answer.json == {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 5, available: 3)",
        "symbol": "AAPL",
        "existing_qty": "10",
        "held_for_orders": "7",
        "available": "3",
        "related_orders": [limit["id"]],
    }


def test_one_order_cannot_turn_a_position_round() -> None:
    trader = Trader()
    trader.holding()
    answer = trader.order(side="sell", qty="15")
    assert answer.json["message"] == "insufficient qty available for order (requested: 15, available: 10)"


def test_a_bracketed_position_cannot_be_closed_until_its_exits_are_gone() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    assert trader.call("DELETE", "/v2/positions/AAPL").json["held_for_orders"] == "10"
    trader.call("DELETE", f"/v2/orders/{order['legs'][1]['id']}")
    assert trader.call("DELETE", "/v2/positions/AAPL").status == 403  # the cancel is under way
    trader.wait()
    assert trader.call("DELETE", "/v2/positions/AAPL").status == 200


def test_a_bracket_that_would_close_is_refused() -> None:
    trader = Trader()
    trader.holding()
    exits = {"take_profit": {"limit_price": "260"}, "stop_loss": {"stop_price": "280"}}
    answer = trader.order(**BRACKET | exits | {"side": "sell"})
    assert answer.json["message"] == "bracket orders must be entry orders"


def test_buying_power_is_checked_and_reserved() -> None:
    trader = Trader()
    answer = trader.order(qty="2000")
    assert (answer.status, answer.json["message"]) == (403, "insufficient buying power")
    assert answer.json["buying_power"] == "400000"
    assert answer.json["cost_basis"] == "542020"
    trader.placed(type="limit", limit_price="250", qty="1000")
    assert trader.get("/v2/account")["buying_power"] == "150000"
    assert trader.order(type="limit", limit_price="250", qty="601").status == 403


def test_a_canceled_order_gives_its_buying_power_back() -> None:
    trader = Trader()
    order = trader.placed(type="limit", limit_price="250", qty="1000")
    trader.wait()
    trader.call("DELETE", f"/v2/orders/{order['id']}")
    trader.wait()
    assert trader.get("/v2/account")["buying_power"] == "400000"


def test_a_client_order_id_is_used_up_for_ever() -> None:
    trader = Trader()
    order = trader.placed(client_order_id="once", type="limit", limit_price="250")
    trader.wait()
    trader.call("DELETE", f"/v2/orders/{order['id']}")
    trader.wait()
    assert trader.status(order["id"]) == "canceled"
    answer = trader.order(client_order_id="once")
    assert (answer.status, answer.json) == (422, {"code": 40010001, "message": "client_order_id must be unique"})


RESTING = {
    "market": {"type": "market"},
    "limit": {"type": "limit", "limit_price": "260"},
    "stop": {"type": "stop", "stop_price": "285"},
}


class TestWashTrade:
    """A long position of ten and a resting sell; the buys that are refused."""

    def resting(self, **terms: Any) -> Trader:
        trader = Trader()
        trader.holding()
        trader.placed(side="sell", qty="5", time_in_force="gtc", **terms)
        trader.wait()
        return trader

    def test_nothing_simple_goes_against_a_resting_stop(self) -> None:
        trader = self.resting(type="stop", stop_price="260")
        for terms in RESTING.values():
            answer = trader.order(**terms)
            assert answer.status == 403
            assert answer.json["message"] == "potential wash trade detected. use complex orders"
            assert answer.json["reject_reason"] == "opposite side market/stop order exists"
            assert answer.json["existing_order_id"]

    def test_only_limits_that_cannot_cross_go_against_a_resting_limit(self) -> None:
        trader = self.resting(type="limit", limit_price="275")
        assert trader.order(**RESTING["market"]).status == 403
        assert trader.order(type="limit", limit_price="275").status == 403
        assert trader.order(type="limit", limit_price="274.99").status == 200

    @pytest.mark.parametrize("resting", ["stop", "stop_limit", "limit"])
    @pytest.mark.parametrize("new", ["market", "stop", "limit", "stop_limit"])
    @pytest.mark.parametrize("crosses", [True, False])
    def test_the_published_matrix(self, resting: str, new: str, *, crosses: bool) -> None:
        """A short of ten, a buy that rests, and new sells that could or could not trade with it."""
        trader = Trader()
        buys = {
            "stop": {"type": "stop", "stop_price": "285"},
            "stop_limit": {"type": "stop_limit", "stop_price": "285", "limit_price": "286"},
            "limit": {"type": "limit", "limit_price": "260"},
        }
        trader.placed(side="sell", qty="10")
        trader.wait()
        trader.placed(qty="5", time_in_force="gtc", **buys[resting])
        trader.wait()
        low = resting == "limit"
        limit = {(True, True): "260", (True, False): "260.01", (False, True): "286", (False, False): "300"}[
            low, crosses
        ]
        sells = {
            "market": {"type": "market"},
            "stop": {"type": "stop", "stop_price": "255"},
            "limit": {"type": "limit", "limit_price": limit},
            "stop_limit": {"type": "stop_limit", "stop_price": "270", "limit_price": limit},
        }
        answer = trader.order(side="sell", qty="1", **sells[new])
        refused = resting == "stop" or new in {"market", "stop"} or crosses
        assert (answer.status == 403) is refused, answer.json
        if refused:
            assert answer.json["message"] == "potential wash trade detected. use complex orders"

    def test_brackets_are_exempt_and_so_are_the_legs_of_a_group(self) -> None:
        trader = self.resting(type="stop", stop_price="260")
        assert trader.order(**BRACKET).status == 200
        other = Trader()
        other.bracket()
        other.wait()
        assert other.order(type="limit", limit_price="270").status == 200

    def test_no_plain_stop_beside_a_partly_filled_entry(self) -> None:
        trader = Trader()
        order = trader.placed(type="limit", limit_price="270")
        trader.wait(0.1)
        trader.call("POST", f"/_exchange/orders/{order['id']}/fill", {"qty": "4"})
        assert trader.order(side="sell", type="stop", stop_price="260", qty="4").status == 403
        assert trader.oco(qty="4").status == 200


def test_suspended_trading_refuses_new_orders() -> None:
    trader = Trader()
    assert trader.call("PATCH", "/v2/account/configurations", {"suspend_trade": True}).json["suspend_trade"] is True
    answer = trader.order()
    assert (answer.status, answer.json["message"]) == (403, "new orders are rejected by user request")
    assert trader.get("/v2/account")["trade_suspended_by_user"] is True


def test_suspended_trading_can_be_set_to_let_exits_through() -> None:
    trader = Trader(suspend_blocks_exits=False)
    trader.holding()
    trader.call("PATCH", "/v2/account/configurations", {"suspend_trade": True})
    assert trader.order().status == 403
    assert trader.order(side="sell").status == 200


class TestShort:
    def test_a_symbol_that_is_hard_to_borrow_takes_no_shorts_and_only_day_orders(self) -> None:
        trader = Trader(symbols=("GVH",))
        short = trader.order(symbol="GVH", side="sell")
        assert (short.status, short.json["message"]) == (422, 'asset "GVH" cannot be sold short')
        trader.holding(symbol="GVH")
        stop = trader.order(symbol="GVH", side="sell", type="stop", stop_price="2", time_in_force="gtc")
        assert stop.json["message"] == 'only day orders are allowed for hard-to-borrow asset "GVH"'

    def test_no_short_while_a_long_buy_rests_and_the_other_way_round(self) -> None:
        trader = Trader()
        trader.placed(type="limit", limit_price="260")
        trader.wait()
        answer = trader.order(side="sell", type="limit", limit_price="280")
        assert answer.json["message"] == "cannot open a short sell while a long buy order is open"
        other = Trader()
        other.placed(side="sell", type="limit", limit_price="280")
        other.wait()
        assert other.order(type="limit", limit_price="260").status == 403

    def test_a_small_or_long_only_account_is_not_allowed_to_short(self) -> None:
        for trader in (Trader(cash=1999), Trader(multiplier=1)):
            assert trader.order(side="sell", qty="1").json["message"] == "account is not allowed to short"
        trader = Trader()
        trader.call("PATCH", "/v2/account/configurations", {"no_shorting": True})
        assert trader.order(side="sell", qty="1").status == 403

    def test_shorts_reserve_three_percent_above_the_ask(self) -> None:
        trader = Trader()
        answer = trader.order(side="sell", qty="1450")
        assert answer.json["cost_basis"] == "404753.435"


def test_wrong_keys_get_401_without_a_code() -> None:
    trader = Trader(key="K", secret="S")
    answer = trader.call("GET", "/v2/account")
    assert (answer.status, answer.json) == (401, {"message": "unauthorized."})


def test_unknown_paths_get_404_and_wrong_verbs_405() -> None:
    trader = Trader()
    assert trader.call("GET", "/v2/nothing").json["message"] == "endpoint not found"
    assert trader.call("PUT", "/v2/orders").status == 405


def test_an_id_that_is_none_is_a_missing_id() -> None:
    answer = Trader().call("GET", "/v2/orders/nothing")
    assert (answer.status, answer.json) == (422, {"code": 40010001, "message": "order_id is missing"})


def test_the_rate_limit_answers_429_and_counts_down_in_the_headers() -> None:
    trader = Trader(requests_per_minute=2)
    answers = [trader.call("GET", "/v2/clock") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].json == {"code": 42910000, "message": "rate limit exceeded"}
    assert trader.call("GET", "/v2/stocks/quotes/latest", symbols="AAPL").status == 200  # a budget of its own
    trader.wait(60)
    assert trader.call("GET", "/v2/clock").status == 200


def test_every_answer_has_a_request_id() -> None:
    trader = Trader()
    ids = {trader.call("GET", path).headers["X-Request-ID"] for path in ("/v2/clock", "/v2/account", "/v2/none")}
    assert len(ids) == 3
