"""Lists of symbols, halts, wash trades."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.rules import symbol
from tests.unit.builders import after, make_signal
from tests.unit.rules.judging import make_case, make_plan, told

OURS = make_signal(strategy="breakout")


@pytest.mark.parametrize(
    ("desk", "strategy", "verdict"),
    [
        ({"allow_symbols": ["AAPL"]}, {}, "pass"),
        ({"allow_symbols": ["MSFT"]}, {}, "deny"),
        ({"deny_symbols": ["AAPL"]}, {}, "deny"),
        ({}, {"allow_symbols": ["AAPL", "SPY"]}, "pass"),
        ({}, {"allow_symbols": ["SPY"]}, "deny"),
        ({}, {"deny_symbols": ["AAPL"]}, "deny"),
        # both lists have to let it through
        ({"allow_symbols": ["AAPL"]}, {"allow_symbols": ["SPY"]}, "deny"),
        ({"deny_symbols": ["AAPL"]}, {"allow_symbols": ["AAPL"]}, "deny"),
    ],
)
def test_the_desks_list_and_the_strategys_both_have_a_say(
    desk: dict[str, Any], strategy: dict[str, Any], verdict: str
) -> None:
    case = make_case(config={"limits": desk, "strategies": {"breakout": strategy}}, signal=OURS)
    assert told(symbol.lists(case))[:3] == ("SYMBOL_LIST", verdict, "AAPL")


def test_without_lists_nothing_is_said() -> None:
    assert symbol.lists(make_case()) is None
    assert symbol.lists(make_case(config={"limits": {"deny_symbols": ["SPY"]}})) is None


def test_a_halted_symbol_is_not_entered() -> None:
    assert symbol.halted(make_case()) is None
    assert told(symbol.halted(make_case(halted=True)))[:2] == ("HALTED", "deny")


def test_only_an_entry_that_goes_out_alone_can_be_a_wash_trade() -> None:
    alone = make_plan(extended=True)
    assert symbol.wash_trade(make_case(opposite_order="x")) is None
    assert told(symbol.wash_trade(make_case(plan=alone)))[:2] == ("WASH_TRADE", "pass")
    assert told(symbol.wash_trade(make_case(plan=alone, opposite_order="x")))[:3] == ("WASH_TRADE", "deny", "x")


@pytest.mark.parametrize(
    ("config", "symbol_lost_s", "strategy_lost_s", "verdict", "measured"),
    [
        ({"limits": {"cool_down_s": 300}}, 299, None, "deny", "299 s"),
        ({"limits": {"cool_down_s": 300}}, 300, None, "pass", None),
        ({"limits": {"cool_down_s": 300}}, None, 10, "pass", None),  # another symbol's loss
        ({"strategies": {"breakout": {"cool_down_s": 60}}}, None, 59, "deny", "59 s"),
        ({"strategies": {"breakout": {"cool_down_s": 60}}}, 10, 60, "pass", None),
    ],
)
def test_after_a_loss_symbol_and_strategy_rest(
    config: dict[str, Any], symbol_lost_s: int | None, strategy_lost_s: int | None, verdict: str, measured: str | None
) -> None:
    def ago(seconds: int | None) -> datetime | None:
        return None if seconds is None else after(1) - timedelta(seconds=seconds)

    case = make_case(config=config, symbol_lost_at=ago(symbol_lost_s), strategy_lost_at=ago(strategy_lost_s))
    reason = symbol.cool_down(case)
    assert told(reason)[:3] == ("COOL_DOWN", verdict, measured)


def test_without_a_cool_down_a_loss_says_nothing() -> None:
    assert symbol.cool_down(make_case(symbol_lost_at=after(0), strategy_lost_at=after(0))) is None
