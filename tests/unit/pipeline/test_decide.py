"""What approving now would do: all verdicts, numbers on their grids, a person's edits, and the same again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.model.commands import Edits
from engine.model.signal import EntrySpec, ExitSpec, SizeSpec
from engine.model.words import DeskState, Intent, OrderType, Side, Verdict
from engine.pipeline.decide import Decision, decide
from engine.pipeline.executor import approved_numbers
from engine.pipeline.validate import RULES
from tests.unit.builders import config_of, make_approval, make_facts, make_quote, make_signal, price_exit


def codes(decision: Decision, verdict: Verdict) -> list[str]:
    return [reason.code for reason in decision.reasons if reason.verdict is verdict]


def prices(decision: Decision) -> tuple[str, str, str, str]:
    """Limit, basis, stop and target."""
    plan = decision.case.plan
    found = (plan.limit_price, plan.basis, plan.levels.stop_price, plan.levels.take_profit_price)
    return tuple(str(price) for price in found)  # type: ignore[return-value]


def test_a_fit_desk_and_a_good_signal_pass_every_rule() -> None:
    decision = decide(make_signal(), make_facts())
    assert decision.approvable
    assert not decision.closes
    assert codes(decision, Verdict.DENY) == codes(decision, Verdict.WARN) == []
    assert decision.case.plan.qty == 10
    assert prices(decision) == ("187.20", "187.20", "184.90", "191.80")


def test_every_verdict_is_shown_and_the_denies_come_first() -> None:
    facts = make_facts(
        state=DeskState.PAUSED,
        stream_up=False,
        session_open=False,
        quote=make_quote(age_s=60),
        entry_in_flight="b000017",
        correlations={"MSFT": None},
    )
    decision = decide(make_signal(), facts)
    assert not decision.approvable
    assert set(codes(decision, Verdict.DENY)) == {
        "DESK_STATE",
        "STREAM_DOWN",
        "SESSION",
        "STALE_QUOTE",
        "ENTRY_IN_FLIGHT",
    }
    order = [reason.verdict for reason in decision.reasons]
    assert order == sorted(order, key=[Verdict.DENY, Verdict.WARN, Verdict.PASS].index)
    assert decision.denies == decision.reasons[: len(decision.denies)]
    assert "BUYING_POWER" in codes(decision, Verdict.PASS), "a deny stops no other rule"


def test_no_rule_stands_in_the_gate_twice() -> None:
    assert len(set(RULES)) == len(RULES)


def test_a_market_entry_is_expected_at_the_far_touch() -> None:
    signal = make_signal(entry=EntrySpec(type=OrderType.MARKET), stop_loss=ExitSpec(unit="amount", value=Decimal(2)))
    decision = decide(signal, make_facts(quote=make_quote("187.05", "187.11")))
    assert prices(decision) == ("None", "187.11", "185.11", "191.80")
    short = decide(
        make_signal(
            side=Side.SELL,
            entry=EntrySpec(type=OrderType.MARKET),
            stop_loss=ExitSpec(unit="amount", value=Decimal(2)),
            take_profit=None,
        ),
        make_facts(quote=make_quote("187.05", "187.11")),
    )
    assert prices(short) == ("None", "187.05", "189.05", "None")


@pytest.mark.parametrize(("side", "on_grid"), [(Side.BUY, "187.20"), (Side.SELL, "187.21")])
def test_a_strategys_sub_penny_limit_is_rounded_so_that_it_never_pays_more(side: Side, on_grid: str) -> None:
    entry = EntrySpec(type=OrderType.LIMIT, limit_price=Decimal("187.205"))
    decision = decide(make_signal(side=side, entry=entry), make_facts())
    assert prices(decision)[:2] == (on_grid, on_grid)


def test_without_a_price_nothing_is_sized_and_the_quote_is_missed() -> None:
    signal = make_signal(entry=EntrySpec(), size=None)
    decision = decide(signal, make_facts(quote=None))
    assert {"NO_QUOTE", "QTY_BELOW_MINIMUM"} <= set(codes(decision, Verdict.DENY))
    assert decision.case.plan.size_reason == "no price to size by"


def test_a_signal_without_a_stop_gets_the_desks_default_or_is_denied() -> None:
    signal = make_signal(stop_loss=None)
    assert "NO_STOP" in codes(decide(signal, make_facts()), Verdict.DENY)
    facts = make_facts(config=config_of({"protection": {"default_stop_pct": 2}}))
    decision = decide(signal, facts)
    assert decision.approvable
    # 187.20 x 0.98 = 183.456, up
    assert prices(decision)[2] == "183.46"


# --- edits -----------------------------------------------------------------------------------------------------------


def test_a_person_may_change_every_number() -> None:
    edits = Edits(
        qty=Decimal(4), limit_price=Decimal("187.00"), stop_price=Decimal("185.50"), take_profit_price=Decimal("190.00")
    )
    decision = decide(make_signal(), make_facts(), edits)
    assert decision.approvable
    assert prices(decision) == ("187.00", "187.00", "185.50", "190.00")
    assert (decision.case.plan.qty, decision.case.plan.size_reason) == (4, "your quantity")
    assert edits.changed() == ("qty", "limit_price", "stop_price", "take_profit_price")


def test_a_limit_price_makes_a_market_entry_a_limit_entry() -> None:
    decision = decide(make_signal(entry=EntrySpec()), make_facts(), Edits(limit_price=Decimal("187.00")))
    assert decision.case.signal.entry.type is OrderType.LIMIT
    assert prices(decision)[0] == "187.00"


def test_an_edit_of_one_number_leaves_the_others() -> None:
    decision = decide(make_signal(), make_facts(), Edits(stop_price=Decimal("186.00")))
    assert prices(decision) == ("187.20", "187.20", "186.00", "191.80")


def test_a_moved_stop_limit_keeps_the_distance_between_its_prices() -> None:
    signal = make_signal(stop_loss=price_exit("184.90", "184.50"))
    decision = decide(signal, make_facts(), Edits(stop_price=Decimal("185.90")))
    assert decision.case.plan.levels.stop_limit_price == Decimal("185.50")


@pytest.mark.parametrize("name", ["limit_price", "stop_price", "take_profit_price"])
def test_a_persons_own_price_off_the_grid_is_denied_and_not_rounded(name: str) -> None:
    value = {"limit_price": "187.005", "stop_price": "185.005", "take_profit_price": "190.005"}[name]
    decision = decide(make_signal(), make_facts(), Edits(**{name: Decimal(value)}))
    reason = decision.denies[0]
    assert (reason.code, reason.measured) == ("SUB_PENNY", value)
    assert name.replace("_", " ") in reason.text


def test_edits_are_judged_by_the_same_rules() -> None:
    facts = make_facts(config=config_of({"limits": {"max_order_qty": 20}}))
    assert codes(decide(make_signal(), facts, Edits(qty=Decimal(21))), Verdict.DENY) == ["ORDER_QTY"]
    above = decide(make_signal(), facts, Edits(stop_price=Decimal("187.30")))
    assert "STOP_SIDE" in codes(above, Verdict.DENY)


# --- closing ---------------------------------------------------------------------------------------------------------


def test_a_closing_signal_is_asked_only_whether_there_is_something_to_close() -> None:
    """Nothing that stops entries stops an exit."""
    signal = make_signal(side=Side.SELL, intent=Intent.CLOSE, stop_loss=None, take_profit=None, size=None)
    unfit = make_facts(
        state=DeskState.HALTED,
        stream_up=False,
        gate_locked_by="1 difference",
        journal_failure="disk full",
        account=None,
        quote=None,
        session_open=False,
        position_qty=Decimal(10),
    )
    decision = decide(signal, unfit)
    assert (decision.closes, decision.approvable) == (True, True)
    assert [reason.code for reason in decision.reasons] == ["POSITION"]


# --- again at the click ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["notional", "risk_pct", "risk_usd"])
def test_the_approved_numbers_are_sent_whatever_the_sizer_would_say_by_now(unit: str) -> None:
    value = {"notional": Decimal(5000), "risk_pct": Decimal("0.1"), "risk_usd": Decimal(60)}[unit]
    signal = make_signal(size=SizeSpec(unit=unit, value=value))  # type: ignore[arg-type]
    shown = decide(signal, make_facts())
    approval = make_approval(qty=shown.case.plan.qty)
    later = decide(signal, make_facts(quote=make_quote("186.50", "186.52")), approved_numbers(approval))
    assert later.case.plan.qty == shown.case.plan.qty
    assert prices(later) == prices(shown)
