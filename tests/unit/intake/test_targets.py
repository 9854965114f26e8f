"""Several targets and trailing stops in a signal: what is taken, and what is refused by its place in the list."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import CommandRefused
from engine.intake.draft import SignalDraft
from engine.intake.formats.detect import parse

NOW = datetime(2026, 8, 21, 14, 0, tzinfo=UTC)


def taken(**changes: Any) -> SignalDraft:
    body = {
        "source": "t",
        "symbol": "AAPL",
        "side": "buy",
        "intent": "open",
        "entry": {"type": "limit", "limit_price": "187.20"},
        "stop_loss": {"stop_price": "184.90"},
    }
    return parse(json.dumps(body | changes).encode(), source=None, received_at=NOW)


def refused(**changes: Any) -> tuple[str, str | None]:
    with pytest.raises(CommandRefused) as no:
        taken(**changes)
    return no.value.code, no.value.field


def test_targets_in_shares_of_the_whole() -> None:
    draft = taken(qty=10, take_profit=[{"limit_price": "190", "share": 0.5}, {"limit_price": "195", "share": "0.5"}])
    assert [(t.exit.value, t.weight, t.unit) for t in draft.targets] == [
        (Decimal(190), Decimal("0.5"), "share"),
        (Decimal(195), Decimal("0.5"), "share"),
    ]
    assert draft.take_profit == draft.targets[0].exit


def test_targets_in_quantities_say_the_size() -> None:
    draft = taken(take_profit=[{"r": 1, "qty": 6}, {"r": 2, "qty": 4}])
    assert draft.size is not None
    assert (draft.size.unit, draft.size.value) == ("qty", 10)


@pytest.mark.parametrize(
    ("take_profit", "code", "field"),
    [
        ([], "MISSING_FIELD", "take_profit"),
        ([{"limit_price": "190", "share": 0.5}], "TARGET_SHARES", "take_profit"),
        (
            [{"limit_price": "190", "qty": 3}, {"limit_price": "191", "share": 0.5}],
            "TARGET_SHARES",
            "take_profit[1].share",
        ),
        ([{"limit_price": "190", "qty": 3}], "TARGET_SHARES", "take_profit"),
        (
            [{"limit_price": "190", "qty": 9.5}, {"limit_price": "191", "qty": 0.5}],
            "TARGET_SHARES",
            "take_profit[0].qty",
        ),
        ([{"limit_price": "190"}], "MISSING_FIELD", "take_profit[0].share"),
        ([{"limit_price": "195", "qty": 5}, {"limit_price": "190", "qty": 5}], "TARGET_ORDER", "take_profit[1]"),
        ([7], "WRONG_TYPE", "take_profit[0]"),
        ([{"percent": n, "qty": 1} for n in range(1, 7)], "TOO_MANY_TARGETS", "take_profit"),
    ],
)
def test_targets_that_do_not_add_up_are_refused_by_place(take_profit: Any, code: str, field: str) -> None:
    assert refused(qty=10, take_profit=take_profit) == (code, field)


def test_a_target_on_the_wrong_side_is_refused_wherever_it_stands() -> None:
    code, _ = refused(qty=2, take_profit=[{"limit_price": "190", "qty": 1}, {"limit_price": "180", "qty": 1}])
    assert code == "TARGET_ON_WRONG_SIDE"


@pytest.mark.parametrize(("name", "unit"), [("trail_percent", "percent"), ("trail_amount", "amount")])
def test_a_trailing_stop_is_a_distance_that_trails(name: str, unit: str) -> None:
    stop = taken(stop_loss={name: "1.5"}).stop_loss
    assert stop is not None
    assert (stop.unit, stop.value, stop.trails) == (unit, Decimal("1.5"), True)


def test_a_trailing_stop_takes_no_limit_and_no_second_distance() -> None:
    assert refused(stop_loss={"trail_percent": 1, "limit_price": "180"})[0] == "CONFLICTING_FIELDS"
    assert refused(stop_loss={"trail_percent": 1, "percent": 2})[0] == "CONFLICTING_FIELDS"
    assert refused(stop_loss={"trail_percent": 100}) == ("OUT_OF_RANGE", "stop_loss.trail_percent")


def test_the_tickers_family_trails_too() -> None:
    body = {"ticker": "AAPL", "action": "buy", "stopLoss": {"type": "trailing_stop", "trailPercent": "2"}}
    stop = parse(json.dumps(body).encode(), source=None, received_at=NOW).stop_loss
    assert stop is not None
    assert (stop.unit, stop.value, stop.trails) == ("percent", 2, True)


def test_an_alpaca_body_whose_stop_would_silently_not_trail_trails_here() -> None:
    body = {
        "symbol": "AAPL", "side": "buy", "type": "market", "qty": "5", "time_in_force": "day", "order_class": "oto",
        "stop_loss": {"trail_price": "2.50"},
    }  # fmt: skip
    stop = parse(json.dumps(body).encode(), source=None, received_at=NOW).stop_loss
    assert stop is not None
    assert (stop.unit, stop.value, stop.trails) == ("amount", Decimal("2.50"), True)
