"""Order bodies: what they hold, what they refuse, and that alpaca-py would send them too."""

from __future__ import annotations

import asyncio
import importlib
import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from engine.alpaca import vocabulary
from engine.alpaca.bodies import (
    Body,
    bracket_body,
    encode_body,
    oco_body,
    oto_body,
    replace_body,
    simple_body,
    wire_number,
)
from engine.alpaca.check import RequestModels

ENTRY: dict[str, Any] = {"client_order_id": "c-1", "symbol": "AAPL", "side": "buy", "qty": Decimal(10)}
CLOSING: dict[str, Any] = {**ENTRY, "side": "sell", "position_intent": "sell_to_close", "time_in_force": "day"}
STOP, TARGET, LIMIT = Decimal("184.90"), Decimal("191.80"), Decimal("187.20")

BODIES: dict[str, Body] = {
    "bracket at the market": bracket_body(**ENTRY, take_profit_price=TARGET, stop_price=STOP),
    "bracket with a limit": bracket_body(**ENTRY, take_profit_price=TARGET, stop_price=STOP, limit_price=LIMIT),
    "bracket with a stop-limit": bracket_body(
        **ENTRY, take_profit_price=TARGET, stop_price=STOP, stop_limit_price=Decimal("184.50"), time_in_force="day"
    ),
    "oto with a stop": oto_body(**ENTRY, stop_price=STOP, limit_price=LIMIT),
    "oto with a target": oto_body(**ENTRY, take_profit_price=TARGET),
    "oco": oco_body(**ENTRY | {"side": "sell"}, take_profit_price=TARGET, stop_price=STOP),
    "market close": simple_body(**CLOSING, type="market"),
    "limit close after hours": simple_body(**CLOSING, type="limit", limit_price=LIMIT, extended_hours=True),
    "stop": simple_body(**CLOSING | {"time_in_force": "gtc"}, type="stop", stop_price=STOP),
    "stop limit": simple_body(**CLOSING, type="stop_limit", stop_price=STOP, limit_price=Decimal("184.50")),
    "trailing by percent": simple_body(**CLOSING, type="trailing_stop", trail_percent=Decimal("1.5")),
    "trailing by price": simple_body(**CLOSING, type="trailing_stop", trail_price=Decimal("2.30")),
    "by notional": simple_body(
        client_order_id="c-1", symbol="AAPL", side="buy", type="market", time_in_force="day", notional=Decimal(500)
    ),
}


@pytest.fixture(scope="module")
def models() -> RequestModels:
    with ThreadPoolExecutor(1) as pool:
        return asyncio.run(RequestModels.load(pool))


def test_a_bracket_is_written_as_the_api_wants() -> None:
    assert BODIES["bracket with a stop-limit"] == {
        "client_order_id": "c-1",
        "symbol": "AAPL",
        "side": "buy",
        "type": "market",
        "qty": "10",
        "time_in_force": "day",
        "order_class": "bracket",
        "take_profit": {"limit_price": "191.80"},
        "stop_loss": {"stop_price": "184.90", "limit_price": "184.50"},
    }


def test_a_closing_order_says_that_it_closes() -> None:
    assert BODIES["market close"]["position_intent"] == "sell_to_close"


@pytest.mark.parametrize("name", BODIES)
def test_every_body_passes_alpaca_pys_models(name: str, models: RequestModels) -> None:
    assert models.check(BODIES[name]) is None


@pytest.mark.parametrize("name", BODIES)
def test_bodies_have_no_floats_and_encode_to_the_same_bytes(name: str) -> None:
    body = BODIES[name]
    encoded = encode_body(body)
    assert encoded == encode_body(json.loads(encoded)), "as read back from the journal"
    assert json.loads(encoded, parse_float=pytest.fail) == body


@pytest.mark.parametrize(
    ("number", "text"), [("1E+2", "100"), ("0.0000001", "0.0000001"), ("187.20", "187.20"), ("1E-9", "0.000000001")]
)
def test_numbers_are_written_plainly(number: str, text: str) -> None:
    assert wire_number(Decimal(number)) == text


@pytest.mark.parametrize("number", [Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_price_or_quantity_that_cannot_be_is_refused(number: Decimal) -> None:
    with pytest.raises(ValueError, match="above zero"):
        wire_number(number)


@pytest.mark.parametrize("number", [1.5, 10, "10", None])
def test_only_decimals_are_numbers(number: Any) -> None:
    with pytest.raises(TypeError, match="Decimal"):
        wire_number(number)


@pytest.mark.parametrize("value", [302.00329999999997, Decimal(1), {"a": 1.5}, [1]])
def test_what_is_inexact_is_never_encoded(value: object) -> None:
    with pytest.raises(TypeError, match="order body holds"):
        encode_body({"qty": value})


@pytest.mark.parametrize(
    "make",
    [
        lambda: oto_body(**ENTRY),
        lambda: oto_body(**ENTRY, stop_price=STOP, take_profit_price=TARGET),
        lambda: oto_body(**ENTRY, take_profit_price=TARGET, stop_limit_price=STOP),
        lambda: bracket_body(**ENTRY | {"qty": Decimal("1.5")}, take_profit_price=TARGET, stop_price=STOP),
        lambda: bracket_body(**ENTRY | {"client_order_id": ""}, take_profit_price=TARGET, stop_price=STOP),
        lambda: bracket_body(**ENTRY | {"client_order_id": "x" * 129}, take_profit_price=TARGET, stop_price=STOP),
        lambda: simple_body(**CLOSING, type="market", limit_price=LIMIT),
        lambda: simple_body(**CLOSING, type="limit"),
        lambda: simple_body(**CLOSING, type="stop_limit", stop_price=STOP),
        lambda: simple_body(**CLOSING, type="trailing_stop"),
        lambda: simple_body(**CLOSING, type="trailing_stop", trail_price=STOP, trail_percent=STOP),
        lambda: simple_body(**CLOSING, type="market", notional=Decimal(5)),
        lambda: simple_body(**CLOSING | {"position_intent": "buy_to_close"}, type="market"),
        lambda: replace_body(client_order_id="c-2"),
    ],
)
def test_what_is_wrong_in_any_market_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"take_profit": None}, "bracket orders require take_profit.limit_price"),
        ({"stop_loss": {"stop_prise": "1"}}, "stop_loss has no field 'stop_prise'"),
        ({"limt_price": "1"}, "no field 'limt_price'"),
        ({"type": "iceberg"}, "no order type 'iceberg'"),
        ({"side": "by"}, "side: "),
        ({"qty": "ten"}, "qty: "),
        ({"client_order_id": None}, "no client_order_id"),
        ({"limit_price": "1"}, "MarketOrder has no field 'limit_price'"),
    ],
)
def test_alpaca_pys_objection_is_one_sentence(change: Body, said: str, models: RequestModels) -> None:
    text = models.check(BODIES["bracket at the market"] | change)
    assert text is not None
    assert said in text
    assert text.endswith(".")
    assert "\n" not in text


def test_a_replacement_may_change_how_long_an_order_lives() -> None:
    body = replace_body(client_order_id="c-2", time_in_force="gtc", limit_price=LIMIT)
    assert body == {"client_order_id": "c-2", "limit_price": "187.20", "time_in_force": "gtc"}


def test_replacements_are_checked_too(models: RequestModels) -> None:
    assert models.check_replacement(replace_body(client_order_id="c-2", stop_price=STOP)) is None
    assert models.check_replacement(replace_body(client_order_id="c-2", qty=Decimal("1.5"))) is not None
    assert models.check_replacement({"client_order_id": "c-2", "stop_price": "abc"}) is not None
    assert models.check_replacement({"client_order_id": "c-2", "stop": "1"}) is not None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (vocabulary.ORDER_STATUSES, "OrderStatus"),
        (vocabulary.ORDER_TYPES, "OrderType"),
        (vocabulary.ORDER_CLASSES, "OrderClass"),
        (vocabulary.SIDES, "OrderSide"),
        (vocabulary.TIMES_IN_FORCE, "TimeInForce"),
        (vocabulary.POSITION_INTENTS, "PositionIntent"),
        (vocabulary.TRADE_EVENTS, "TradeEvent"),
    ],
)
@pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")
def test_alpaca_py_knows_no_word_that_we_do_not(ours: frozenset[str], theirs: str) -> None:
    enums = importlib.import_module("alpaca.trading.enums")
    assert {word.value for word in getattr(enums, theirs)} <= ours


def test_a_status_is_either_working_or_final() -> None:
    assert not vocabulary.TERMINAL_STATUSES & vocabulary.WORKING_STATUSES
