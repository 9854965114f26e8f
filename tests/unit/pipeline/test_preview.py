"""What you see is what you send: the ways in which a click is refused because something changed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.errors import CommandRefused
from engine.model.commands import NO_EDITS, Edits
from engine.model.signal import EntrySpec, ExitSpec, SizeSpec
from engine.model.words import DeskState, Intent, OrderType, Side
from engine.pipeline.decide import Decision, decide
from engine.preview import (
    PREVIEWS_KEPT,
    Previews,
    promise_of,
    refuse_if_changed,
    refuse_if_decided,
    refuse_if_denied,
    sentence,
)
from engine.rules.facts import Facts
from tests.unit.builders import T0, config_of, make_account, make_facts, make_quote, make_signal, replace
from tests.unit.rules.judging import exposure

MARKET = make_signal(entry=EntrySpec(type=OrderType.MARKET))


def seen(facts: Facts | None = None, *, market: bool = False, edits: Edits = NO_EDITS) -> Decision:
    return decide(MARKET if market else make_signal(), facts or make_facts(), edits)


def changed(before: Decision, after: Decision) -> str:
    with pytest.raises(CommandRefused) as refused:
        refuse_if_changed(promise_of(before), after)
    assert refused.value.code == "CHANGED_SINCE_SHOWN"
    reasons = refused.value.reasons
    assert set(after.reasons) <= set(reasons), "every verdict comes with it"
    told = refused.value.operator_text
    first = [reason for reason in reasons if reason.text in told]
    assert list(reasons[: len(first)]) == first, "what changed is named first"
    assert " ".join(reason.text for reason in first) == told
    return told


def test_what_did_not_change_is_not_refused() -> None:
    refuse_if_changed(promise_of(seen()), seen())


def test_a_verdict_that_turned_to_deny_is_named() -> None:
    assert "The desk is paused" in changed(seen(), seen(make_facts(state=DeskState.PAUSED)))


def test_a_new_warning_is_a_change_too() -> None:
    other = (exposure("MSFT", 1000),)
    fresh = make_facts(exposures=other, correlations={"MSFT": 0.1})
    blind = make_facts(exposures=other, correlations={"MSFT": None})
    assert "history with MSFT" in changed(seen(fresh), seen(blind))


def test_a_warning_that_was_shown_is_no_change() -> None:
    blind = make_facts(exposures=(exposure("MSFT", 1000),), correlations={"MSFT": None})
    refuse_if_changed(promise_of(seen(blind)), seen(blind))


def test_a_verdict_that_got_better_is_no_change() -> None:
    refuse_if_changed(promise_of(seen(make_facts(state=DeskState.PAUSED))), seen())


def test_a_quantity_that_rose_is_a_change_and_one_that_fell_is_not() -> None:
    ten, eleven = seen(), seen(edits=Edits(qty=Decimal(11)))
    assert "from 10 to 11" in changed(ten, eleven)
    refuse_if_changed(promise_of(eleven), ten)


@pytest.mark.parametrize(("ask", "refused"), [("187.65", False), ("187.68", True), ("186.64", False), ("186.50", True)])
def test_a_price_may_move_a_quarter_of_the_risk_in_either_direction(ask: str, refused: bool) -> None:
    # Entry at the ask of 187.10, stop 184.90: R is 2.20, a quarter of it 0.55.
    before = seen(market=True)
    after = seen(make_facts(quote=make_quote(ask=ask)), market=True)
    moved = abs(Decimal(ask) - Decimal("187.10")) > Decimal("0.55")
    assert moved is refused
    if refused:
        assert f"from 187.10 to {ask}" in changed(before, after)
    else:
        refuse_if_changed(promise_of(before), after)


def test_a_tight_stop_still_allows_two_ticks() -> None:
    tight = make_signal(entry=EntrySpec(), stop_loss=ExitSpec(unit="price", value=Decimal("187.07")))
    before = decide(tight, make_facts())
    refuse_if_changed(promise_of(before), decide(tight, make_facts(quote=make_quote(ask="187.10"))))
    with pytest.raises(CommandRefused, match="price moved"):
        refuse_if_changed(promise_of(before), decide(tight, make_facts(quote=make_quote(ask="187.13"))))


def test_a_risk_that_rose_by_more_than_a_quarter_is_a_change() -> None:
    # 10 x 2.30 = 23.00; with the stop at 184.00 it is 10 x 3.20 = 32.00.
    text = changed(seen(), seen(edits=Edits(stop_price=Decimal("184.00"))))
    assert "from $23.00 to $32.00" in text
    refuse_if_changed(promise_of(seen()), seen(edits=Edits(stop_price=Decimal("184.40"))))


def test_several_changes_are_all_said() -> None:
    after = seen(make_facts(state=DeskState.PAUSED), edits=Edits(qty=Decimal(20)))
    text = changed(seen(), after)
    assert "paused" in text
    assert "quantity rose" in text
    assert "risk rose" in text


def test_what_changed_is_told_with_its_new_and_its_old_value() -> None:
    with pytest.raises(CommandRefused) as refused:
        refuse_if_changed(promise_of(seen()), seen(edits=Edits(qty=Decimal(20))))
    # Ten shares at 2.30 of risk are $23.00, twenty are $46.00: twice as much is beyond the tolerance of a quarter.
    assert [(r.code, r.measured, r.limit) for r in refused.value.reasons[:2]] == [
        ("QUANTITY_ROSE", "20", "10"),
        ("RISK_ROSE", "$46.00", "$23.00"),
    ]


def test_a_warning_that_became_a_deny_is_a_change() -> None:
    closed = make_facts(session_open=False, extended_open=True)
    waits = replace(closed, config=config_of({"session": {"entries": "extended"}}))
    assert "session is closed" in changed(seen(waits), seen(closed))


# --- refusals that name themselves -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (make_facts(entry_in_flight="b000017"), "ENTRY_IN_FLIGHT"),
        (make_facts(now=make_signal().expires_at), "EXPIRED"),
    ],
)
def test_some_denies_make_any_comparison_pointless(facts: Facts, code: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        refuse_if_decided(seen(facts))
    assert refused.value.code == code
    assert len(refused.value.reasons) > 10


def test_every_other_deny_is_denied_with_all_reasons() -> None:
    decision = seen(make_facts(stream_up=False))
    refuse_if_decided(decision)
    with pytest.raises(CommandRefused, match="order stream is down") as refused:
        refuse_if_denied(decision)
    assert (refused.value.code, refused.value.reasons) == ("DENIED", decision.reasons)
    refuse_if_denied(seen())


# --- the picture itself ----------------------------------------------------------------------------------------------


def test_a_preview_is_recalled_by_its_id_and_only_for_its_signal() -> None:
    previews, decision = Previews(), seen()
    view = previews.show(decision, (), T0)
    assert previews.recall(view.preview_id, decision.case.signal.id) == promise_of(decision)
    for preview_id, signal_id in ((view.preview_id, "s000002"), ("p99999999", "s000001")):
        with pytest.raises(CommandRefused, match="too old"):
            previews.recall(preview_id, signal_id)


def test_old_previews_are_forgotten() -> None:
    previews, decision = Previews(), seen()
    first = previews.show(decision, (), T0)
    for _ in range(PREVIEWS_KEPT):
        previews.show(decision, (), T0)
    with pytest.raises(CommandRefused, match="too old"):
        previews.recall(first.preview_id, "s000001")


def test_the_sentence_names_the_whole_order() -> None:
    assert sentence(seen()) == "Buy 10 AAPL limit 187.20 day · stop 184.90 · target 191.80"
    assert sentence(seen(market=True)).startswith("Buy 10 AAPL market day")
    short = make_signal(side=Side.SELL, stop_loss=ExitSpec(unit="price", value=Decimal(189)), take_profit=None)
    assert sentence(decide(short, make_facts())) == "Short 10 AAPL limit 187.20 day · stop 189.00"
    closing = make_signal(side=Side.SELL, intent=Intent.CLOSE)
    assert sentence(decide(closing, make_facts(position_qty=Decimal(7)))) == "Close 7 AAPL"


def test_risk_headroom_and_drift_are_worked_out() -> None:
    facts = make_facts(
        exposures=(exposure("MSFT", 8_128),),
        correlations={"MSFT": 0.1},
        reserved=Decimal(1_000),
        account=make_account(),
    )
    view = Previews().show(seen(facts), (), T0)
    assert view.risk is not None
    # 10 x 2.30; of 100,000; (191.80 - 187.20) / 2.30; (191.80 - 187.10) / (187.10 - 184.90)
    assert (view.risk.usd, view.risk.pct_of_equity, view.risk.per_share) == (
        Decimal("23.00"),
        Decimal("0.02"),
        Decimal("2.30"),
    )
    assert (view.risk.reward_risk, view.risk.reward_risk_sent) == (Decimal("2.00"), Decimal("2.14"))
    assert view.headroom is not None
    assert (view.headroom.buying_power_before, view.headroom.buying_power_after) == (199_000, Decimal("197128.00"))
    assert (view.headroom.open_positions_before, view.headroom.open_positions_after) == (1, 2)
    assert view.headroom.gross_exposure_pct_after == Decimal("10.00")
    assert (view.price, view.drift_ticks, view.drift_r) == (Decimal("187.10"), 0, Decimal("0.00"))
    assert (view.approvable, view.blocked_by) == (True, None)


@pytest.mark.parametrize(
    ("side", "bid", "ask", "ticks"), [(Side.BUY, "187.18", "187.20", 10), (Side.SELL, "187.00", "187.02", 10)]
)
def test_drift_against_the_trade_is_positive(side: Side, bid: str, ask: str, ticks: int) -> None:
    signal = make_signal(side=side, stop_loss=ExitSpec(unit="amount", value=Decimal(2)), take_profit=None)
    view = Previews().show(decide(signal, make_facts(quote=make_quote(bid, ask))), (), T0)
    assert view.drift_ticks == ticks


def test_a_blocked_preview_says_by_what() -> None:
    view = Previews().show(seen(make_facts(session_open=False)), (), T0)
    assert (view.approvable, view.blocked_by) == (False, "The core session is closed.")


def test_the_reason_of_the_size_is_shown() -> None:
    sized = make_signal(size=SizeSpec(unit="risk_usd", value=Decimal(200)))
    config = config_of({"limits": {"max_symbol_exposure_pct": 100}})
    view = Previews().show(decide(sized, make_facts(config=config)), None, T0)
    assert (view.qty, view.size_reason) == (86, "risk $200.00 over 2.30")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (make_facts(), None),
        (make_facts(quote=make_quote(age_s=16.0)), "STALE_QUOTE"),
        (make_facts(quote=make_quote("190.00", "190.10")), "PRICE_DRIFT"),
        (make_facts(now=make_signal().expires_at), "EXPIRED"),
        (make_facts(entry_in_flight="b000017"), "ENTRY_IN_FLIGHT"),
        (make_facts(state=DeskState.PAUSED), "DENIED"),
        (make_facts(state=DeskState.PAUSED, quote=make_quote(age_s=16.0)), "DENIED"),
        (make_facts(state=DeskState.PAUSED, now=make_signal().expires_at), "EXPIRED"),
    ],
)
def test_the_button_is_off_with_the_code_that_the_api_refuses_with(facts: Facts, code: str | None) -> None:
    decision = seen(facts)
    view = Previews().show(decision, (), T0)
    assert (view.approvable, view.blocked_code) == (code is None, code)
    if code is None:
        refuse_if_denied(decision)
        return
    with pytest.raises(CommandRefused) as refused:
        refuse_if_denied(decision)
    assert (refused.value.code, refused.value.operator_text) == (view.blocked_code, view.blocked_by)
