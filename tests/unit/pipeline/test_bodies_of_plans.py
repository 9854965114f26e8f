"""Exactly what goes out, as JSON; and that Alpaca's own SDK would send it too."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.alpaca.bodies import encode_body
from engine.alpaca.check import RequestModels
from engine.model import events as ev
from engine.model.commands import Edits
from engine.model.order import Order
from engine.model.signal import EntrySpec
from engine.model.words import OrderClass, OrderRole, OrderStatus, OrderType, Purpose, Side, TimeInForce
from engine.pipeline.decide import decide
from engine.pipeline.entry import plan_entry
from engine.pipeline.protect import plan_close, plan_exits, plan_marketable_target
from tests.unit.builders import (
    DESK_ID,
    ENTRY_ID,
    T0,
    filled,
    legs_of,
    make_bracket,
    make_exit,
    make_facts,
    make_order,
    make_signal,
    oco_of,
    price_exit,
    replace,
)

MARKET = EntrySpec(type=OrderType.MARKET)
PLAN = {"desk_id": DESK_ID, "now": T0}


@pytest.fixture(scope="module")
def models() -> RequestModels:
    return RequestModels._imported()


def entry(signal: Any = None, edits: Edits = Edits()) -> tuple[ev.BracketOpened, ev.OrderIntended]:  # noqa: B008
    group = plan_entry(decide(signal or make_signal(), make_facts(), edits), bracket_id="b000001", **PLAN)
    return group.opened, group.intents[0]


def sent(body: dict[str, Any], models: RequestModels) -> Any:
    """The JSON as it goes over the wire, once alpaca-py has nothing against it."""
    assert models.check(body) is None
    return json.loads(encode_body(body))


# --- entries ---------------------------------------------------------------------------------------------------------


def test_a_limit_entry_with_both_exits_is_one_bracket(models: RequestModels) -> None:
    assert sent(entry()[1].body, models) == {
        "client_order_id": "gl-7f3a2c-000001-entry-1",
        "symbol": "AAPL",
        "side": "buy",
        "type": "limit",
        "qty": "10",
        "time_in_force": "gtc",
        "order_class": "bracket",
        "limit_price": "187.20",
        "take_profit": {"limit_price": "191.80"},
        "stop_loss": {"stop_price": "184.90"},
    }


def test_a_market_entry_with_a_stop_only_is_an_oto(models: RequestModels) -> None:
    assert sent(entry(make_signal(entry=MARKET, take_profit=None))[1].body, models) == {
        "client_order_id": "gl-7f3a2c-000001-entry-1",
        "symbol": "AAPL",
        "side": "buy",
        "type": "market",
        "qty": "10",
        "time_in_force": "gtc",
        "order_class": "oto",
        "stop_loss": {"stop_price": "184.90"},
    }


def test_a_stop_limit_says_both_prices(models: RequestModels) -> None:
    body = sent(entry(make_signal(stop_loss=price_exit("184.90", "184.50")))[1].body, models)
    assert body["stop_loss"] == {"stop_price": "184.90", "limit_price": "184.50"}


def test_a_short_sells_and_has_its_stop_above(models: RequestModels) -> None:
    short = make_signal(side=Side.SELL, stop_loss=price_exit("189.00"), take_profit=price_exit("183.00"))
    body = sent(entry(short)[1].body, models)
    assert (body["side"], body["stop_loss"], body["take_profit"]) == (
        "sell",
        {"stop_price": "189.00"},
        {"limit_price": "183.00"},
    )


def test_what_a_person_changed_is_what_is_sent(models: RequestModels) -> None:
    edits = Edits(qty=Decimal(4), limit_price=Decimal("187.00"), stop_price=Decimal("185.50"))
    body = sent(entry(edits=edits)[1].body, models)
    assert (body["qty"], body["limit_price"], body["stop_loss"]) == ("4", "187.00", {"stop_price": "185.50"})


def test_the_intent_names_the_legs_that_the_request_will_create() -> None:
    opened, intent = entry()
    target, stop = intent.legs
    assert intent.purpose is Purpose.ENTRY
    assert (opened.bracket.id, opened.bracket.stop_price) == ("b000001", Decimal("184.90"))
    assert (target.id, target.role, target.type, target.limit_price) == (
        f"{ENTRY_ID}.tp",
        OrderRole.TAKE_PROFIT,
        OrderType.LIMIT,
        Decimal("191.80"),
    )
    assert (stop.id, stop.role, stop.type, stop.stop_price) == (
        f"{ENTRY_ID}.sl",
        OrderRole.STOP_LOSS,
        OrderType.STOP,
        Decimal("184.90"),
    )
    for leg in (target, stop):
        assert (leg.parent_id, leg.side, leg.qty, leg.client_order_id) == (ENTRY_ID, Side.SELL, 10, None)
        assert leg.status is OrderStatus.SENDING


def test_an_entry_for_the_day_goes_out_gtc_because_one_time_in_force_governs_its_exits() -> None:
    signal = make_signal(entry=replace(make_signal().entry, time_in_force=TimeInForce.DAY))
    intent = entry(signal)[1]
    assert intent.body["time_in_force"] == "gtc"
    assert intent.order.time_in_force is TimeInForce.GTC


# --- exits -----------------------------------------------------------------------------------------------------------

HELD = (filled(make_order()),)


def test_exits_for_held_shares_are_one_oco(models: RequestModels) -> None:
    intent = plan_exits(make_bracket(), HELD, Decimal(4), **PLAN)
    assert sent(intent.body, models) == {
        "client_order_id": "gl-7f3a2c-000001-oco-1",
        "symbol": "AAPL",
        "side": "sell",
        "type": "limit",
        "qty": "4",
        "time_in_force": "gtc",
        "order_class": "oco",
        "take_profit": {"limit_price": "191.80"},
        "stop_loss": {"stop_price": "184.90"},
    }
    assert intent.purpose is Purpose.PROTECT
    assert (intent.order.role, intent.order.order_class) == (OrderRole.TAKE_PROFIT, OrderClass.OCO)
    assert [(leg.id, leg.role, leg.parent_id) for leg in intent.legs] == [
        ("gl-7f3a2c-000001-oco-1.sl", OrderRole.STOP_LOSS, "gl-7f3a2c-000001-oco-1")
    ]


def test_a_trade_without_a_target_gets_a_plain_stop_that_cannot_flip(models: RequestModels) -> None:
    intent = plan_exits(make_bracket(take_profit_price=None), HELD, Decimal(10), **PLAN)
    assert sent(intent.body, models) == {
        "client_order_id": "gl-7f3a2c-000001-stop-1",
        "symbol": "AAPL",
        "side": "sell",
        "type": "stop",
        "qty": "10",
        "time_in_force": "gtc",
        "stop_price": "184.90",
        "position_intent": "sell_to_close",
    }
    assert intent.legs == ()


def test_a_close_is_one_market_order_that_cannot_flip(models: RequestModels) -> None:
    intent = plan_close(make_bracket(), HELD, Decimal(10), **PLAN)
    assert sent(intent.body, models) == {
        "client_order_id": "gl-7f3a2c-000001-close-1",
        "symbol": "AAPL",
        "side": "sell",
        "type": "market",
        "qty": "10",
        "time_in_force": "day",
        "position_intent": "sell_to_close",
    }
    assert (intent.purpose, intent.order.role) == (Purpose.CLOSE, OrderRole.EXIT)


def test_a_short_is_covered_and_closed_by_buying(models: RequestModels) -> None:
    short = make_bracket(side=Side.SELL, stop_price=Decimal("189.00"), take_profit_price=None)
    entry_order = filled(make_order(side=Side.SELL))
    stop = sent(plan_exits(short, (entry_order,), Decimal(10), **PLAN).body, models)
    close = sent(plan_close(short, (entry_order,), Decimal(10), **PLAN).body, models)
    assert (stop["side"], stop["position_intent"]) == ("buy", "buy_to_close")
    assert (close["side"], close["position_intent"]) == ("buy", "buy_to_close")


def test_moving_the_target_is_a_patch_of_its_limit_alone_under_a_new_id(models: RequestModels) -> None:
    target, stop = legs_of(make_order())
    intent = plan_marketable_target(
        make_bracket(), (*HELD, target, stop), target, Decimal("186.06"), actor="desk", **PLAN
    )
    assert models.check_replacement(intent.body) is None
    assert json.loads(encode_body(intent.body)) == {
        "client_order_id": "gl-7f3a2c-000001-patch-1",
        "limit_price": "186.06",
    }
    assert (intent.order_id, intent.order.replaces) == (target.id, target.id)
    assert (intent.order.role, intent.order.parent_id, intent.order.status) == (
        OrderRole.TAKE_PROFIT,
        ENTRY_ID,
        OrderStatus.SENDING,
    )


# --- ids that recovery can derive ------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2, 3])
def test_each_placement_has_the_next_id_of_its_purpose(times: int) -> None:
    orders: list[Order] = list(HELD)
    for number in range(1, times):
        orders += oco_of(number, status=OrderStatus.CANCELED)
        orders.append(make_exit(OrderRole.EXIT, f"gl-7f3a2c-000001-close-{number}", status=OrderStatus.REJECTED))
    assert plan_exits(make_bracket(), orders, Decimal(4), **PLAN).order.id == f"gl-7f3a2c-000001-oco-{times}"
    assert plan_close(make_bracket(), orders, Decimal(4), **PLAN).order.id == f"gl-7f3a2c-000001-close-{times}"


def test_a_second_patch_has_the_second_id() -> None:
    target, stop = legs_of(make_order())
    patched = replace(target, id="gl-7f3a2c-000001-patch-1", client_order_id="gl-7f3a2c-000001-patch-1")
    intent = plan_marketable_target(
        make_bracket(), (*HELD, target, stop, patched), patched, Decimal("186.00"), actor="desk", **PLAN
    )
    assert intent.order.id == "gl-7f3a2c-000001-patch-2"


def test_the_same_facts_plan_the_same_bytes() -> None:
    assert encode_body(entry()[1].body) == encode_body(entry()[1].body)
