"""What is held or on its way decides what a signal may mean."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.words import Intent, Side
from engine.pipeline.position import check_close, check_position, is_close
from tests.unit.builders import make_signal
from tests.unit.rules.judging import make_case, told


def codes(side: Side, intent: Intent | None, held: int, in_flight: str | None = None) -> list[str]:
    case = make_case(
        signal=make_signal(side=side, intent=intent), position_qty=Decimal(held), entry_in_flight=in_flight
    )
    return [f"{reason.code} {reason.verdict.value}" for reason in check_position(case)]


@pytest.mark.parametrize(
    ("side", "intent", "held", "expected"),
    [
        (Side.BUY, Intent.OPEN, 0, "POSITION pass"),
        (Side.SELL, Intent.OPEN, 0, "POSITION pass"),
        (Side.BUY, None, 0, "POSITION pass"),
        (Side.SELL, None, 0, "AMBIGUOUS deny"),  # a short, or a close that came too late?
        (Side.SELL, None, 10, "AMBIGUOUS deny"),  # a close, or a reversal?
        (Side.BUY, None, -10, "AMBIGUOUS deny"),
        (Side.BUY, None, 10, "POSITION_EXISTS deny"),
        (Side.SELL, None, -10, "POSITION_EXISTS deny"),
        (Side.BUY, Intent.OPEN, 10, "POSITION_EXISTS deny"),
        (Side.SELL, Intent.OPEN, 10, "POSITION_EXISTS deny"),
    ],
)
def test_a_signal_meets_what_is_held(side: Side, intent: Intent | None, held: int, expected: str) -> None:
    assert codes(side, intent, held) == [expected]


def test_an_entry_in_flight_denies_a_second_one_and_is_named() -> None:
    case = make_case(entry_in_flight="b000017")
    reason = check_position(case)[0]
    assert told(reason)[:2] == ("ENTRY_IN_FLIGHT", "deny")
    assert "b000017" in reason.text


def test_the_exits_of_an_earlier_trade_must_be_over_before_the_next_entry() -> None:
    """A stop whose cancel is stuck would fire against the new position."""
    reason = check_position(make_case(exit_in_flight="b000006"))[0]
    assert told(reason)[:2] == ("EXIT_IN_FLIGHT", "deny")
    assert "b000006" in reason.text


def test_an_entry_in_flight_does_not_hide_the_position() -> None:
    assert codes(Side.BUY, Intent.OPEN, 10, "b000017") == ["ENTRY_IN_FLIGHT deny", "POSITION_EXISTS deny"]


def test_how_much_is_held_is_measured_against_nothing() -> None:
    assert told(check_position(make_case(position_qty=Decimal(-10)))[0])[2:] == ("-10", "0")


@pytest.mark.parametrize(
    ("side", "held", "expected"),
    [
        (Side.SELL, 10, "POSITION pass"),
        (Side.BUY, -10, "POSITION pass"),
        (Side.SELL, 0, "NOTHING_TO_CLOSE deny"),
        (Side.BUY, 0, "NOTHING_TO_CLOSE deny"),
        (Side.SELL, -10, "NOTHING_TO_CLOSE deny"),
        (Side.BUY, 10, "NOTHING_TO_CLOSE deny"),
    ],
)
def test_a_closing_signal_needs_something_on_the_other_side(side: Side, held: int, expected: str) -> None:
    case = make_case(signal=make_signal(side=side, intent=Intent.CLOSE), position_qty=Decimal(held))
    assert [f"{reason.code} {reason.verdict.value}" for reason in check_close(case)] == [expected]


def test_only_the_intent_says_that_a_signal_closes() -> None:
    assert is_close(make_case(signal=make_signal(intent=Intent.CLOSE)))
    assert not is_close(make_case(signal=make_signal(side=Side.SELL, intent=None), position_qty=Decimal(10)))


# --- policies --------------------------------------------------------------------------------------------------------


def by_policy(policy: str, side: Side, held: int, **more: Any) -> tuple[str, str]:
    rules = {"on_position": policy, **more.pop("rules", {})}
    case = make_case(
        signal=make_signal(side=side, intent=Intent.OPEN),
        position_qty=Decimal(held),
        config={"strategies": {"breakout": rules}},
        **{"symbol_trades": 1, **more},
    )
    reason = check_position(case)[-1]
    return reason.code, reason.verdict.value


@pytest.mark.parametrize(
    ("policy", "side", "held", "expected"),
    [
        ("add", Side.BUY, 10, ("ADDS", "pass")),
        ("add", Side.SELL, -10, ("ADDS", "pass")),
        ("add", Side.SELL, 10, ("POSITION_EXISTS", "deny")),
        ("reverse", Side.SELL, 10, ("REVERSES", "pass")),
        ("reverse", Side.BUY, -10, ("REVERSES", "pass")),
        ("reverse", Side.BUY, 10, ("POSITION_EXISTS", "deny")),
        ("refuse", Side.BUY, 10, ("POSITION_EXISTS", "deny")),
        ("reverse", Side.BUY, 0, ("POSITION", "pass")),
    ],
)
def test_the_strategys_policy_decides_about_a_held_position(
    policy: str, side: Side, held: int, expected: tuple[str, str]
) -> None:
    assert by_policy(policy, side, held) == expected


def test_a_position_is_added_to_until_its_caps() -> None:
    # Two trades are open: this would be the second add, the third entry.
    assert by_policy("add", Side.BUY, 20, symbol_trades=2) == ("ADDS", "pass")
    assert by_policy("add", Side.BUY, 30, symbol_trades=3) == ("MAX_ADDS", "deny")
    # 10 held and 10 more at 187.20 are 3,744.00.
    assert by_policy("add", Side.BUY, 10, rules={"max_position_notional": 3744.0}) == ("ADDS", "pass")
    assert by_policy("add", Side.BUY, 10, rules={"max_position_notional": 3743.99}) == ("MAX_POSITION", "deny")


@pytest.mark.parametrize(("policy", "side"), [("add", Side.BUY), ("reverse", Side.SELL)])
def test_nothing_is_done_about_shares_of_another_hand(policy: str, side: Side) -> None:
    assert by_policy(policy, side, 10, unexplained_qty=Decimal(3)) == ("POSITION_FOREIGN", "deny")


def test_without_an_intent_nothing_is_reversed() -> None:
    case = make_case(
        signal=make_signal(side=Side.SELL, intent=None),
        position_qty=Decimal(10),
        config={"strategies": {"breakout": {"on_position": "reverse"}}},
    )
    assert check_position(case)[-1].code == "AMBIGUOUS"
