"""How the legs of bracket, OTO and OCO orders behave."""

from __future__ import annotations

import pytest

from engine.exchange.faults import PartialFill, RejectLegs, StickCancel
from tests.unit.exchange.trader import Trader


def legs_of(order: dict) -> tuple[dict, dict]:
    target, stop = order["legs"]
    assert (target["type"], stop["type"]) == ("limit", "stop")
    return target, stop


def test_both_legs_are_held_in_the_answer_to_a_bracket() -> None:
    order = Trader().bracket(client_order_id="mine")
    target, stop = legs_of(order)
    assert order["status"] == "pending_new"
    assert order["client_order_id"] == "mine"
    assert (target["status"], stop["status"]) == ("held", "held")
    assert target["client_order_id"] != "mine" != stop["client_order_id"]
    assert target["legs"] is None
    assert {target["side"], stop["side"]} == {"sell"}
    assert {leg["position_intent"] for leg in (target, stop)} == {"sell_to_close"}


def test_after_the_entry_has_filled_the_target_is_new_and_the_stop_stays_held() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    filled = trader.read(order["id"])
    target, stop = legs_of(filled)
    assert (filled["status"], target["status"], stop["status"]) == ("filled", "new", "held")
    assert trader.events(order["id"]) == ["pending_new", "new", "fill"]
    assert trader.events(target["id"]) == ["held", "new"]
    assert trader.events(stop["id"]) == ["held"]


def test_the_group_reserves_the_shares_once() -> None:
    trader = Trader()
    trader.bracket()
    trader.wait()
    position = trader.position()
    assert (position["qty"], position["qty_available"]) == ("10", "0")


def test_a_partly_filled_entry_has_no_live_exit() -> None:
    trader = Trader()
    order = trader.bracket(type="limit", limit_price="270", target="280", stop="265")
    trader.wait(0.1)
    trader.call("POST", f"/_exchange/orders/{order['id']}/fill", {"qty": "4"})
    trader.wait()
    part = trader.read(order["id"])
    assert part["status"] == "partially_filled"
    assert [leg["status"] for leg in part["legs"]] == ["held", "held"]
    assert trader.position()["qty_available"] == "4"
    trader.move("264")  # through the stop: nothing but the entry reacts
    assert trader.held_qty() == "10"


def test_a_leg_whose_cancel_sticks_executes_no_more_than_a_held_one() -> None:
    trader = Trader()
    order = trader.bracket(type="limit", limit_price="260", target="300", stop="250")
    trader.wait()
    target, _ = legs_of(order)
    trader.fault(StickCancel())
    trader.call("DELETE", f"/v2/orders/{target['id']}")
    trader.wait()
    assert trader.status(target["id"]) == "pending_cancel"
    trader.move("305")  # through the target of an entry that has bought nothing
    trader.call("POST", "/_exchange/halts/AAPL", {"halted": True})
    trader.call("POST", "/_exchange/halts/AAPL", {"halted": False})  # every order is looked at again
    trader.wait()
    assert trader.status(target["id"]) == "pending_cancel"
    assert trader.held_qty() == "0"


def test_cancelling_a_partly_filled_entry_takes_its_exits_and_leaves_the_shares_naked() -> None:
    trader = Trader()
    order = trader.bracket(type="limit", limit_price="270")
    trader.wait(0.1)
    trader.call("POST", f"/_exchange/orders/{order['id']}/fill", {"qty": "4"})
    assert trader.call("DELETE", f"/v2/orders/{order['id']}").status == 204
    trader.wait()
    canceled = trader.read(order["id"])
    assert (canceled["status"], canceled["filled_qty"]) == ("canceled", "4")
    assert [leg["status"] for leg in canceled["legs"]] == ["canceled", "canceled"]
    assert trader.held_qty() == "4"


def test_a_filled_target_ends_the_stop() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    trader.move("280.50")
    target, stop = legs_of(trader.read(order["id"]))
    assert (target["status"], stop["status"]) == ("filled", "canceled")
    assert trader.held_qty() == "0"
    assert trader.events(stop["id"]) == ["held", "canceled"]


def test_the_end_of_the_sibling_can_be_missing_from_the_stream() -> None:
    trader = Trader(sibling_cancel_event=False)
    order = trader.bracket()
    trader.wait()
    trader.move("280.50")
    _, stop = legs_of(trader.read(order["id"]))
    assert stop["status"] == "canceled"
    assert trader.events(stop["id"]) == ["held"]


def test_a_triggered_stop_ends_the_target_and_sells_at_market() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    trader.move("262")
    target, stop = legs_of(trader.read(order["id"]))
    assert (target["status"], stop["status"]) == ("canceled", "filled")
    assert float(stop["filled_avg_price"]) < 265
    assert trader.events(stop["id"]) == ["held", "new", "fill"]
    assert trader.held_qty() == "0"


def test_a_partly_filled_target_reduces_the_stop() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    target, stop = legs_of(trader.read(order["id"]))
    trader.call("POST", f"/_exchange/orders/{target['id']}/fill", {"qty": "3"})
    trader.wait()
    target, stop = legs_of(trader.read(order["id"]))
    assert (target["status"], target["filled_qty"]) == ("partially_filled", "3")
    assert (stop["status"], stop["qty"]) == ("held", "7")
    trader.move("262")
    assert trader.held_qty() == "0"


def test_the_reduced_stop_can_come_under_a_new_id() -> None:
    trader = Trader(resize_stop_by_replacing=True)
    order = trader.bracket()
    trader.wait()
    target, old = legs_of(trader.read(order["id"]))
    trader.call("POST", f"/_exchange/orders/{target['id']}/fill", {"qty": "3"})
    trader.wait()
    _, stop = legs_of(trader.read(order["id"]))
    assert (stop["status"], stop["qty"], stop["replaces"]) == ("held", "7", old["id"])
    assert trader.read(old["id"])["replaced_by"] == stop["id"]
    trader.move("262")
    assert trader.held_qty() == "0"


def test_cancelling_one_leg_cancels_the_other() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    target, stop = legs_of(trader.read(order["id"]))
    trader.call("DELETE", f"/v2/orders/{target['id']}")
    assert trader.status(target["id"]) == "pending_cancel"
    trader.wait()
    assert (trader.status(target["id"]), trader.status(stop["id"])) == ("canceled", "canceled")
    assert trader.position()["qty_available"] == "10"


def test_the_single_exit_of_an_oto_becomes_new() -> None:
    trader = Trader()
    order = trader.placed(order_class="oto", time_in_force="gtc", stop_loss={"stop_price": "265"})
    assert [leg["status"] for leg in order["legs"]] == ["held"]
    trader.wait()
    (stop,) = trader.read(order["id"])["legs"]
    assert stop["status"] == "new"
    assert trader.position()["qty_available"] == "0"
    trader.move("264")
    assert trader.status(stop["id"]) == "filled"


def test_the_answer_to_an_oco_is_the_target_with_the_stop_as_its_leg() -> None:
    trader = Trader()
    trader.holding()
    target = trader.oco().json
    (stop,) = target["legs"]
    assert (target["type"], target["limit_price"], target["order_class"]) == ("limit", "280", "oco")
    assert (stop["type"], stop["status"]) == ("stop", "held")
    trader.wait()
    assert (trader.status(target["id"]), trader.status(stop["id"])) == ("new", "held")
    assert trader.position()["qty_available"] == "0"
    trader.move("281")
    assert (trader.status(target["id"]), trader.status(stop["id"])) == ("filled", "canceled")


def test_the_stop_of_an_oco_triggers() -> None:
    trader = Trader()
    trader.holding()
    target = trader.oco().json
    trader.wait()
    trader.move("260")
    assert trader.status(target["id"]) == "canceled"
    assert trader.status(target["legs"][0]["id"]) == "filled"
    assert trader.held_qty() == "0"


def test_a_short_bracket_is_mirrored_and_its_stop_is_a_stop_limit() -> None:
    trader = Trader()
    order = trader.bracket(side="sell", target="260", stop="280")
    target, stop = order["legs"]
    assert (target["side"], stop["side"], stop["type"]) == ("buy", "buy", "stop_limit")
    assert stop["limit_price"] == "287"  # 2.5 % above a stop of 50 and more
    trader.wait()
    assert trader.held_qty() == "-10"
    trader.move("280.20")
    assert trader.status(stop["id"]) == "filled"
    assert trader.held_qty() == "0"


def test_a_gap_jumps_the_limit_of_a_short_positions_stop() -> None:
    trader = Trader()
    order = trader.bracket(side="sell", target="260", stop="280")
    trader.wait()
    trader.move("300")
    stop = trader.read(order["legs"][1]["id"])
    assert (stop["status"], trader.held_qty()) == ("new", "-10")


def test_rejected_legs_leave_the_position_naked() -> None:
    trader = Trader()
    trader.fault(RejectLegs(symbol="AAPL"))
    order = trader.bracket()
    trader.wait()
    filled = trader.read(order["id"])
    assert [leg["status"] for leg in filled["legs"]] == ["rejected", "rejected"]
    assert [trader.events(leg["id"])[-1] for leg in filled["legs"]] == ["rejected", "rejected"]
    position = trader.position()
    assert (position["qty"], position["qty_available"]) == ("10", "10")


def test_an_entry_rejected_late_takes_its_legs_along() -> None:
    trader = Trader()
    order = trader.bracket(type="limit", limit_price="270")
    trader.call("POST", f"/_exchange/orders/{order['id']}/reject")
    trader.wait()
    rejected = trader.read(order["id"])
    assert rejected["status"] == "rejected"
    assert [leg["status"] for leg in rejected["legs"]] == ["canceled", "canceled"]


def test_a_partial_fill_arms_the_exits_only_when_the_rest_has_come() -> None:
    trader = Trader()
    trader.fault(PartialFill(role="entry"))
    order = trader.bracket()
    trader.wait(0.03)
    assert trader.read(order["id"])["filled_qty"] == "1"
    assert [leg["status"] for leg in trader.read(order["id"])["legs"]] == ["held", "held"]
    trader.wait(1)
    assert trader.events(order["id"]) == ["pending_new", "new", "partial_fill", "fill"]
    assert trader.read(order["id"])["legs"][0]["status"] == "new"


def test_both_exits_of_a_group_can_be_filled_by_hand_and_turn_the_position() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    for leg in order["legs"]:
        trader.call("POST", f"/_exchange/orders/{leg['id']}/fill", {"price": "270"})
    trader.wait()
    assert trader.held_qty() == "-10"


def test_a_replaced_entry_keeps_its_legs() -> None:
    trader = Trader()
    order = trader.bracket(type="limit", limit_price="270")
    trader.wait(0.1)
    new = trader.call("PATCH", f"/v2/orders/{order['id']}", {"limit_price": "270.50"}).json
    trader.wait()
    assert [leg["id"] for leg in trader.read(new["id"])["legs"]] == [leg["id"] for leg in order["legs"]]
    trader.move("270.40")
    assert [leg["status"] for leg in trader.read(new["id"])["legs"]] == ["new", "held"]


def test_a_held_stop_can_be_moved() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    stop = order["legs"][1]
    moved = trader.call("PATCH", f"/v2/orders/{stop['id']}", {"stop_price": "268", "client_order_id": "be"}).json
    assert (moved["status"], moved["replaces"], moved["client_order_id"]) == ("held", stop["id"], "be")
    trader.wait()
    assert trader.status(stop["id"]) == "replaced"
    assert [leg["id"] for leg in trader.read(order["id"])["legs"]] == [order["legs"][0]["id"], moved["id"]]
    assert trader.position()["qty_available"] == "0"
    trader.move("267")
    assert trader.status(moved["id"]) == "filled"
    assert trader.status(order["legs"][0]["id"]) == "canceled"
    assert trader.held_qty() == "0"


def test_a_target_patched_to_a_marketable_price_closes_the_position() -> None:
    trader = Trader()
    order = trader.bracket()
    trader.wait()
    answer = trader.call("PATCH", f"/v2/orders/{order['legs'][0]['id']}", {"limit_price": "270"})
    assert answer.status == 200
    trader.wait()
    assert trader.held_qty() == "0"
    assert trader.status(answer.json["id"]) == "filled"
    assert trader.status(order["legs"][1]["id"]) == "canceled"


@pytest.mark.parametrize("tif", ["day", "gtc"])
def test_one_time_in_force_governs_all_legs(tif: str) -> None:
    order = Trader().bracket(time_in_force=tif, stop_loss={"stop_price": "265", "time_in_force": "day"})
    assert {leg["time_in_force"] for leg in order["legs"]} == {tif}
