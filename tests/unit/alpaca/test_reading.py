"""Lenient where the broker may change, strict where money is read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.alpaca.reading import Malformed, decode, decode_object, moment_from, number_from, read
from engine.alpaca.wire import (
    Account,
    Bar,
    CalendarDay,
    Clock,
    Order,
    Position,
    Quote,
    read_order,
    read_position,
    read_trade_update,
)

LEAST = {"id": "o-1", "status": "new", "filled_qty": "0"}
BAR = {"S": "AAPL", "o": "1", "h": "2", "l": "0.5", "c": "1.5", "t": "2026-08-21T14:00:00Z"}
DAY = {"date": "2026-11-27", "open": "09:30", "close": "13:00"}


def test_an_order_needs_its_id_its_status_and_what_it_has_executed() -> None:
    """Storm 720321: an empty field was read as none executed, and exits went for a bust that never was."""
    order = read_order(LEAST)
    assert (order.id, order.filled_qty, order.legs, order.qty) == ("o-1", Decimal(0), (), None)
    for missing in LEAST:
        with pytest.raises(Malformed, match=f"Order.{missing} is missing"):
            read_order({name: value for name, value in LEAST.items() if name != missing})
        with pytest.raises(Malformed, match=f"Order.{missing} is missing"):
            read_order(LEAST | {missing: None})


def test_nulls_empty_texts_and_unknown_fields_are_tolerated() -> None:
    nothing = dict.fromkeys(("qty", "limit_price", "submitted_at", "legs", "symbol", "extended_hours"))
    order = read_order(LEAST | nothing | {"replaced_by": "", "stop_price": "", "canceled_at": "", "brand_new": [1]})
    assert (order.qty, order.replaced_by, order.stop_price, order.canceled_at) == (None, None, None, None)


def test_unknown_words_stay_as_they_are() -> None:
    order = read_order(LEAST | {"status": "pondering", "type": "iceberg", "order_class": "otoco", "side": "sideways"})
    assert (order.status, order.type, order.order_class, order.side) == ("pondering", "iceberg", "otoco", "sideways")


def test_the_wires_empty_class_is_simple_and_the_older_type_field_counts() -> None:
    order = read_order(LEAST | {"order_class": "", "order_type": "stop", "symbol": "AAPL "})
    assert (order.order_class, order.type, order.symbol) == ("simple", "stop", "AAPL")


def test_a_bad_leg_is_kept_as_evidence_and_leaves_its_parent() -> None:
    order = read_order(LEAST | {"legs": [LEAST | {"id": "l-1"}, {"status": "held"}, LEAST | {"qty": "1e999"}]})
    assert [leg.id for leg in order.legs] == ["l-1"]
    assert len(order.unreadable_legs) == 2
    with pytest.raises(Malformed):
        read_order(LEAST | {"legs": {"0": LEAST}})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ('"187.20"', "187.20"),
        ("187.20", "187.20"),
        ("0.1", "0.1"),
        ("302.00329999999997", "302.00329999999997"),
        ("10", "10"),
        ("1e2", "1E+2"),
        ('" 5 "', "5"),
        ('"-23140.2"', "-23140.2"),
        ("271.0", "271.0"),
    ],
)
def test_numbers_come_exactly_as_they_were_written(found: str, expected: str) -> None:
    assert str(number_from(decode(found))) == expected


@pytest.mark.parametrize(
    "found",
    [
        *('"NaN"', '"Infinity"', '"-inf"', '"1e999"', "1e400", '"1_000"', '"0x10"', '"١٢"'),
        *("true", "[]", "{}", '"abc"', f'"{"9" * 65}"', '"1e20"', "123456789012345678901"),
    ],
)
def test_what_cannot_be_money_is_refused(found: str) -> None:
    with pytest.raises(Malformed):
        number_from(decode(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-04-19T13:45:04.981350886-04:00", datetime(2022, 4, 19, 17, 45, 4, 981350, tzinfo=UTC)),
        ("2022-04-19T17:45:05.999999999Z", datetime(2022, 4, 19, 17, 45, 5, 999999, tzinfo=UTC)),
        ("2022-04-19T17:45:05Z", datetime(2022, 4, 19, 17, 45, 5, tzinfo=UTC)),
        ("2025-09-23T14:00:00.4519828Z", datetime(2025, 9, 23, 14, 0, 0, 451982, tzinfo=UTC)),
    ],
)
def test_nanoseconds_are_cut_and_times_become_utc(text: str, expected: datetime) -> None:
    assert moment_from(text) == expected


@pytest.mark.parametrize("value", ["2022-04-19T17:45:05", "yesterday", 1650390305, "0001-01-01T00:00:00+14:00"])
def test_a_time_without_zone_or_sense_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        moment_from(value)


@pytest.mark.parametrize(
    ("kind", "row", "why"),
    [
        (Account, {"id": "a", "status": "ACTIVE", "trading_blocked": "false"}, "Account.trading_blocked: neither"),
        (Account, {"id": "a"}, "Account.status is missing"),
        (Clock, {"timestamp": "2026-08-21T10:00:00Z", "is_open": True, "next_open": None}, "Clock.next_open"),
        (Quote, {"S": "AAPL"}, "Quote.t is missing"),
        (Bar, BAR | {"n": "1.5"}, "Bar.n: not a whole number"),
        (Bar, BAR | {"v": 0.1 + 0.2}, "Bar.v: not a number"),
        (Quote, {"S": "AAPL", "t": "2026-08-21T10:00:00Z", "c": "R"}, "Quote.c: not a list"),
        (CalendarDay, DAY | {"date": 20261127}, "CalendarDay.date: not a date"),
        (CalendarDay, DAY | {"date": "tomorrow"}, "CalendarDay.date: not a date"),
        (CalendarDay, DAY | {"open": 930}, "CalendarDay.open: not a time of day"),
        (CalendarDay, DAY | {"close": "4 pm"}, "CalendarDay.close: not a time of day"),
        (Order, [], "expected a JSON object"),
        (Order, LEAST | {"id": {"nested": 1}}, "Order.id: not a text"),
        (Order, LEAST | {"id": ""}, "Order.id is missing"),
    ],
)
def test_the_field_that_is_wrong_is_named(kind: Any, row: object, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read(kind, row)


@pytest.mark.parametrize("row", [{"qty": "5"}, {"symbol": " ", "qty": "5"}, {"symbol": 5, "qty": "5"}, {"symbol": "A"}])
def test_a_position_without_symbol_or_quantity_is_none(row: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_position(row)


def test_a_short_position_stays_negative() -> None:
    assert read_position({"symbol": "AAPL", "qty": "-5", "side": "short"}) == Position(
        symbol="AAPL", qty=Decimal(-5), side="short"
    )


@pytest.mark.parametrize("data", [None, [], {"event": "fill"}, {"order": LEAST}, {"event": "fill", "order": 5}])
def test_an_update_needs_its_event_and_its_order(data: object) -> None:
    with pytest.raises(Malformed):
        read_trade_update(data, arrived_at_s=0.0)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 200_000, b"NaN", b"[1]", b"null"])
def test_what_is_no_object_is_malformed_and_never_anything_worse(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_object(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ORDER_FIELDS = [field for field in Order.__struct_fields__ if field not in ("unreadable_legs",)]


@given(st.dictionaries(st.sampled_from(ORDER_FIELDS), JSON))
def test_any_row_is_read_or_malformed(row: dict[str, object]) -> None:
    try:
        order = read_order(row)
    except Malformed:
        return
    assert order.id
    assert order.filled_qty.is_finite()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**12), max_value=10**12))
def test_every_decimal_survives_the_wire(number: Decimal) -> None:
    assert number_from(format(number, "f")) == number


@pytest.mark.parametrize(
    ("told", "kind", "read"),
    [
        ("BTCUSD", "crypto", "BTC/USD"),
        ("ETHUSDT", "crypto", "ETH/USDT"),
        ("SOL/USD", "crypto", "SOL/USD"),
        ("LTCBTC", "crypto", "LTC/BTC"),
        ("COUSD", "us_equity", "COUSD"),
    ],
)
def test_a_coins_position_has_the_name_of_its_orders(told: str, kind: str, read: str) -> None:
    assert read_position({"symbol": told, "qty": "0.5", "asset_class": kind}).symbol == read
