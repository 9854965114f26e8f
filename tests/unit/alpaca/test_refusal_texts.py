"""Every refusal that Alpaca is known to give, in its own words, and what the desk makes of it for each request.

The words are quoted from the specification, the documentation and public bug reports. What is not named here for a
request that can meet it is final: the broker said no, and says no again.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from engine.alpaca.errors import (
    AlreadyDone,
    DayOrdersOnly,
    DuplicateClientOrderId,
    KeysRefused,
    NotFound,
    PositionSmaller,
    PriceRefused,
    Purpose,
    Response,
    Unchanged,
    Verb,
    WaitsFor,
    classify,
)
from engine.errors import BrokerError, NotYetError, RetryableError, TerminalError

type Meaning = type[BrokerError] | WaitsFor

REQUESTS: Final[dict[str, tuple[Verb, Purpose]]] = {
    "entry": (Verb.SUBMIT, Purpose.ENTRY),
    "exits": (Verb.SUBMIT, Purpose.PROTECT),
    "close": (Verb.SUBMIT, Purpose.CLOSE),
    "replace": (Verb.REPLACE, Purpose.CLOSE),
    "cancel": (Verb.CANCEL, Purpose.CANCEL),
    "settings": (Verb.CONFIGURE, Purpose.CONFIGURE),
    "read": (Verb.READ, Purpose.READ),
}

RESERVED: Final = {"available": "0", "existing_qty": "422", "held_for_orders": "422", "symbol": "UUP"}
WASH: Final = {"existing_order_id": "d70e2048", "reject_reason": "opposite side limit order exists"}

TEXTS: Final[list[tuple[int, int | None, str, dict[str, Any], dict[str, Meaning]]]] = [
    # status, code, message, extra fields, meaning by request
    (422, 40010001, "client_order_id must be unique", {}, {
        "entry": DuplicateClientOrderId, "exits": DuplicateClientOrderId,
        "close": DuplicateClientOrderId, "replace": DuplicateClientOrderId,
    }),
    (401, None, "unauthorized.", {}, dict.fromkeys(REQUESTS, KeysRefused)),
    (429, 42910000, "rate limit exceeded", {}, dict.fromkeys(REQUESTS, RetryableError)),
    (429, None, "too many requests.", {}, dict.fromkeys(REQUESTS, RetryableError)),
    # replacing and canceling
    (422, 42210000, "cannot replace order in accepted status", {}, {"replace": WaitsFor.ACCEPTANCE}),
    (422, 42210000, "cannot replace order in pending_new status", {}, {"replace": WaitsFor.ACCEPTANCE}),
    (422, 42210000, "cannot replace order in pending_replace status", {}, {
        "replace": WaitsFor.REPLACEMENT, "cancel": WaitsFor.REPLACEMENT,
    }),
    (422, 42210000, "cannot replace order in pending_cancel status", {}, {"cancel": WaitsFor.CANCEL}),
    (422, 42210000, "cannot replace order in held status", {}, {}),
    (422, 42210000, "cannot replace order in filled status", {}, {"replace": AlreadyDone, "cancel": AlreadyDone}),
    (422, 40010001, "unable to replace order, order isn't sent to exchange yet", {}, {
        "replace": WaitsFor.ACCEPTANCE,
    }),
    (422, 42210000, "order chain not fully replaced", {}, {
        "replace": WaitsFor.REPLACEMENT, "cancel": WaitsFor.REPLACEMENT,
    }),
    (422, 42210000, "order already pending replacement", {}, {
        "replace": WaitsFor.REPLACEMENT, "cancel": WaitsFor.REPLACEMENT,
    }),
    (422, 42210000, "order already replaced", {}, {"replace": AlreadyDone, "cancel": AlreadyDone}),
    (422, 42210000, "order is not open", {}, {"replace": AlreadyDone, "cancel": AlreadyDone}),
    (422, 42210000, 'order is already in "filled" state', {}, {"replace": AlreadyDone, "cancel": AlreadyDone}),
    (422, 42210000, "order pending cancel", {}, {"cancel": WaitsFor.CANCEL}),
    (422, 42210000, "order parameters are not changed", {}, {"replace": Unchanged}),
    (403, 40310000, "order parameters are not changed", {}, {"replace": Unchanged}),
    (422, 42210000, "qty must be > filled_qty", {}, {}),
    # reservations, shorts and the opposite side
    (403, 40310000, "insufficient qty available for order (requested: 140, available: 0)", RESERVED, {
        "entry": PositionSmaller, "exits": WaitsFor.SHARES, "close": WaitsFor.SHARES, "replace": WaitsFor.SHARES,
    }),
    (403, 40310000, "insufficient balance for ETH (requested: 1, available: 0)", {}, {
        "exits": WaitsFor.SHARES, "close": WaitsFor.SHARES, "replace": WaitsFor.SHARES,
    }),
    (403, 40310000, "potential wash trade detected. use complex orders", WASH, {
        "exits": WaitsFor.OTHER_ORDER, "close": WaitsFor.OTHER_ORDER, "replace": WaitsFor.OTHER_ORDER,
    }),
    (403, 40310000, "cannot open a short sell while a long buy order is open", {}, {
        "exits": WaitsFor.OTHER_ORDER, "close": WaitsFor.OTHER_ORDER, "replace": WaitsFor.OTHER_ORDER,
    }),
    (403, 40310000, "cannot open a long buy while a short sell order is open", {}, {
        "exits": WaitsFor.OTHER_ORDER, "close": WaitsFor.OTHER_ORDER, "replace": WaitsFor.OTHER_ORDER,
    }),
    (422, 42210000, 'asset "GVH" cannot be sold short', {}, {"exits": WaitsFor.POSITION}),
    # Said of a fractional stop too, while the position that it would close is not seen yet.
    (422, 42210000, "fractional orders cannot be sold short", {}, {"exits": WaitsFor.POSITION}),
    (403, 40310000, "account is not allowed to short", {}, {}),
    (422, 42210000, "oco orders must be exit orders", {}, {"exits": WaitsFor.POSITION}),
    (422, 42210000, "position intent mismatch, inferred: sell_to_open, specified: sell_to_close", {}, {
        "exits": WaitsFor.POSITION,
    }),
    # prices
    (422, 42210000, "stop_loss.stop_price must be <= base_price - 0.01", {"base_price": "10"}, {
        "entry": PriceRefused, "exits": PriceRefused, "close": PriceRefused, "replace": PriceRefused,
    }),
    (422, 42210000, "stop price must be less than current price", {"market_price": "99.5"}, {
        "entry": PriceRefused, "exits": PriceRefused, "close": PriceRefused, "replace": PriceRefused,
    }),
    (422, 42210000, "take_profit.limit_price must be > stop_loss.stop_price", {}, {}),
    (422, 42210000, "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria", {},
     {}),
    # the account and the session
    (403, 40310000, "insufficient buying power", {"buying_power": "1", "cost_basis": "2"}, {}),
    (403, 40310000, "new orders are rejected by user request", {}, {}),
    (403, 40310000, "account is not authorized to trade", {}, {}),
    (403, 40310000, "account is restricted to liquidation only", {}, {}),
    (403, 40310000, "request is forbidden", {}, {}),
    (403, 40310100, "trade denied due to pattern day trading protection", {}, {}),
    (422, 42210000, "market order rejected due to trading halt on symbol: KALV", {}, {
        "exits": WaitsFor.TRADING, "close": WaitsFor.TRADING, "replace": WaitsFor.TRADING,
    }),
    (422, 42210000, 'only day orders are allowed for hard-to-borrow asset "GVH"', {}, {
        "entry": DayOrdersOnly, "exits": DayOrdersOnly, "close": DayOrdersOnly, "replace": DayOrdersOnly,
    }),
    (403, None, "subscription does not permit querying recent SIP data", {}, {}),
    # what is not there
    *[
        (404, 40410000, text, {}, dict.fromkeys(REQUESTS, NotFound))
        for text in (
            "order not found for 7", "position does not exist", "position not found: X",
            "symbol not found: X", "endpoint not found",
        )
    ],
    # what is wrong whoever asks
    *[
        (422, 42210000, text, {}, {})
        for text in (
            "bracket orders must be entry orders", "fractional orders must be simple orders",
            "fractional orders must be DAY orders",
            "extended hours order must be DAY or GTC limit orders", "invalid crypto time_in_force",
            "crypto orders not allowed for advanced order_class: otoco", 'asset "X" not found', "asset X is not active",
            "requested asset is not fractionable", "limit orders must not have stop_price",
        )
    ],
    *[
        (422, 40010001, text, {}, {})
        for text in (
            "bracket orders require take_profit.limit_price", "oto orders require stop_loss.stop_price",
            'oto orders support only "day" or "gtc" time_in_force', "qty or notional is required",
            "only one of qty or notional is accepted", "qty must be > 0", "invalid order type", "invalid side",
            "limit orders require a limit price", "limit orders require no stop price", "order_id is missing",
            "stop orders require a stop price", "market orders require no stop or limit price",
            "client_order_id must be no more than 128 characters",
            "tried to set the page size to 500, but the maximum is 100",
        )
    ],
    (403, 40310000, "oto orders do not support extended hours trading", {}, {}),
    (403, 40310000, "cost basis must be >= minimal amount of order 10", {}, {}),
]  # fmt: skip

CASES: Final = [
    pytest.param(status, code, message, extra, request_, meanings.get(name, TerminalError), id=f"{message[:48]}-{name}")
    for status, code, message, extra, meanings in TEXTS
    for name, request_ in REQUESTS.items()
]


@pytest.mark.parametrize(("status", "code", "message", "extra", "request_", "meaning"), CASES)
def test_each_refusal_means_one_thing_for_each_request(
    status: int, code: int | None, message: str, extra: dict[str, Any], request_: tuple[Verb, Purpose], meaning: Meaning
) -> None:
    body = {"message": message, **extra} | ({"code": code} if code is not None else {})
    error = classify(Response(status, {"content-type": "application/json"}, json.dumps(body).encode()), *request_)
    if isinstance(meaning, WaitsFor):
        assert isinstance(error, NotYetError)
        assert error.waits_for is meaning
    else:
        assert type(error) is meaning
    assert error.message == message
    assert error.code == code
