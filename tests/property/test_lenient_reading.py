"""Whatever becomes of one row of a list, its neighbours are read, and it is either read or reported: never lost."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given, settings, strategies as st

from engine.alpaca.quotes import QuoteStream
from engine.alpaca.reading import Malformed, Unreadable, decode, read, read_rows, split_rows
from engine.alpaca.trades import OrderStream
from engine.alpaca.wire import Account, Activity, Order, TradeUpdate, read_order, read_position, read_trade_update

PAYLOADS: Final = Path(__file__).parents[1] / "wire" / "adapter" / "payloads"


def recorded(name: str) -> dict[str, Any]:
    """The first of the recorded rows of that kind."""
    row: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())[0]["row"]
    return row


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
odd_words = st.sampled_from(["", " ", "NaN", "1e999", "-1", "treasury", "weird_status", "2026-13-45", "0x10", "１０"])


@st.composite
def mutated(draw: st.DrawFn, row: dict[str, Any]) -> dict[str, Any]:
    """The row with some fields dropped, retyped, unknown or new."""
    changed = copy.deepcopy(row)
    for name in draw(st.lists(st.sampled_from(sorted(row)), max_size=4, unique=True)):
        match draw(st.sampled_from(["drop", "null", "retype", "word"])):
            case "drop":
                del changed[name]
            case "null":
                changed[name] = None
            case "retype":
                changed[name] = draw(json_values)
            case "word":
                changed[name] = draw(odd_words)
    for _ in range(draw(st.integers(0, 2))):
        changed[draw(st.text(min_size=1, max_size=12))] = draw(json_values)
    return changed


def as_text(value: Any) -> str:
    """As it stands on the wire: Python writes a float in its own way (``1e+16``), the decoder in the broker's."""
    return str(decode(json.dumps(value)))


ORDER: Final = recorded("orders")
READERS: Final = {
    "orders": (ORDER, read_order),
    "positions": (recorded("positions"), read_position),
    "activities": (recorded("fills"), lambda row: read(Activity, row)),
    "accounts": (recorded("accounts"), lambda row: read(Account, row)),
}


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=150)
@given(data=st.data())
def test_one_odd_row_leaves_its_neighbours_and_is_accounted_for(kind: str, data: st.DataObject) -> None:
    good, reader = READERS[kind]
    odd = data.draw(mutated(good))
    rows = read_rows(split_rows(json.dumps([good, odd, good]).encode()), reader)
    assert len(rows.items) + len(rows.unreadable) == 3
    assert len(rows.items) >= 2
    assert all(row.why and row.raw for row in rows.unreadable)


@settings(max_examples=150)
@given(row=mutated(ORDER))
def test_an_order_that_is_read_says_what_the_row_said(row: dict[str, Any]) -> None:
    try:
        order = read_order(decode(json.dumps(row)))
    except Malformed:
        return  # reported, as the test above shows
    assert order.id == as_text(row["id"])
    assert order.status == as_text(row["status"])  # an unknown word is kept as it is
    for name in ("qty", "filled_qty", "limit_price"):
        found = getattr(order, name)
        if row.get(name) not in (None, "", " "):
            assert found == Decimal(str(row[name]).strip())


ENVELOPE: Final = {
    "event": "fill", "execution_id": "e-1", "price": "1.5", "qty": "1", "timestamp": "2026-08-21T14:00:00Z",
}  # fmt: skip


@settings(max_examples=150)
@example(order=ORDER, envelope=ENVELOPE | {"event": 1e16})
@given(order=mutated(ORDER), envelope=mutated(ENVELOPE))
def test_a_trade_update_is_delivered_or_reported(order: dict[str, Any], envelope: dict[str, Any]) -> None:
    frame = {"stream": "trade_updates", "data": envelope | {"order": order}}
    stream = object.__new__(OrderStream)
    try:
        (update,) = stream._items_from(decode(json.dumps(frame)), 1.0)
    except Malformed:  # the stream makes an ``Unreadable`` of it and goes on
        with pytest.raises(Malformed):
            read_trade_update(frame["data"], arrived_at_s=1.0)
        return
    assert isinstance(update, TradeUpdate)
    assert isinstance(update.order, Order)
    assert update.event == as_text(envelope["event"])


QUOTE: Final = {"T": "q", "S": "AAPL", "bp": 1.5, "bs": 1, "ap": 1.6, "as": 2, "t": "2026-08-21T14:00:00.123456789Z"}


@settings(max_examples=150)
@given(odd=mutated(QUOTE))
def test_one_odd_quote_leaves_its_neighbours(odd: dict[str, Any]) -> None:
    stream = object.__new__(QuoteStream)
    items = list(stream._items_from(decode(json.dumps([QUOTE, odd, QUOTE])), 1.0))
    quotes = [item for item in items if not isinstance(item, Unreadable)]
    assert len(quotes) >= 2
    assert len(items) in (2, 3)
