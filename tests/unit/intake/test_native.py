from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.errors import CommandRefused
from engine.intake.draft import SignalDraft
from engine.intake.formats.detect import parse
from engine.intake.formats.native import parse_signal
from engine.model.signal import EntrySpec, ExitSpec, SizeSpec
from engine.model.words import Intent, OrderType, Side, TimeInForce
from tests.unit.intake.bodies import NOW, SAMPLE, body, draft


def refused(raw: bytes, source: str | None = None) -> CommandRefused:
    with pytest.raises(CommandRefused) as caught:
        parse_signal(raw, source=source, received_at=NOW)
    return caught.value


def test_the_sample_of_the_manual_is_taken_whole() -> None:
    assert draft() == SignalDraft(
        source="breakout",
        source_id="breakout-000123",
        strategy="breakout",
        symbol="AAPL",
        side=Side.BUY,
        intent=Intent.OPEN,
        size=SizeSpec(unit="qty", value=Decimal(10)),
        entry=EntrySpec(type=OrderType.LIMIT, limit_price=Decimal("187.20"), time_in_force=TimeInForce.DAY),
        stop_loss=ExitSpec(unit="price", value=Decimal("184.90")),
        take_profit=ExitSpec(unit="price", value=Decimal("191.80")),
        reference_price=Decimal("187.10"),
        made_at=datetime(2026, 8, 21, 14, 3, 7, tzinfo=UTC),
        received_at=NOW,
        expires_at=NOW + timedelta(seconds=60),
        confidence=0.72,
        note="20-day high",
    )


def test_a_draft_becomes_a_signal_under_the_desks_number() -> None:
    signal = draft().to_signal("s000017")
    assert (signal.id, signal.source_id, signal.symbol) == ("s000017", "breakout-000123", "AAPL")


def test_a_signal_needs_no_more_than_symbol_and_side() -> None:
    found = parse_signal(b'{"symbol": " aapl ", "side": "SELL"}', source=None, received_at=NOW)
    assert (found.symbol, found.side, found.intent, found.size) == ("AAPL", Side.SELL, None, None)
    assert (found.source, found.strategy, found.entry) == ("api", "api", EntrySpec())
    assert (found.made_at, found.expires_at - NOW) == (NOW, timedelta(seconds=60))


def test_numbers_may_be_numbers_or_text_and_keep_their_digits() -> None:
    raw = b'{"symbol":"AAPL","side":"buy","qty":"10","entry":{"limit_price":187.10},"stop_loss":{"stop_price":1.8e2}}'
    found = parse_signal(raw, source=None, received_at=NOW)
    assert found.size == SizeSpec(unit="qty", value=Decimal(10))
    assert str(found.entry.limit_price) == "187.10"
    assert found.stop_loss is not None
    assert str(found.stop_loss.value) == "180"


@pytest.mark.parametrize(
    ("qty", "size"),
    [
        (None, None),
        ("2.5", SizeSpec(unit="qty", value=Decimal("2.5"))),
        ({"notional": "5000"}, SizeSpec(unit="notional", value=Decimal(5000))),
        ({"risk_pct": 0.5}, SizeSpec(unit="risk_pct", value=Decimal("0.5"))),
        ({"risk_usd": "200"}, SizeSpec(unit="risk_usd", value=Decimal(200))),
    ],
)
def test_every_form_of_size(qty: Any, size: SizeSpec | None) -> None:
    assert draft(qty=qty).size == size


@pytest.mark.parametrize(
    ("field", "sent", "spec"),
    [
        ("stop_loss", {"percent": 1.2}, ExitSpec(unit="percent", value=Decimal("1.2"))),
        ("stop_loss", {"amount": "2.30"}, ExitSpec(unit="amount", value=Decimal("2.30"))),
        (
            "stop_loss",
            {"stop_price": "184.9", "limit_price": 184},
            ExitSpec(unit="price", value=Decimal("184.9"), limit_price=Decimal(184)),
        ),
        ("take_profit", {"percent": "3"}, ExitSpec(unit="percent", value=Decimal(3))),
        ("take_profit", {"amount": 4.6}, ExitSpec(unit="amount", value=Decimal("4.6"))),
        ("take_profit", {"r": 2}, ExitSpec(unit="r", value=Decimal(2))),
        ("take_profit", None, None),
    ],
)
def test_every_form_of_exit(field: str, sent: Any, spec: ExitSpec | None) -> None:
    assert getattr(draft(**{field: sent}), field) == spec


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({}, OrderType.MARKET),
        ({"limit_price": 187}, OrderType.LIMIT),
        ({"stop_price": 187}, OrderType.STOP),
        ({"stop_price": 187, "limit_price": "187.5"}, OrderType.STOP_LIMIT),
        ({"type": "STOP_LIMIT", "stop_price": 187, "limit_price": "187.5"}, OrderType.STOP_LIMIT),
    ],
)
def test_the_prices_of_an_entry_imply_its_type(entry: dict[str, Any], kind: OrderType) -> None:
    assert draft(entry=entry).entry.type is kind


def test_times_are_kept_in_utc() -> None:
    assert draft(made_at="2026-08-21T10:03:07-04:00").made_at == datetime(2026, 8, 21, 14, 3, 7, tzinfo=UTC)
    assert draft(made_at="2026-08-21T10:03:07-04:00").made_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("ttl", [1, "1.5", 86_400])
def test_the_time_to_live_counts_from_the_arrival(ttl: Any) -> None:
    assert draft(expires_in_s=ttl).expires_at == NOW + timedelta(seconds=float(ttl))


def test_the_desks_own_default_time_to_live_can_be_given() -> None:
    found = parse_signal(body(expires_in_s=None), source=None, received_at=NOW, default_ttl_s=90)
    assert found.expires_at == NOW + timedelta(seconds=90)


def test_a_body_without_an_id_is_known_by_itself_within_its_minute() -> None:
    def named(at: datetime, raw: bytes = body(id=None)) -> str:
        return parse_signal(raw, source=None, received_at=at).source_id

    assert named(NOW) == named(NOW.replace(second=59))
    assert named(NOW) != named(NOW.replace(minute=4))
    assert named(NOW) != named(NOW, body(id=None, qty=11))


def test_unknown_fields_are_ignored() -> None:
    assert draft(colour="green", nested={"deep": [1, {"x": None}]}) == draft()


def test_a_token_of_a_source_speaks_for_that_source_alone() -> None:
    assert parse_signal(body(source=None), source="breakout", received_at=NOW).source == "breakout"
    assert parse_signal(body(), source="breakout", received_at=NOW).source == "breakout"
    error = refused(body(), source="meanrev")
    assert (error.http_status, error.code, error.field) == (403, "SOURCE_MISMATCH", "source")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"symbol": None}, "MISSING_FIELD", "symbol"),
        ({"side": None}, "MISSING_FIELD", "side"),
        ({"side": "long"}, "UNKNOWN_SIDE", "side"),
        ({"intent": "maybe"}, "UNKNOWN_INTENT", "intent"),
        ({"symbol": "AA PL"}, "BAD_SYMBOL", "symbol"),
        ({"symbol": "A/../ACCOUNT"}, "BAD_SYMBOL", "symbol"),
        ({"symbol": "ÄPL"}, "BAD_SYMBOL", "symbol"),
        ({"symbol": ["AAPL"]}, "WRONG_TYPE", "symbol"),
        ({"symbol": ""}, "MISSING_FIELD", "symbol"),
        ({"qty": 0}, "NOT_POSITIVE", "qty"),
        ({"qty": "-5"}, "NOT_POSITIVE", "qty"),
        ({"qty": True}, "WRONG_TYPE", "qty"),
        ({"qty": "ten"}, "WRONG_TYPE", "qty"),
        ({"qty": ""}, "WRONG_TYPE", "qty"),
        ({"qty": "1_000"}, "WRONG_TYPE", "qty"),
        ({"qty": "١٢"}, "WRONG_TYPE", "qty"),
        ({"qty": "Infinity"}, "WRONG_TYPE", "qty"),
        ({"qty": "1e999"}, "OUT_OF_RANGE", "qty"),
        ({"qty": "0.0000000001"}, "OUT_OF_RANGE", "qty"),
        ({"qty": {}}, "MISSING_FIELD", "qty.notional"),
        ({"qty": {"notional": 1, "risk_usd": 1}}, "CONFLICTING_FIELDS", "qty.risk_usd"),
        ({"qty": {"risk_pct": 101}}, "OUT_OF_RANGE", "qty.risk_pct"),
        ({"entry": "market"}, "WRONG_TYPE", "entry"),
        ({"entry": {"type": "trailing_stop"}}, "UNKNOWN_ORDER_TYPE", "entry.type"),
        ({"entry": {"type": "limit"}}, "LIMIT_PRICE_REQUIRED", "entry.limit_price"),
        ({"entry": {"type": "stop"}}, "STOP_PRICE_REQUIRED", "entry.stop_price"),
        ({"entry": {"type": "market", "limit_price": 1}}, "CONFLICTING_FIELDS", "entry.limit_price"),
        ({"entry": {"type": "limit", "limit_price": 187, "stop_price": 1}}, "CONFLICTING_FIELDS", "entry.stop_price"),
        ({"entry": {"time_in_force": "soon"}}, "UNKNOWN_TIME_IN_FORCE", "entry.time_in_force"),
        ({"entry": {"limit_price": "187.205"}}, "SUB_PENNY", "entry.limit_price"),
        ({"limit_price": "187.20"}, "MISPLACED_FIELD", "limit_price"),
        ({"stop_loss": {}}, "MISSING_FIELD", "stop_loss.stop_price"),
        ({"stop_loss": {"limit_price": 184}}, "MISSING_FIELD", "stop_loss.stop_price"),
        ({"stop_loss": {"r": 1}}, "CONFLICTING_FIELDS", "stop_loss.r"),
        ({"stop_loss": {"percent": 1, "amount": 1}}, "CONFLICTING_FIELDS", "stop_loss.amount"),
        ({"stop_loss": {"percent": 100}}, "OUT_OF_RANGE", "stop_loss.percent"),
        ({"stop_loss": {"amount": "187.20"}}, "OUT_OF_RANGE", "stop_loss.amount"),
        ({"stop_loss": {"stop_price": "187.20"}}, "STOP_ON_WRONG_SIDE", "stop_loss.stop_price"),
        ({"stop_loss": {"stop_price": 184, "limit_price": 185}}, "STOP_ON_WRONG_SIDE", "stop_loss.limit_price"),
        ({"take_profit": {"limit_price": "187.20"}}, "TARGET_ON_WRONG_SIDE", "take_profit.limit_price"),
        ({"side": "sell"}, "STOP_ON_WRONG_SIDE", "stop_loss.stop_price"),
        ({"made_at": "2026-08-21T14:03:07"}, "NAIVE_TIME", "made_at"),
        ({"made_at": "yesterday"}, "WRONG_TYPE", "made_at"),
        ({"made_at": 1692626587}, "WRONG_TYPE", "made_at"),
        ({"made_at": "0001-01-01T00:00:00+14:00"}, "WRONG_TYPE", "made_at"),
        ({"expires_in_s": 0}, "EXPIRES_OUT_OF_RANGE", "expires_in_s"),
        ({"expires_in_s": 86_401}, "EXPIRES_OUT_OF_RANGE", "expires_in_s"),
        ({"confidence": 1.5}, "OUT_OF_RANGE", "confidence"),
        ({"note": "x" * 2_001}, "TOO_LONG", "note"),
        ({"id": "x" * 129}, "TOO_LONG", "id"),
        ({"source": "a\nb"}, "BAD_TEXT", "source"),
        ({"note": "\ud800"}, "BAD_TEXT", "note"),
        ({"reference_price": "{{close}}"}, "UNFILLED_PLACEHOLDER", "reference_price"),
        ({"extra": [{"a": "at {{time now}}"}]}, "UNFILLED_PLACEHOLDER", "extra[0].a"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], code: str, field: str) -> None:
    error = refused(body(**changes))
    assert (error.http_status, error.code, error.field) == (422, code, field)
    assert error.operator_text


def test_exits_are_measured_against_the_reference_when_the_entry_has_no_price() -> None:
    error = refused(body(entry=None, stop_loss={"stop_price": "187.15"}))
    assert (error.code, error.field) == ("STOP_ON_WRONG_SIDE", "stop_loss.stop_price")


def test_exits_without_any_price_beside_them_are_measured_against_each_other() -> None:
    exits = {"stop_loss": {"stop_price": 190}, "take_profit": {"limit_price": 180}}
    assert refused(body(entry=None, reference_price=None, **exits)).code == "STOP_ON_WRONG_SIDE"
    assert draft(side="sell", entry=None, reference_price=None, **exits).side is Side.SELL


def test_the_exits_of_a_short_lie_the_other_way_round() -> None:
    short = {"side": "sell", "stop_loss": {"stop_price": 189}, "take_profit": {"limit_price": 180}}
    assert draft(**short).stop_loss == ExitSpec(unit="price", value=Decimal(189))
    assert refused(body(**short | {"take_profit": {"percent": 100}})).code == "OUT_OF_RANGE"


def test_a_reference_price_may_lie_between_two_ticks() -> None:
    assert draft(reference_price="187.105").reference_price == Decimal("187.105")


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "MALFORMED_JSON"),
        (b"buy AAPL", 400, "MALFORMED_JSON"),
        (b'{"symbol": "AAPL",}', 400, "MALFORMED_JSON"),
        (b'{"qty": NaN}', 400, "MALFORMED_JSON"),
        (b'{"qty": -Infinity}', 400, "MALFORMED_JSON"),
        (b'{"symbol": "\xff"}', 400, "MALFORMED_JSON"),
        (b'{"price": {{close}}}', 422, "UNFILLED_PLACEHOLDER"),
        (b'{"note": "\\u007b{close}}"}', 422, "UNFILLED_PLACEHOLDER"),
        (b"[" * 100_000, 422, "TOO_DEEP"),
        (b'{"a":' * 9_999, 422, "TOO_DEEP"),
        (b"[]", 422, "WRONG_TYPE"),
        (b"null", 422, "WRONG_TYPE"),
        (b'{"qty": 1, "qty": 1000}', 422, "DUPLICATE_FIELD"),
        (b'{"a": {"b": 1, "c": 2, "b": 3, "d": 4}}', 422, "DUPLICATE_FIELD"),
        (b'{"a":[' + b"{}," * 300_000 + b"0]}", 422, "TOO_COMPLEX"),
        (b'{"symbol":"AAPL","side":"buy","qty":' + b"9" * 5_000 + b"}", 422, "WRONG_TYPE"),
    ],
)
def test_what_is_no_signal_at_all_is_refused(raw: bytes, status: int, code: str) -> None:
    error = refused(raw)
    assert (error.http_status, error.code) == (status, code)


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert parse_signal(b"\xef\xbb\xbf" + body(), source=None, received_at=NOW) == draft()


_TEXT = st.text(alphabet="aB1-.+e{}: \n\x00\u00e9\u0661\ud800", max_size=8)
_NAMES = st.sampled_from(["stop_price", "limit_price", "percent", "amount", "r", "type", "notional", "x"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=8,
)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(raw: bytes) -> None:
    with pytest.raises(CommandRefused):
        parse(raw, source=None, received_at=NOW)


@given(st.dictionaries(st.sampled_from(sorted({*SAMPLE, "type", "action", "order_class"})), _JSON))
def test_no_values_raise_anything_but_a_refusal(changes: dict[str, Any]) -> None:
    raw = json.dumps(SAMPLE | changes).encode()
    error: CommandRefused | None = None
    try:
        assert parse(raw, source=None, received_at=NOW).symbol.isascii()
    except CommandRefused as refusal:
        error = refusal
    if error is not None:
        assert error.http_status in (400, 422)
        assert error.code.isupper()
        assert f"{error.operator_text} {error.field}".encode()
