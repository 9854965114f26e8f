"""Headroom worked by hand for each shape: before, after one stop-out, after all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.commands import Edits
from engine.model.money import ZERO
from engine.model.signal import SizeSpec
from engine.pipeline.decide import decide
from engine.prop import ledger as fold
from engine.prop.ledger import PropLedger
from engine.prop.meters import Meter, PropFacts, PropTrade, meters
from engine.prop.preset import (
    Consistency,
    DailyLoss,
    Drawdown,
    MinimumDays,
    Preset,
    ProfitTarget,
    Size,
    Window,
)
from tests.unit.builders import T0, after, config_of, make_account, make_facts, make_signal


def d(value: object) -> Decimal:
    return Decimal(str(value))


def begun(size: object = 100_000, balance: object | None = None, equity: object | None = None) -> PropLedger:
    """A ledger in its first day."""
    start = d(size) if balance is None else d(balance)
    return fold.opened(PropLedger(), "x", d(size), "day 1", T0, start, start if equity is None else d(equity), False)


def next_day(ledger: PropLedger, name: str, balance: object, equity: object | None = None) -> PropLedger:
    end = (d(balance), d(balance if equity is None else equity))
    assert ledger.day is not None
    ledger = fold.closed(ledger, ledger.day.day, *end)
    return fold.opened(ledger, "x", ledger.size, name, T0, *end, False)


def measured(
    ledger: PropLedger, equity: object, *, risk: object | None = None, open_risk: object = 0, **rules: Any
) -> dict[str, Meter]:
    more = {name: rules.pop(name) for name in ("symbols", "exposure", "balance", "now") if name in rules}
    facts = PropFacts(
        preset=Preset(name="x", **rules),
        ledger=ledger,
        equity=d(equity),
        balance=d(more.get("balance", equity)),
        open_risk=d(open_risk),
        unstopped=(),
        exposure=d(more.get("exposure", 0)),
        symbols=more.get("symbols", frozenset()),
        warn_within_pct=d(20),
        now=more.get("now", T0),
    )
    trade = None
    if risk is not None:
        trade = PropTrade(symbol="AAPL", qty=d(100), notional=d(18_720), risk=d(risk))
    return {meter.code: meter for meter in meters(facts, trade)}


def drawdown(ledger: PropLedger, equity: object, rule: Drawdown, **more: Any) -> Meter:
    return measured(ledger, equity, drawdown=rule, **more)["PROP_DRAWDOWN"]


def told(meter: Meter) -> tuple[str, Decimal | None, Decimal | None, Decimal | None, Decimal | None]:
    return meter.verdict.value, meter.floor, meter.now, meter.after_stop, meter.after_all_stops


# --- static: the floor stands 10 % under 100,000, at 90,000, whatever was won --------------------------------------

STATIC = Drawdown(kind="static", pct=10.0)


def test_a_static_floor_never_moves() -> None:
    won = fold.marked(begun(), d(112_000), d(112_000))
    # 112,000 - 90,000 = 22,000 left; a stop-out of 500 leaves 21,500, with 1,500 open at risk 20,000.
    assert told(drawdown(won, 112_000, STATIC, risk=500, open_risk=1_500)) == ("pass", 90_000, 22_000, 21_500, 20_000)


@pytest.mark.parametrize(
    ("equity", "risk", "open_risk", "verdict"),
    [
        # Margin for the warning: 20 % of the limit of 10,000 is 2,000.
        (95_000, 2_999, 0, "pass"),  # 95,000 - 90,000 - 2,999 = 2,001
        (95_000, 3_000, 0, "pass"),  # 2,000 is not less than 2,000
        (95_000, 3_001, 0, "warn"),  # 1,999
        (95_000, 4_999, 0, "warn"),  # 1
        (95_000, 5_000, 0, "deny"),  # 0: reaching the floor breaks it
        (95_000, 3_000, 2_000, "deny"),  # with the open trades: 0
        (90_000, 0, 0, "deny"),
    ],
)
def test_a_stop_out_that_would_reach_the_floor_is_denied(equity: int, risk: int, open_risk: int, verdict: str) -> None:
    assert drawdown(begun(), equity, STATIC, risk=risk, open_risk=open_risk).verdict == verdict


# --- trailing intraday with lock-in: 4 % of 50,000 is 2,000; the floor stops at 50,000 -------------------------------

TRAILING = Drawdown(kind="trailing_intraday", pct=4.0, lock_in_usd=0.0)


def test_an_intraday_floor_follows_open_profit_and_then_stands() -> None:
    ledger = begun(50_000)
    # Begins at 50,000 - 2,000 = 48,000.
    assert told(drawdown(ledger, 50_000, TRAILING))[:3] == ("pass", 48_000, 2_000)
    # Equity runs to 50,800 and falls back to 50,100: the floor has climbed to 48,800 and stays, 1,300 are left.
    ledger = fold.marked(fold.marked(ledger, d(50_000), d(50_800)), d(50_000), d(50_100))
    assert told(drawdown(ledger, 50_100, TRAILING, risk=300))[:4] == ("pass", 48_800, 1_300, 1_000)
    # At 52,000 the floor would be 50,000, at 53,000 it would be 51,000: it is locked at 50,000.
    ledger = fold.marked(ledger, d(50_000), d(53_000))
    assert told(drawdown(ledger, 51_000, TRAILING))[:3] == ("pass", 50_000, 1_000)
    # Without lock-in it would stand at 51,000 and be reached.
    free = Drawdown(kind="trailing_intraday", pct=4.0)
    assert told(drawdown(ledger, 51_000, free))[:3] == ("deny", 51_000, 0)


# --- trailing end of day: 4 % of 50,000, locks 100 above the size ----------------------------------------------------

END_OF_DAY = Drawdown(kind="trailing_end_of_day", pct=4.0, lock_in_usd=100.0)


def test_an_end_of_day_floor_moves_only_when_a_day_ends() -> None:
    ledger = begun(50_000)
    # A high of 52,500 within the day moves nothing.
    ledger = fold.marked(ledger, d(50_000), d(52_500))
    assert drawdown(ledger, 51_000, END_OF_DAY).floor == 48_000
    # The day ends at 51,500: 51,500 - 2,000 = 49,500.
    ledger = next_day(ledger, "day 2", 51_500)
    assert told(drawdown(ledger, 51_500, END_OF_DAY))[:3] == ("pass", 49_500, 2_000)
    # A losing day does not lower it.
    ledger = next_day(ledger, "day 3", 50_700)
    assert told(drawdown(ledger, 50_700, END_OF_DAY))[:3] == ("pass", 49_500, 1_200)
    # 53,000 - 2,000 = 51,000, locked at 50,100.
    ledger = next_day(ledger, "day 4", 53_000)
    assert drawdown(ledger, 53_000, END_OF_DAY).floor == 50_100


# --- daily loss -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "floor", "left"),
    [
        # At the reset the balance was 101,000 and an open loss made the equity 100,400; 5 % of 100,000 may be lost.
        ("balance", 96_000, 4_200),
        ("equity", 95_400, 4_800),
        ("higher", 96_000, 4_200),
    ],
)
def test_the_days_loss_is_counted_from_its_basis(basis: Any, floor: int, left: int) -> None:
    ledger = next_day(begun(), "day 2", 101_000, 100_400)
    rule = DailyLoss(basis=basis, pct=5.0)
    meter = measured(ledger, 100_200, daily_loss=rule, risk=200)["PROP_DAILY_LOSS"]
    assert told(meter)[:4] == ("pass", floor, left, left - 200)


def test_open_profit_carried_over_counts_for_the_higher_of_both() -> None:
    # Balance 100,000, open profit 3,000 at the reset: from 103,000 the floor is 98,000, from 100,000 only 95,000.
    ledger = next_day(begun(), "day 2", 100_000, 103_000)
    floors = {
        basis: measured(ledger, 103_000, daily_loss=DailyLoss(basis=basis, usd=5_000.0))["PROP_DAILY_LOSS"].floor
        for basis in ("balance", "equity", "higher")
    }
    assert floors == {"balance": 95_000, "equity": 98_000, "higher": 98_000}


def test_a_new_day_gives_a_new_loss() -> None:
    rule = DailyLoss(basis="balance", usd=1_000.0)
    ledger = begun()
    assert measured(ledger, 99_000, daily_loss=rule)["PROP_DAILY_LOSS"].verdict == "deny"
    ledger = next_day(ledger, "day 2", 99_000)
    assert told(measured(ledger, 99_000, daily_loss=rule)["PROP_DAILY_LOSS"])[:3] == ("pass", 98_000, 1_000)


# --- size, window, progress -----------------------------------------------------------------------------------------


def test_positions_quantity_and_exposure_are_counted_with_this_trade() -> None:
    rule = Size(max_positions=3, max_order_qty=100, max_exposure_pct=150.0)
    held = frozenset({"MSFT", "JPM"})
    found = measured(begun(), 100_000, size=rule, symbols=held, exposure=131_280, risk=1)
    # 131,280 + 18,720 = 150,000: just what is allowed.
    assert {code: (meter.verdict.value, meter.after_stop) for code, meter in found.items()} == {
        "PROP_POSITIONS": ("pass", 0),
        "PROP_ORDER_QTY": ("pass", 0),
        "PROP_EXPOSURE": ("pass", 0),
    }
    tight = Size(max_positions=2, max_order_qty=99, max_exposure_pct=149.99)
    found = measured(begun(), 100_000, size=tight, symbols=held, exposure=131_280, risk=1)
    assert {meter.verdict.value for meter in found.values()} == {"deny"}
    # Adding to a symbol that is held is no further position.
    found = measured(begun(), 100_000, size=Size(max_positions=2), symbols=frozenset({"AAPL", "JPM"}), risk=1)
    assert found["PROP_POSITIONS"].verdict == "pass"


def test_entries_outside_the_window_are_denied() -> None:
    window = Window(opens="09:35", closes="15:55")
    # T0 is 10:00 in New York; six hours later it is 16:00.
    assert measured(begun(), 100_000, window=window)["PROP_WINDOW"].verdict == "pass"
    assert measured(begun(), 100_000, window=window, now=after(6 * 3600))["PROP_WINDOW"].verdict == "deny"


@pytest.mark.parametrize(
    ("balance", "stop", "verdict"),
    [(107_999, True, "pass"), (108_000, True, "deny"), (108_000, False, "pass")],
)
def test_a_reached_target_stops_entries_when_the_preset_says_so(balance: int, stop: bool, verdict: str) -> None:
    rule = ProfitTarget(pct=8.0, stop_at_target=stop)
    meter = measured(begun(), balance, profit_target=rule)["PROP_TARGET"]
    assert (meter.verdict.value, meter.now) == (verdict, 108_000 - balance)


def test_consistency_is_the_best_days_part_in_all_profit() -> None:
    rule = Consistency(max_day_share_pct=40.0)
    # Day 1 wins 1,200, day 2 wins 800, day 3 so far 1,000: the best is 1,200 of 3,000 = 40 %, just allowed.
    ledger = next_day(next_day(begun(), "day 2", 101_200), "day 3", 102_000)
    meter = measured(ledger, 103_000, consistency=rule)["PROP_CONSISTENCY"]
    assert (meter.verdict.value, meter.now) == ("pass", 0)
    # At 102,900 it is 1,200 of 2,900 = 41.4 %.
    meter = measured(ledger, 102_900, consistency=rule)["PROP_CONSISTENCY"]
    assert (meter.verdict.value, meter.now) == ("warn", d("-1.4"))
    assert measured(begun(), 99_000, consistency=rule)["PROP_CONSISTENCY"].now is None


def test_a_day_counts_once_however_often_it_was_traded() -> None:
    ledger = fold.filled(fold.filled(begun()))
    ledger = next_day(ledger, "day 2", 100_000)
    ledger = fold.filled(next_day(ledger, "day 3", 100_000))
    meter = measured(ledger, 100_000, minimum_days=MinimumDays(days=5))["PROP_MINIMUM_DAYS"]
    assert (ledger.traded_days, meter.now, meter.verdict.value) == (2, 3, "pass")


# --- the fold -------------------------------------------------------------------------------------------------------


def test_a_fact_told_twice_counts_once() -> None:
    ledger = fold.marked(begun(), d(100_500), d(100_700))
    assert fold.marked(ledger, d(100_500), d(100_700)) == ledger
    ledger = next_day(ledger, "day 2", 100_500)
    assert fold.opened(ledger, "x", d(1), "day 2", T0, d(1), d(1), False) == ledger
    assert fold.opened(ledger, "x", d(1), "day 1", T0, d(1), d(1), False) == ledger
    assert fold.closed(ledger, "day 1", d(1), d(1)) == ledger
    ledger = fold.breached(ledger, "PROP_DAILY_LOSS", "broken", T0)
    assert fold.breached(ledger, "PROP_DAILY_LOSS", "broken", after(1)) == ledger


def test_a_daily_breach_binds_for_its_day_and_a_drawdown_for_ever() -> None:
    ledger = fold.breached(begun(), "PROP_DAILY_LOSS", "broken", T0)
    ledger = fold.breached(ledger, "PROP_DRAWDOWN", "broken", T0)
    assert {breach.rule for breach in ledger.standing()} == {"PROP_DAILY_LOSS", "PROP_DRAWDOWN"}
    ledger = next_day(ledger, "day 2", 90_000)
    assert {breach.rule for breach in ledger.standing()} == {"PROP_DRAWDOWN"}


def test_another_preset_begins_a_new_ledger() -> None:
    old = fold.breached(begun(), "PROP_DRAWDOWN", "broken", T0)
    new = fold.opened(old, "y", d(50_000), "day 1", T0, d(49_000), d(49_500), False)
    assert (new.preset, new.size, new.high_equity, new.breaches) == ("y", 50_000, 50_000, ())


def test_the_firms_own_numbers_replace_the_desks() -> None:
    ledger = fold.corrected(begun(), "ann", d(101_000), None, d(102_000), None)
    assert ledger.day is not None
    assert (ledger.day.start_balance, ledger.day.start_equity, ledger.day.corrected_by) == (101_000, 100_000, "ann")
    assert (ledger.high_equity, ledger.high_close) == (102_000, 100_000)


# --- the size that the rules leave room for ---------------------------------------------------------------------------


def test_a_size_that_the_desk_computes_stays_above_the_floor() -> None:
    # 100,000 of equity and 2 % of risk over 2.30: 869 shares. The day may lose 1,000, and 400 are at risk already:
    # 599.99 over 2.30 are 260 shares, which lose 598.00 and leave 2.00.
    prop = PropFacts(
        preset=Preset(name="x", daily_loss=DailyLoss(basis="balance", usd=1_000.0)),
        ledger=begun(),
        equity=d(100_000),
        balance=d(100_000),
        open_risk=d(400),
        unstopped=(),
        exposure=ZERO,
        symbols=frozenset(),
        warn_within_pct=ZERO,
        now=T0,
    )
    signal = make_signal(size=SizeSpec(unit="risk_pct", value=d(2)))
    roomy = config_of({"limits": {"max_symbol_exposure_pct": 1000}})
    decision = decide(signal, make_facts(prop=prop, config=roomy, account=make_account(buying_power=d(500_000))))
    assert decision.case.plan.qty == 260
    assert decision.case.plan.size_reason == "limited by the prop firm's daily loss: 869 → 260"
    assert decision.approvable, decision.denies
    # One share more, typed by hand, is judged and denied: 261 x 2.30 = 600.30.
    assert "PROP_DAILY_LOSS" in {r.code for r in decide(signal, make_facts(prop=prop), Edits(qty=d(261))).denies}
