"""Entries that the desk holds: where they wait, how long, and as what they are sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.model.signal import EntrySpec, HeldEntry, SignalRecord
from engine.model.words import OrderType, Side, TimeInForce
from engine.pipeline.decide import decide
from engine.pipeline.held import SEND_WITHIN, is_reached, signal_to_send, trigger_of
from engine.protection.triggers import arm
from tests.unit.builders import T0, after, make_approval, make_facts, make_quote, make_signal, price_exit

STOP = EntrySpec(type=OrderType.STOP, stop_price=Decimal("190.00"))
BREAKOUT = make_signal(entry=STOP, stop_loss=price_exit("188.00"), take_profit=price_exit("196.00"))


def test_a_stop_entry_is_judged_at_its_trigger_and_held() -> None:
    # The market is at 187.10, below the stop of the position to come: that stop counts from the trigger on.
    decision = decide(BREAKOUT, make_facts())
    assert decision.approvable, decision.denies
    plan = decision.case.plan
    assert (plan.trigger_price, plan.basis, plan.risk_per_share) == (Decimal(190), Decimal(190), Decimal(2))


def test_a_trigger_behind_the_market_is_denied() -> None:
    decision = decide(BREAKOUT, make_facts(quote=make_quote("190.00", "190.02")))
    assert "TRIGGER_PASSED" in {reason.code for reason in decision.denies}


@pytest.mark.parametrize(("side", "asked", "held"), [(Side.BUY, "190.004", "190.01"), (Side.SELL, "190.006", "190.00")])
def test_a_trigger_is_rounded_away_from_the_market(side: Side, asked: str, held: str) -> None:
    entry = EntrySpec(type=OrderType.STOP, stop_price=Decimal(asked))
    assert trigger_of(make_signal(side=side, entry=entry)) == Decimal(held)


@pytest.mark.parametrize(
    ("side", "price", "reached"),
    [(Side.BUY, "189.99", False), (Side.BUY, "190", True), (Side.SELL, "190.01", False), (Side.SELL, "190", True)],
)
def test_a_buy_waits_for_a_rise_and_a_sell_for_a_fall(side: Side, price: str, reached: bool) -> None:
    assert is_reached(side, Decimal(190), Decimal(price)) is reached


def record_of(entry: EntrySpec, released_at: datetime | None = None) -> SignalRecord:
    held = HeldEntry(kind="trigger", since=T0, until=None, trigger_price=entry.stop_price, released_at=released_at)
    return SignalRecord(signal=make_signal(entry=entry), approval=make_approval(), held=held)


def test_a_released_stop_is_a_market_entry_whose_drift_counts_from_its_trigger() -> None:
    record = record_of(STOP, after(600))
    sent = signal_to_send(record)
    assert (sent.entry.type, sent.entry.stop_price, sent.reference_price) == (OrderType.MARKET, None, Decimal(190))
    assert sent.expires_at == after(600) + SEND_WITHIN
    assert signal_to_send(record_of(STOP)) == record.signal


def test_a_released_stop_limit_is_a_limit_entry() -> None:
    entry = EntrySpec(type=OrderType.STOP_LIMIT, stop_price=Decimal(190), limit_price=Decimal(191))
    sent = signal_to_send(record_of(entry, after(600)))
    assert (sent.entry.type, sent.entry.limit_price, sent.entry.stop_price) == (OrderType.LIMIT, Decimal(191), None)


def test_a_trigger_for_the_day_lives_until_the_close_of_the_session() -> None:
    closes_at = T0 + timedelta(hours=6)
    record = record_of(STOP)
    assert arm(record, Decimal(190), T0, closes_at).until == closes_at
    # Outside the session: until midnight in New York, 04:00 UTC in summer.
    assert arm(record, Decimal(190), T0, None).until == datetime(2026, 8, 22, 4, 0, tzinfo=UTC)
    gtc = record_of(EntrySpec(type=OrderType.STOP, stop_price=Decimal(190), time_in_force=TimeInForce.GTC))
    assert arm(gtc, Decimal(190), T0, closes_at).until is None
