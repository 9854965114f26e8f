"""The bounds of a mandate, each at its edge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.model.mandate import Mandate, MandateRecord, MandateUse
from engine.model.words import DeskState, Side
from engine.rules.mandates import Burn, MandateAsk, MandatePolicy, burn_of, why_not
from tests.unit.builders import T0, after, make_signal, replace

POLICY = MandatePolicy(run=3, confirm_after_restart=True, wait_on_warn=True)


def mandate(**changes: Any) -> Mandate:
    """Longs in AAPL of the strategy breakout: 5,000 each, 20,000 a day, ten in all, for an hour."""
    plain = Mandate(
        id="m0001",
        strategy="breakout",
        symbols=("AAPL",),
        sides=(Side.BUY,),
        max_notional_each=Decimal(5_000),
        max_notional_day=Decimal(20_000),
        max_count=10,
        max_loss_day=Decimal(300),
        until=after(3600),
        created_at=T0,
        created_by="ann",
    )
    return replace(plain, **changes)


def record(**changes: Any) -> MandateRecord:
    return replace(MandateRecord(mandate=mandate(), run=3), **changes)


def ask(**changes: Any) -> MandateAsk:
    plain = MandateAsk(
        signal=make_signal(),
        closes=False,
        notional=Decimal(1_872),
        risk=Decimal(23),
        warning=None,
        state=DeskState.ACTIVE,
        now=after(1),
    )
    return replace(plain, **changes)


def burned(**changes: Any) -> Burn:
    return replace(Burn(notional_today=Decimal(0), count=0, loss_today=Decimal(0)), **changes)


def refusal(
    known: MandateRecord | None = None,
    asked: MandateAsk | None = None,
    burn: Burn | None = None,
    policy: MandatePolicy = POLICY,
) -> str | None:
    reason = why_not(known or record(), asked or ask(), burn or burned(), policy)
    return None if reason is None else reason.code


def test_what_fits_is_approved() -> None:
    assert refusal() is None


@pytest.mark.parametrize(
    ("known", "asked", "burn", "code"),
    [
        (record(revoked_at=T0, revoked_by="ann"), None, None, "MANDATE_REVOKED"),
        (None, ask(now=after(3599.9)), None, None),
        (None, ask(now=after(3600)), None, "MANDATE_OVER"),
        (record(run=2), None, None, "MANDATE_UNCONFIRMED"),
        (None, ask(state=DeskState.PAUSED), None, "MANDATE_STATE"),
        (None, ask(state=DeskState.HALTED), None, "MANDATE_STATE"),
        (None, ask(closes=True), None, "MANDATE_SCOPE"),
        (None, ask(signal=make_signal(symbol="MSFT")), None, "MANDATE_SCOPE"),
        (None, ask(signal=make_signal(side=Side.SELL)), None, "MANDATE_SCOPE"),
        (None, ask(signal=make_signal(strategy="other")), None, "MANDATE_SCOPE"),
        (record(mandate=mandate(symbols=())), ask(signal=make_signal(symbol="MSFT")), None, None),
        (None, ask(warning="It is hard to borrow."), None, "MANDATE_WARN"),
        (None, ask(notional=None), None, "MANDATE_EACH"),
        (None, ask(notional=Decimal(5_000)), None, None),
        (None, ask(notional=Decimal("5000.01")), None, "MANDATE_EACH"),
        # 15,000 are burned: 5,000 more are 20,000, a cent more is too much.
        (None, ask(notional=Decimal(5_000)), burned(notional_today=Decimal(15_000)), None),
        (None, ask(notional=Decimal(5_000)), burned(notional_today=Decimal("15000.01")), "MANDATE_DAY"),
        (None, None, burned(count=9), None),
        (None, None, burned(count=10), "MANDATE_COUNT"),
        # 277 lost and 23 at risk are 300.
        (None, None, burned(loss_today=Decimal(277)), None),
        (None, None, burned(loss_today=Decimal("277.01")), "MANDATE_LOSS"),
        (None, ask(risk=None), None, "MANDATE_LOSS"),
        (record(mandate=mandate(max_loss_day=None)), ask(risk=None), burned(loss_today=Decimal(9_999)), None),
    ],
)
def test_a_bound_holds_at_its_edge(
    known: MandateRecord | None, asked: MandateAsk | None, burn: Burn | None, code: str | None
) -> None:
    assert refusal(known, asked, burn) == code


def test_policy_may_let_warnings_pass_and_mandates_outlive_a_restart() -> None:
    trusting = MandatePolicy(run=9, confirm_after_restart=False, wait_on_warn=False)
    assert refusal(asked=ask(warning="It is hard to borrow."), policy=trusting) is None


def test_only_today_in_new_york_burns_the_days_notional_and_returned_uses_burn_nothing() -> None:
    # T0 is Friday 10:00 in New York: 10 hours and a minute before, it was Thursday 23:59.
    uses = (
        MandateUse(signal_id="s1", bracket_id="b1", notional=Decimal(4_000), at=after(-10 * 3600 - 60)),
        MandateUse(signal_id="s2", bracket_id="b2", notional=Decimal(3_000), at=after(-10 * 3600)),
        MandateUse(signal_id="s3", bracket_id="b3", notional=Decimal(2_000), at=T0, is_returned=True),
    )
    burn = burn_of(record(uses=uses), T0, Decimal(5))
    assert (burn.notional_today, burn.count, burn.loss_today) == (3_000, 2, 5)
