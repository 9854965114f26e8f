"""Orders in and outside trading hours, at the auctions, and in halts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from engine.exchange.session import NEW_YORK
from tests.unit.exchange.trader import Trader


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

    @pytest.mark.parametrize("order_class", ["bracket", "oto", "oco"])
    def test_a_group_waits_for_the_open_with_its_exits_held(self, order_class: str) -> None:
        trader = Trader(session="real", start=self.BEFORE_CLOSE)
        if order_class == "oco":
            trader.holding()
        trader.wait(90)
        terms: dict[str, Any] = {"order_class": order_class, "time_in_force": "gtc"}
        if order_class == "oco":
            terms |= {"side": "sell", "type": "limit"}
        if order_class != "oto":
            terms |= {"take_profit": {"limit_price": "280"}}
        placed = trader.placed(**terms, stop_loss={"stop_price": "265"})
        trader.wait(1)
        order = trader.read(placed["id"])
        assert (order["status"], {leg["status"] for leg in order["legs"]}) == ("accepted", {"held"})

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

    def test_an_on_close_order_executes_at_the_last_price_of_the_day(self) -> None:
        trader = Trader(session="real", start=datetime(2026, 8, 21, 19, 49, tzinfo=UTC))
        order = trader.placed(time_in_force="cls")
        limit = trader.placed(time_in_force="cls", type="limit", limit_price="271.50")
        trader.wait(1)
        trader.move("272")
        assert (trader.status(order["id"]), trader.status(limit["id"])) == ("new", "new")
        trader.wait(700)
        assert trader.read(order["id"])["filled_avg_price"] == "272"
        assert trader.status(limit["id"]) == "canceled"

    def test_an_on_open_order_waits_for_the_open_and_is_refused_after_it(self) -> None:
        trader = Trader(session="real", start=self.NIGHT)
        order = trader.placed(time_in_force="opg")
        trader.wait(6.5 * 3600 + 60)
        trader.wait()
        assert trader.status(order["id"]) == "filled"
        assert trader.order(time_in_force="opg").status == 422

    def test_an_on_open_limit_that_the_open_does_not_reach_is_canceled(self) -> None:
        trader = Trader(session="real", start=self.NIGHT)
        order = trader.placed(time_in_force="opg", type="limit", limit_price="200")
        trader.wait(6.5 * 3600 + 60)
        trader.wait()
        assert trader.status(order["id"]) == "canceled"

    @pytest.mark.parametrize(
        ("time_in_force", "new_york", "taken"),
        [
            ("opg", "09:27:59", True),
            ("opg", "09:28:00", False),
            ("opg", "18:59:59", False),
            ("opg", "19:00:00", True),
            ("cls", "09:28:00", True),
            ("cls", "15:49:59", True),
            ("cls", "15:50:00", False),
            ("cls", "18:59:59", False),
            ("cls", "19:00:00", True),
        ],
    )
    def test_auction_orders_are_taken_until_their_cutoff_and_again_in_the_evening(
        self, time_in_force: str, new_york: str, *, taken: bool
    ) -> None:
        start = datetime.combine(date(2026, 8, 20), time.fromisoformat(new_york), NEW_YORK)
        answer = Trader(session="real", start=start).order(time_in_force=time_in_force)
        assert (answer.status == 200) is taken, answer.json

    def test_on_a_weekend_orders_for_mondays_auctions_are_taken(self) -> None:
        trader = Trader(session="real", start=datetime(2026, 8, 22, 17, 0, tzinfo=UTC))
        assert (trader.order(time_in_force="opg").status, trader.order(time_in_force="cls").status) == (200, 200)

    def test_a_good_till_canceled_order_expires_after_ninety_days(self) -> None:
        trader = Trader(session="real")
        order = trader.placed(type="limit", limit_price="250", time_in_force="gtc")
        trader.wait(1)
        trader.wait(89 * 86400)
        assert trader.status(order["id"]) == "new"
        trader.wait(86400 + 7 * 3600)
        assert trader.status(order["id"]) == "expired"
        assert trader.events(order["id"])[-1] == "expired"


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
