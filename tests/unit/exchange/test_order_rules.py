"""Rules of single orders and of replacements that the account, the asset or another order decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import pytest

from tests.unit.exchange.trader import Trader


class TestShorts:
    def test_a_small_account_says_that_it_does_not_short(self) -> None:
        for cash, enabled in (("1999", False), ("2000", True)):
            assert Trader(cash=Decimal(cash)).get("/v2/account")["shorting_enabled"] is enabled
        assert Trader(multiplier=1).get("/v2/account")["shorting_enabled"] is False

    def test_a_long_buy_is_refused_while_a_short_sell_is_open(self) -> None:
        trader = Trader()
        trader.placed(side="sell", type="limit", limit_price="280")
        trader.wait()
        answer = trader.order(type="limit", limit_price="260")
        assert (answer.status, answer.json) == (
            403,
            {"code": 40310000, "message": "cannot open a long buy while a short sell order is open"},
        )

    def test_a_short_reserves_at_the_higher_of_its_limit_and_three_percent_above_the_ask(self) -> None:
        reserved = []
        for limit in ("271", "300"):
            trader = Trader()
            trader.placed(side="sell", type="limit", limit_price=limit)
            reserved.append(Decimal(400_000) - Decimal(trader.get("/v2/account")["buying_power"]))
        assert reserved == [Decimal("2791.4"), Decimal(3000)]

    def test_a_position_that_went_short_is_bought_back_but_not_turned(self) -> None:
        trader = Trader()
        trader.placed(side="sell")
        trader.wait()
        assert trader.position()["qty"] == "-10"
        answer = trader.order(qty="11")
        assert answer.json["message"] == "insufficient qty available for order (requested: 11, available: 10)"
        trader.placed()
        trader.wait()
        assert trader.held_qty() == "0"


class TestHardToBorrow:
    @pytest.mark.parametrize("time_in_force", ["gtc", "ioc", "fok", "cls"])
    def test_only_day_orders_are_taken_for_buys_and_protective_stops_alike(self, time_in_force: str) -> None:
        trader = Trader(symbols=("GVH",))
        trader.holding(symbol="GVH")
        for terms in ({"side": "buy"}, {"side": "sell"}):
            answer = trader.order(symbol="GVH", time_in_force=time_in_force, **terms)
            assert (answer.status, answer.json) == (
                422,
                {"code": 42210000, "message": 'only day orders are allowed for hard-to-borrow asset "GVH"'},
            )

    def test_a_good_till_canceled_bracket_is_refused_whole(self) -> None:
        trader = Trader(symbols=("GVH",))
        exits = {"take_profit": {"limit_price": "3.50"}, "stop_loss": {"stop_price": "2.00"}}
        answer = trader.order(symbol="GVH", order_class="bracket", time_in_force="gtc", **exits)
        assert answer.status == 422
        assert trader.get("/v2/orders", status="all") == []
        assert trader.order(symbol="GVH", order_class="bracket", time_in_force="day", **exits).status == 200


class TestFractions:
    def test_what_is_not_fractionable(self) -> None:
        answer = Trader(symbols=("GVH",)).order(symbol="GVH", qty="1.5")
        assert (answer.status, answer.json["message"]) == (422, 'asset "GVH" is not fractionable')

    @pytest.mark.parametrize(
        "terms",
        [
            {},
            {"type": "limit", "limit_price": "272"},
            {"type": "stop", "stop_price": "272"},
            {"type": "stop_limit", "stop_price": "272", "limit_price": "273"},
        ],
    )
    def test_a_fraction_goes_with_every_type_but_a_trail(self, terms: dict[str, Any]) -> None:
        assert Trader().order(**{"qty": "1.5"} | terms).status == 200
        assert Trader().order(qty="1.5", type="trailing_stop", trail_percent="1").status == 422

    def test_a_fraction_of_a_position_can_be_sold_and_not_more(self) -> None:
        trader = Trader()
        trader.holding("1.5")
        answer = trader.order(qty="1.6", side="sell")
        assert answer.json["message"] == "insufficient qty available for order (requested: 1.6, available: 1.5)"
        trader.placed(qty="0.7", side="sell")
        trader.wait()
        assert trader.held_qty() == "0.8"

    def test_neither_an_amount_nor_a_fraction_can_be_replaced(self) -> None:
        trader = Trader()
        by_amount = trader.placed(qty=None, notional="50", type="limit", limit_price="250")
        fraction = trader.placed(qty="1.5", type="limit", limit_price="250")
        trader.wait()
        assert trader.call("PATCH", f"/v2/orders/{by_amount['id']}", {"limit_price": "251"}).status == 422
        assert trader.call("PATCH", f"/v2/orders/{fraction['id']}", {"qty": "2"}).status == 422
        assert trader.call("PATCH", f"/v2/orders/{fraction['id']}", {"limit_price": "251"}).status == 200


class TestCoins:
    COIN: ClassVar[dict[str, Any]] = {"symbol": "BTC/USD", "qty": "0.1", "time_in_force": "gtc"}

    @pytest.mark.parametrize(
        ("terms", "status", "message"),
        [
            ({"qty": "0.0001"}, 403, "cost basis must be >= minimal amount of order 10"),
            ({"side": "sell"}, 403, "insufficient balance for BTC (requested: 0.1, available: 0)"),
            ({"type": "stop", "stop_price": "99000"}, 422, "invalid order type for crypto order"),
            ({"time_in_force": "fok"}, 422, "invalid crypto time_in_force"),
        ],
    )
    def test_what_coins_refuse(self, terms: dict[str, Any], status: int, message: str) -> None:
        answer = Trader(symbols=("BTC/USD",)).order(**self.COIN | terms)
        assert (answer.status, answer.json["message"]) == (status, message)

    def test_no_more_can_be_sold_than_is_held(self) -> None:
        trader = Trader(symbols=("BTC/USD",))
        trader.placed(**self.COIN)
        trader.wait()
        answer = trader.order(**self.COIN | {"side": "sell", "qty": "0.2"})
        assert answer.json == {
            "code": 40310000,
            "message": "insufficient balance for BTC (requested: 0.2, available: 0.1)",
        }

    def test_both_spellings_of_a_pair_are_the_same_order(self) -> None:
        trader = Trader(symbols=("BTC/USD",))
        assert trader.placed(**self.COIN | {"symbol": "BTCUSD"})["symbol"] == "BTC/USD"

    def test_coins_are_bought_with_cash_alone(self) -> None:
        answer = Trader(symbols=("BTC/USD",)).order(**self.COIN | {"qty": "1.5"})
        assert (answer.status, answer.json["buying_power"]) == (403, "100000")


class TestExtendedHours:
    @pytest.mark.parametrize(
        "terms",
        [
            {"type": "market"},
            {"type": "stop", "stop_price": "272"},
            {"type": "limit", "limit_price": "270", "time_in_force": "ioc"},
            {"type": "limit", "limit_price": "270", "time_in_force": "opg"},
        ],
    )
    def test_only_day_and_good_till_canceled_limits(self, terms: dict[str, Any]) -> None:
        answer = Trader().order(extended_hours=True, **terms)
        assert (answer.status, answer.json["message"]) == (
            422,
            "extended hours order must be DAY or GTC limit orders",
        )

    @pytest.mark.parametrize("time_in_force", ["day", "gtc"])
    def test_those_are_taken(self, time_in_force: str) -> None:
        order = Trader().placed(type="limit", limit_price="270", time_in_force=time_in_force, extended_hours=True)
        assert order["extended_hours"] is True


class TestReplacingLegs:
    def bracketed(self) -> tuple[Trader, str, str]:
        trader = Trader()
        order = trader.bracket()
        trader.wait()
        target, stop = (leg["id"] for leg in order["legs"])
        return trader, target, stop

    def test_a_target_has_no_stop_price(self) -> None:
        trader, target, _ = self.bracketed()
        answer = trader.call("PATCH", f"/v2/orders/{target}", {"stop_price": "260"})
        assert (answer.status, answer.json["message"]) == (422, "limit orders must not have stop_price")

    def test_a_leg_under_replacement_locks_the_cancel_of_its_sibling(self) -> None:
        trader, target, stop = self.bracketed()
        assert trader.call("PATCH", f"/v2/orders/{target}", {"limit_price": "281"}).status == 200
        assert trader.call("DELETE", f"/v2/orders/{stop}").status == 422
        trader.wait()
        assert trader.call("DELETE", f"/v2/orders/{stop}").status == 204

    def test_a_replaced_order_is_not_replaced_again(self) -> None:
        trader, target, _ = self.bracketed()
        trader.call("PATCH", f"/v2/orders/{target}", {"limit_price": "281"})
        trader.wait()
        answer = trader.call("PATCH", f"/v2/orders/{target}", {"limit_price": "282"})
        assert (answer.status, answer.json["message"]) == (422, "order already replaced")

    def test_an_order_that_is_over_is_not_open(self) -> None:
        trader, target, stop = self.bracketed()
        trader.call("DELETE", f"/v2/orders/{target}")
        trader.wait()
        answer = trader.call("PATCH", f"/v2/orders/{stop}", {"stop_price": "260"})
        assert (answer.status, answer.json["message"]) == (422, "order is not open")

    def test_a_held_stop_is_fixed_where_the_switch_says_so(self) -> None:
        trader = Trader(replace_held_legs=False)
        order = trader.bracket()
        trader.wait()
        answer = trader.call("PATCH", f"/v2/orders/{order['legs'][1]['id']}", {"stop_price": "260"})
        assert answer.json["message"] == "cannot replace order in held status"

    def test_a_replacement_must_lie_on_the_price_grid_and_off_the_market(self) -> None:
        trader, target, stop = self.bracketed()
        assert "sub-penny" in trader.call("PATCH", f"/v2/orders/{target}", {"limit_price": "281.001"}).json["message"]
        answer = trader.call("PATCH", f"/v2/orders/{stop}", {"stop_price": "275"})
        assert answer.json["message"] == "stop price must be less than current price"


def test_a_replacement_that_costs_more_than_there_is_is_refused() -> None:
    trader = Trader()
    order = trader.placed(type="limit", limit_price="250", qty="1500")
    trader.wait()
    answer = trader.call("PATCH", f"/v2/orders/{order['id']}", {"qty": "1700"})
    assert (answer.status, answer.json["message"]) == (403, "insufficient buying power")
    assert trader.status(order["id"]) == "new"


def test_a_canceled_order_cannot_be_canceled_again() -> None:
    trader = Trader()
    order = trader.placed(type="limit", limit_price="250")
    trader.wait()
    trader.call("DELETE", f"/v2/orders/{order['id']}")
    trader.wait()
    answer = trader.call("DELETE", f"/v2/orders/{order['id']}")
    assert (answer.status, answer.json["message"]) == (422, 'order is already in "canceled" state')


def test_a_refusal_can_quote_what_is_no_text() -> None:
    answer = Trader().call("GET", "/v2/orders", after="\ud800")
    assert (answer.status, answer.json["message"]) == (422, "invalid after: ?")


class TestReplacementsCutShort:
    """What comes between a replace request and the venue's answer."""

    def replacing(self) -> tuple[Trader, str, str]:
        trader = Trader()
        old = trader.placed(type="limit", limit_price="260")
        trader.wait()
        new = trader.call("PATCH", f"/v2/orders/{old['id']}", {"limit_price": "265"}).json
        return trader, old["id"], new["id"]

    def test_a_replacement_that_the_venue_rejects_leaves_the_old_order_working(self) -> None:
        trader, old, new = self.replacing()
        trader.call("POST", f"/_exchange/orders/{new}/reject")
        trader.wait()
        assert (trader.status(old), trader.status(new)) == ("new", "rejected")
        assert trader.get("/v2/account")["buying_power"] == "397400"

    def test_a_replacement_cannot_execute_before_it_is_at_the_venue(self) -> None:
        trader, _, new = self.replacing()
        answer = trader.call("POST", f"/_exchange/orders/{new}/fill")
        assert (answer.status, answer.json["message"]) == (422, "order chain not fully replaced")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_missing_id_at_the_end_of_a_path_is_not_the_whole_list(method: str) -> None:
    trader = Trader()
    order = trader.placed(type="limit", limit_price="250")
    answer = trader.call(method, "/v2/orders/")
    assert (answer.status, answer.json["message"]) == (404, "endpoint not found")
    trader.wait()
    assert trader.status(order["id"]) == "new"


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"qty": "0.0000000001"}, "qty must be limited to 9 decimal places"),
        ({"qty": None, "notional": "10.001"}, "notional value must be limited to 2 decimal places"),
        (
            {"type": "trailing_stop", "trail_percent": "100", "side": "sell"},
            "stop price of a trailing stop order must be > 0",
        ),
        ({"position_intent": ["buy_to_open"]}, "invalid position_intent"),
    ],
)
def test_numbers_and_words_that_cannot_be_meant(terms: dict[str, Any], message: str) -> None:
    answer = Trader().order(**terms)
    assert (answer.status, answer.json["message"]) == (422, message)
