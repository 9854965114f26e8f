"""The life of single orders: execution, cancel, replace, expiry, lists."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.exchange.faults import PartialFill, StickCancel
from tests.unit.exchange.trader import Trader


def test_a_market_order_passes_through_its_statuses() -> None:
    trader = Trader()
    order = trader.placed()
    assert order["status"] == "pending_new"
    assert order["position_intent"] == "buy_to_open"
    trader.wait()
    filled = trader.read(order["id"])
    assert (filled["status"], filled["filled_qty"], filled["filled_avg_price"]) == ("filled", "10", "271.01")
    pending, new, fill = trader.updates
    assert [update["event"] for update in (pending, new, fill)] == ["pending_new", "new", "fill"]
    assert [update["order"]["status"] for update in (pending, new, fill)] == ["pending_new", "new", "filled"]
    assert (str(fill["price"]), str(fill["qty"]), str(fill["position_qty"])) == ("271.01", "10", "10")
    assert len({update["execution_id"] for update in trader.updates}) == 3


def test_a_limit_fills_at_its_price_when_the_market_trades_through_it() -> None:
    trader = Trader()
    order = trader.placed(type="limit", limit_price="270")
    trader.wait()
    assert trader.status(order["id"]) == "new"
    trader.move("270")
    assert trader.read(order["id"])["filled_avg_price"] == "270"


def test_a_marketable_limit_fills_at_the_better_quote() -> None:
    trader = Trader()
    order = trader.placed(type="limit", limit_price="275")
    trader.wait()
    assert trader.read(order["id"])["filled_avg_price"] == "271.01"


def test_a_buy_stop_becomes_a_stop_limit() -> None:
    trader = Trader()
    order = trader.placed(type="stop", stop_price="280")
    assert (order["type"], order["limit_price"]) == ("stop_limit", "287")
    trader.wait()
    trader.move("281")
    assert trader.status(order["id"]) == "filled"


def test_a_sell_stop_fills_below_its_price_in_a_gap() -> None:
    trader = Trader()
    trader.holding()
    order = trader.placed(side="sell", type="stop", stop_price="265")
    trader.wait()
    assert trader.status(order["id"]) == "new"
    trader.move("250")
    assert trader.read(order["id"])["filled_avg_price"] == "250"


def test_a_trailing_stop_follows_the_high_and_triggers() -> None:
    trader = Trader()
    trader.holding()
    order = trader.placed(side="sell", type="trailing_stop", trail_price="5")
    assert (order["hwm"], order["stop_price"]) == ("271", "266")
    trader.wait()
    trader.move("280")
    moved = trader.read(order["id"])
    assert (moved["hwm"], moved["stop_price"]) == ("280", "275")
    trader.move("276")
    assert trader.status(order["id"]) == "new"
    trader.move("274.90")
    assert trader.status(order["id"]) == "filled"


def test_immediate_or_cancel_ends_at_once() -> None:
    trader = Trader()
    order = trader.placed(type="limit", limit_price="260", time_in_force="ioc")
    trader.wait()
    assert trader.events(order["id"]) == ["pending_new", "new", "canceled"]


def test_a_partial_fill_is_followed_by_the_rest() -> None:
    trader = Trader(partial_fill_rate=1.0)
    order = trader.placed()
    trader.wait(1.5)
    assert trader.events(order["id"]) == ["pending_new", "new", "partial_fill", "fill"]
    parts = [update for update in trader.updates if "fill" in update["event"]]
    assert sum(update["qty"] for update in parts) == 10
    assert len({update["execution_id"] for update in parts}) == 2
    activities = trader.get("/v2/account/activities/FILL")
    assert [row["type"] for row in activities] == ["fill", "partial_fill"]
    assert activities[1]["leaves_qty"] == str(10 - int(activities[1]["qty"]))


class TestCancel:
    def test_a_cancel_is_a_request_first(self) -> None:
        trader = Trader()
        order = trader.placed(type="limit", limit_price="260")
        trader.wait()
        assert trader.call("DELETE", f"/v2/orders/{order['id']}").status == 204
        assert trader.status(order["id"]) == "pending_cancel"
        again = trader.call("DELETE", f"/v2/orders/{order['id']}")
        assert (again.status, again.json["message"]) == (422, "order pending cancel")
        trader.wait()
        assert trader.events(order["id"]) == ["pending_new", "new", "pending_cancel", "canceled"]
        assert trader.read(order["id"])["canceled_at"]

    def test_a_fill_can_win_the_race(self) -> None:
        trader = Trader()
        order = trader.placed(type="limit", limit_price="260")
        trader.wait()
        trader.call("DELETE", f"/v2/orders/{order['id']}")
        trader.move("259")
        assert trader.status(order["id"]) == "filled"
        assert trader.events(order["id"])[-2:] == ["pending_cancel", "fill"]

    def test_a_filled_order_cannot_be_canceled(self) -> None:
        trader = Trader()
        order = trader.placed()
        trader.wait()
        answer = trader.call("DELETE", f"/v2/orders/{order['id']}")
        assert (answer.status, answer.json["message"]) == (422, 'order is already in "filled" state')

    def test_an_unknown_order_is_not_found(self) -> None:
        answer = Trader().call("DELETE", "/v2/orders/00000000-0000-4000-8000-000000000000")
        assert (answer.status, answer.json["code"]) == (404, 40410000)

    def test_a_stuck_cancel_stays_pending_and_the_order_can_still_fill(self) -> None:
        trader = Trader()
        trader.fault(StickCancel())
        order = trader.placed(type="limit", limit_price="260")
        trader.wait()
        trader.call("DELETE", f"/v2/orders/{order['id']}")
        trader.wait(60)
        assert trader.status(order["id"]) == "pending_cancel"
        trader.move("255")
        assert trader.status(order["id"]) == "filled"

    def test_canceling_all_answers_with_a_row_for_each_group(self) -> None:
        trader = Trader()
        trader.bracket()
        trader.wait()
        trader.placed(symbol="SPY", type="limit", limit_price="600")
        trader.wait()
        answer = trader.call("DELETE", "/v2/orders")
        assert answer.status == 207
        assert [row["status"] for row in answer.json] == [200, 200]
        assert answer.json[0]["body"]["status"] == "filled"  # the bracket's parent stands for its legs
        trader.wait()
        assert trader.get("/v2/orders") == []


class TestReplace:
    def working(self, **terms: str) -> tuple[Trader, str]:
        trader = Trader()
        order = trader.placed(**({"type": "limit", "limit_price": "260"} | terms))
        trader.wait()
        return trader, order["id"]

    def test_a_replacement_has_a_new_id_and_follows_the_old_order(self) -> None:
        trader, old = self.working()
        new = trader.call("PATCH", f"/v2/orders/{old}", {"limit_price": "261", "qty": "5"}).json
        assert new["id"] != old
        assert (new["replaces"], new["limit_price"], new["qty"]) == (old, "261", "5")
        assert trader.status(old) == "pending_replace"
        trader.wait()
        assert trader.read(old)["replaced_by"] == new["id"]
        assert trader.events(old)[-2:] == ["pending_replace", "replaced"]
        assert trader.events(new["id"]) == ["new"]
        trader.move("260.50")
        assert trader.status(new["id"]) == "filled"
        assert trader.held_qty() == "5"

    def test_when_the_old_order_fills_first_the_replacement_is_rejected(self) -> None:
        trader, old = self.working()
        new = trader.call("PATCH", f"/v2/orders/{old}", {"limit_price": "261"}).json
        trader.call("POST", f"/_exchange/orders/{old}/fill")
        trader.wait()
        assert (trader.status(old), trader.status(new["id"])) == ("filled", "rejected")
        assert trader.events(new["id"]) == ["rejected"]
        assert trader.events(old)[-1] == "order_replace_rejected"

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({}, "order parameters are not changed"),
            ({"limit_price": "260"}, "order parameters are not changed"),
            ({"stop_price": "250"}, "limit orders must not have stop_price"),
            ({"client_order_id": "taken"}, "client_order_id must be unique"),
        ],
    )
    def test_what_a_replacement_may_not_ask(self, body: dict[str, str], message: str) -> None:
        trader, old = self.working(client_order_id="taken")
        answer = trader.call("PATCH", f"/v2/orders/{old}", body)
        assert (answer.status, answer.json["message"]) == (422, message)

    def test_an_order_that_is_not_at_the_venue_cannot_be_replaced(self) -> None:
        trader = Trader()
        order = trader.placed(type="limit", limit_price="260")
        answer = trader.call("PATCH", f"/v2/orders/{order['id']}", {"limit_price": "261"})
        assert answer.json["message"] == "cannot replace order in pending_new status"

    def test_replacing_twice_in_a_row_has_to_wait(self) -> None:
        trader, old = self.working()
        new = trader.call("PATCH", f"/v2/orders/{old}", {"limit_price": "261"}).json
        first = trader.call("PATCH", f"/v2/orders/{old}", {"limit_price": "262"})
        second = trader.call("PATCH", f"/v2/orders/{new['id']}", {"limit_price": "262"})
        assert first.json["message"] == "order already pending replacement"
        assert second.json["message"] == "order chain not fully replaced"

    def test_the_size_of_a_leg_cannot_be_replaced(self) -> None:
        trader = Trader()
        order = trader.bracket()
        trader.wait()
        answer = trader.call("PATCH", f"/v2/orders/{order['legs'][0]['id']}", {"qty": "5"})
        assert answer.status == 422

    def test_a_part_filled_order_keeps_what_it_has(self) -> None:
        trader, old = self.working()
        trader.call("POST", f"/_exchange/orders/{old}/fill", {"qty": "4"})
        assert trader.call("PATCH", f"/v2/orders/{old}", {"qty": "4"}).json["message"] == "qty must be > filled_qty"
        new = trader.call("PATCH", f"/v2/orders/{old}", {"qty": "6", "limit_price": "262"}).json
        trader.wait()
        assert trader.read(new["id"])["filled_qty"] == "4"
        trader.move("261")
        assert trader.held_qty() == "6"

    def test_buying_power_is_reserved_for_the_larger_of_the_two(self) -> None:
        trader, old = self.working(qty="1000", limit_price="250")
        trader.call("PATCH", f"/v2/orders/{old}", {"limit_price": "260"})
        assert trader.get("/v2/account")["buying_power"] == "140000"
        trader.wait()
        assert trader.get("/v2/account")["buying_power"] == "140000"


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
        assert trader.call("GET", "/v2/orders", status="some").status == 422

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


class TestSessions:
    AFTER_CLOSE = datetime(2026, 8, 21, 21, 0, tzinfo=UTC)
    BEFORE_CLOSE = datetime(2026, 8, 21, 19, 59, tzinfo=UTC)
    NIGHT = datetime(2026, 8, 21, 7, 0, tzinfo=UTC)

    def test_outside_trading_hours_orders_wait_as_accepted(self) -> None:
        trader = Trader(session="real", start=self.NIGHT)
        order = trader.placed()
        trader.wait()
        assert (order["status"], trader.status(order["id"])) == ("accepted", "accepted")
        assert trader.events(order["id"]) == ["accepted"]
        patch = trader.call("PATCH", f"/v2/orders/{order['id']}", {"qty": "5"})
        assert patch.json["message"] == "cannot replace order in accepted status"
        assert trader.get("/v2/clock")["is_open"] is False
        trader.wait(6.5 * 3600 + 60)
        trader.wait()
        assert trader.status(order["id"]) == "filled"

    def test_day_orders_expire_at_the_close_and_gtc_orders_stay(self) -> None:
        trader = Trader(session="real", start=self.BEFORE_CLOSE)
        day = trader.placed(type="limit", limit_price="250")
        gtc = trader.placed(type="limit", limit_price="251", time_in_force="gtc")
        trader.wait(0.1)
        trader.wait(90)
        assert (trader.status(day["id"]), trader.status(gtc["id"])) == ("expired", "new")
        assert trader.events(day["id"])[-1] == "expired"
        assert gtc["expires_at"][:10] == "2026-11-19"

    def test_a_day_brackets_exits_die_at_the_close(self) -> None:
        trader = Trader(session="real", start=self.BEFORE_CLOSE)
        order = trader.bracket(time_in_force="day")
        trader.wait(1)
        trader.wait(90)
        assert [leg["status"] for leg in trader.read(order["id"])["legs"]] == ["expired", "expired"]
        assert trader.position()["qty_available"] == "10"

    def test_stops_sleep_outside_core_hours_and_extended_limits_do_not(self) -> None:
        trader = Trader(session="real", start=self.BEFORE_CLOSE)
        trader.bracket()
        trader.wait(1)
        trader.wait(90)
        limit = trader.placed(symbol="SPY", type="limit", limit_price="700", extended_hours=True)
        trader.move("260")
        assert trader.held_qty() == "10"
        trader.wait(1)
        assert trader.status(limit["id"]) == "filled"

    def test_a_cancel_outside_hours_is_answered_at_the_open(self) -> None:
        trader = Trader(session="real", start=self.BEFORE_CLOSE)
        order = trader.placed(type="limit", limit_price="250", time_in_force="gtc")
        trader.wait(1)
        trader.wait(90)
        trader.call("DELETE", f"/v2/orders/{order['id']}")
        trader.wait(60)
        assert trader.status(order["id"]) == "pending_cancel"
        trader.wait(3 * 86400)
        trader.wait(1)
        assert trader.status(order["id"]) == "canceled"

    def test_the_open_session_is_always_open_and_its_day_ends(self) -> None:
        trader = Trader(start=datetime(2026, 8, 23, 3, 0, tzinfo=UTC))  # a Saturday night
        clock = trader.get("/v2/clock")
        assert clock["is_open"] is True
        assert clock["next_close"] == "2026-08-23T05:30:00-04:00"
        order = trader.placed(type="limit", limit_price="250")
        trader.wait(7 * 3600)
        assert trader.status(order["id"]) == "expired"
        assert trader.get("/v2/clock")["is_open"] is True


class TestHalts:
    def test_a_halt_refuses_market_orders_and_holds_stops_back(self) -> None:
        trader = Trader()
        trader.bracket()
        trader.wait()
        trader.call("POST", "/_exchange/halts/AAPL", {"halted": True})
        answer = trader.order()
        assert answer.json["message"] == "market order rejected due to trading halt on symbol: AAPL"
        trader.call("POST", "/_exchange/halts/AAPL", {"halted": False})
        trader.move("260")
        assert trader.held_qty() == "0"

    def test_a_limit_waits_for_the_reopening(self) -> None:
        trader = Trader()
        trader.call("POST", "/_exchange/halts/AAPL", {"halted": True})
        order = trader.placed(type="limit", limit_price="280")
        trader.wait()
        assert trader.status(order["id"]) == "new"
        trader.call("POST", "/_exchange/halts/AAPL", {"halted": False})
        trader.wait()
        assert trader.status(order["id"]) == "filled"


class TestFractionsAndCoins:
    def test_a_notional_order_buys_a_fraction(self) -> None:
        trader = Trader()
        order = trader.placed(qty=None, notional="100")
        assert (order["qty"], order["notional"]) == (None, "100")
        trader.wait()
        filled = trader.read(order["id"])
        assert (filled["status"], filled["filled_qty"]) == ("filled", "0.368990074")
        assert trader.held_qty() == "0.368990074"

    def test_coins_trade_by_pairs_and_are_held_without_the_slash(self) -> None:
        trader = Trader(symbols=("BTC/USD",), session="real", start=datetime(2026, 8, 23, 3, 0, tzinfo=UTC))
        order = trader.placed(symbol="BTC/USD", qty="0.5", time_in_force="gtc")
        trader.wait()
        assert trader.status(order["id"]) == "filled"
        assert trader.position("BTCUSD")["asset_class"] == "crypto"
        refused = trader.order(symbol="BTC/USD", qty="0.5")
        assert refused.json["message"] == "invalid crypto time_in_force"
        group = trader.order(
            symbol="BTC/USD",
            qty="1",
            order_class="bracket",
            time_in_force="gtc",
            take_profit={"limit_price": "99000"},
            stop_loss={"stop_price": "80000"},
        )
        assert group.json["message"] == "crypto orders not allowed for advanced order_class: otoco"


def test_a_forced_part_of_n_shares_comes_first() -> None:
    trader = Trader()
    trader.fault(PartialFill(symbol="AAPL", shares=3))
    order = trader.placed()
    trader.wait(0.03)
    assert trader.read(order["id"])["filled_qty"] == "3"
