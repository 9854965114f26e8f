"""Every outcome that matters, for every verb and purpose that can meet it."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import product

import pytest

from engine.alpaca.errors import (
    AlreadyDone,
    DayOrdersOnly,
    DuplicateClientOrderId,
    FailureKind,
    KeysRefused,
    NotFound,
    PositionSmaller,
    PriceRefused,
    Purpose,
    Response,
    TransportFailure,
    Unchanged,
    Verb,
    WaitsFor,
    classify,
)
from engine.errors import AmbiguousError, BrokerError, NotYetError, RetryableError, TerminalError

WRITES = (Verb.SUBMIT, Verb.REPLACE, Verb.CANCEL)
PURPOSES_OF = {
    Verb.READ: (Purpose.READ,),
    Verb.SUBMIT: (Purpose.ENTRY, Purpose.PROTECT, Purpose.CLOSE),
    Verb.REPLACE: (Purpose.ENTRY, Purpose.PROTECT, Purpose.CLOSE, Purpose.REPLACE),
    Verb.CANCEL: (Purpose.CANCEL,),
}
REQUESTS = [(verb, purpose) for verb, purposes in PURPOSES_OF.items() for purpose in purposes]
WRITE_REQUESTS = [(verb, purpose) for verb, purpose in REQUESTS if verb is not Verb.READ]


def answer(status: int, body: object = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = b"" if body is None else json.dumps(body).encode()
    return Response(
        status, {"content-type": "application/json; charset=UTF-8", "x-request-id": "r-1", **named}, content
    )


def page(status: int) -> Response:
    return Response(status, {"content-type": "text/html"}, b"<html>gateway</html>")


@pytest.mark.parametrize(("verb", "purpose"), REQUESTS)
@pytest.mark.parametrize(
    "kind", [FailureKind.DNS, FailureKind.CONNECT_REFUSED, FailureKind.TLS, FailureKind.TIMEOUT_CONNECT]
)
def test_what_never_left_may_be_sent_again(kind: FailureKind, verb: Verb, purpose: Purpose) -> None:
    assert type(classify(TransportFailure(kind), verb, purpose)) is RetryableError


@pytest.mark.parametrize(("verb", "purpose"), WRITE_REQUESTS)
@pytest.mark.parametrize(
    "outcome",
    [
        TransportFailure(FailureKind.TIMEOUT_AFTER_SEND),
        TransportFailure(FailureKind.RESET_AFTER_SEND),
        TransportFailure(FailureKind.GARBAGE),
        answer(500, {"code": 50010000, "message": "internal server error"}),
        answer(503),
        answer(408),
        answer(200, "not an order"),
        page(200),
        page(302),
        page(401),
        page(403),
        page(404),
        page(502),
        page(504),
        Response(422, {"content-type": "application/json"}, b"{broken"),
    ],
)
def test_a_write_that_may_have_happened_is_ambiguous(
    outcome: Response | TransportFailure, verb: Verb, purpose: Purpose
) -> None:
    error = classify(outcome, verb, purpose)
    assert type(error) is AmbiguousError
    assert "or not" in error.operator_text or "or still" in error.operator_text or "or the new" in error.operator_text


@pytest.mark.parametrize(
    "outcome",
    [
        TransportFailure(FailureKind.TIMEOUT_AFTER_SEND),
        TransportFailure(FailureKind.RESET_AFTER_SEND),
        TransportFailure(FailureKind.GARBAGE),
        answer(500),
        answer(503),
        page(200),
        page(403),
        page(502),
    ],
)
def test_a_lost_read_is_read_again(outcome: Response | TransportFailure) -> None:
    assert type(classify(outcome, Verb.READ, Purpose.READ)) is RetryableError


@pytest.mark.parametrize(("verb", "purpose"), REQUESTS)
def test_429_was_not_processed_and_may_be_sent_again(verb: Verb, purpose: Purpose) -> None:
    error = classify(answer(429, {"code": 42910000, "message": "rate limit exceeded"}), verb, purpose)
    assert type(error) is RetryableError
    assert error.retry_after_s is None


@pytest.mark.parametrize(("verb", "purpose"), REQUESTS)
def test_refused_keys_are_recognised(verb: Verb, purpose: Purpose) -> None:
    assert type(classify(answer(401, {"message": "unauthorized."}), verb, purpose)) is KeysRefused


def test_a_read_that_a_gateway_refuses_with_401_means_refused_keys() -> None:
    assert type(classify(page(401), Verb.READ, Purpose.READ)) is KeysRefused


REFUSALS = [
    # name, status, body, {(verb, purpose): expected}, what everything else among the writes of that verb gets
    (
        "duplicate id",
        answer(422, {"code": 40010001, "message": "client_order_id must be unique"}),
        {
            (verb, purpose): DuplicateClientOrderId
            for verb, purpose in WRITE_REQUESTS
            if verb in (Verb.SUBMIT, Verb.REPLACE)
        },
    ),
    (
        "shares reserved by orders",
        answer(
            403,
            {
                "code": 40310000,
                "message": "insufficient qty available for order (requested: 140, available: 0)",
                "available": "0",
                "existing_qty": "422",
                "held_for_orders": "422",
                "symbol": "UUP",
            },
        ),
        {
            (Verb.SUBMIT, Purpose.ENTRY): PositionSmaller,
            (Verb.SUBMIT, Purpose.PROTECT): WaitsFor.SHARES,
            (Verb.SUBMIT, Purpose.CLOSE): WaitsFor.SHARES,
            (Verb.REPLACE, Purpose.CLOSE): WaitsFor.SHARES,
        },
    ),
    (
        "the same without a code",
        answer(403, {"message": "changed wording", "available": "0", "held_for_orders": "106"}),
        {(Verb.SUBMIT, Purpose.CLOSE): WaitsFor.SHARES, (Verb.SUBMIT, Purpose.ENTRY): TerminalError},
    ),
    (
        "a smaller position, nothing reserved",
        answer(403, {"code": 40310000, "message": "insufficient qty available for order", "held_for_orders": "0"}),
        {(Verb.SUBMIT, purpose): PositionSmaller for purpose in PURPOSES_OF[Verb.SUBMIT]},
    ),
    (
        "crypto reserved by orders",
        answer(403, {"code": 40310000, "message": "insufficient balance for ETH (requested: 1, available: 0)"}),
        {(Verb.SUBMIT, Purpose.CLOSE): WaitsFor.SHARES, (Verb.SUBMIT, Purpose.ENTRY): TerminalError},
    ),
    (
        "wash trade, by its field alone",
        answer(403, {"code": 40310000, "message": "changed wording", "existing_order_id": "d70e2048"}),
        {
            (Verb.SUBMIT, Purpose.ENTRY): TerminalError,
            (Verb.SUBMIT, Purpose.PROTECT): WaitsFor.OTHER_ORDER,
            (Verb.SUBMIT, Purpose.CLOSE): WaitsFor.OTHER_ORDER,
        },
    ),
    (
        "wash trade as 422, without the field",
        answer(422, {"code": 42210000, "message": "potential wash trade detected. use complex orders"}),
        {(Verb.SUBMIT, Purpose.PROTECT): WaitsFor.OTHER_ORDER, (Verb.SUBMIT, Purpose.ENTRY): TerminalError},
    ),
    (
        "an entry in the other direction",
        answer(403, {"code": 40310000, "message": "cannot open a short sell while a long buy order is open"}),
        {(Verb.SUBMIT, Purpose.PROTECT): WaitsFor.OTHER_ORDER, (Verb.SUBMIT, Purpose.ENTRY): TerminalError},
    ),
    (
        "OCO before the position shows",
        answer(422, {"code": 42210000, "message": "oco orders must be exit orders"}),
        {
            (Verb.SUBMIT, Purpose.PROTECT): WaitsFor.POSITION,
            (Verb.SUBMIT, Purpose.ENTRY): TerminalError,
            (Verb.SUBMIT, Purpose.CLOSE): TerminalError,
        },
    ),
    (
        "intent before the position shows",
        answer(
            422,
            {
                "code": 42210000,
                "message": "position intent mismatch, inferred: sell_to_open, specified: sell_to_close",
            },
        ),
        {(Verb.SUBMIT, Purpose.PROTECT): WaitsFor.POSITION, (Verb.SUBMIT, Purpose.CLOSE): TerminalError},
    ),
    (
        "a stop before the position shows",
        answer(422, {"code": 42210000, "message": 'asset "GVH" cannot be sold short'}),
        {
            (Verb.SUBMIT, Purpose.PROTECT): WaitsFor.POSITION,
            (Verb.SUBMIT, Purpose.CLOSE): TerminalError,
            (Verb.SUBMIT, Purpose.ENTRY): TerminalError,
        },
    ),
    (
        "replacement still settling",
        answer(422, {"code": 42210000, "message": "order chain not fully replaced"}),
        {(Verb.REPLACE, purpose): WaitsFor.REPLACEMENT for purpose in PURPOSES_OF[Verb.REPLACE]}
        | {(Verb.CANCEL, Purpose.CANCEL): WaitsFor.REPLACEMENT},
    ),
    (
        "cancel while a replacement is pending",
        answer(422, {"code": 42210000, "message": "cannot cancel order in pending_replace status"}),
        {(Verb.CANCEL, Purpose.CANCEL): WaitsFor.REPLACEMENT},
    ),
    *[
        (
            f"replace of an order that is not at the market: {message}",
            answer(422, {"code": code, "message": message}),
            {(Verb.REPLACE, purpose): WaitsFor.ACCEPTANCE for purpose in PURPOSES_OF[Verb.REPLACE]},
        )
        for code, message in [
            (42210000, "cannot replace order in accepted status"),
            (42210000, "cannot replace order in pending_new status"),
            (40010001, "unable to replace order, order isn't sent to exchange yet"),
        ]
    ],
    (
        "replace that changes nothing",
        answer(403, {"code": 40310000, "message": "order parameters are not changed"}),
        {(Verb.REPLACE, Purpose.PROTECT): Unchanged},
    ),
    (
        "cancel under way",
        answer(422, {"code": 42210000, "message": "order pending cancel"}),
        {(Verb.CANCEL, Purpose.CANCEL): WaitsFor.CANCEL},
    ),
    (
        "already filled",
        answer(422, {"code": 42210000, "message": 'order is already in "filled" state'}),
        {(Verb.CANCEL, Purpose.CANCEL): AlreadyDone, (Verb.REPLACE, Purpose.PROTECT): AlreadyDone},
    ),
    (
        "replace of a done order",
        answer(422, {"code": 42210000, "message": "cannot replace order in canceled status"}),
        {(Verb.REPLACE, Purpose.PROTECT): AlreadyDone},
    ),
    (
        "unknown order",
        answer(404, {"code": 40410000, "message": "order not found"}),
        dict.fromkeys(REQUESTS, NotFound),
    ),
    (
        "stop beyond the market, in a group",
        answer(
            422,
            {
                "code": 42210000,
                "base_price": "10",
                "message": "stop_loss.stop_price must be <= base_price - 0.01",
            },
        ),
        {(Verb.SUBMIT, purpose): PriceRefused for purpose in PURPOSES_OF[Verb.SUBMIT]}
        | {(Verb.REPLACE, Purpose.PROTECT): PriceRefused},
    ),
    (
        "stop beyond the market, alone",
        answer(
            422,
            {
                "code": 42210000,
                "market_price": "99.50",
                "message": "stop price must be less than current price",
            },
        ),
        {(Verb.SUBMIT, Purpose.PROTECT): PriceRefused},
    ),
    (
        "halt",
        answer(422, {"code": 42210000, "message": "market order rejected due to trading halt on symbol: KALV"}),
        {
            (Verb.SUBMIT, Purpose.CLOSE): WaitsFor.TRADING,
            (Verb.SUBMIT, Purpose.PROTECT): WaitsFor.TRADING,
            (Verb.SUBMIT, Purpose.ENTRY): TerminalError,
        },
    ),
    (
        "hard to borrow",
        answer(422, {"code": 42210000, "message": 'only day orders are allowed for hard-to-borrow asset "GVH"'}),
        {(Verb.SUBMIT, Purpose.PROTECT): DayOrdersOnly},
    ),
    (
        "buying power",
        answer(
            403,
            {
                "code": 40310000,
                "buying_power": "323561.7",
                "cost_basis": "13980003",
                "message": "insufficient buying power",
            },
        ),
        {(Verb.SUBMIT, Purpose.ENTRY): TerminalError},
    ),
    (
        "anything else",
        answer(422, {"code": 42210000, "message": "fractional orders must be simple orders"}),
        dict.fromkeys(REQUESTS, TerminalError),
    ),
    (
        "a conflict",
        answer(409, {"code": 40010001, "message": "client_order_id must be unique"}),
        {(Verb.SUBMIT, Purpose.ENTRY): DuplicateClientOrderId},
    ),
]

CASES = [
    pytest.param(outcome, verb, purpose, expected, id=f"{name}-{verb.value}-{purpose.value}")
    for name, outcome, table in REFUSALS
    for (verb, purpose), expected in table.items()
]


@pytest.mark.parametrize(("outcome", "verb", "purpose", "expected"), CASES)
def test_a_refusal_is_recognised(
    outcome: Response, verb: Verb, purpose: Purpose, expected: type[BrokerError] | WaitsFor
) -> None:
    error = classify(outcome, verb, purpose)
    if isinstance(expected, WaitsFor):
        assert isinstance(error, NotYetError)
        assert error.waits_for is expected
    else:
        assert type(error) is expected
    assert error.status_code == outcome.status
    assert error.request_id == "r-1"
    assert error.body == json.loads(outcome.body)
    assert error.message == error.body["message"]


SENTENCE_OUTCOMES = [outcome for _, outcome, _ in REFUSALS] + [
    answer(429),
    answer(500),
    page(504),
    answer(401, {"message": "unauthorized."}),
    *(TransportFailure(kind) for kind in FailureKind),
]


@pytest.mark.parametrize(("outcome", "request_"), list(product(SENTENCE_OUTCOMES, REQUESTS)))
def test_the_operator_reads_one_sentence_with_cause_consequence_and_action(
    outcome: Response | TransportFailure, request_: tuple[Verb, Purpose]
) -> None:
    text = classify(outcome, *request_).operator_text
    assert text.endswith(".")
    assert not text.endswith("..")
    assert len(text.split("; ")) >= 3
    assert "{" not in text
    assert len(text) < 400


def test_the_sentence_quotes_what_the_broker_holds() -> None:
    body = {"code": 40310000, "message": "insufficient qty", "available": "0", "held_for_orders": "106"}
    text = classify(answer(403, body), Verb.SUBMIT, Purpose.CLOSE).operator_text
    assert "held: 106" in text
    assert "the position is unchanged" in text


def test_a_price_refusal_names_the_price_it_was_compared_with() -> None:
    for field in ("base_price", "market_price"):
        error = classify(answer(422, {"message": "x", field: "13.98"}), Verb.SUBMIT, Purpose.PROTECT)
        assert isinstance(error, PriceRefused)
        assert error.reference_price == Decimal("13.98")
    error = classify(answer(422, {"message": "must be <= base_price"}), Verb.SUBMIT, Purpose.PROTECT)
    assert isinstance(error, PriceRefused)
    assert error.reference_price is None


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ('order is already in "filled" state', "filled"),
        ("cannot replace order in canceled status", "canceled"),
        ("order is not open", None),
    ],
)
def test_a_done_order_names_its_state_where_the_broker_does(message: str, state: str | None) -> None:
    error = classify(answer(422, {"message": message}), Verb.REPLACE, Purpose.REPLACE)
    assert isinstance(error, AlreadyDone)
    assert error.state == state


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "Thu, 01 Jan 1970 00:16:50 GMT"}, 10.0),
        ({"x_ratelimit_reset": "1030"}, 30.0),
        ({"x_ratelimit_reset": "900"}, 0.0),
        ({"x_ratelimit_reset": "nan"}, None),
        ({"retry_after": "2", "x_ratelimit_reset": "1030"}, 2.0),
    ],
)
def test_the_broker_may_say_when_to_come_back(headers: dict[str, str], expected: float | None) -> None:
    error = classify(answer(429, None, **headers), Verb.SUBMIT, Purpose.ENTRY, now_unix_s=1_000.0)
    assert error.retry_after_s == expected


@pytest.mark.parametrize("status", [500, 503])
def test_the_end_of_the_request_window_is_no_wait_for_a_broker_in_trouble(status: int) -> None:
    """Alpaca puts the window on every answer."""
    window = {"x_ratelimit_remaining": "150", "x_ratelimit_reset": "1055"}
    error = classify(answer(status, None, **window), Verb.READ, Purpose.READ, now_unix_s=1_000.0)
    assert error.retry_after_s is None
    error = classify(answer(status, None, retry_after="4", **window), Verb.READ, Purpose.READ, now_unix_s=1_000.0)
    assert error.retry_after_s == 4.0


@pytest.mark.parametrize("body", [[], "text", 5, None, {"code": "40010001"}, {"code": True}, {"message": None}, {}])
def test_odd_error_bodies_are_still_classified(body: object) -> None:
    for verb, purpose in REQUESTS:
        assert isinstance(classify(answer(422, body), verb, purpose), BrokerError)
