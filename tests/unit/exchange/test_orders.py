"""The life of single orders: execution, cancel, replace."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.exchange.faults import CancelRejected, PartialFill, StickCancel
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

    @pytest.mark.parametrize(("filled", "status"), [(0, "new"), (4, "partially_filled")])
    def test_a_cancel_that_the_venue_refuses_puts_the_order_back_to_work(self, filled: int, status: str) -> None:
        trader = Trader()
        trader.fault(CancelRejected())
        order = trader.placed(type="limit", limit_price="260", qty="10")
        trader.wait()
        if filled:
            trader.call("POST", f"/_exchange/orders/{order['id']}/fill", {"qty": str(filled)})
        trader.call("DELETE", f"/v2/orders/{order['id']}")
        trader.wait()
        assert trader.status(order["id"]) == status
        assert trader.events(order["id"])[-2:] == ["pending_cancel", "order_cancel_rejected"]
        trader.call("DELETE", f"/v2/orders/{order['id']}")
        trader.wait()
        assert trader.status(order["id"]) == "canceled"

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

    def test_executions_that_overtake_the_new_size_refuse_the_replacement(self) -> None:
        trader, old = self.working()
        new = trader.call("PATCH", f"/v2/orders/{old}", {"qty": "4"}).json
        trader.call("POST", f"/_exchange/orders/{old}/fill", {"qty": "5"})
        trader.wait()
        assert (trader.status(old), trader.status(new["id"])) == ("partially_filled", "rejected")

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

    def test_only_the_limit_that_alpaca_gave_moves_with_the_stop(self) -> None:
        for terms, limit in (({"type": "stop"}, "297.25"), ({"type": "stop_limit", "limit_price": "280.5"}, "280.5")):
            trader = Trader()
            old = trader.placed(stop_price="280", **terms)["id"]
            trader.wait()
            new = trader.call("PATCH", f"/v2/orders/{old}", {"stop_price": "290"}).json
            assert (new["stop_price"], new["limit_price"]) == ("290", limit)

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
