"""Lists of orders, positions and how they are closed."""

from __future__ import annotations

import pytest

from tests.unit.exchange.trader import Trader


class TestLists:
    def test_open_orders_leave_out_the_held_stop(self) -> None:
        trader = Trader()
        order = trader.bracket()
        trader.wait()
        assert [row["id"] for row in trader.get("/v2/orders")] == [order["legs"][0]["id"]]
        assert trader.get("/v2/orders", nested="true") == []
        (parent,) = trader.get("/v2/orders", status="all", nested="true")
        assert [leg["status"] for leg in parent["legs"]] == ["new", "held"]

    def test_held_legs_can_be_listed(self) -> None:
        trader = Trader(list_held_legs=True)
        order = trader.bracket()
        trader.wait()
        assert len(trader.get("/v2/orders")) == 2
        (parent,) = trader.get("/v2/orders", nested="true")
        assert parent["id"] == order["id"]

    def test_filters(self) -> None:
        trader = Trader()
        first = trader.placed(type="limit", limit_price="250")
        trader.wait(0.1)
        second = trader.placed(symbol="SPY", type="limit", limit_price="500")
        trader.wait(0.1)
        third = trader.placed(symbol="SPY", type="limit", limit_price="501")
        trader.wait(0.1)

        def ids(**query: str) -> list[str]:
            return [row["id"] for row in trader.get("/v2/orders", **query)]

        assert ids() == [third["id"], second["id"], first["id"]]
        assert ids(direction="asc", limit="2") == [first["id"], second["id"]]
        assert ids(symbols="SPY") == [third["id"], second["id"]]
        assert ids(side="sell") == []
        assert ids(after=second["submitted_at"]) == [third["id"]]
        assert ids(until=second["submitted_at"]) == [first["id"]]
        assert ids(before_order_id=second["id"]) == [first["id"]]
        assert ids(after_order_id=second["id"]) == [third["id"]]
        assert ids(status="closed") == []

    def test_coins_are_filtered_by_either_spelling(self) -> None:
        trader = Trader(symbols=("AAPL", "BTC/USD"))
        coin = trader.placed(symbol="BTC/USD", qty="0.01", type="limit", limit_price="50000", time_in_force="gtc")
        trader.placed(type="limit", limit_price="250")
        trader.wait()
        for symbols in ("BTC/USD", "BTCUSD", "btcusd,SPY", " ,BTC/USD"):
            assert [row["id"] for row in trader.get("/v2/orders", symbols=symbols)] == [coin["id"]]
        assert len(trader.get("/v2/orders", symbols="")) == 2
        assert len(trader.get("/v2/orders", asset_class="us_equity,crypto")) == 2
        assert [row["id"] for row in trader.get("/v2/orders", asset_class="crypto")] == [coin["id"]]

    @pytest.mark.parametrize(
        "query",
        [
            {"status": "some"},
            {"side": "long"},
            {"direction": "up"},
            {"limit": "0"},
            {"limit": "-1"},
            {"limit": "²"},
            {"limit": "1.5"},
            {"nested": "perhaps"},
            {"after": "yesterday"},
            {"until": "2026-13-01"},
            {"before_order_id": "first"},
        ],
    )
    def test_a_filter_that_cannot_be_meant_is_refused(self, query: dict[str, str]) -> None:
        answer = Trader().call("GET", "/v2/orders", **query)
        assert (answer.status, answer.json["code"]) == (422, 40010001)

    def test_a_limit_beyond_the_largest_is_cut(self) -> None:
        trader = Trader()
        trader.placed()
        assert len(trader.get("/v2/orders", status="all", limit="9" * 5000)) == 1

    def test_bounds_by_order_stand_alone(self) -> None:
        trader = Trader()
        order = trader.placed()["id"]
        for other in ({"before_order_id": order}, {"after": "2026-08-20"}, {"until": "2026-08-22"}):
            answer = trader.call("GET", "/v2/orders", after_order_id=order, **other)
            assert answer.status == 422
        unknown = "00000000-0000-4000-8000-000000000000"
        assert trader.call("GET", "/v2/orders", before_order_id=unknown).status == 404


class TestActivities:
    def test_odd_page_tokens_end_the_list(self) -> None:
        trader = Trader()
        trader.holding()
        (fill,) = trader.get("/v2/account/activities")
        for token in (fill["id"], "nothing", "20260821::", "%00", "::"):
            assert trader.get("/v2/account/activities", page_token=token) == []
        assert trader.get("/v2/account/activities", page_token="") == [fill]

    def test_pages_join_in_both_directions(self) -> None:
        trader = Trader()
        for _ in range(5):
            trader.holding("1")
        for direction in ("asc", "desc"):
            whole = trader.get("/v2/account/activities", direction=direction)
            joined: list[dict[str, str]] = []
            while page := trader.get(
                "/v2/account/activities",
                direction=direction,
                page_size="2",
                page_token=joined[-1]["id"] if joined else "",
            ):
                joined += page
            assert joined == whole
            assert len(whole) == 5

    @pytest.mark.parametrize("query", [{"page_size": "²"}, {"page_size": "0"}, {"direction": "up"}, {"date": "x"}])
    def test_what_cannot_be_meant_is_refused(self, query: dict[str, str]) -> None:
        assert Trader().call("GET", "/v2/account/activities", **query).status == 422


class TestClientIds:
    def test_a_client_id_can_take_a_while_to_be_found(self) -> None:
        trader = Trader(client_id_lookup_ms=500)
        trader.placed(client_order_id="mine")
        question = ("GET", "/v2/orders:by_client_order_id")
        assert trader.call(*question, client_order_id="mine").status == 404
        assert trader.order(client_order_id="mine").json["message"] == "client_order_id must be unique"
        trader.wait(0.6)
        assert trader.call(*question, client_order_id="mine").status == 200

    def test_an_order_is_found_by_its_client_id(self) -> None:
        trader = Trader()
        order = trader.bracket(client_order_id="mine")
        found = trader.get("/v2/orders:by_client_order_id", client_order_id="mine")
        assert (found["id"], found["legs"]) == (order["id"], None)
        assert trader.call("GET", "/v2/orders:by_client_order_id", client_order_id="other").status == 404


class TestPositions:
    def test_closing_a_position_makes_an_order_with_an_id_of_its_own(self) -> None:
        trader = Trader()
        trader.holding()
        order = trader.call("DELETE", "/v2/positions/AAPL", percentage="50").json
        assert (order["side"], order["qty"], order["type"], order["time_in_force"]) == ("sell", "5", "market", "day")
        trader.wait()
        assert trader.held_qty() == "5"

    def test_closing_all_with_cancels_does_not_wait_for_them(self) -> None:
        trader = Trader()
        order = trader.bracket()
        trader.holding(symbol="SPY")
        trader.wait()
        answer = trader.call("DELETE", "/v2/positions", cancel_orders="true")
        assert answer.status == 207
        assert [(row["symbol"], row["status"]) for row in answer.json] == [
            (order["legs"][0]["id"], 200),
            ("AAPL", 403),
            ("SPY", 200),
        ]
        assert answer.json[1]["body"]["related_orders"]
        assert trader.call("DELETE", "/v2/positions", cancel_orders="maybe").status == 422

    def test_without_a_position_there_is_nothing_to_close(self) -> None:
        answer = Trader().call("DELETE", "/v2/positions/AAPL")
        assert (answer.status, answer.json) == (404, {"code": 40410000, "message": "position does not exist"})

    def test_profit_and_average_price(self) -> None:
        trader = Trader()
        trader.holding("10")
        trader.move("281")
        trader.holding("10")
        position = trader.position()
        assert (position["qty"], position["avg_entry_price"], position["cost_basis"]) == ("20", "276.01", "5520.2")
        assert position["unrealized_pl"] == "99.8"
        account = trader.get("/v2/account")
        assert (account["cash"], account["equity"]) == ("94479.8", "100099.8")
