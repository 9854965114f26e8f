"""What fast markets and bad days do to a group's exits, each by a fault."""

from __future__ import annotations

from engine.exchange.faults import BothExitsFill, LegsDie, LegsStayHeld, PartialFill
from tests.unit.exchange.trader import Trader


def legs(trader: Trader, order_id: str) -> list[str]:
    return [leg["status"] for leg in trader.read(order_id)["legs"]]


def test_both_exits_can_fill_and_turn_the_position_round() -> None:
    trader = Trader()
    trader.fault(BothExitsFill(symbol="AAPL"))
    order = trader.bracket()
    trader.wait()
    trader.move("281")
    trader.wait()
    assert legs(trader, order["id"]) == ["filled", "filled"]
    assert trader.position()["qty"] == "-10"
    assert [row["side"] for row in trader.get("/v2/account/activities")] == ["sell", "sell", "buy"]


def test_exits_can_stay_held_without_effect_after_the_fill() -> None:
    trader = Trader()
    trader.fault(LegsStayHeld())
    order = trader.bracket()
    trader.wait()
    assert legs(trader, order["id"]) == ["held", "held"]
    trader.move("250")
    trader.wait()
    assert trader.held_qty() == "10"
    assert trader.position()["qty_available"] == "10"


def test_both_exits_can_die_when_the_target_is_partly_filled() -> None:
    trader = Trader()
    trader.fault(LegsDie(role="take_profit"))
    trader.fault(PartialFill(role="take_profit", shares=4))
    order = trader.bracket()
    trader.wait()
    trader.move("281")
    trader.wait()
    assert legs(trader, order["id"]) == ["canceled", "canceled"]
    assert trader.held_qty() == "6"
    assert trader.position()["qty_available"] == "6"
